// Copies, fills, and programs over the elements of tensors.
import { scratchHandles, scratchNumbers } from '../../src/native.js';
import type { Makers, Operands } from './operands.js';
import type { RandomProgram } from './programs.js';

function unscale({ random, shapeOf, operand, plain }: Operands): unknown[] {
  const count = random(5);
  for (let i = 0; i < count; i++) scratchHandles[i] = operand(true, random(4), shapeOf());
  return [random(20) === 0 ? random(20) : count, plain([], 0), plain([], 0)];
}

function programRun(
  { random, programs, base, family, scalar, operand, plain, maybe }: Operands,
  name: string,
): unknown[] {
  const maps = name !== 'reduce';
  const chosen = programs[random(programs.length)];
  const kind = random(20) === 0 ? random(100) : random(12);
  const outs = maps ? chosen.outputs : kind === 7 || kind === 8 || kind === 11 ? 2 : 1;
  const groups = maps ? 1 + random(3) : 1;
  let n = 0;
  for (let g = 0; g < groups; g++) {
    const reduced = base.map((size) => (random(2) === 0 ? size : 1));
    for (let i = 0; i < outs; i++) {
      const dtype =
        i > 0 && name === 'reduce' && kind !== 11
          ? 5
          : name === 'reduce' && kind >= 5 && kind <= 6
            ? 5
            : kind >= 9 && kind < 11
              ? 7
              : family;
      scratchHandles[n++] = operand(true, maps ? random(8) : dtype, maps ? base : reduced);
    }
    for (let i = 0; i < chosen.inputs; i++)
      scratchHandles[n++] = operand(true, family, random(3) === 0 ? undefined : base);
  }
  for (let i = 0; i < 8; i++) scratchNumbers[i] = Number(scalar());
  const scalars = random(15) === 0 ? random(9) : chosen.scalars;
  const count = random(30) === 0 ? random(20) : n;
  const unless = (of: RandomProgram, tensors: number, numbers: number): number[] => {
    const skip = maybe([], 0);
    return random(3) === 0
      ? [of.id, tensors, random(10) === 0 ? numbers : 0, skip, plain([of.scalars], 1)]
      : [of.id, tensors, numbers, skip, random(20) === 0 ? operand(true) : 0];
  };
  return name === 'map'
    ? [chosen.id, count, scalars]
    : name === 'mapUnless'
      ? unless(chosen, count, scalars)
      : [kind, chosen.id, outs, count - outs, scalars, Number(scalar())];
}

export const elementwise: Makers = {
  copy: ({ random, operand }) => [operand(true), operand(true, random(8))],
  fill: ({ scalar, operand }) => [operand(true), scalar()],
  arange: ({ scalar, operand }) => [operand(true), scalar(), scalar()],
  unscale,
  map: programRun,
  mapUnless: programRun,
  reduce: programRun,
};
