// Shapes of recurrent layers: the last dimension goes from the input's size to the state's.
import type { Product } from './digits.js';
import type { LinearCheck, LinearShape, Shape, ShapeMismatch } from './shape.js';

/** The features of a recurrent layer's output: twice as many when it runs in both directions. */
export type Features<H extends number, Both extends boolean> = boolean extends Both
  ? number
  : Both extends true
    ? number extends H
      ? number
      : Product<readonly [2, H]>
    : H;

/** The shape of a recurrent layer's output. */
export type RecurrentShape<S extends Shape, I extends number, H extends number, Both extends boolean = false> =
  LinearCheck<S, I> extends ShapeMismatch<string> ? Shape : LinearShape<S, I, Features<H, Both>>;

/** Checks the last dimension of a recurrent layer's input. */
export type RecurrentCheck<Name extends string, S extends Shape, I extends number, H extends number> =
  LinearCheck<S, I> extends ShapeMismatch<infer Why> ? ShapeMismatch<`${Name}(${I}, ${H}): ${Why}`> : unknown;
