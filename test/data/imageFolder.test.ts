import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp, { type Sharp } from 'sharp';
import { ArgumentError, data, FileError } from 'thalweg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-images-'));
  // Six images of 4 x 6 in three classes; red tells the class, the name the rest.
  for (const [label, name] of ['ant', 'bee', 'Cow'].entries()) {
    await mkdir(join(folder, 'set', name, 'deeper'), { recursive: true });
    await image({ r: 50 * label, g: 100, b: 200 })
      .png()
      .toFile(join(folder, 'set', name, 'b.png'));
    await image({ r: 50 * label, g: 0, b: 0 })
      .png()
      .toFile(join(folder, 'set', name, 'deeper/a.PNG'));
    await writeFile(join(folder, 'set', name, 'notes.txt'), 'no image');
  }
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const image = (background: { r: number; g: number; b: number }, width = 6, height = 4): Sharp =>
  sharp({ create: { width, height, channels: 3, background } });

describe('imageFolder', () => {
  test('classes, order, images', async () => {
    const set = await data.imageFolder(join(folder, 'set'));
    expect(set.classes).toEqual(['Cow', 'ant', 'bee']);
    expect(set.length).toBe(6);
    expect(set.labels).toEqual(BigInt64Array.of(0n, 0n, 1n, 1n, 2n, 2n));
    expect(set.files[0]).toBe(join(folder, 'set', 'Cow', 'b.png'));
    expect(set.skipped).toEqual([]);
    const [x, label] = await set.get(4);
    expect([x.dtype, ...x.shape, label]).toEqual(['float32', 3, 4, 6, 2n]);
    const pixels = (await x.array()) as number[][][];
    expect(pixels.map((plane) => plane[3][5])).toEqual([50, 100, 200].map((value) => Math.fround(value / 255)));
    expect((await set.get(-1))[1]).toBe(2n);
    await expect(set.get(6)).rejects.toThrow('ImageFolderDataset: index 6 is out of range for 6 samples.');
  });

  test('resized, in batches', async () => {
    const set = await data.imageFolder(join(folder, 'set'), { size: [8, 5], channels: 1, normalize: false });
    let count = 0;
    for await (const [images, labels] of new data.DataLoader(set, { batchSize: 4 })) {
      expect(images.dtype).toBe('uint8');
      expect(images.shape.slice(1)).toEqual([1, 8, 5]);
      count += labels.shape[0];
    }
    expect(count).toBe(6);
  });

  test('damaged images: named, or left out if that is wanted', async () => {
    const root = join(folder, 'damaged');
    await mkdir(join(root, 'a'), { recursive: true });
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const background = { r: 1, g: 2, b: 3 };
    const bytes = await sharp({ create: { width: 60, height: 60, channels: 3, background, noise } })
      .jpeg()
      .toBuffer();
    await writeFile(join(root, 'a', '1.jpg'), bytes);
    await writeFile(join(root, 'a', '2.jpg'), bytes.subarray(0, bytes.length - 500));
    await writeFile(join(root, 'a', '3.png'), 'no image at all');
    await writeFile(join(root, 'a', '4.png'), '');
    const set = await data.imageFolder(root);
    expect(set.length).toBe(4);
    await expect(set.get(2)).rejects.toThrow(`image ${join(root, 'a', '3.png')}: damaged, or no image: `);
    for (const i of [1, 2, 3]) await expect(set.get(i)).rejects.toThrow(FileError);
    const skipping = await data.imageFolder(root, { damaged: 'skip' });
    expect(skipping.files).toEqual([join(root, 'a', '1.jpg')]);
    expect(skipping.labels.length).toBe(1);
    expect(skipping.skipped.map(({ file }) => file)).toEqual(
      ['2.jpg', '3.png', '4.png'].map((n) => join(root, 'a', n)),
    );
  });

  test('folders that are not right', async () => {
    const missing = join(folder, 'missing');
    await expect(data.imageFolder(missing)).rejects.toThrow(
      new FileError(`imageFolder ${missing}: no such file or folder.`),
    );
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expect(data.imageFolder(empty)).rejects.toThrow(
      new FileError(`imageFolder ${empty}: it has no folders; each class needs one.`),
    );
    await mkdir(join(empty, 'a'));
    await expect(data.imageFolder(empty, { extensions: ['.png'] })).rejects.toThrow(
      new FileError(`imageFolder ${empty}: class 'a' has no images (looked for .png).`),
    );
    await expect(data.imageFolder(empty, { damaged: 'keep' as never })).rejects.toThrow(
      new ArgumentError("imageFolder: damaged must be 'throw' or 'skip', not keep."),
    );
  });
});

describe('readImage', () => {
  test('formats, grey, opacity, orientation', async () => {
    const at = (name: string): string => join(folder, name);
    await image({ r: 10, g: 20, b: 30 }).webp({ lossless: true }).toFile(at('x.webp'));
    expect((await data.readImage(at('x.webp'))).shape).toEqual([3, 4, 6]);
    expect((await data.readImage(at('x.webp'), { channels: 4, normalize: false })).shape).toEqual([4, 4, 6]);
    await image({ r: 77, g: 77, b: 77 }).greyscale().png().toFile(at('grey.png'));
    const grey = await data.readImage(at('grey.png'), { normalize: false });
    expect([...(await grey.data())].every((value) => value === 77)).toBe(true);
    expect(grey.shape).toEqual([3, 4, 6]);
    await sharp(await image({ r: 9, g: 9, b: 9 }).png().toBuffer())
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(at('turned.jpg'));
    expect((await data.readImage(at('turned.jpg'))).shape).toEqual([3, 6, 4]);
    // 16 bits per channel.
    await image({ r: 255, g: 0, b: 0 }).toColourspace('rgb16').png().toFile(at('deep.png'));
    const deep = await data.readImage(at('deep.png'), { normalize: false });
    expect([deep.dtype, (await deep.data())[0]]).toEqual(['uint8', 255]);
  });

  test('cover keeps the middle, fill stretches', async () => {
    const left = await image({ r: 255, g: 255, b: 255 }, 2, 4).png().toBuffer();
    const file = join(folder, 'sides.png');
    await image({ r: 0, g: 0, b: 0 }, 8, 4)
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toFile(file);
    const cover = await (await data.readImage(file, { size: 4, channels: 1 })).array();
    expect((cover as number[][][])[0].flat().every((value) => value === 0)).toBe(true);
    const fill = await (await data.readImage(file, { size: 4, fit: 'fill', channels: 1 })).array();
    expect((fill as number[][][])[0][0][0]).toBeGreaterThan(0.8);
  });

  test('too large, a program, options', async () => {
    const file = join(folder, 'large.png');
    await image({ r: 0, g: 0, b: 0 }, 300, 300).png().toFile(file);
    await expect(data.readImage(file, { maxPixels: 1000 })).rejects.toThrow(
      /image .*large\.png: damaged, or no image: .*pixel limit/,
    );
    await writeFile(file, '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>');
    await expect(data.readImage(file)).rejects.toThrow(new FileError(`image ${file}: its format (svg) is not read.`));
    for (const [options, message] of [
      [{ size: 0 }, 'readImage: size must be an integer from 1 to 65536 or [height, width], not 0.'],
      [{ channels: 2 }, 'readImage: channels must be 1, 3 or 4, not 2.'],
      [{ fit: 'x' }, "readImage: fit must be 'cover' or 'fill', not x."],
    ] as [data.ImageOptions, string][]) {
      await expect(data.readImage(file, options)).rejects.toThrow(new ArgumentError(message));
    }
  });

  test('cut at many lengths; random bytes changed', async () => {
    for (const format of ['png', 'jpeg', 'webp'] as const) {
      const whole = await image({ r: 10, g: 20, b: 30 }, 40, 30).toFormat(format).toBuffer();
      const file = join(folder, `damaged.${format}`);
      const attempt = async (bytes: Uint8Array): Promise<void> => {
        await writeFile(file, bytes);
        try {
          (await data.readImage(file)).dispose();
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
        }
      };
      for (let i = 0; i < 20; i++) await attempt(whole.subarray(0, Math.floor((whole.length * i) / 20)));
      for (let round = 0; round < 60; round++) {
        const [at, value] = philox([round, 0, 0, 0], [2, 4]);
        const bytes = Uint8Array.from(whole);
        bytes[at % bytes.length] ^= value & 0xff || 1;
        await attempt(bytes);
      }
    }
  });

  test('without sharp: how to have it', async () => {
    const file = join(folder, 'set', 'ant', 'b.png');
    const program = `import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(\`export function resolve(name, context, next) {
        if (name === 'sharp') throw new Error('not there');
        return next(name, context);
      }\`));
      const { data } = await import('./dist/index.js');
      await data.readImage(${JSON.stringify(file)}).catch((error) => console.log(error.name, error.message));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    expect(stdout).toBe(
      'ArgumentError readImage: images are decoded by the package sharp, which cannot be loaded: npm install sharp (not there).\n',
    );
  });
});
