// Matrix products and convolutions.
import { scratchNumbers } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';

function matmul({ random, large, base, family, operand }: Operands): unknown[] {
  const [m, k, p] = [random(large / 2), random(random(4) === 0 ? 300 : large / 2), random(large)];
  const batch = base.slice(0, random(3));
  const part = (): number[] => batch.map((size) => (random(4) === 0 ? 1 : size));
  return [
    operand(true, family, [...batch, m, p]),
    operand(true, family, [...part(), m, k]),
    operand(true, family, [...part(), k, p]),
    random(2) === 0 ? 0 : operand(true, family, random(4) === 0 ? [m, p] : [p]),
    random(12) === 0 ? [-1, 5, NaN, 99][random(4)] : random(5),
  ];
}

function convolution({ random, operand, filled }: Operands, name: string): unknown[] {
  const spatial = 1 + random(3);
  const some = (most: number): number[] => Array.from({ length: spatial }, () => 1 + random(most));
  const [kernel, stride, dilation] = [some(3), some(3), some(2)];
  const padding = some(3).map((size) => size - 1);
  const out = some(6);
  // Sizes that fit, most of the time; the kernels take any.
  const inner = out.map((size, d) =>
    random(6) === 0
      ? random(9)
      : Math.max(1, (size - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - 2 * padding[d]),
  );
  const [images, groups, a, b] = [random(4), 1 + random(3), random(12) === 0 ? 0 : 1 + random(5), 1 + random(5)];
  const dtype = random(random(4) === 0 ? 4 : 2);
  const contiguous = (shape: readonly number[]): number =>
    random(12) === 0 ? operand(true, dtype, shape) : filled(shape, dtype);
  const x = contiguous([images, groups * a, ...inner]);
  const full = (list: readonly number[], fill: number): number[] => [
    ...new Array<number>(3 - spatial).fill(fill),
    ...list,
  ];
  const moves = [...full(stride, 1), ...full(padding, 0), ...full(dilation, 1)];
  const taps = kernel.reduce((n, size) => n * size, 1);
  const places = out.reduce((n, size) => n * size, 1);
  let args: unknown[];
  let geometry: number[];
  if (name.startsWith('conv')) {
    const y = contiguous([images, groups * b, ...out]);
    const weight = contiguous([groups * b, a, ...kernel]);
    const order =
      name === 'convForward' ? [y, x, weight] : name === 'convBackwardData' ? [x, y, weight] : [weight, y, x];
    geometry = [...moves, groups, random(2)];
    const channels = groups * (name === 'convForward' ? b : a);
    args = name === 'convBackwardWeight' ? order : [...order, random(2) === 0 ? 0 : contiguous([channels])];
  } else {
    const columns = contiguous([images, groups * a * taps, places]);
    geometry = [...full(out, 1), ...full(kernel, 1), ...moves];
    args = name === 'im2col' ? [columns, x] : [x, columns];
  }
  if (random(8) === 0) geometry[random(geometry.length)] = [-1, 0, 2 ** 30, 2 ** 31, 0.5, NaN, 2 ** 20][random(7)];
  geometry.forEach((value, i) => (scratchNumbers[i] = value));
  return [...args, random(20) === 0 ? random(20) : geometry.length];
}

export const products: Makers = {
  matmul,
  im2col: convolution,
  col2im: convolution,
  convForward: convolution,
  convBackwardData: convolution,
  convBackwardWeight: convolution,
};
