// Pooling and resampling.
import { native, scratchNumbers } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';
import { attempt, filledTensor } from './tensors.js';

function pooling({ random, image }: Operands, name: string): unknown[] {
  const spatial = 1 + random(3);
  const some = (most: number): number[] => Array.from({ length: spatial }, () => 1 + random(most));
  const max = name.startsWith('max');
  const adaptive = max && random(4) === 0;
  const kernel = adaptive ? new Array<number>(spatial).fill(0) : some(3);
  const [stride, dilation, out] = [some(3), max && !adaptive ? some(2) : [1, 1, 1], some(6)];
  const padding = kernel.map((size) => random(Math.floor(size / 2) + 1));
  const inner = out.map((size, d) =>
    random(6) === 0
      ? random(9)
      : Math.max(1, (size - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - 2 * padding[d]),
  );
  const dtype = random(2);
  const lead = [random(4), random(12) === 0 ? 0 : 1 + random(5)];
  const [x, y] = [image([...lead, ...inner], dtype), image([...lead, ...out], dtype)];
  const taps = image([...lead, ...out], random(3) === 0 ? 4 : 6);
  // Zeros are taps of most windows.
  if (random(3) !== 0) attempt(() => native.fill(taps, 0), []);
  const full = (list: readonly number[], fill: number): number[] => [
    ...new Array<number>(3 - spatial).fill(fill),
    ...list.slice(0, spatial),
  ];
  const geometry = [...full(kernel, adaptive ? 0 : 1), ...full(stride, 1), ...full(padding, 0)];
  if (max) geometry.push(...full(dilation, 1));
  else geometry.push(random(2), random(3));
  if (random(8) === 0) geometry[random(geometry.length)] = [-1, 0, 2 ** 30, 2 ** 31, 0.5, NaN, 2 ** 20][random(7)];
  geometry.forEach((value, i) => (scratchNumbers[i] = value));
  const count = random(20) === 0 ? random(20) : geometry.length;
  return [
    {
      maxPool: [y, random(2) === 0 ? 0 : taps, x],
      maxPoolBackward: [x, y, taps],
      maxPoolTake: [y, x, taps],
      maxPoolIndices: [image([...lead, ...out], 5), taps, x],
      avgPool: [y, x],
      avgPoolBackward: [x, y],
    }[name],
    count,
  ].flat();
}

function resample({ random, made, dim, filled }: Operands): unknown[] {
  const dtype = random(2);
  const ranks = 1 + random(4);
  const along = random(ranks);
  const shape = Array.from({ length: ranks }, () => random(6));
  const target = shape.map((size, d) => (d === along ? random(6) : size));
  const taps = random(4);
  const [out, x, weights] = [target, shape, [target[along], taps]].map((sizes) => filled(sizes, dtype));
  const most = Math.max(1, shape[along] - taps + 1);
  const spans = filledTensor(
    4,
    [target[along], 2],
    Int32Array.from({ length: 2 * target[along] }, (_, i) =>
      random(30) === 0 ? random(9) - 3 : i % 2 === 0 ? random(most) : Math.min(taps, shape[along]),
    ),
  );
  made.push(spans);
  return [out, x, random(12) === 0 ? dim() : along, spans, weights];
}

export const pools: Makers = {
  maxPool: pooling,
  maxPoolBackward: pooling,
  maxPoolTake: pooling,
  maxPoolIndices: pooling,
  avgPool: pooling,
  avgPoolBackward: pooling,
  resample,
};
