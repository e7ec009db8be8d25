// Pictures that programs leave behind.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Tensor, utils } from 'thalweg';

export async function saveText(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(`wrote ${file}`);
}

/** Saves images [N, C, H, W] with values from 0 to 1 as one PNG, eight beside each other. */
export async function saveGrid(file: string, images: Tensor): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await utils.savePng(file, utils.imageGrid(images.clamp({ min: 0, max: 1 }), { padValue: 0.25 }));
  console.log(`wrote ${file}`);
}
