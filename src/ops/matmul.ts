// Matrix products. Kernels: native/cpu/matmul.cpp.
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import { broadcastShapes, formatShape, matmulShape, type Shape } from '../shape.js';
import { tidy } from '../memory.js';
import { viewTensor, type Tensor } from '../tensor/tensor.js';
import type { LastDim, LinearCheck, LinearShape, MatmulCheck, MatmulShape } from '../types/shape.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { mT, reshape } from './view.js';

/** The product of (batches of) matrices; inputs have two dimensions or more. */
const matmulOp: Op<undefined> = defineOp({
  name: 'matmul',
  inputs: ['a', 'b'],
  saves: { a: ['b'], b: ['a'] },
  shape: ({ a, b }) => matmulShape('matmul', a.shape, b.shape),
  forward: ([out], { a, b }) => native.matmul(out._handle, a._handle, b._handle, 0, 0),
  vjp: ([g], { a, b }) => [() => matmulOp([g, mT(b)], undefined), () => matmulOp([mT(a), g], undefined)],
});

/**
 * The matrix product `a @ b`, as torch.matmul. Vectors count as a row on the left and a column on the right, and lose that
 * dimension again; dimensions left of the last two are a batch and broadcast.
 *
 * Shapes: `[..., M, K] @ [..., K, N] -> [..., M, N]`. float16 and bfloat16 accumulate in float32.
 *
 * @method
 * @throws ShapeError if the inner dimensions differ or the batches do not broadcast; DTypeError for bool or mixed dtypes
 * @example
 * tensor([[1, 2], [3, 4]]).matmul(tensor([[1], [1]])); // [[3], [7]]
 */
export function matmul<A extends Shape, B extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, D> & MatmulCheck<A, B>,
): Tensor<MatmulShape<A, B>, D> {
  checkTensor('matmul', 'a', a);
  checkTensor('matmul', 'b', b);
  if (a.dtype === 'bool') {
    throw new DTypeError(`matmul: bool has no product; convert with to('int32').`);
  }
  const shape = matmulShape('matmul', a.shape, b.shape);
  const left: Tensor = a.shape.length === 1 ? reshape(a as Tensor, [1, a.shape[0]]) : a;
  const right: Tensor = b.shape.length === 1 ? reshape(b as Tensor, [b.shape[0], 1]) : b;
  const out = matmulOp([left, right], undefined);
  return (a.shape.length === 1 || b.shape.length === 1 ? reshape(out, shape) : out) as unknown as Tensor<
    MatmulShape<A, B>,
    D
  >;
}

const linearOp = defineOp({
  name: 'linear',
  inputs: ['x', 'weight', 'bias'],
  optional: ['bias'],
  saves: { x: ['weight'], weight: ['x'] },
  shape: ({ x, weight, bias }) => {
    const [outFeatures, inFeatures] = weight.shape;
    if (weight.shape.length !== 2) {
      throw new ShapeError(`linear: weight must be [outFeatures, inFeatures], got shape ${formatShape(weight.shape)}.`);
    }
    if (x.shape.length === 0 || x.shape[x.shape.length - 1] !== inFeatures) {
      throw new ShapeError(
        `linear(x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)}): the last dimension of x is ` +
          `${x.shape.length === 0 ? 'missing' : x.shape[x.shape.length - 1]}, but weight takes ${inFeatures} features.`,
      );
    }
    const shape = [...x.shape.slice(0, -1), outFeatures];
    if (bias !== null && !(bias.shape.length === 1 && bias.shape[0] === outFeatures)) {
      broadcastShapes('linear', ['bias', 'result'], [bias.shape, shape]);
      throw new ShapeError(`linear: bias must have shape [${outFeatures}], got ${formatShape(bias.shape)}.`);
    }
    return shape;
  },
  forward: ([out], { x, weight, bias }) => {
    tidy(() => {
      // One product over all leading dimensions; reshape of a strided x copies, as packing it would.
      const rows = flatRows(x);
      const result = flatRows(out);
      const [rowStride, columnStride] = weight.strides;
      const transposed = viewTensor(
        weight,
        [weight.shape[1], weight.shape[0]],
        [columnStride, rowStride],
        weight._offset,
      );
      native.matmul(result._handle, rows._handle, transposed._handle, bias === null ? 0 : bias._handle, 0);
    });
  },
  vjp: ([g], { x, weight }) => [
    () => matmul(g, weight),
    () => matmul(mT(flatRows(g)), flatRows(x)),
    // The sum over the leading dimensions is un-broadcasting.
    () => g,
  ],
});

function flatRows(x: Tensor): Tensor {
  if (x.shape.length === 2) return x;
  const last = x.shape[x.shape.length - 1];
  return reshape(x, [last === 0 ? x.shape.slice(0, -1).reduce((n, size) => n * size, 1) : x.numel / last, last]);
}

/**
 * The affine map of a fully connected layer, `x @ weight.T + bias`, in one kernel.
 *
 * Shapes: x `[..., inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]` or null -> `[..., outFeatures]`.
 *
 * @throws ShapeError if the features differ
 */
export function linear<S extends Shape, W extends Shape, D extends DType>(
  x: Tensor<S, D> & LinearCheck<S, LastDim<W>>,
  weight: Tensor<W>,
  bias: Tensor | null = null,
): Tensor<LinearShape<S, LastDim<W>, W[0]>, D> {
  return linearOp([x, weight, bias], undefined) as unknown as Tensor<LinearShape<S, LastDim<W>, W[0]>, D>;
}
