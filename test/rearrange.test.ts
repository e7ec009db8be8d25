// Shape and indexing ops beyond their samples: views that share memory, in-place writes, large inputs, messages.
import { describe, expect, test } from 'vitest';
import {
  arange,
  blockDiag,
  cartesianProd,
  combinations,
  hstack,
  IndexError,
  meshgrid,
  memory,
  ones,
  synchronize,
  tensor,
  trilIndices,
  where,
  zeros,
  type Tensor,
} from '../src/index.js';
import { errorOf } from './error-of.js';

const matrix = (rows: number, columns: number): Tensor =>
  arange(rows * columns)
    .to('float32')
    .reshape([rows, columns]);
const int = (values: readonly number[]): Tensor<readonly number[], 'int64'> =>
  tensor(values as number[], { dtype: 'int64' });
// Calls with arguments that the compiler refuses.
type Loose = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
const loose = (x: unknown): Loose => x as Loose;

describe('views share memory', () => {
  test('diagonal', () => {
    const x = zeros([3, 4]);
    x.diagonal(1).fill_(5);
    expect(x.arraySync()).toEqual([
      [0, 5, 0, 0],
      [0, 0, 5, 0],
      [0, 0, 0, 5],
    ]);
  });

  test('unfold', () => {
    const x = matrix(1, 5).reshape([5]) as Tensor;
    const windows = x.unfold(0, 3, 2);
    x.fill_(7);
    expect(windows.arraySync()).toEqual([
      [7, 7, 7],
      [7, 7, 7],
    ]);
    expect(errorOf(() => windows.fill_(0))).toBe(
      'ShapeError: fill_: a tensor of shape [2,3] and strides [2,1] is an overlapping view, several elements share memory; clone() it first.',
    );
    expect(x.unfold(0, 2, 2).fill_(1).arraySync()).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

describe('in place', () => {
  test('indexPut_ writes into views, whatever their strides', () => {
    const x = zeros([3, 4]);
    x.t().indexPut_([int([3, 0]), int([0, -1])], tensor([1, 2]));
    x.slice(1, 1, 3).indexPut_([1], 9);
    expect(x.arraySync()).toEqual([
      [0, 0, 0, 1],
      [0, 9, 9, 0],
      [2, 0, 0, 0],
    ]);
    const big = zeros([2, 3, 4]);
    big.slice(1, 0, 2).indexPut_([int([0, 1]), int([1, 0])], tensor([[1], [2]]));
    expect(Array.from(big.sum(2).dataSync())).toEqual([0, 4, 0, 8, 0, 0]);
  });

  test('what is read from the memory that is written is read before', () => {
    const x = tensor([1, 2, 3, 4]);
    x.slice(0, 1).indexCopy_(0, int([0, 1, 2]), x.slice(0, 0, 3));
    expect(x.arraySync()).toEqual([1, 1, 2, 3]);
    const positions = int([1, 2, 0]);
    positions.scatter_(0, positions, positions);
    expect(positions.arraySync()).toEqual([0n, 1n, 2n]);
  });

  test('all in-place forms return their tensor and refuse recorded ones', () => {
    const x = zeros([3]).requiresGrad_();
    const mask = tensor([true, false, true]);
    const place = int([0]);
    const one = ones([1]);
    const calls: readonly [string, (y: Tensor) => Tensor][] = [
      ['maskedFill_', (y) => y.maskedFill_(mask, 1)],
      ['scatter_', (y) => y.scatter_(0, place, 1)],
      ['scatterAdd_', (y) => y.scatterAdd_(0, place, one)],
      ['indexAdd_', (y) => y.indexAdd_(0, place, one)],
      ['indexCopy_', (y) => y.indexCopy_(0, place, one)],
      ['indexFill_', (y) => y.indexFill_(0, place, 1)],
      ['put_', (y) => y.put_(place, one)],
      ['indexPut_', (y) => y.indexPut_([place], 1)],
    ];
    for (const [name, call] of calls) {
      const y: Tensor = zeros([3]);
      expect(call(y)).toBe(y);
      expect(y.dataSync()[0]).toBe(1);
      expect(errorOf(() => call(x))).toMatch(new RegExp(`^GradError: ${name}: in-place changes are not recorded`));
    }
  });
});

describe('large', () => {
  test('flip, tril, roll and nonzero over several pieces of work', () => {
    const [rows, columns] = [300, 517];
    const x = matrix(rows, columns);
    const last = rows * columns - 1;
    const flipped = x.flip([0, 1]).dataSync();
    expect(flipped.every((value, i) => value === last - i)).toBe(true);
    const lower = x.tril(3).dataSync();
    const upper = x.triu(4).dataSync();
    expect(lower.every((value, i) => value === ((i % columns) - Math.floor(i / columns) <= 3 ? i : 0))).toBe(true);
    expect(lower.every((value, i) => Number(value) + Number(upper[i]) === i)).toBe(true);
    const rolled = x.roll(-5).dataSync();
    expect(rolled.every((value, i) => value === (i + 5) % (last + 1))).toBe(true);
    const third = x.remainder(3).eq(0);
    const found = third.nonzero();
    expect(found.shape).toEqual([Math.floor(last / 3) + 1, 2]);
    expect(
      found
        .dataSync()
        .every(
          (value, i) =>
            Number(value) ===
            [Math.floor, (n: number) => n % columns][i % 2](
              i % 2 === 0 ? (Math.floor(i / 2) * 3) / columns : Math.floor(i / 2) * 3,
            ),
        ),
    ).toBe(true);
    expect(
      x
        .index(third)
        .dataSync()
        .every((value, i) => value === 3 * i),
    ).toBe(true);
    expect(where(third.t())[0].numel).toBe(found.shape[0]);
  });

  test('composites leave nothing behind', () => {
    const x = matrix(4, 4);
    const mask = x.gt(3) as Tensor<readonly number[], 'bool'>;
    const before = memory().tensors;
    const results = [
      x.index(mask),
      x.repeat([2, 2]),
      x.indexPut([int([1]), ':'], 0),
      x.maskedScatter(mask, x),
      x.scatterReduce(0, int([0]).reshape([1, 1]), x, { reduce: 'mean', includeSelf: false }),
    ];
    for (const result of results) result.dispose();
    // The indices made here.
    expect(memory().tensors - before).toBeLessThanOrEqual(4);
  });
});

describe('indices out of range', () => {
  test.each<[string, () => unknown, string]>([
    ['index', () => ones([2, 3]).index(':', int([0, 3])), 'index: index 3 is out of range for dimension 1 of size 3'],
    ['index below', () => ones([2]).index(int([-3])), 'index: index -3 is out of range for dimension 0 of size 2'],
    ['take', () => ones([2, 3]).take(int([6])), 'index: index 6 is out of range for dimension 0 of size 6'],
    [
      'scatter',
      () => ones([2]).scatter(0, int([-1]), 1),
      'scatter: index -1 is out of range for dimension 0 of size 2',
    ],
    [
      'scatterReduce',
      () => ones([2]).scatterReduce(0, int([2]), ones([1]), 'amax'),
      'scatterReduce: index 2 is out of range for dimension 0 of size 2',
    ],
  ])('%s', (_, run, message) => {
    run();
    expect(() => synchronize()).toThrow(expect.objectContaining({ message }));
  });
});

describe('messages', () => {
  const a = matrix(2, 3);
  const i = int([0]);
  test.each<[string, () => unknown, string]>([
    [
      'repeat',
      () => a.repeat([2]),
      'ShapeError: repeat(x [2,3], [2]): needs a count for each of the 2 dimensions, got 1.',
    ],
    ['a count', () => a.repeat([1, -2]), 'ArgumentError: repeat: counts[1] must be an integer from 0, got -2.'],
    ['no list', () => loose(a)['tile'](2), 'ArgumentError: tile: counts must be a list of integers, got number.'],
    [
      'repeatInterleave',
      () => a.repeatInterleave(int([1, 2]), 1),
      'ShapeError: repeatInterleave(x [2,3], repeats [2]): repeats must have one count, or one for each of the 3 slices.',
    ],
    [
      'negative repeats',
      () => a.repeatInterleave(int([1, -2]), 0),
      'ArgumentError: repeatInterleave: repeats[1] must be an integer from 0, got -2.',
    ],
    ['flip twice', () => a.flip([0, -2]), 'ArgumentError: flip: dimension 0 appears twice in dims [0,-2].'],
    ['roll', () => a.roll([1, 2], 0), 'ArgumentError: roll: 2 shifts but 1 dims; there must be one for each.'],
    ['rot90', () => a.rot90(1, [0]), 'ArgumentError: rot90: dims must name 2 dimensions, got [0].'],
    [
      'unflatten',
      () => a.unflatten(1, [2, -1]),
      'ShapeError: unflatten(x [2,3], 1, [2,-1]): the sizes do not multiply to 3, the size of dimension 1.',
    ],
    [
      'movedim',
      () => a.movedim([0, 1], 0),
      'ArgumentError: movedim: source names 2 dimensions and destination 1; they must be as many.',
    ],
    [
      'diagonal of one dimension',
      () => a.diagonal(0, 1, -1),
      'ArgumentError: diagonal: dim1 and dim2 are both dimension 1; a diagonal needs two.',
    ],
    [
      'diag',
      () => zeros([1, 1, 1]).diag(),
      'ShapeError: diag: expected a vector or a matrix, got shape [1,1,1]; see diagonal().',
    ],
    ['tril of a vector', () => i.tril(), 'ShapeError: tril: expected at least 2 dimensions, got shape [1].'],
    ['trilIndices', () => trilIndices(-1, 2), 'ArgumentError: trilIndices: rows must be an integer from 0, got -1.'],
    [
      'unfold',
      () => a.unfold(1, 4, 1),
      'ShapeError: unfold: a window of 4 is larger than dimension 1 of x [2,3], which is 3.',
    ],
    [
      'sliceScatter',
      () => a.sliceScatter(a, 0, { start: 1 }),
      'ShapeError: sliceScatter(x [2,3], src [2,3]): src must have the shape of the part that it replaces, [1,3].',
    ],
    ['meshgrid', () => meshgrid([a]), 'ShapeError: meshgrid: tensors[0] has shape [2,3], expected a vector.'],
    ['hstack', () => hstack([]), 'ArgumentError: hstack: expected a list of at least one tensor.'],
    ['blockDiag', () => blockDiag(), 'ArgumentError: blockDiag: expected at least one tensor.'],
    [
      'cartesianProd',
      () => cartesianProd(a),
      'ShapeError: cartesianProd: vectors[0] has shape [2,3], expected a vector.',
    ],
    ['combinations', () => combinations(i, -1), 'ArgumentError: combinations: r must be an integer from 0, got -1.'],
    [
      'a mask of another shape',
      () => a.index(tensor([true, false, true])),
      'IndexError: index: a mask of shape [3] does not fit the dimensions [2] of x [2,3].',
    ],
    [
      'a mask of more dimensions',
      () => a.index(0, ones([2, 3], { dtype: 'bool' })),
      'IndexError: index: 3 indices for a tensor of shape [2,3].',
    ],
    [
      'indices that do not broadcast',
      () => a.index(int([0, 1]), int([0, 1, 2])),
      'ShapeError: index(index 0 [2], index 1 [3]): cannot broadcast, index 0.shape[-1] = 2 but index 1.shape[-1] = 3.',
    ],
    [
      'values that do not broadcast',
      () => a.indexPut([i], ones([2])),
      'ShapeError: indexPut(x [2,3], values [2]): values do not broadcast to the shape of what is indexed, [1,3].',
    ],
    [
      'values of another dtype',
      () => a.indexPut_([0], i),
      'DTypeError: indexPut_: x is float32 and values int64; convert one.',
    ],
    ['parts', () => loose(a)['indexPut'](0, 1), 'ArgumentError: indexPut: parts must be a list, got number.'],
    ['maskedFill', () => loose(a)['maskedFill'](a, 0), 'DTypeError: maskedFill: mask is float32, expected bool.'],
    [
      'a fraction among integers',
      () => i.maskedFill(i.eq(0), 0.5),
      'DTypeError: maskedFill: value 0.5 is not an integer, as x of int64 needs.',
    ],
    [
      'maskedScatter',
      () => a.maskedScatter(a.ge(0), ones([5])),
      'ShapeError: maskedScatter: the mask has 6 places, source only 5 elements.',
    ],
    [
      'scatterReduce',
      () => loose(a)['scatterReduce'](0, i, a, 'max'),
      "ArgumentError: scatterReduce: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got max.",
    ],
    [
      'indexAdd',
      () => a.indexAdd(0, i, a),
      'ShapeError: indexAdd(x [2,3], index [1], source [2,3]): source must have shape [1,3].',
    ],
    [
      'indexAdd of integers',
      () => i.indexAdd(0, i, i, { alpha: 0.5 }),
      'ArgumentError: indexAdd: alpha must be an integer for int64, got 0.5.',
    ],
    [
      'put_ without a flat view',
      () => a.t().put_(i, ones([1])),
      'ShapeError: put_: a tensor of strides [1,3] has no flat view; use put().',
    ],
    [
      'takeAlongDim',
      () => a.takeAlongDim(i, 0),
      'ShapeError: takeAlongDim(x [2,3], indices [1]): both must have the same rank.',
    ],
  ])('%s', (_, run, message) => {
    expect(errorOf(run)).toBe(message);
  });

  test('are typed', () => {
    expect(() => a.index(0, 0, 0)).toThrow(IndexError);
  });
});
