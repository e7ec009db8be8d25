// Maxima put back where they were found. Exported in nn.functional only.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, numel, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor, filledTensor } from './define.js';
import type { Sizes } from './geometry.js';
import { readInput, readWindow, type Spatial } from './poolWindow.js';
import { scatter } from './scatter.js';
import { reshape } from './view.js';

/** Options of `maxUnpool1d`, `maxUnpool2d` and `maxUnpool3d`. */
export interface MaxUnpoolOptions {
  /** The step of the pooling. Default: the kernel size. */
  stride?: Sizes;
  /** The padding of the pooling. Default 0. */
  padding?: Sizes;
  /** The spatial size of the result, or its whole shape; of several sizes that pooling brings to the input's. */
  outputSize?: readonly number[];
}

function maxUnpool(spatial: Spatial, x: Tensor, indices: Tensor, kernelSize: Sizes, options: MaxUnpoolOptions): Tensor {
  const op = `maxUnpool${spatial}d`;
  const { shape, firstDim } = readInput(op, x, spatial);
  checkTensor(op, 'indices', indices);
  const call = `${op}(x ${formatShape(x.shape)}, indices ${formatShape(indices.shape)})`;
  if (indices.dtype !== 'int64') throw new DTypeError(`${op}: indices must be int64, got ${indices.dtype}.`);
  if (formatShape(indices.shape) !== formatShape(x.shape)) throw new ShapeError(`${call}: the shapes must be equal.`);
  const { kernel, stride, padding } = readWindow(op, spatial, kernelSize, options);
  const given = options.outputSize;
  const wanted = given?.length === x.shape.length ? given.slice(firstDim) : given;
  if (wanted !== undefined && wanted.length !== spatial) {
    throw new ArgumentError(
      `${call}: outputSize must have ${spatial} or ${x.shape.length} sizes, got ${wanted.length}.`,
    );
  }
  const sizes = shape.slice(2).map((size, d) => {
    const usual = (size - 1) * stride[d] - 2 * padding[d] + kernel[d];
    const out = wanted?.[d] ?? usual;
    if (wanted !== undefined && !(Number.isInteger(out) && Math.abs(out - usual) < stride[d])) {
      throw new ArgumentError(
        `${call}: outputSize ${String(out)} of spatial dimension ${d} is not between ${usual - stride[d] + 1} and ${usual + stride[d] - 1}.`,
      );
    }
    if (out < 1) throw new ShapeError(`${call}: spatial dimension ${d} of the result would have size ${out}.`);
    return out;
  });
  return tidy(() => {
    const [batch, channels] = shape as readonly [number, number];
    const count = numel(shape.slice(2));
    const zeros = filledTensor(op, [batch, channels, numel(sizes)], x.dtype, x.device, 0);
    const flat = [batch, channels, count];
    const out = scatter(zeros, 2, reshape(indices as Tensor<Shape, 'int64'>, flat), reshape(x, flat));
    return reshape(out, [...x.shape.slice(0, firstDim), ...sizes]);
  });
}

/**
 * Puts maxima back where `maxPool1d` found them, between zeros: its partial inverse.
 *
 * Shapes: x and indices `[N, C, L] -> [N, C, Lout]`, or all without N, where `Lout = (L - 1) stride - 2 padding + K` unless
 * `outputSize` says otherwise.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 */
export function maxUnpool1d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(1, x, indices, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * Puts maxima back where `maxPool2d` found them, between zeros; see `maxUnpool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 * @example
 * const [y, indices] = nn.functional.maxPool2d(randn([1, 1, 4, 4]), 2, { returnIndices: true });
 * nn.functional.maxUnpool2d(y, indices, 2).shape; // [1, 1, 4, 4]
 */
export function maxUnpool2d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(2, x, indices, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * Puts maxima back where `maxPool3d` found them, between zeros; see `maxUnpool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 */
export function maxUnpool3d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(3, x, indices, kernelSize, options) as Tensor<Shape, D>;
}
