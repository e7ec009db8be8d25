// Softmax over a dimension, and its logarithm. Kernels: native/cpu/norm.cpp.
import { isFloating, type DType } from '../dtype.js';
import { DTypeError } from '../errors.js';
import { native } from '../native.js';
import { normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck } from '../types/shape.js';
import { checkTensor, defineOp } from './define.js';
import { mul, sub } from './arithmetic.js';
import { exp } from './math.js';
import { sum } from './reduce.js';

interface SoftmaxAttributes {
  readonly dim: number;
  readonly log: boolean;
}

const backwardOp = defineOp({
  name: 'softmaxBackward',
  inputs: ['g', 'y'],
  saves: ['g', 'y'],
  shape: ({ y }) => y.shape,
  forward: ([out], { g, y }, { dim, log }: SoftmaxAttributes) =>
    native.softmaxBackward(out._handle, g._handle, y._handle, dim, log),
  vjp: ([h], { g, y }, { dim, log }) => {
    const keep = { keepDim: true } as const;
    const sumOver = (x: Tensor): Tensor => sum(x, dim, keep);
    if (log) {
      // g - exp(y) sum(g)
      return [() => sub(h, sumOver(mul(h, exp(y)))), () => mul(mul(h, exp(y)), mul(sumOver(g), -1))];
    }
    // y (g - sum(g y))
    return [
      () => mul(y, sub(h, sumOver(mul(h, y)))),
      () => sub(mul(h, sub(g, sumOver(mul(g, y)))), mul(g, sumOver(mul(h, y)))),
    ];
  },
});

const softmaxOp = defineOp({
  name: 'softmax',
  inputs: ['x'],
  saves: ['out'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }, { dim, log }: SoftmaxAttributes) => native.softmax(out._handle, x._handle, dim, log),
  vjp: ([g], { out }, attributes) => [() => backwardOp([g, out], attributes)],
});

function apply(op: string, x: Tensor, dim: number, log: boolean): Tensor {
  checkTensor(op, 'x', x);
  if (!isFloating(x.dtype))
    throw new DTypeError(`${op}: expected a float tensor, got ${x.dtype}; convert it with to('float32').`);
  return softmaxOp([x], { dim: normalizeDim(op, dim, x.shape.length), log });
}

/**
 * `exp(x) / sum(exp(x))` along a dimension, computed after subtracting the maximum.
 *
 * @method
 * @throws DTypeError for integer and bool tensors
 */
export function softmax<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): Tensor<S, D> {
  return apply('softmax', x, dim, false) as Tensor<S, D>;
}

/**
 * The logarithm of softmax along a dimension, without its loss of digits.
 *
 * @method
 * @throws DTypeError for integer and bool tensors
 */
export function logSoftmax<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): Tensor<S, D> {
  return apply('logSoftmax', x, dim, true) as Tensor<S, D>;
}
