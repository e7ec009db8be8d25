// Distances and similarities of vectors.
import { autocastState } from '../amp/state.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import * as e from '../program/expr.js';
import { broadcastTwo, formatShape, normalizeDim, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { div, mul, sub } from './arithmetic.js';
import { fromTypedArray } from './creation.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { defineElementwise, type ElementwiseOp } from './elementwise.js';
import { indexSelect } from './indexing.js';
import { launchReduce, reduceKinds, stageNumbers } from './launch.js';
import { square } from './math.js';
import { matmul } from './matmul.js';
import { vectorNorm } from './norms.js';
import { sum } from './reduce.js';
import { mT, unsqueeze } from './view.js';

// ---- |a - b + shift| to the power p, summed over the last dimension, in one pass

interface DistanceAttributes {
  readonly p: number;
  readonly shift: number;
}

interface Family {
  readonly kind: number;
  /** What is reduced. */
  readonly term: ElementwiseOp;
  /** The gradient at a, from g and the distance, which have a last dimension of 1. */
  readonly gradient: ElementwiseOp;
}

const inputs = ['a', 'b'] as const;
const scalars = ['shift', 'p'] as const;
const gradientInputs = ['g', 'distance', 'a', 'b'] as const;
type Body = (difference: e.Expr, p: e.Expr) => e.Expr;
type GradientBody = (g: e.Expr, distance: e.Expr, difference: e.Expr, p: e.Expr) => e.Expr;

function familyOf(kind: number, term: Body, gradient: GradientBody): Family {
  return {
    kind,
    term: defineElementwise('distanceTermBackward', (a, b, shift, p) => term(e.add(e.sub(a, b), shift), p), {
      inputs,
      scalars,
    }),
    gradient: defineElementwise(
      'distanceBackward',
      (g, distance, a, b, shift, p) => gradient(g, distance, e.add(e.sub(a, b), shift), p),
      { inputs: gradientInputs, scalars },
    ),
  };
}

const unlessZero = (x: e.Expr): e.Expr => e.select(e.eq(x, 0), 1, x);
const families = {
  count: familyOf(
    reduceKinds.sum,
    (d) => e.select(e.isnan(d), d, e.select(e.eq(d, 0), 0, 1)),
    // Never asked for: the count has no gradient.
    (g) => g,
  ),
  one: familyOf(
    reduceKinds.sum,
    (d) => e.abs(d),
    (g, _distance, d) => e.mul(g, e.sign(d)),
  ),
  two: familyOf(
    reduceKinds.sum,
    (d) => e.square(d),
    (g, distance, d) => e.div(e.mul(g, d), unlessZero(distance)),
  ),
  largest: familyOf(
    reduceKinds.max,
    (d) => e.abs(d),
    (g, distance, d) => e.mul(g, e.select(e.eq(e.abs(d), distance), e.sign(d), 0)),
  ),
  // Where the difference is 0 so is the sign, whatever the powers are.
  any: familyOf(
    reduceKinds.sum,
    (d, p) => e.pow(e.abs(d), p),
    (g, distance, d, p) =>
      e.mul(g, e.sign(d), e.pow(unlessZero(e.abs(d)), e.sub(p, 1)), e.pow(unlessZero(distance), e.sub(1, p))),
  ),
};

const familyFor = (p: number): Family =>
  p === 0
    ? families.count
    : p === 1
      ? families.one
      : p === 2
        ? families.two
        : p === Infinity
          ? families.largest
          : families.any;

const rootOp = defineElementwise('distanceRootBackward', (x, q) => e.pow(x, q), { inputs: ['x'], scalars: ['q'] });
const squareRootOp = defineElementwise('distanceRootBackward', (x) => e.sqrt(x), { inputs: ['x'] });

const numbersOf = ({ shift, p }: DistanceAttributes): number[] => [shift, p];

const distanceOp: Op<DistanceAttributes> = defineOp({
  name: 'distanceTermBackward',
  inputs,
  saves: { a: ['a', 'b', 'out'], b: ['a', 'b', 'out'] },
  shape: ({ a, b }) => broadcastTwo('distance', 'a', a.shape, 'b', b.shape).slice(0, -1),
  forward: ([out], { a, b }, attributes: DistanceAttributes) => {
    const { kind, term } = familyFor(attributes.p);
    if ((a.shape[a.shape.length - 1] ?? 1) === 0) {
      native.fill(out._handle, 0);
      return;
    }
    launchReduce(
      kind,
      term.program(0),
      [out],
      [...out.shape, 1],
      [a, b],
      () => stageNumbers([a, b], 0, 0, numbersOf(attributes), 2),
      0,
    );
    const { p } = attributes;
    if (p === 2) squareRootOp.applyInPlace(out, [out]);
    else if (p !== 0 && p !== 1 && p !== Infinity) rootOp.applyInPlace(out, [out], [1 / p]);
  },
  vjp: ([g], { a, b, out }, attributes) => {
    if (attributes.p === 0) return [null, null];
    const at = (target: Tensor): Tensor => {
      const { gradient } = familyFor(attributes.p);
      const operands = [unsqueeze(g, -1), unsqueeze(out, -1), a, b];
      if (isGradEnabled()) return gradient.apply(operands, numbersOf(attributes));
      // With nothing to record, the gradient and its sum over broadcast dimensions are one pass.
      const rank = operands[0].shape.length;
      const result = emptyTensor('distanceBackward', target.shape, target.dtype, target.device);
      const kept = [...new Array<number>(rank - target.shape.length).fill(1), ...target.shape];
      launchReduce(
        reduceKinds.sum,
        gradient.program(0),
        [result],
        kept,
        operands,
        () => stageNumbers(operands, 0, 0, numbersOf(attributes), 2),
        0,
      );
      return result;
    };
    return [() => at(a), () => mul(at(b), -1)];
  },
});

function checkFloats(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  checkTensor(op, nameA, a);
  checkTensor(op, nameB, b);
  if (!isFloating(a.dtype) || (a.dtype !== b.dtype && autocastState() === null)) {
    throw new DTypeError(
      `${op}(${nameA} ${a.dtype}${formatShape(a.shape)}, ${nameB} ${b.dtype}${formatShape(b.shape)}): both must be floats of ` +
        'one dtype; convert them.',
    );
  }
}

function checkOrder(op: string, p: number): void {
  if (!(p >= 0)) throw new ArgumentError(`${op}: p must be a number >= 0, got ${String(p)}.`);
}

// ---- all pairs

const euclideanOp: Op<undefined> = defineOp({
  name: 'cdist',
  inputs: ['a', 'b'],
  saves: { a: ['a', 'b', 'out'], b: ['a', 'b', 'out'] },
  shape: ({ a, b }) => [...a.shape.slice(0, -1), b.shape[b.shape.length - 2]],
  forward: ([out], { a, b }) =>
    tidy(() =>
      noGrad(() => {
        native.matmul(out._handle, a._handle, mT(b)._handle, 0, 0);
        const squares = (x: Tensor): Tensor => sum(square(x), -1, { keepDim: true });
        fromProductsOp.applyInPlace(out, [out, squares(a), mT(squares(b))]);
      }),
    ),
  vjp: ([g], { a, b, out }) => {
    const ratio = (): Tensor => ratioOp.apply([g, out]);
    const pull = (r: Tensor, x: Tensor, y: Tensor): Tensor => sub(mul(sum(r, -1, { keepDim: true }), x), matmul(r, y));
    return [() => pull(ratio(), a, b), () => pull(mT(ratio()), b, a)];
  },
});
const fromProductsOp = defineElementwise('cdistRootBackward', (products, a, b) =>
  e.sqrt(e.maximum(e.sub(e.add(a, b), e.mul(2, products)), 0)),
);
const ratioOp = defineElementwise('cdistRatioBackward', (g, d) => e.select(e.eq(d, 0), 0, e.div(g, unlessZero(d))), {
  inputs: ['g', 'distance'],
});

/** How `cdist` computes Euclidean distances: by a matrix product always, never, or if either side has more than 25 rows. */
export type CdistMode =
  'use_mm_for_euclid_dist_if_necessary' | 'use_mm_for_euclid_dist' | 'donot_use_mm_for_euclid_dist';

/** Options of `cdist`. */
export interface CdistOptions {
  /** The order of the norm, >= 0; 0 counts the elements that differ. Default 2. */
  p?: number;
  /** PyTorch's names. Default `'use_mm_for_euclid_dist_if_necessary'`. */
  computeMode?: CdistMode;
}

/**
 * The distances of all pairs of rows, `(sum |a - b|^p)^(1/p)`.
 *
 * Shapes: a `[..., P, M]`, b `[..., R, M]` -> `[..., P, R]`; batches broadcast. By a matrix product, Euclidean distances are
 * faster and lose digits where rows are nearly equal. At distance 0 the gradient is 0.
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function cdist<D extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: CdistOptions = {},
): Tensor<Shape, D> {
  const op = 'cdist';
  const { p = 2, computeMode = 'use_mm_for_euclid_dist_if_necessary' } = options;
  checkFloats(op, 'a', a, 'b', b);
  checkOrder(op, p);
  const modes = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'];
  if (!modes.includes(computeMode)) {
    throw new ArgumentError(
      `${op}: unknown computeMode ${JSON.stringify(computeMode)}, expected one of ${modes.join(', ')}.`,
    );
  }
  if (a.shape.length < 2 || b.shape.length < 2 || a.shape[a.shape.length - 1] !== b.shape[b.shape.length - 1]) {
    throw new ShapeError(
      `${op}(a ${formatShape(a.shape)}, b ${formatShape(b.shape)}): both must be rows [..., rows, M] of one length M.`,
    );
  }
  const batch = broadcastTwo(op, 'batch of a', a.shape.slice(0, -2), 'batch of b', b.shape.slice(0, -2));
  const large = a.shape[a.shape.length - 2] > 25 || b.shape[b.shape.length - 2] > 25;
  const byProduct = p === 2 && (computeMode === modes[1] || (large && computeMode === modes[0]));
  return tidy(() => {
    if (byProduct) {
      const wide = (x: Tensor): Tensor => x.expand([...batch, ...x.shape.slice(-2)]);
      return euclideanOp([wide(a), wide(b)], undefined) as Tensor<Shape, D>;
    }
    return distanceOp([unsqueeze(a as Tensor, -2), unsqueeze(b as Tensor, -3)], {
      p,
      shift: 0,
    }) as Tensor<Shape, D>;
  });
}

/**
 * The distances of all pairs of different rows of a matrix: what is above the diagonal of `cdist(x, x)`, row by row.
 *
 * Shapes: `[N, M] -> [N (N - 1) / 2]`.
 *
 * @throws ShapeError unless x has 2 dimensions; DTypeError, ArgumentError
 */
export function pdist<D extends DType>(x: Tensor<Shape, D>, p = 2): Tensor<Shape, D> {
  const op = 'pdist';
  checkFloats(op, 'x', x, 'x', x);
  checkOrder(op, p);
  if (x.shape.length !== 2) throw new ShapeError(`${op}: x must have 2 dimensions, got shape ${formatShape(x.shape)}.`);
  const n = x.shape[0];
  const count = (n * Math.max(n - 1, 0)) / 2;
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      first[at] = i;
      second[at++] = j;
    }
  }
  return tidy(() => {
    const rows = (list: Int32Array): Tensor =>
      indexSelect(x as Tensor, 0, fromTypedArray(list, [count]) as unknown as Tensor<Shape, 'int32'>);
    return distanceOp([rows(first), rows(second)], { p, shift: 0 }) as Tensor<Shape, D>;
  });
}

// ---- one pair each

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** The order of the norm, >= 0. Default 2. */
  p?: number;
  /** Added to the difference, so that the gradient is defined. Default 1e-6. */
  eps?: number;
  /** Keep the last dimension, with size 1. */
  keepDim?: boolean;
}

/**
 * The norms of `x1 - x2 + eps` over the last dimension.
 *
 * Shapes: `[..., M], [..., M] -> [...]`, with broadcasting.
 *
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function pairwiseDistance<D extends DType>(
  x1: Tensor<Shape, D>,
  x2: Tensor<Shape, D>,
  options: PairwiseDistanceOptions = {},
): Tensor<Shape, D> {
  const op = 'pairwiseDistance';
  const { p = 2, eps = 1e-6, keepDim = false } = options;
  checkFloats(op, 'x1', x1, 'x2', x2);
  checkOrder(op, p);
  if (broadcastTwo(op, 'x1', x1.shape, 'x2', x2.shape).length === 0) {
    throw new ShapeError(`${op}: x1 and x2 must have at least 1 dimension.`);
  }
  return tidy(() => {
    const out = distanceOp([x1, x2], { p, shift: eps });
    return (keepDim ? unsqueeze(out, -1) : out) as Tensor<Shape, D>;
  });
}

// The norm, or eps if that is larger; the gradient passes in any case, as in PyTorch.
const leastOp = defineElementwise('cosineNormBackward', (norm, eps) => e.maximum(norm, eps), {
  inputs: ['norm'],
  scalars: ['eps'],
  grad: (g) => [g],
});

/** Options of `cosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** The dimension of the vectors. Default 1. */
  dim?: number;
  /** The least value of a norm in the denominator. Default 1e-8. */
  eps?: number;
}

/**
 * The cosine of the angle between vectors: `x1 . x2 / (max(|x1|, eps) max(|x2|, eps))` along a dimension, with broadcasting.
 * The gradient is that of the norms themselves, where eps takes their place too, as in PyTorch.
 *
 * @throws ShapeError, DTypeError, IndexError
 */
export function cosineSimilarity<D extends DType>(
  x1: Tensor<Shape, D>,
  x2: Tensor<Shape, D>,
  options: CosineSimilarityOptions = {},
): Tensor<Shape, D> {
  const op = 'cosineSimilarity';
  const { dim = 1, eps = 1e-8 } = options;
  checkFloats(op, 'x1', x1, 'x2', x2);
  const shape = broadcastTwo(op, 'x1', x1.shape, 'x2', x2.shape);
  if (shape.length === 0) throw new ShapeError(`${op}: x1 and x2 must have at least 1 dimension.`);
  const d = normalizeDim(op, dim, shape.length);
  return tidy(() => {
    const a = x1.expand(shape) as Tensor;
    const b = x2.expand(shape) as Tensor;
    const norm = (x: Tensor): Tensor => leastOp.apply([vectorNorm(x, 2, d)], [eps]);
    return div(sum(mul(a, b), d), mul(norm(a), norm(b))) as Tensor as Tensor<Shape, D>;
  });
}
