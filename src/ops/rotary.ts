// Rotary position embedding (Su et al. 2021, "RoFormer").
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import * as e from '../program/expr.js';
import { broadcastsTo, formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineElementwise } from './elementwise.js';
import { checkTensor } from './define.js';
import { requireFloatInput } from './indexing.js';
import { cat } from './join.js';
import { lastParts } from './parts.js';
import { reshape } from './view.js';

const inputs = ['a', 'b', 'cos', 'sin'] as const;
const firstOp = defineElementwise('applyRotary', (a, b, cos, sin) => e.sub(e.mul(a, cos), e.mul(b, sin)), { inputs });
const secondOp = defineElementwise('applyRotary', (a, b, cos, sin) => e.add(e.mul(a, sin), e.mul(b, cos)), { inputs });

/** Options of `applyRotary`. */
export interface RotaryOptions {
  /**
   * Pair i is features 2i and 2i + 1, as in the paper (true, the default), or features i and D / 2 + i, as in most
   * published weights of language models (false).
   */
  interleaved?: boolean;
}

/**
 * Turns each pair of features (a, b) by its angle: `(a cos - b sin, a sin + b cos)`. With angles proportional to the
 * position, dot products of turned queries and keys depend on the distance of their positions alone (Su et al. 2021).
 *
 * Shapes: x `[..., L, D]`, cos and sin `[L, D / 2]`, or any that broadcasts to `[..., L, D / 2]` -> as x.
 *
 * @throws ShapeError for an odd D and for angles that do not fit; DTypeError
 * @example
 * const { cos, sin } = new nn.RotaryEmbedding(64).angles(128);
 * nn.functional.applyRotary(randn([2, 8, 128, 64]), cos, sin);
 */
export function applyRotary<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  cos: Tensor,
  sin: Tensor,
  options: RotaryOptions = {},
): Tensor<S, D> {
  const { interleaved = true } = options;
  requireFloatInput('applyRotary', 'x', x);
  const shape: Shape = x.shape;
  const width = shape.length === 0 ? 0 : shape[shape.length - 1];
  if (shape.length < 2 || width % 2 !== 0) {
    throw new ShapeError(`applyRotary: x must be [..., L, D] with an even D, got shape ${formatShape(shape)}.`);
  }
  const half = [...shape.slice(0, -1), width / 2];
  for (const [label, angles] of [
    ['cos', cos],
    ['sin', sin],
  ] as const) {
    checkTensor('applyRotary', label, angles);
    if (angles.dtype !== x.dtype)
      throw new DTypeError(
        `applyRotary: x is ${x.dtype}, ${label} is ${angles.dtype}; convert ${label} with to('${x.dtype}').`,
      );
    if (!broadcastsTo(angles.shape, half)) {
      throw new ShapeError(
        `applyRotary(x ${formatShape(shape)}, ${label} ${formatShape(angles.shape)}): ${label} does not broadcast to the pairs of features, ${formatShape(half)}.`,
      );
    }
  }
  return tidy(() => {
    const pairs: Tensor = interleaved ? reshape(x as Tensor, [...half, 2] as Shape) : x;
    const [c, s] = [cos, sin].map((angles) => (interleaved ? reshape(angles, [...angles.shape, 1] as Shape) : angles));
    const [a, b] = lastParts(pairs, interleaved ? [1, 1] : [width / 2, width / 2]);
    const turned = cat([firstOp.apply([a, b, c, s]), secondOp.apply([a, b, c, s])], -1);
    return reshape(turned, shape) as unknown as Tensor<S, D>;
  });
}
