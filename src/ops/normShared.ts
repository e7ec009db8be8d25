// What the normalisations share: operands, checks, and formulas of ordinary ops for gradients that are differentiated again.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import type { Handle } from '../native.js';
import { formatShape, type Shape } from '../shape.js';
import { stridesLike, type Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { cast, contiguous } from './copy.js';
import { checkSameDevice, checkTensor, type OutputSpec } from './define.js';
import { rsqrt, square } from './math.js';
import { mean } from './reduce.js';
import { reshape } from './view.js';

/** @internal */
export const handleOf = (t: Tensor | null | undefined): Handle => (t === null || t === undefined ? 0 : t._handle);

/** The dtype that kernels compute in. @internal */
export const computeType = (x: Tensor): DType => (x.dtype === 'float64' ? 'float64' : 'float32');

/** The shapes of gradients that a kernel shall give; empty ones for those that nobody wants; the first lies in memory as x does. @internal */
export const wanted = (needs: readonly boolean[], x: Tensor, parameter: Shape): OutputSpec[] =>
  [x.shape, parameter, parameter].map((shape, i) => ({
    shape: needs[i] ? shape : [0],
    dtype: x.dtype,
    strides: needs[i] && i === 0 ? stridesLike(shape, x) : null,
  }));

/** Gradients computed at once, each handed out to the input that it belongs to. @internal */
export function handOut(needs: readonly boolean[], compute: () => Tensor[]): ((() => Tensor) | null)[] {
  const grads = tidy(compute);
  return grads.map((grad, i) => {
    if (needs[i]) return () => grad;
    grad.dispose();
    return null;
  });
}

/** @internal */
export const kept = { keepDim: true } as const;
const meanOver = (x: Tensor, dims: readonly number[]): Tensor => mean(x, dims, kept);

/** x normalised over dims, and the factor, as differentiable functions of x. @internal */
export function standardized(
  x: Tensor,
  dims: readonly number[],
  eps: number,
  rms: boolean,
): { unit: Tensor; rstd: Tensor } {
  const centred = rms ? x : sub(x, meanOver(x, dims));
  const rstd = rsqrt(add(meanOver(square(centred), dims), eps));
  return { unit: mul(centred, rstd), rstd };
}

/** The gradient of x normalised over dims, given that of the normalised values; differentiable. @internal */
export function gradientOf(x: Tensor, g: Tensor, dims: readonly number[], eps: number, rms: boolean): Tensor {
  const { unit, rstd } = standardized(x, dims, eps, rms);
  const along = mul(unit, meanOver(mul(g, unit), dims));
  const centred = rms ? g : sub(g, meanOver(g, dims));
  return mul(rstd, sub(centred, along));
}

/** @internal */
export function checkEps(op: string, eps: number): void {
  if (typeof eps !== 'number' || !(eps >= 0)) {
    throw new ArgumentError(`${op}: eps must be a number >= 0, got ${String(eps)}.`);
  }
}

/** A parameter of a given shape in x's dtype, or in float32 beside smaller floats. @internal */
export function checkParameter(op: string, x: Tensor, name: string, value: Tensor | null, shape: Shape): void {
  if (value === null) return;
  checkTensor(op, name, value);
  checkSameDevice(op, 'x', x, name, value);
  if (value.dtype !== x.dtype && value.dtype !== computeType(x)) {
    throw new DTypeError(`${op}: x is ${x.dtype} and ${name} ${value.dtype}; convert one.`);
  }
  if (formatShape(value.shape) !== formatShape(shape)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, ${name} ${formatShape(value.shape)}): ${name} must have shape ${formatShape(shape)}.`,
    );
  }
}

/** An operand of a kernel: contiguous, in the dtype computed in, of a given shape. @internal */
export function operand(value: Tensor | null, dtype: DType, shape?: Shape): Tensor | null {
  if (value === null) return null;
  const plain = contiguous(cast(value, dtype));
  return shape === undefined ? plain : reshape(plain, shape);
}

/** An image in the dtype computed in, contiguous or channels-last. @internal */
export function imageOperand(x: Tensor, dtype: DType): Tensor {
  const wide: Tensor = cast(x, dtype);
  return wide.memoryFormat === 'strided' ? contiguous(wide) : wide;
}

/** A gradient that lies in memory as x does. @internal */
export const inOrderOf = (x: Tensor, g: Tensor): Tensor =>
  contiguous(g, { memoryFormat: x.memoryFormat === 'channelsLast' ? 'channelsLast' : 'contiguous' });

/** @internal */
export const product = (shape: Shape): number => shape.reduce((n, size) => n * size, 1);

/** @internal */
export function requireChannels(op: string, x: Tensor): number {
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}(x ${formatShape(x.shape)}): x must have at least 2 dimensions, [N, C, ...].`);
  }
  return x.shape[1];
}

/** A parameter per channel, shaped to broadcast with x. @internal */
export const perChannel = (x: Tensor, parameter: Tensor): Tensor =>
  reshape<Shape, DType, Shape>(parameter, [x.shape[1], ...new Array<number>(x.shape.length - 2).fill(1)]);

/** All dimensions but that of the channels. @internal */
export const besideChannels = (x: Tensor): number[] => x.shape.map((_, d) => d).filter((d) => d !== 1);
