// Vectors for TensorBoard's projector: tables and a picture of pictures, named by a text file in the log's folder.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, ShapeError } from '../errors.js';
import { writeFileAtomic } from '../io/atomic.js';
import { toFileError } from '../io/file.js';
import { savePng } from '../io/png.js';
import { checkTensor } from '../ops/define.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { imageGrid } from '../utils/imageGrid.js';

/** Options of `addEmbedding`. */
export interface EmbeddingOptions {
  /** What each vector is called. */
  labels?: readonly (string | number)[];
  /** A square picture of each, `[count, channels, size, size]`. */
  images?: Tensor;
  /** The name of the set. Default `'default'`. */
  tag?: string;
  /** Default 0. */
  step?: number;
}

const line = (text: string | number): string => String(text).replace(/[\t\r\n]+/g, ' ');

/** @internal */
export async function writeEmbedding(logDir: string, vectors: Tensor, options: EmbeddingOptions): Promise<void> {
  checkTensor('addEmbedding', 'vectors', vectors);
  const { labels, images, tag = 'default', step = 0 } = options;
  const [count, width] = vectors.shape;
  if (vectors.ndim !== 2 || count === 0) {
    throw new ShapeError(`addEmbedding: vectors must be [count, dimensions], got ${formatShape(vectors.shape)}.`);
  }
  if (!/^[\w.-]+$/.test(tag) || /^\.+$/.test(tag) || !Number.isSafeInteger(step) || step < 0) {
    throw new ArgumentError(
      `addEmbedding: the tag must be made of letters, digits, '_', '-' and '.', and step an integer of 0 or more; got '${tag}' and ${String(step)}.`,
    );
  }
  if (labels !== undefined && labels.length !== count) {
    throw new ArgumentError(`addEmbedding: there are ${labels.length} labels for ${count} vectors.`);
  }
  if (images !== undefined && (images.ndim !== 4 || images.shape[0] !== count || images.shape[2] !== images.shape[3])) {
    throw new ShapeError(
      `addEmbedding: images must be [${count}, channels, size, size], got ${formatShape(images.shape)}.`,
    );
  }
  const data = await vectors.data();
  const folder = join(String(step).padStart(5, '0'), tag);
  const write = (name: string, lines: string[]): Promise<void> =>
    writeFileAtomic(join(logDir, folder, name), new TextEncoder().encode(`${lines.join('\n')}\n`));
  try {
    await mkdir(join(logDir, folder), { recursive: true });
  } catch (error) {
    throw toFileError(error, 'write', join(logDir, folder));
  }
  const rows = Array.from({ length: count }, (_, i) =>
    Array.from(data.slice(i * width, (i + 1) * width), Number).join('\t'),
  );
  await write('tensors.tsv', rows);
  const at = (name: string): string => JSON.stringify(`${folder.replaceAll('\\', '/')}/${name}`);
  let entry = `embeddings {\n  tensor_name: "${tag}:${String(step).padStart(5, '0')}"\n  tensor_path: ${at('tensors.tsv')}\n`;
  if (labels !== undefined) {
    await write('metadata.tsv', labels.map(line));
    entry += `  metadata_path: ${at('metadata.tsv')}\n`;
  }
  if (images !== undefined) {
    const sprite = imageGrid(images, { columns: Math.ceil(Math.sqrt(count)), padding: 0 });
    await savePng(join(logDir, folder, 'sprite.png'), sprite).finally(() => sprite.dispose());
    const size = images.shape[3];
    entry += `  sprite {\n    image_path: ${at('sprite.png')}\n    single_image_dim: ${size}\n    single_image_dim: ${size}\n  }\n`;
  }
  const config = join(logDir, 'projector_config.pbtxt');
  const before = await readFile(config, 'utf8').catch(() => '');
  if (!before.includes(entry)) await writeFileAtomic(config, new TextEncoder().encode(`${before}${entry}}\n`));
}
