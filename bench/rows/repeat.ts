import { synchronize, type Tensor } from 'thalweg';
import type { Case } from './row.js';

/**
 * A case that does something again and again and waits once, at the end. Results are disposed of at once, as Python does with
 * what no variable holds; what they were made of goes with them.
 */
export const repeat = (work: () => Tensor | readonly Tensor[] | void): Case => ({
  run(iterations) {
    for (let i = 0; i < iterations; i++) {
      const result = work();
      if (result === undefined) continue;
      if ('dispose' in result) result.dispose();
      else for (const tensor of result) tensor.dispose();
    }
    synchronize();
  },
});
