// Scans, sorting and searching.
import type { Makers, Operands } from './operands.js';

function scan({ random, family, dim, operand }: Operands): unknown[] {
  const accumulated = family > 3 && random(15) !== 0 ? 5 : family;
  const kind = random(20) === 0 ? [-1, 3, NaN][random(3)] : random(3);
  return [operand(true, accumulated), operand(true), dim(), kind, random(2) === 0];
}

function sort({ random, dim, operand }: Operands): unknown[] {
  const [values, indices] = [random(4) === 0 ? 0 : operand(true), random(4) === 0 ? 0 : operand(true, 5)];
  return [values, indices, operand(true), dim(), random(2) === 0];
}

function selection({ random, base, family, dim, operand }: Operands, name: string): unknown[] {
  const d = dim();
  const n = base[d] ?? 1;
  const picked = base.map((size, i) => (i !== d ? size : name === 'pick' ? 1 : random(n + 1)));
  const tail = name === 'pick' ? [random(4), random(15) === 0 ? -1 : random(n)] : [random(2) === 0];
  return [operand(true, family, picked), operand(true, 5, picked), operand(true), d, ...tail];
}

function rowOrder({ random, large, base, family, operand }: Operands): unknown[] {
  const [rows, columns] = [random(large), random(4)];
  return [operand(true, 5, [rows]), operand(true, family, random(10) === 0 ? base : [rows, columns])];
}

function searchsorted({ random, large, base, family, operand }: Operands): unknown[] {
  const row = random(large);
  const leading = base.slice(0, random(3));
  const sequence = random(2) === 0 ? [row] : [...leading, row];
  const asked = [...leading, random(6)];
  return [
    operand(true, 4 + random(2), asked),
    operand(true, family, sequence),
    operand(true, family, asked),
    random(2) === 0 ? 0 : operand(true, 5, sequence),
    random(2) === 0,
  ];
}

export const order: Makers = {
  scan,
  scanExtreme: ({ random, dim, operand }) => [operand(true), operand(true, 5), operand(true), dim(), random(2) === 0],
  scanLinear: ({ random, dim, operand }) => [operand(true), operand(true), operand(true), dim(), random(2) === 0],
  sort,
  topk: selection,
  pick: selection,
  sortRows: rowOrder,
  runs: rowOrder,
  runStarts: ({ random, large, operand }) => [operand(true, 5, [random(large)]), operand(true, 5, [random(large)])],
  searchsorted,
};
