// Every float32 function of one number stays within 3 ulp, and gelu with its negative tail.
import { describe, expect, it } from 'vitest';
import { measured, worst } from '../bench/ulp.js';

describe('float32 functions', () => {
  it.each(measured)('$name is within 3 ulp', (item) => {
    expect(worst(item, 40_000).error).toBeLessThanOrEqual(3);
  });
});
