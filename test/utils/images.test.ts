// Image grids and PNG files: where each pixel goes, what becomes of values, and what is refused.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, describe, expect, test } from 'vitest';
import { arange, memory, tensor, utils, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const { encodePng, imageGrid, savePng } = utils;
const folder = mkdtempSync(join(tmpdir(), 'thalweg-png-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rejection = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );

describe('encodePng', () => {
  test('writes channels first, last and none, of each number of channels', async () => {
    const image = arange(0, 2 * 3 * 4)
      .reshape([4, 2, 3])
      .to('uint8');
    for (const channels of [1, 2, 3, 4]) {
      const part = image.slice(0, 0, channels);
      const png = decode(await encodePng(part));
      expect([png.width, png.height, png.channels, png.depth]).toEqual([3, 2, channels, 8]);
      expect([...png.data]).toEqual([...part.permute([1, 2, 0]).dataSync()]);
      const last = decode(await encodePng(part.permute([1, 2, 0]), { layout: 'HWC' }));
      expect([...last.data]).toEqual([...png.data]);
    }
    expect([...decode(await encodePng(image.select(0, 1))).data]).toEqual([6, 7, 8, 9, 10, 11]);
  });

  test('rounds floats from 0 to 1, cuts off what lies outside, and takes NaN as 0', async () => {
    const png = decode(await encodePng(tensor([[0, 0.5, 1, -3, 7, NaN, Infinity, 0.00196]])));
    expect([...png.data]).toEqual([0, 128, 255, 0, 255, 0, 255, 0]);
    expect([...decode(await encodePng(tensor([[true, false]]))).data]).toEqual([255, 0]);
    expect([...decode(await encodePng(tensor([[0.25, 1]]).to('float16'))).data]).toEqual([64, 255]);
  });

  test('refuses what is no image', async () => {
    expect(await rejection(encodePng(zeros([2, 5, 6, 3])))).toBe(
      'ShapeError: encodePng: an image is [height, width] or [channels, height, width], got shape [2,5,6,3].',
    );
    expect(await rejection(encodePng(zeros([28, 28, 3])))).toBe(
      "ShapeError: encodePng: an image has 1 to 4 channels and at least one pixel, got CHW [28,28,3]; for channels last pass { layout: 'HWC' }.",
    );
    expect(await rejection(encodePng(zeros([1, 0, 3])))).toMatch(
      /^ShapeError: .*at least one pixel, got CHW \[1,0,3\]/,
    );
    expect(await rejection(encodePng(zeros([2, 2], { dtype: 'int32' })))).toMatch(/^DTypeError: .* this one is int32/);
    expect(await rejection(encodePng(5 as unknown as Tensor))).toMatch(/^ArgumentError: encodePng: image is a number/);
    expect(await rejection(encodePng(zeros([2, 2]), { layout: 'WH' as 'HW' }))).toMatch(/^ArgumentError/);
  });
});

describe('savePng', () => {
  test('writes a file, leaves nothing else, and names a folder that is not there', async () => {
    const file = join(folder, 'a.png');
    const before = memory().tensors;
    const image = tensor([[0, 1]]);
    await savePng(file, image);
    image.dispose();
    expect(memory().tensors).toBe(before);
    expect([...decode(readFileSync(file)).data]).toEqual([0, 255]);
    expect(readdirSync(folder)).toEqual(['a.png']);
    const nowhere = join(folder, 'no', 'a.png');
    expect(await rejection(savePng(nowhere, zeros([2, 2])))).toBe(
      `FileError: write ${nowhere}: no such file or folder.`,
    );
  });
});

describe('imageGrid', () => {
  test('puts images in rows with padding between and around', () => {
    const images = tensor([1, 2, 3]).reshape([3, 1, 1, 1]);
    const grid = imageGrid(images, { columns: 2, padding: 1, padValue: 9 });
    expect(grid.shape).toEqual([3, 5, 5]);
    const rows = [
      [9, 9, 9, 9, 9],
      [9, 1, 9, 2, 9],
      [9, 9, 9, 9, 9],
      [9, 3, 9, 9, 9],
      [9, 9, 9, 9, 9],
    ];
    expect(grid.arraySync()).toEqual([rows, rows, rows]);
  });

  test('keeps the dtype, the order of channels, and the pixels of each image', () => {
    const images = arange(0, 5 * 3 * 2 * 4)
      .reshape([5, 3, 2, 4])
      .to('uint8');
    const grid = imageGrid(images, { columns: 3, padding: 2 });
    expect([grid.dtype, grid.shape]).toEqual(['uint8', [3, 2 * 4 + 2, 3 * 6 + 2]]);
    for (let i = 0; i < 5; i++) {
      const [row, column] = [Math.floor(i / 3), i % 3];
      const part = grid.slice(1, 2 + row * 4, 4 + row * 4).slice(2, 2 + column * 6, 6 + column * 6);
      expect(part.arraySync()).toEqual(images.select(0, i).arraySync());
    }
  });

  test('takes lists, never more columns than images, and one image without padding', () => {
    expect(imageGrid([zeros([3, 4, 5]), zeros([3, 4, 5])]).shape).toEqual([3, 8, 16]);
    expect(imageGrid([zeros([4, 5]), zeros([4, 5])], { padding: 0 }).shape).toEqual([3, 4, 10]);
    expect(imageGrid(zeros([1, 1, 4, 5])).shape).toEqual([3, 4, 5]);
    expect(imageGrid(zeros([4, 5])).shape).toEqual([3, 4, 5]);
    expect(imageGrid(zeros([16, 3, 4, 5])).shape).toEqual([3, 2 * 6 + 2, 8 * 7 + 2]);
  });

  test('normalizes over all, over each, and over a range', () => {
    const images = tensor([[[[0, 2]]], [[[4, 8]]]]);
    const first = (t: Tensor): number[] => [...(t.select(0, 0).dataSync() as Float32Array)];
    expect(first(imageGrid(images, { padding: 0, normalize: true }))).toEqual([0, 0.25, 0.5, 1]);
    expect(first(imageGrid(images, { padding: 0, normalize: true, scaleEach: true }))).toEqual([0, 1, 0, 1]);
    expect(first(imageGrid(images, { padding: 0, normalize: true, valueRange: [2, 4] }))).toEqual([0, 0, 1, 1]);
  });

  test('refuses what is no batch of images', () => {
    expect(errorOf(() => imageGrid(zeros([2, 5, 4, 4])))).toBe(
      'ShapeError: imageGrid: images must be [count, channels, height, width] with 1, 3 or 4 channels, or a list of [channels, height, width]; got [2,5,4,4].',
    );
    expect(errorOf(() => imageGrid([]))).toBe('ArgumentError: imageGrid: there are no images in the list.');
    expect(errorOf(() => imageGrid(zeros([2, 3, 4, 4]), { columns: 0 }))).toMatch(/^ArgumentError: .*columns/);
    expect(errorOf(() => imageGrid(zeros([2, 3, 4, 4]), { padding: 1.5 }))).toMatch(/^ArgumentError: .*padding/);
    expect(errorOf(() => imageGrid(zeros([2, 3, 4, 4], { dtype: 'uint8' }), { normalize: true }))).toMatch(
      /^DTypeError: imageGrid: normalize is for float images/,
    );
    expect(errorOf(() => imageGrid(zeros([2, 3, 4, 4]), { normalize: true, valueRange: [1, 1] }))).toMatch(
      /low < high/,
    );
  });
});
