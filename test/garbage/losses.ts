// Losses with kernels of their own.
import { native } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';
import { attempt, newTensor } from './tensors.js';

function classLoss({ random, scalar, plain, maybe }: Operands, name: string): unknown[] {
  const float = random(2);
  const x = [random(6), random(random(2) === 0 ? 4 : 40), random(2) === 0 ? 1 : random(40)];
  const places = [x[0], x[2]];
  const soft = random(2) === 0;
  const target = plain(soft ? x : places, soft ? float : 4 + random(2));
  // Zeros are classes.
  if (!soft && random(4) !== 0) attempt(() => native.fill(target, 0), []);
  const outs =
    name === 'crossEntropy'
      ? [plain(places, float), plain(places, 1), plain(places, float), plain(x, float)]
      : [plain(x, float), plain(places, float), plain(x, float), plain(places, 1), plain(places, float)];
  const ignore = random(10) === 0 ? scalar() : random(3) - 1;
  return [...outs, target, maybe([x[1]], float), ignore, [0, 0.1, 1, NaN][random(4)]];
}

function alignmentLoss({ random, large, made, operand, plain }: Operands, name: string): unknown[] {
  const [T, N, C, S] = [random(6), random(5), random(40) === 0 ? 0 : 1 + random(large), random(4)];
  const lengths = (most: number): number => {
    const handle = newTensor(5, [N]);
    native.fill(handle, BigInt(random(20) === 0 ? [-1, most + 1][random(2)] : random(most + 1)));
    made.push(handle);
    return random(20) === 0 ? operand(true, 5, [N]) : handle;
  };
  const padded = random(2) === 0;
  const targetLengths = padded ? lengths(S) : plain([N], 5);
  if (!padded) native.fill(targetLengths, BigInt(S));
  const targets = plain(padded ? [N, S] : [N * S], 5);
  if (random(3) !== 0) native.fill(targets, BigInt(random(Math.max(1, C))));
  const dtype = random(4);
  const logProbs = operand(true, dtype, [T, N, C]);
  const alpha = plain([T * (2 * N * S + N)], 1);
  const tail = [
    logProbs,
    targets,
    lengths(T),
    targetLengths,
    random(20) === 0 ? C : random(Math.max(1, C)),
    random(2) === 0,
  ];
  return name === 'ctcLoss'
    ? [plain([N], dtype), alpha, ...tail]
    : [plain([T, N, C], dtype), operand(true, dtype, [N]), alpha, ...tail];
}

export const losses: Makers = {
  crossEntropy: classLoss,
  crossEntropyBackward: classLoss,
  ctcLoss: alignmentLoss,
  ctcLossBackward: alignmentLoss,
};
