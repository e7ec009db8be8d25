// Programs of random instructions, for the kernels that run them.
import { native } from '../../src/native.js';
import type { Random } from './tensors.js';

export interface RandomProgram {
  readonly id: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly scalars: number;
}

const { opcodes } = native.describe();

export function randomProgram(random: Random): RandomProgram {
  const inputs = random(4);
  const scalars = random(3);
  const temporaries = 1 + random(5);
  const first = inputs + scalars + 1; // one constant
  const code: number[] = [];
  for (let t = 0; t < temporaries; t++) {
    const register = (): number => random(first + t);
    code.push(random(opcodes.length), first + t, register(), register(), register());
  }
  const outputs = 1 + random(2);
  const outputRegisters = Uint16Array.from({ length: outputs }, () => random(first + temporaries));
  const constant = Float64Array.of([0, 1, -1, 0.5, NaN, Infinity][random(6)]);
  return {
    id: native.program('random', Uint16Array.from(code), outputRegisters, constant, inputs, scalars, temporaries),
    inputs,
    outputs,
    scalars,
  };
}
