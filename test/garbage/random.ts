// Random numbers, and dropout, which draws them.
import type { Makers, Operands } from './operands.js';

function draw({ random, scalar, operand }: Operands, name: string): unknown[] {
  const a = [0, 0.5, 1, NaN, -1, 2 ** 53, Infinity][random(7)];
  const b = [1, 2, 0.5, 100, NaN, -1, Infinity][random(7)];
  const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
  const offset = random(10) === 0 ? [-1, 2 ** 53, NaN][random(3)] : random(1000);
  const target = name === 'randomPermutation' ? operand(true, 4 + random(2), [random(200)]) : operand(true);
  return [target, seed, offset, ...(name === 'randomPermutation' ? [] : name === 'randomBernoulli' ? [a] : [a, b])];
}

function dropout({ random, base, scalar, plain }: Operands): unknown[] {
  const float = random(4);
  const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
  const keep = [0, 0.5, 1, 0.3, NaN, 2][random(6)];
  return [plain(base, float), plain(base, 7), plain(base, float), seed, random(1000), keep, 2];
}

export const randomNumbers: Makers = {
  randomUniform: draw,
  randomNormal: draw,
  randomBernoulli: draw,
  randomIntegers: draw,
  randomPermutation: draw,
  dropout,
};
