// More changes in place: the result replaces the elements. Nothing is recorded, so that these need no gradients.
import type { DType } from '../dtype.js';
import * as e from '../program/expr.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineElementwise } from './elementwise.js';
import { refuseBool } from './require.js';

const reluOp = defineElementwise('relu_', (x) => e.maximum(x, 0));

/**
 * `relu` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for bools
 */
export function relu_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('relu_', x);
  return reluOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const sigmoidOp = defineElementwise('sigmoid_', (x) => e.sigmoid(x), { dtype: 'float' });

/**
 * `sigmoid` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function sigmoid_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return sigmoidOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const tanhOp = defineElementwise('tanh_', (x) => e.tanh(x), { dtype: 'float' });

/**
 * `tanh` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function tanh_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return tanhOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const sinOp = defineElementwise('sin_', (x) => e.sin(x), { dtype: 'float' });

/**
 * `sin` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function sin_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return sinOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const cosOp = defineElementwise('cos_', (x) => e.cos(x), { dtype: 'float' });

/**
 * `cos` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function cos_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return cosOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const expm1Op = defineElementwise('expm1_', (x) => e.expm1(x), { dtype: 'float' });

/**
 * `expm1` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function expm1_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return expm1Op.applyInPlace(x, [x]) as Tensor<S, D>;
}

const log1pOp = defineElementwise('log1p_', (x) => e.log1p(x), { dtype: 'float' });

/**
 * `log1p` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
 */
export function log1p_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return log1pOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const floorOp = defineElementwise('floor_', (x) => e.floor(x));

/**
 * `floor` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for bools
 */
export function floor_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('floor_', x);
  return floorOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const ceilOp = defineElementwise('ceil_', (x) => e.ceil(x));

/**
 * `ceil` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for bools
 */
export function ceil_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('ceil_', x);
  return ceilOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const roundOp = defineElementwise('round_', (x) => e.round(x));

/**
 * `round` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for bools
 */
export function round_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('round_', x);
  return roundOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const truncOp = defineElementwise('trunc_', (x) => e.trunc(x));

/**
 * `trunc` in place.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError for bools
 */
export function trunc_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('trunc_', x);
  return truncOp.applyInPlace(x, [x]) as Tensor<S, D>;
}
