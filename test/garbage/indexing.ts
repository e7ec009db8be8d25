// Kernels that read or write where indices say, or give indices.
import { scratchHandles, scratchNumbers } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';

function rowLookup({ random, base, family, operand, index }: Operands, name: string): unknown[] {
  const features = 1 + random(20);
  const places = base.slice(0, random(4));
  const table = operand(true, family, [1 + random(6), features]);
  const rows = operand(true, family, [...places, features]);
  return name === 'embedding' ? [rows, table, index(places)] : [table, rows, index(places)];
}

function linearIndex({ random, base, operand, index }: Operands): unknown[] {
  const count = 1 + random(3);
  for (let i = 0; i < count; i++) {
    scratchHandles[i] = index(base);
    scratchNumbers[2 * i] = random(10) === 0 ? [NaN, -1, 2 ** 60, 0][random(4)] : 1000;
    scratchNumbers[2 * i + 1] = random(30) === 0 ? NaN : i;
  }
  return [operand(true, 5, base), random(30) === 0 ? random(20) : count, random(30) === 0 ? 1 : 2 * count];
}

function triangle({ random, operand }: Operands): unknown[] {
  const diagonal = random(8) === 0 ? [2 ** 53 - 1, -(2 ** 53 - 1), NaN][random(3)] : random(9) - 4;
  return [operand(true), operand(true), diagonal, random(2) === 0];
}

export const indexing: Makers = {
  gather: ({ dim, operand, index }) => [operand(true), operand(true), index(), dim()],
  scatterAdd: ({ dim, operand, index }) => [operand(true), index(), operand(true), dim()],
  scatter: ({ dim, operand, index }) => [operand(true), index(), operand(true), dim()],
  scatterReduce: ({ random, dim, operand }) => [
    operand(true),
    operand(true, 5),
    operand(true),
    dim(),
    [2, 3, 4, 0, 99][random(5)],
  ],
  embedding: rowLookup,
  embeddingBackward: rowLookup,
  linearIndex,
  countNonzero: ({ random, base, operand }) => [
    operand(true, 5, random(10) === 0 ? base : []),
    operand(true, random(8)),
  ],
  nonzero: ({ random, operand }) => [operand(true, 5, [random(4), 1]), operand(true, random(8), [random(4)])],
  flip: ({ random, operand }) => [
    operand(true),
    operand(true),
    random(12) === 0 ? [-1, 2 ** 40, NaN][random(3)] : random(8),
  ],
  triangle,
};
