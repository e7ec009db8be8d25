// Patches of images as columns (im2col) and back (col2im). Kernels: native/cpu/fold.cpp. Exported in nn.functional only:
// Tensor.unfold is another op.
import { noGrad } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, type Handle } from '../native.js';
import { formatShape, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { cast, contiguous } from './copy.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { reshape } from './view.js';
import { checkWindow, readSizes, stageGeometry, windowCount, type Sizes } from './geometry.js';

/** Options of `unfold` and `fold`. */
export interface FoldOptions {
  /** The distance between the taps of a patch. Default 1. */
  dilation?: Sizes;
  /** Zeros on both sides of each spatial dimension. Default 0. */
  padding?: Sizes;
  /** The distance between patches. Default 1. */
  stride?: Sizes;
}

interface FoldAttributes {
  readonly result: Shape;
  readonly positions: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

function launch(
  kernel: (out: Handle, x: Handle, geometry: number) => void,
  out: Tensor,
  x: Tensor,
  { positions, kernel: sizes, stride, padding, dilation }: FoldAttributes,
): void {
  const half = out.dtype !== 'float32' && out.dtype !== 'float64';
  noGrad(() =>
    tidy(() => {
      const target: Tensor = half ? emptyTensor('fold', out.shape, 'float32', out.device) : out;
      const source = contiguous(half ? cast(x, 'float32') : x);
      const staged = stageGeometry([
        [positions, 1],
        [sizes, 1],
        [stride, 1],
        [padding, 0],
        [dilation, 1],
      ]);
      kernel(target._handle, source._handle, staged);
      if (half) native.copy(out._handle, target._handle);
    }),
  );
}

const unfoldOp: Op<FoldAttributes> = defineOp({
  name: 'unfold',
  inputs: ['x'],
  shape: (_, { result }: FoldAttributes) => result,
  forward: ([out], { x }, attributes) => launch((...handles) => native.im2col(...handles), out, x, attributes),
  vjp: ([g], _, attributes, { inputs }) => [() => foldOp([g], { ...attributes, result: inputs[0]!.shape })],
});

const foldOp: Op<FoldAttributes> = defineOp({
  name: 'fold',
  inputs: ['x'],
  shape: (_, { result }: FoldAttributes) => result,
  forward: ([out], { x }, attributes) => launch((...handles) => native.col2im(...handles), out, x, attributes),
  vjp: ([g], _, attributes, { inputs }) => [() => unfoldOp([g], { ...attributes, result: inputs[0]!.shape })],
});

function applyBatched(op: Op<FoldAttributes>, x: Tensor, batched: boolean, attributes: FoldAttributes): Tensor {
  if (batched) return op([x], attributes);
  return tidy(() => reshape(op([reshape(x, [1, ...x.shape])], attributes), attributes.result.slice(1)));
}

function readFold(
  op: string,
  x: Tensor,
  kernelSize: Sizes,
  options: FoldOptions,
): Pick<FoldAttributes, 'kernel' | 'stride' | 'padding' | 'dilation'> {
  checkTensor(op, 'x', x);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: x must be a float tensor, got ${x.dtype}.`);
  return {
    kernel: readSizes(op, 'kernelSize', kernelSize, 2, 1),
    stride: readSizes(op, 'stride', options.stride ?? 1, 2, 1),
    padding: readSizes(op, 'padding', options.padding ?? 0, 2, 0),
    dilation: readSizes(op, 'dilation', options.dilation ?? 1, 2, 1),
  };
}

function countPositions(
  call: string,
  sizes: Shape,
  firstDim: number,
  { kernel, stride, padding, dilation }: ReturnType<typeof readFold>,
): number[] {
  const both = padding.map((size) => 2 * size);
  checkWindow(call, sizes, firstDim, kernel, both, dilation);
  return sizes.map((size, d) => windowCount(size, kernel[d], stride[d], both[d], dilation[d]));
}

/**
 * The patches that a convolution would see, as columns (im2col): column l holds the patch at position l, in the order
 * channel, row, column. A convolution is then a matrix product.
 *
 * Shapes: `[N, C, H, W] -> [N, C kH kW, L]`, or without N, where L counts the positions.
 *
 * @throws ShapeError if the kernel is larger than the padded image; ArgumentError, DTypeError
 * @example
 * nn.functional.unfold(randn([1, 3, 10, 12]), [4, 5]).shape; // [1, 60, 56]
 */
export function unfold<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: FoldOptions = {},
): Tensor<Shape, D> {
  const fold = readFold('unfold', x, kernelSize, options);
  const rank = x.shape.length;
  const call = `unfold(x ${formatShape(x.shape)})`;
  if (rank !== 3 && rank !== 4) throw new ShapeError(`${call}: x must be [N, C, H, W] or [C, H, W].`);
  const batch = rank === 4 ? x.shape[0] : 1;
  const channels = x.shape[rank - 3];
  const positions = countPositions(call, x.shape.slice(-2), rank - 2, fold);
  const result = [batch, channels * fold.kernel[0] * fold.kernel[1], positions[0] * positions[1]];
  return applyBatched(unfoldOp, x, rank === 4, { ...fold, positions, result }) as Tensor<Shape, D>;
}

/**
 * Adds up patches at their places in an image (col2im): the transpose, not the inverse, of `unfold`; where patches
 * overlap, their elements are summed.
 *
 * Shapes: `[N, C kH kW, L] -> [N, C, outputSize...]`, or without N. L must be the number of positions in that image.
 *
 * @throws ShapeError if the rows are no multiple of the kernel's size or L does not fit; ArgumentError, DTypeError
 * @example
 * nn.functional.fold(ones([1, 12, 12]), [4, 5], 2).shape; // [1, 3, 4, 5]
 */
export function fold<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: Sizes,
  kernelSize: Sizes,
  options: FoldOptions = {},
): Tensor<Shape, D> {
  const fold = readFold('fold', x, kernelSize, options);
  const size = readSizes('fold', 'outputSize', outputSize, 2, 1);
  const rank = x.shape.length;
  const call = `fold(x ${formatShape(x.shape)}, outputSize [${size.join(',')}])`;
  if (rank !== 2 && rank !== 3) throw new ShapeError(`${call}: x must be [N, C kH kW, L] or [C kH kW, L].`);
  const taps = fold.kernel[0] * fold.kernel[1];
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  if (rows % taps !== 0) {
    throw new ShapeError(`${call}: x.shape[${rank - 2}] = ${rows} is no multiple of the ${taps} taps of a kernel.`);
  }
  const positions = countPositions(call, size, 0, fold);
  const count = positions[0] * positions[1];
  if (columns !== count) {
    throw new ShapeError(
      `${call}: x.shape[${rank - 1}] = ${columns}, but there are ${positions[0]} * ${positions[1]} = ${count} positions.`,
    );
  }
  const batch = rank === 3 ? x.shape[0] : 1;
  const result = [batch, rows / taps, ...size];
  return applyBatched(foldOp, x, rank === 3, { ...fold, positions, result }) as Tensor<Shape, D>;
}
