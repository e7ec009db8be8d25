// Tensors joined and taken apart in the ways beside cat, stack, split and chunk; grids and products.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './define.js';
import { fromTypedArray } from './creation.js';
import { indexSelect } from './indexing.js';
import { cat, stack } from './join.js';
import { atleast1d, atleast2d, atleast3d } from './reshape.js';
import { expand, flatten, reshape, sliceView, transpose } from './view.js';

function joined<D extends DType>(
  op: string,
  tensors: readonly Tensor<Shape, D>[],
  prepare: (x: Tensor<Shape, D>) => Tensor<Shape, D>,
  dim: (rank: number) => number,
): Tensor<Shape, D> {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError(`${op}: expected a list of at least one tensor.`);
  const given = tensors as readonly Tensor<Shape, D>[];
  given.forEach((tensor, i) => checkTensor(op, `tensors[${i}]`, tensor));
  return tidy(() => {
    const parts = given.map(prepare);
    return cat(parts, dim(parts[0].shape.length));
  });
}

/**
 * Tensors side by side: joined along dimension 1, vectors along their only one. Scalars count as vectors.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function hstack<D extends DType>(tensors: readonly Tensor<Shape, D>[]): Tensor<Shape, D> {
  return joined('hstack', tensors, atleast1d, (rank) => (rank === 1 ? 0 : 1));
}

/**
 * Tensors on top of each other: joined along dimension 0; vectors and scalars count as rows.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function vstack<D extends DType>(tensors: readonly Tensor<Shape, D>[]): Tensor<Shape, D> {
  return joined('vstack', tensors, atleast2d, () => 0);
}

/**
 * Tensors behind each other: joined along dimension 2, to which matrices `[n, m]` and vectors `[m]` come as `[n, m, 1]` and
 * `[1, m, 1]`.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function dstack<D extends DType>(tensors: readonly Tensor<Shape, D>[]): Tensor<Shape, D> {
  return joined('dstack', tensors, atleast3d, () => 2);
}

/**
 * Vectors (and scalars) as the columns of a matrix; tensors of more dimensions as in `hstack`.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function columnStack<D extends DType>(tensors: readonly Tensor<Shape, D>[]): Tensor<Shape, D> {
  return joined(
    'columnStack',
    tensors,
    (x) => (x.shape.length > 1 ? x : (reshape(x as Tensor, [x.numel, 1]) as unknown as Tensor<Shape, D>)),
    () => 1,
  );
}

// Each section is a tensor of its own.
const maxSections = 2 ** 20;

/**
 * Views of parts along a dimension: `sections` parts of sizes that differ by one at most, or cut at the positions listed.
 *
 * @method
 * @throws ArgumentError unless sections is an integer from 1, positions are integers
 * @example
 * arange(7).tensorSplit(3); // [0, 1, 2], [3, 4], [5, 6]
 * arange(7).tensorSplit([2, 5]); // [0, 1], [2, 3, 4], [5, 6]
 */
export function tensorSplit<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  sections: number | readonly number[],
  dim = 0,
): Tensor<Shape, D>[] {
  const op = 'tensorSplit';
  checkTensor(op, 'x', x);
  if (x.shape.length === 0) throw new ShapeError(`${op}: a scalar has no dimensions.`);
  const d = normalizeDim(op, dim, x.shape.length);
  const size = x.shape[d];
  const starts = [0];
  const ends: number[] = [];
  if (typeof sections === 'number') {
    if (!Number.isInteger(sections) || sections < 1)
      throw new ArgumentError(`${op}: sections must be an integer above 0, got ${String(sections)}.`);
    if (sections > maxSections)
      throw new ArgumentError(`${op}: ${sections} sections are more than the ${maxSections} that are supported.`);
    const [least, larger] = [Math.floor(size / sections), size % sections];
    for (let i = 1; i < sections; i++) starts.push(i * least + Math.min(i, larger));
  } else {
    const cuts: unknown = sections;
    if (!Array.isArray(cuts))
      throw new ArgumentError(`${op}: sections must be an integer or a list of positions, got a ${typeof cuts}.`);
    cuts.forEach((cut: unknown, i) => {
      if (!Number.isInteger(cut))
        throw new ArgumentError(`${op}: positions must be integers, got ${String(cut)} for number ${i}.`);
      const at = cut as number;
      starts.push(Math.min(size, Math.max(0, at < 0 ? at + size : at)));
    });
  }
  ends.push(...starts.slice(1), size);
  return starts.map((start, i) => sliceView(x, d, start, Math.max(0, ends[i] - start), 1) as Tensor<Shape, D>);
}

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /** 'ij' (default): the first tensor runs along dimension 0; 'xy': along dimension 1, as columns of a picture. */
  indexing?: 'ij' | 'xy';
}

/**
 * The coordinates of a grid: for vectors of n, m, ... elements, as many views of shape `[n, m, ...]`, each of which runs
 * through one of the vectors.
 *
 * @throws ShapeError for tensors of more than 1 dimension; ArgumentError for an empty list or another indexing
 * @example
 * const [rows, columns] = meshgrid([arange(2), arange(3)]); // both [2,3]
 */
export function meshgrid<D extends DType>(
  tensors: readonly Tensor<Shape, D>[],
  { indexing = 'ij' }: MeshgridOptions = {},
): Tensor<Shape, D>[] {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError('meshgrid: expected a list of at least one tensor.');
  if (indexing !== 'ij' && indexing !== 'xy')
    throw new ArgumentError(`meshgrid: indexing must be 'ij' or 'xy', got ${String(indexing)}.`);
  const given = tensors as readonly Tensor[];
  given.forEach((tensor, i) => {
    checkTensor('meshgrid', `tensors[${i}]`, tensor);
    if (tensor.shape.length > 1) {
      throw new ShapeError(`meshgrid: tensors[${i}] has shape ${formatShape(tensor.shape)}, expected a vector.`);
    }
  });
  const shape = given.map(({ numel }) => numel);
  return given.map((tensor, i) => {
    const along = shape.map((n, d) => (d === i ? n : 1));
    const grid = expand(reshape(tensor, along), shape) as Tensor;
    return (indexing === 'xy' && shape.length > 1 ? transpose(grid, 0, 1) : grid) as Tensor<Shape, D>;
  });
}

/**
 * Every combination of one element of each vector, in order, as the rows of a matrix; of a single vector, itself.
 *
 * @throws ShapeError unless all are vectors
 * @example
 * cartesianProd(tensor([1, 2]), tensor([3, 4])); // [[1, 3], [1, 4], [2, 3], [2, 4]]
 */
export function cartesianProd<D extends DType>(...vectors: Tensor<Shape, D>[]): Tensor<Shape, D> {
  if (vectors.length === 0) throw new ArgumentError('cartesianProd: expected at least one tensor.');
  vectors.forEach((vector, i) => {
    checkTensor('cartesianProd', `vectors[${i}]`, vector);
    if (vector.shape.length !== 1) {
      throw new ShapeError(`cartesianProd: vectors[${i}] has shape ${formatShape(vector.shape)}, expected a vector.`);
    }
  });
  if (vectors.length === 1) return vectors[0];
  return tidy(() =>
    stack(
      meshgrid(vectors).map((grid) => flatten(grid as Tensor) as unknown as Tensor<Shape, D>),
      1,
    ),
  );
}

/** Options of `combinations`. */
export interface CombinationsOptions {
  /** An element may be taken more than once. Default false. */
  withReplacement?: boolean;
}

/**
 * Every choice of `r` elements of a vector, in order of position, as the rows of a matrix.
 *
 * @throws ShapeError unless x is a vector; ArgumentError unless r is an integer from 0
 * @example
 * combinations(tensor([1, 2, 3])); // [[1, 2], [1, 3], [2, 3]]
 */
export function combinations<D extends DType>(
  x: Tensor<Shape, D>,
  r = 2,
  { withReplacement = false }: CombinationsOptions = {},
): Tensor<Shape, D> {
  checkTensor('combinations', 'x', x);
  if (x.shape.length !== 1) throw new ShapeError(`combinations: expected a vector, got shape ${formatShape(x.shape)}.`);
  if (!Number.isInteger(r) || r < 0)
    throw new ArgumentError(`combinations: r must be an integer from 0, got ${String(r)}.`);
  // As PyTorch: of nothing there is no choice, and not one empty choice.
  if (r === 0) return sliceView(x, 0, 0, 0, 1) as Tensor<Shape, D>;
  const places: bigint[] = [];
  const size = x.shape[0];
  const chosen: number[] = [];
  const choose = (from: number): void => {
    if (chosen.length === r) {
      for (const at of chosen) places.push(BigInt(at));
      return;
    }
    for (let i = from; i < size; i++) {
      chosen.push(i);
      choose(withReplacement ? i : i + 1);
      chosen.pop();
    }
  };
  choose(0);
  return tidy(() =>
    reshape(indexSelect(x as Tensor, 0, fromTypedArray(BigInt64Array.from(places), [places.length])), [
      places.length / r,
      r,
    ]),
  ) as unknown as Tensor<Shape, D>;
}
