// Matrix products. Kernels: native/cpu/matmul.cpp.
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import { broadcastShapes, formatShape, matmulShape, type Shape } from '../shape.js';
import { tidy } from '../memory.js';
import { viewTensor, type Tensor } from '../tensor/tensor.js';
import type { LastDim, LinearCheck, LinearShape, MatmulCheck, MatmulShape } from '../types/shape.js';
import { gelu } from './activation.js';
import { checkTensor, defineOp, needsRecord, type Op } from './define.js';
import { activationCode, activationGradient, checkActivation, type FusedActivation } from './fused.js';
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

interface LinearAttributes {
  readonly activation: FusedActivation | null;
}

// Its gradient needs the result if that is activated.
const defineLinear = (activated: boolean): Op<LinearAttributes> => {
  const out = activated ? ['out'] : [];
  return defineOp({
    name: 'linear',
    inputs: ['x', 'weight', 'bias'],
    optional: ['bias'],
    saves: { x: ['weight', ...out], weight: ['x', ...out], bias: out },
    shape: ({ x, weight, bias }) => {
      const [outFeatures, inFeatures] = weight.shape;
      if (weight.shape.length !== 2) {
        throw new ShapeError(
          `linear: weight must be [outFeatures, inFeatures], got shape ${formatShape(weight.shape)}.`,
        );
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
    forward: ([result], { x, weight, bias }, { activation }: LinearAttributes) => {
      tidy(() => {
        // One product over all leading dimensions; reshape of a strided x copies, as packing it would.
        const rows = flatRows(x);
        const to = flatRows(result);
        const [rowStride, columnStride] = weight.strides;
        const transposed = viewTensor(
          weight,
          [weight.shape[1], weight.shape[0]],
          [columnStride, rowStride],
          weight._offset,
        );
        const code = activationCode(activation);
        native.matmul(to._handle, rows._handle, transposed._handle, bias === null ? 0 : bias._handle, code);
      });
    },
    vjp: ([grad], saved, { activation }) => {
      const { x, weight } = saved;
      const g =
        activation === null || activation === 'gelu' ? grad : activationGradient(activation, grad, saved['out']);
      return [
        () => matmul(g, weight),
        () => matmul(mT(flatRows(g)), flatRows(x)),
        // The sum over the leading dimensions is un-broadcasting.
        () => g,
      ];
    },
  });
};
const linearOp = defineLinear(false);
const activatedOp = defineLinear(true);

function flatRows(x: Tensor): Tensor {
  if (x.shape.length === 2) return x;
  const last = x.shape[x.shape.length - 1];
  return reshape(x, [last === 0 ? x.shape.slice(0, -1).reduce((n, size) => n * size, 1) : x.numel / last, last]);
}

function affine(x: Tensor, weight: Tensor, bias: Tensor | null, activation: FusedActivation | null): Tensor {
  if (activation === null) return linearOp([x, weight, bias], { activation });
  checkTensor('linear', 'x', x);
  checkActivation('linear', activation, x);
  // The gradient of gelu needs the value in front of it.
  if (activation === 'gelu' && needsRecord([x, weight, bias]))
    return tidy(() => gelu(linearOp([x, weight, bias], { activation: null })));
  return activatedOp([x, weight, bias], { activation });
}

/** Options of `linear`. */
export interface LinearFunctionOptions {
  /** Applied to the result by the same kernel. Default null: none. */
  activation?: FusedActivation | null;
}

/**
 * The affine map of a fully connected layer, `x @ weight.T + bias`, in one kernel.
 *
 * Shapes: x `[..., inFeatures]`, weight `[outFeatures, inFeatures]`, bias `[outFeatures]` or null -> `[..., outFeatures]`.
 *
 * @throws ShapeError if the features differ; DTypeError, ArgumentError for an activation of integers or an unknown one
 * @example
 * linear(x, weight, bias, { activation: 'relu' }); // the same as relu(linear(x, weight, bias))
 */
export function linear<S extends Shape, W extends Shape, D extends DType>(
  x: Tensor<S, D> & LinearCheck<S, LastDim<W>>,
  weight: Tensor<W>,
  bias: Tensor | null = null,
  options: LinearFunctionOptions = {},
): Tensor<LinearShape<S, LastDim<W>, W[0]>, D> {
  return affine(x, weight, bias, options.activation ?? null) as unknown as Tensor<LinearShape<S, LastDim<W>, W[0]>, D>;
}
