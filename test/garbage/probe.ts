// Kernels that try out the machine itself.
import type { Makers } from './operands.js';

export const probes: Makers = {
  probeMultiplyAdd: ({ random, operand }) => [
    operand(true, 1, [random(5)]),
    random(10) === 0 ? [-1, 2 ** 40][random(2)] : random(9),
    random(2) === 0,
  ],
  probeCopy: ({ random, operand }) => [operand(true, 0), operand(true, 0), random(2) === 0],
  probeFork: ({ random, operand }) => [
    operand(true, 1, [random(5)]),
    random(40),
    random(10) === 0 ? [-1, 2 ** 40][random(2)] : random(40),
  ],
};
