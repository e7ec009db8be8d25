// Recurrent layers.
import { scratchHandles, scratchNumbers } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';
import { filledTensor, newTensor } from './tensors.js';

function recurrentLayer({ random, large, made, operand, filled }: Operands, name: string): unknown[] {
  const kind = random(30) === 0 ? [4, -1, NaN][random(3)] : random(4);
  const [T, B, H] = [random(5), random(40) === 0 ? 0 : 1 + random(large), random(large)];
  const G = [4, 3, 1, 1][kind] || 1;
  const sizes = Array.from({ length: T }, (_, t) => (t === 0 ? B : random(3) === 0 ? -1 : 0));
  for (let t = 1; t < T; t++) sizes[t] = Math.max(0, sizes[t - 1] + sizes[t] * random(4));
  if (random(10) === 0 && T > 0) sizes[random(T)] = random(2) === 0 ? random(9) : [-1, 2 ** 40][random(2)];
  const packed = random(2) === 0;
  const N = packed ? sizes.reduce((n, size) => n + size, 0) : T * B;
  // Mostly what the kernel wants, for there are many operands.
  const float = random(2);
  const plain = (...shape: number[]): number => {
    if (random(150) === 0) return operand(true, float, random(2) === 0 ? shape : undefined);
    if (!(shape[0] >= 0 && shape[0] < 1e4)) return operand(true);
    return filled(shape, float);
  };
  const some = (handle: number): number => (random(40) === 0 ? 0 : handle);
  const batchSizes = packed ? filledTensor(5, [T], BigInt64Array.from(sizes, BigInt)) : 0;
  if (packed) made.push(batchSizes);
  const [rows, gates, state] = [[N, H] as const, [N, G * H] as const, [B, H] as const];
  const I = random(large);
  const weights = [I, H].map((n) => (random(4) === 0 ? operand(true, float, [G * H, n]) : plain(G * H, n)));
  const input = N >= 0 && N < 1e4 && random(4) === 0 ? operand(true, float, [N, I]) : plain(N, I);
  const bias = (): number => (random(2) === 0 ? 0 : plain(G * H));
  const end = [batchSizes, kind, random(2) === 0];
  return name === 'rnnForward'
    ? [
        ...[plain(...rows), plain(...state), random(2) === 0 ? 0 : plain(...gates), some(plain(...state))],
        ...[random(2) === 0 ? 0 : plain(...rows), input, ...weights, bias(), bias(), ...end],
      ]
    : [
        ...[[N, I] as const, [G * H, I] as const, [G * H, H] as const].map((shape) =>
          random(2) === 0 ? 0 : plain(...shape),
        ),
        ...[bias(), bias(), plain(...state), some(plain(...state)), random(2) === 0 ? 0 : plain(...rows)],
        ...[plain(...gates), plain(...rows), some(plain(...rows)), plain(...state), some(plain(...state))],
        ...[input, ...weights, ...end],
      ];
}

function layerStack({ random, large, made, operand }: Operands, name: string): unknown[] {
  const kind = random(30) === 0 ? [4, -1, NaN][random(3)] : random(4);
  const [layers, D, per] = [1 + random(2), 1 + random(2), random(2) === 0 ? 2 : 4];
  const [B, H, I] = [1 + random(4), random(large), random(large)];
  const lengths = Array.from({ length: B }, () => 1 + random(4)).sort((a, b) => b - a);
  if (random(10) === 0) lengths[random(B)] = [NaN, 0, 1.5, 2 ** 60, -1][random(5)];
  const packed = random(2) === 0;
  const N = packed ? lengths.reduce((n, length) => n + length, 0) : B * (1 + random(4));
  const float = random(4);
  const plain = (...shape: number[]): number => {
    if (random(60) === 0 || !shape.every((n) => Number.isInteger(n) && n >= 0 && n < 1e4)) return operand(true, float);
    const handle = newTensor(float, shape);
    made.push(handle);
    return handle;
  };
  const state = (): number => plain(layers * D, B, H);
  const some = (handle: number): number => (random(3) === 0 ? 0 : handle);
  const columns = ([4, 3, 1, 1][kind] || 1) * H;
  const weights = Array.from({ length: layers * D * per }, (_, i) => {
    const input = i < D * per ? I : D * H;
    return i % per < 2 ? plain(columns, i % per === 0 ? input : H) : plain(columns);
  });
  const backward = name === 'rnnStackBackward';
  [...weights, ...(backward ? weights : [])].forEach((handle, i) => (scratchHandles[i] = handle));
  lengths.forEach((length, b) => (scratchNumbers[b] = length));
  const count = random(30) === 0 ? random(9) : weights.length;
  const [reserve, ofLengths] = [newTensor(6, [random(9)]), packed ? B : 0];
  made.push(reserve);
  const end = [kind, random(20) === 0 ? [0, 5, 2 ** 40, NaN][random(4)] : layers, D === 2, random(2) === 0];
  const [x, y, cell] = [plain(N, I), plain(N, D * H), kind === 0 ? some(state()) : 0];
  return backward
    ? [
        ...[some(plain(N, I)), some(state()), cell, random(2) === 0 ? 0 : count, some(plain(N, D * H))],
        ...[some(state()), cell, reserve, y, x, some(state()), cell, count, ofLengths],
        ...[random(20) === 0 ? random(9) : B, ...end],
      ]
    : [y, state(), cell, some(reserve), x, some(state()), cell, count, ofLengths, ...end];
}

export const recurrent: Makers = {
  rnnForward: recurrentLayer,
  rnnBackward: recurrentLayer,
  rnnStack: layerStack,
  rnnStackBackward: layerStack,
};
