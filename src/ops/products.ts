// Products of vectors and matrices under PyTorch's names, made of matmul.
import { autocastState } from '../amp/state.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import * as e from '../program/expr.js';
import { broadcastsTo, formatShape, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { cast, clone } from './copy.js';
import { eye, onesLike } from './creation.js';
import { checkTensor } from './define.js';
import { defineElementwise, type ElementwiseOp } from './elementwise.js';
import { matmul } from './matmul.js';
import { sum, type SumResult } from './reduce.js';
import { expand, permute, reshape, select, slice, unsqueeze } from './view.js';
import { stack } from './join.js';
import { inv } from '../linalg/solve.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);

function checkRank(op: string, name: string, x: Tensor, rank: number): void {
  checkTensor(op, name, x);
  if (x.shape.length !== rank) {
    const what = rank === 1 ? '1 dimension' : `${rank} dimensions`;
    throw new ShapeError(`${op}: ${name} must have ${what}, got shape ${formatShape(x.shape)}.`);
  }
}

function checkInner(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor, dimA: number, dimB: number): void {
  if (a.dtype !== b.dtype && autocastState() === null) {
    throw new DTypeError(
      `${op}(${nameA} ${a.dtype}${formatShape(a.shape)}, ${nameB} ${b.dtype}${formatShape(b.shape)}): the dtypes differ; ` +
        `convert one, e.g. ${nameB}.to('${a.dtype}').`,
    );
  }
  if (a.shape[dimA] !== b.shape[dimB]) {
    throw new ShapeError(
      `${op}(${nameA} ${formatShape(a.shape)}, ${nameB} ${formatShape(b.shape)}): ${nameA}.shape[${dimA}] = ` +
        `${a.shape[dimA]} but ${nameB}.shape[${dimB}] = ${b.shape[dimB]}.`,
    );
  }
}

/**
 * The product of two matrices, `[M, K] @ [K, N] -> [M, N]`; unlike `matmul` it takes nothing else.
 *
 * @method
 * @throws ShapeError unless both have 2 dimensions that fit; DTypeError for bool or mixed dtypes
 */
export function mm<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D> {
  checkRank('mm', 'a', a, 2);
  checkRank('mm', 'b', b, 2);
  checkInner('mm', 'a', a, 'b', b, 1, 0);
  return product(a, b) as Tensor<readonly [number, number], D>;
}

/**
 * The products of two batches of matrices, `[B, M, K] @ [B, K, N] -> [B, M, N]`, without broadcasting.
 *
 * @method
 * @throws ShapeError unless both have 3 dimensions that fit; DTypeError for bool or mixed dtypes
 */
export function bmm<D extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
): Tensor<readonly [number, number, number], D> {
  checkRank('bmm', 'a', a, 3);
  checkRank('bmm', 'b', b, 3);
  checkInner('bmm', 'a', a, 'b', b, 0, 0);
  checkInner('bmm', 'a', a, 'b', b, 2, 1);
  return product(a, b) as Tensor<readonly [number, number, number], D>;
}

/**
 * The product of a matrix and a vector, `[M, K] @ [K] -> [M]`.
 *
 * @method
 * @throws ShapeError unless the shapes are these; DTypeError for bool or mixed dtypes
 */
export function mv<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number], D> {
  checkRank('mv', 'a', a, 2);
  checkRank('mv', 'b', b, 1);
  checkInner('mv', 'a', a, 'b', b, 1, 0);
  return product(a, b) as Tensor<readonly [number], D>;
}

/**
 * The scalar product of two vectors, `[N], [N] -> []`.
 *
 * @method
 * @throws ShapeError unless the shapes are these; DTypeError for bool or mixed dtypes
 */
export function dot<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [], D> {
  return dotOf('dot', a, b) as Tensor<readonly [], D>;
}

/**
 * The scalar product of two vectors; for the real dtypes that there are, the same as `dot`.
 *
 * @method
 * @throws ShapeError unless both have 1 dimension of one size; DTypeError for bool or mixed dtypes
 */
export function vdot<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [], D> {
  return dotOf('vdot', a, b) as Tensor<readonly [], D>;
}

function dotOf(op: string, a: Tensor, b: Tensor): Tensor {
  checkRank(op, 'a', a, 1);
  checkRank(op, 'b', b, 1);
  checkInner(op, 'a', a, 'b', b, 0, 0);
  return product(a, b);
}

/**
 * The sums of products over the last dimensions: `[..., K], [...', K] -> [..., ...']`. With a scalar, the product of all elements
 * with it.
 *
 * @method
 * @throws ShapeError unless the last dimensions are equal; DTypeError for bool or mixed dtypes
 */
export function inner<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D> {
  checkTensor('inner', 'a', a);
  checkTensor('inner', 'b', b);
  if (a.shape.length === 0 || b.shape.length === 0) return mul(a, b) as Tensor as Tensor<Shape, D>;
  checkInner('inner', 'a', a, 'b', b, a.shape.length - 1, b.shape.length - 1);
  return tensordot(a, b, [[-1], [-1]]);
}

/**
 * The products of all pairs of elements of two vectors, `[M], [N] -> [M, N]`.
 *
 * @method
 * @throws ShapeError unless both have 1 dimension
 */
export function outer<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D> {
  return outerOf('outer', a, b) as Tensor<readonly [number, number], D>;
}

/**
 * The same as `outer`.
 *
 * @method
 * @throws ShapeError unless both have 1 dimension
 */
export function ger<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D> {
  return outerOf('ger', a, b) as Tensor<readonly [number, number], D>;
}

function outerOf(op: string, a: Tensor, b: Tensor): Tensor {
  checkRank(op, 'a', a, 1);
  checkRank(op, 'b', b, 1);
  return mul(unsqueeze(a, -1), b);
}

// ---- sums of a tensor and a product

/** Options of `addmm` and its like. */
export interface AddProductOptions {
  /** The factor of the input; 0 ignores it, NaN and infinities included. Default 1. */
  beta?: number;
  /** The factor of the product. Default 1. */
  alpha?: number;
}

const affine = (name: string): ElementwiseOp =>
  defineElementwise(name, (input, x, beta, alpha) => e.add(e.mul(beta, input), e.mul(alpha, x)), {
    inputs: ['input', 'product'],
    scalars: ['beta', 'alpha'],
    grad: (g, _out, _input, _x, beta, alpha) => [e.mul(g, beta), e.mul(g, alpha)],
  });
const affineOps = new Map(['addmm', 'addmv', 'addbmm', 'baddbmm', 'addr'].map((name) => [name, affine(name)]));

function addProduct(
  op: string,
  input: Tensor,
  shape: Shape,
  options: AddProductOptions,
  multiply: () => Tensor,
): Tensor {
  const { beta = 1, alpha = 1 } = options;
  checkTensor(op, 'input', input);
  if (!broadcastsTo(input.shape, shape)) {
    throw new ShapeError(
      `${op}: input of shape ${formatShape(input.shape)} does not broadcast to the product's shape ${formatShape(shape)}.`,
    );
  }
  for (const [name, value] of [
    ['beta', beta],
    ['alpha', alpha],
  ] as const) {
    if (typeof value !== 'number') throw new ArgumentError(`${op}: ${name} must be a number, got ${typeof value}.`);
    if (!isFloating(input.dtype) && !Number.isInteger(value)) {
      throw new ArgumentError(`${op}: ${name} must be an integer for ${input.dtype} tensors, got ${value}.`);
    }
  }
  return tidy(() => {
    const x = multiply();
    if (x.dtype !== input.dtype && autocastState() === null) {
      throw new DTypeError(`${op}: input is ${input.dtype} and the product ${x.dtype}; convert one.`);
    }
    if (beta === 0) return alpha === 1 ? x : mul(x, alpha);
    return affineOps.get(op)!.apply([input, x], [beta, alpha]);
  });
}

/**
 * `beta * input + alpha * (a @ b)` of matrices `[M, K]` and `[K, N]`; input broadcasts to `[M, N]`.
 *
 * @method
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function addmm<D extends DType>(
  input: Tensor<Shape, D>,
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: AddProductOptions = {},
): Tensor<readonly [number, number], D> {
  checkRank('addmm', 'a', a, 2);
  checkRank('addmm', 'b', b, 2);
  checkInner('addmm', 'a', a, 'b', b, 1, 0);
  const out = addProduct('addmm', input, [a.shape[0], b.shape[1]], options, () => product(a, b));
  return out as Tensor<readonly [number, number], D>;
}

/**
 * `beta * input + alpha * (a @ b)` of a matrix `[M, K]` and a vector `[K]`; input broadcasts to `[M]`.
 *
 * @method
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function addmv<D extends DType>(
  input: Tensor<Shape, D>,
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: AddProductOptions = {},
): Tensor<readonly [number], D> {
  checkRank('addmv', 'a', a, 2);
  checkRank('addmv', 'b', b, 1);
  checkInner('addmv', 'a', a, 'b', b, 1, 0);
  return addProduct('addmv', input, [a.shape[0]], options, () => product(a, b)) as Tensor<readonly [number], D>;
}

/**
 * `beta * input + alpha * sum(a[i] @ b[i])` over a batch: `[B, M, K]`, `[B, K, N]`; input broadcasts to `[M, N]`.
 *
 * @method
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function addbmm<D extends DType>(
  input: Tensor<Shape, D>,
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: AddProductOptions = {},
): Tensor<readonly [number, number], D> {
  checkRank('addbmm', 'a', a, 3);
  checkRank('addbmm', 'b', b, 3);
  checkInner('addbmm', 'a', a, 'b', b, 0, 0);
  checkInner('addbmm', 'a', a, 'b', b, 2, 1);
  const [batch, m, k] = a.shape as readonly [number, number, number];
  const n = b.shape[2];
  // One product over batch and inner dimension together.
  const out = addProduct('addbmm', input, [m, n], options, () =>
    product(reshape(permute(a as Tensor, [1, 0, 2]), [m, batch * k]), reshape(b as Tensor, [batch * k, n])),
  );
  return out as Tensor<readonly [number, number], D>;
}

/**
 * `beta * input + alpha * (a @ b)` of batches `[B, M, K]` and `[B, K, N]`; input broadcasts to `[B, M, N]`.
 *
 * @method
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function baddbmm<D extends DType>(
  input: Tensor<Shape, D>,
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: AddProductOptions = {},
): Tensor<readonly [number, number, number], D> {
  checkRank('baddbmm', 'a', a, 3);
  checkRank('baddbmm', 'b', b, 3);
  checkInner('baddbmm', 'a', a, 'b', b, 0, 0);
  checkInner('baddbmm', 'a', a, 'b', b, 2, 1);
  const shape = [a.shape[0], a.shape[1], b.shape[2]];
  const out = addProduct('baddbmm', input, shape, options, () => product(a, b));
  return out as Tensor<readonly [number, number, number], D>;
}

/**
 * `beta * input + alpha * outer(a, b)` of vectors `[M]` and `[N]`; input broadcasts to `[M, N]`.
 *
 * @method
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function addr<D extends DType>(
  input: Tensor<Shape, D>,
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: AddProductOptions = {},
): Tensor<readonly [number, number], D> {
  checkRank('addr', 'a', a, 1);
  checkRank('addr', 'b', b, 1);
  const out = addProduct('addr', input, [a.shape[0], b.shape[0]], options, () => outerOf('addr', a, b));
  return out as Tensor<readonly [number, number], D>;
}

// ---- products over chosen dimensions

/**
 * The sums of products over dimensions of a paired with dimensions of b; the result has a's other dimensions, then b's.
 *
 * @param dims how many: the last ones of a with the first ones of b (default 2); or two lists, of a's and b's dimensions
 * @throws ShapeError if paired dimensions differ in size (a size of 1 broadcasts); IndexError, ArgumentError for bad dims
 * @example
 * tensordot(a, b, [[1, 0], [0, 1]]); // sum over i, j of a[i, j, ...] b[j, i, ...]
 */
export function tensordot<D extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor<Shape, D> {
  const op = 'tensordot';
  checkTensor(op, 'a', a);
  checkTensor(op, 'b', b);
  const [ofA, ofB] = pairedDims(op, a, b, dims);
  return tidy(() => {
    let left: Tensor = a;
    let right: Tensor = b;
    ofA.forEach((dimA, i) => {
      const dimB = ofB[i];
      const sizeA = a.shape[dimA];
      const sizeB = b.shape[dimB];
      if (sizeA === sizeB) return;
      if (sizeA !== 1 && sizeB !== 1) {
        throw new ShapeError(
          `${op}(a ${formatShape(a.shape)}, b ${formatShape(b.shape)}): a.shape[${dimA}] = ${sizeA} but b.shape[${dimB}] = ${sizeB}.`,
        );
      }
      const widen = (x: Tensor, dim: number, size: number): Tensor =>
        expand(x, x.shape.map((n, d) => (d === dim ? size : n)) as readonly number[]);
      if (sizeA === 1) left = widen(left, dimA, sizeB);
      else right = widen(right, dimB, sizeA);
    });
    const freeA = left.shape.map((_, d) => d).filter((d) => !ofA.includes(d));
    const freeB = right.shape.map((_, d) => d).filter((d) => !ofB.includes(d));
    const count = (x: Tensor, list: readonly number[]): number => list.reduce((n, d) => n * x.shape[d], 1);
    const k = count(left, ofA);
    const rows = reshape(permute(left, [...freeA, ...ofA]), [count(left, freeA), k]);
    const columns = reshape(permute(right, [...ofB, ...freeB]), [k, count(right, freeB)]);
    const shape = [...freeA.map((d) => left.shape[d]), ...freeB.map((d) => right.shape[d])];
    return reshape(product(rows as Tensor, columns as Tensor), shape) as Tensor<Shape, D>;
  });
}

function pairedDims(
  op: string,
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]],
): [number[], number[]] {
  if (typeof dims === 'number') {
    const most = Math.min(a.shape.length, b.shape.length);
    if (!Number.isInteger(dims) || dims < 0 || dims > most) {
      throw new ArgumentError(`${op}: dims must be an integer from 0 to ${most}, got ${dims}.`);
    }
    const list = Array.from({ length: dims }, (_, i) => i);
    return [list.map((i) => a.shape.length - dims + i), list];
  }
  if (!Array.isArray(dims) || dims.length !== 2 || !dims.every((list) => Array.isArray(list))) {
    throw new ArgumentError(`${op}: dims must be an integer or two lists of dimensions, one of a and one of b.`);
  }
  const [listA, listB] = dims as readonly [readonly number[], readonly number[]];
  if (listA.length !== listB.length) {
    throw new ArgumentError(`${op}: dims pairs ${listA.length} dimensions of a with ${listB.length} of b.`);
  }
  const normal = (list: readonly number[], x: Tensor): number[] => {
    const found = list.map((d) => normalizeDim(op, d, x.shape.length));
    if (new Set(found).size !== found.length) {
      throw new ArgumentError(`${op}: dims ${formatShape(list)} names a dimension twice.`);
    }
    return found;
  };
  return [normal(listA, a), normal(listB, b)];
}

/**
 * `out[..., o] = x1[..., :] @ weight[o] @ x2[..., :] + bias[o]`.
 *
 * Shapes: x1 `[..., in1]`, x2 `[..., in2]`, weight `[out, in1, in2]`, bias `[out]` or null -> `[..., out]`.
 *
 * @throws ShapeError
 */
export function bilinear<D extends DType>(
  x1: Tensor<Shape, D>,
  x2: Tensor<Shape, D>,
  weight: Tensor<Shape, D>,
  bias: Tensor<Shape, D> | null = null,
): Tensor<Shape, D> {
  const op = 'bilinear';
  checkTensor(op, 'x1', x1);
  checkTensor(op, 'x2', x2);
  checkRank(op, 'weight', weight, 3);
  const [outs, in1, in2] = weight.shape as readonly [number, number, number];
  const batch = x1.shape.slice(0, -1);
  if (formatShape(batch) !== formatShape(x2.shape.slice(0, -1)) || x1.shape.length !== x2.shape.length) {
    throw new ShapeError(
      `${op}(x1 ${formatShape(x1.shape)}, x2 ${formatShape(x2.shape)}): all dimensions but the last must be equal.`,
    );
  }
  if (x1.shape[batch.length] !== in1 || x2.shape[batch.length] !== in2) {
    throw new ShapeError(
      `${op}(x1 ${formatShape(x1.shape)}, x2 ${formatShape(x2.shape)}): weight ${formatShape(weight.shape)} takes ` +
        `${in1} and ${in2} features.`,
    );
  }
  if (bias !== null) {
    checkTensor(op, 'bias', bias);
    if (bias.shape.length !== 1 || bias.shape[0] !== outs) {
      throw new ShapeError(`${op}: bias must have shape [${outs}], got ${formatShape(bias.shape)}.`);
    }
  }
  return tidy(() => {
    const rows = batch.reduce((n, size) => n * size, 1);
    const left = reshape(x1 as Tensor, [rows, in1]) as Tensor;
    const right = reshape(x2 as Tensor, [rows, in2, 1]) as Tensor;
    const mixed = product(left, reshape(permute(weight as Tensor, [1, 0, 2]), [in1, outs * in2]));
    const out = reshape(product(reshape(mixed, [rows, outs, in2]) as Tensor, right), [...batch, outs]);
    return (bias === null ? out : out.add(bias)) as Tensor<Shape, D>;
  });
}

/**
 * The Kronecker product: each element of a times all of b, as blocks. Of different ranks, the smaller shape gets ones in
 * front. At most 4 dimensions.
 *
 * @method
 * @throws ShapeError for more dimensions
 */
export function kron<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D> {
  const op = 'kron';
  checkTensor(op, 'a', a);
  checkTensor(op, 'b', b);
  const rank = Math.max(a.shape.length, b.shape.length);
  if (rank > 4) {
    throw new ShapeError(
      `${op}(a ${formatShape(a.shape)}, b ${formatShape(b.shape)}): at most 4 dimensions, got ${rank}.`,
    );
  }
  const padded = (x: Tensor): number[] => [...new Array<number>(rank - x.shape.length).fill(1), ...x.shape];
  const shapeA = padded(a);
  const shapeB = padded(b);
  return tidy(() => {
    const left = reshape(
      a as Tensor,
      shapeA.flatMap((n) => [n, 1]),
    );
    const right = reshape(
      b as Tensor,
      shapeB.flatMap((n) => [1, n]),
    );
    const shape = shapeA.map((n, d) => n * shapeB[d]);
    return reshape(mul(left, right), shape) as Tensor<Shape, D>;
  });
}

// ---- others

const crossOp = defineElementwise('cross', (a, b, c, d) => e.sub(e.mul(a, b), e.mul(c, d)), {
  inputs: ['a', 'b', 'c', 'd'],
});

/**
 * The cross product of vectors of 3 elements along a dimension, -1 by default (as `torch.linalg.cross`); the other
 * dimensions broadcast.
 *
 * @method
 * @throws ShapeError unless both have size 3 there
 */
export function cross<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>, dim = -1): Tensor<Shape, D> {
  checkTensor('cross', 'a', a);
  checkTensor('cross', 'b', b);
  if (a.shape.length !== b.shape.length) {
    throw new ShapeError(
      `cross(a ${formatShape(a.shape)}, b ${formatShape(b.shape)}): both must have the same number of dimensions.`,
    );
  }
  const d = normalizeDim('cross', dim, a.shape.length);
  if (a.shape[d] !== 3 || b.shape[d] !== 3) {
    throw new ShapeError(
      `cross(a ${formatShape(a.shape)}, b ${formatShape(b.shape)}): dimension ${d} must have size 3, got ${a.shape[d] ?? 'none'} and ${b.shape[d] ?? 'none'}.`,
    );
  }
  return tidy(() => {
    const of = (x: Tensor, i: number): Tensor => select(x, d, i);
    const parts = [0, 1, 2].map((i) => {
      const j = (i + 1) % 3;
      const k = (i + 2) % 3;
      return crossOp.apply([of(a, j), of(b, k), of(a, k), of(b, j)]);
    });
    return stack(parts, d) as Tensor<Shape, D>;
  });
}

/** The elements [i, i] of the last two dimensions, which are of one size n > 0; a view where the layout allows it. @internal */
export function diagonalOfLast(x: Tensor): Tensor {
  const n = x.shape[x.shape.length - 1];
  const flat = reshape(x, [...x.shape.slice(0, -2), n * n]);
  return slice(flat, -1, 0, undefined, n + 1);
}

/**
 * The sum of a matrix's diagonal; int64 for integers.
 *
 * @method
 * @throws ShapeError unless x has 2 dimensions
 */
export function trace<D extends DType>(x: Tensor<Shape, D>): Tensor<readonly [], SumResult<D>> {
  checkRank('trace', 'x', x, 2);
  const n = Math.min(x.shape[0], x.shape[1]);
  return tidy(() => {
    const square = slice(slice(x as Tensor, 0, 0, n), 1, 0, n);
    return sum(n === 0 ? square : diagonalOfLast(square)) as Tensor as Tensor<readonly [], SumResult<D>>;
  });
}

/** Options of `vander`. */
export interface VanderOptions {
  /** The number of columns. Default: the length of x. */
  N?: number;
  /** Powers ascend from 0. Default false: they descend to 0. */
  increasing?: boolean;
}

/**
 * The Vandermonde matrix: row i has the powers of `x[i]`, from `N - 1` down to 0.
 *
 * Shapes: `[n] -> [n, N]`.
 *
 * @throws ShapeError unless x has 1 dimension; ArgumentError for a negative N
 */
export function vander<D extends DType>(
  x: Tensor<Shape, D>,
  options: VanderOptions = {},
): Tensor<readonly [number, number], D> {
  checkRank('vander', 'x', x, 1);
  const { N = x.shape[0], increasing = false } = options;
  if (!Number.isInteger(N) || N < 0) throw new ArgumentError(`vander: N must be an integer >= 0, got ${String(N)}.`);
  return tidy(() => {
    const dtype = x.dtype === 'bool' ? 'int64' : x.dtype;
    const base = cast(x as Tensor, dtype);
    // By repeated products, so that integers stay exact.
    const columns: Tensor[] = [];
    for (let i = 0; i < N; i++) columns.push(i === 0 ? onesLike(base) : i === 1 ? base : mul(columns[i - 1], base));
    if (!increasing) columns.reverse();
    const out = N === 0 ? slice(unsqueeze(base, -1) as Tensor, -1, 0, 0) : stack(columns, -1);
    return out as Tensor<readonly [number, number], D>;
  });
}

/**
 * The n-th power of square matrices; of the inverse for negative n.
 *
 * Shapes: `[..., n, n] -> [..., n, n]`.
 *
 * @method
 * @throws ShapeError unless the matrices are square; ArgumentError unless n is an integer; LinAlgError (at the next read) for a
 * negative power of a singular matrix
 */
export function matrixPower<S extends Shape, D extends DType>(x: Tensor<S, D>, n: number): Tensor<S, D> {
  const op = 'matrixPower';
  checkTensor(op, 'x', x);
  const rank = x.shape.length;
  if (rank < 2 || x.shape[rank - 1] !== x.shape[rank - 2]) {
    throw new ShapeError(`${op}: x must be a batch of square matrices, got shape ${formatShape(x.shape)}.`);
  }
  if (!Number.isSafeInteger(n)) throw new ArgumentError(`${op}: n must be an integer, got ${String(n)}.`);
  return tidy(() => {
    if (n === 0) {
      const size = x.shape[rank - 1];
      const identity = eye(size, size, { dtype: x.dtype as 'float32', device: x.device });
      return clone(expand(identity as Tensor, x.shape)) as unknown as Tensor<S, D>;
    }
    let base: Tensor = n < 0 ? inv(x as Tensor) : x;
    let result: Tensor | null = null;
    for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = result === null ? base : product(result, base);
      if (rest > 1) base = product(base, base);
    }
    return (result === x ? clone(x) : result) as Tensor<S, D>;
  });
}
