import { describe, expect, test } from 'vitest';
import { ArgumentError, IndexError, ShapeError } from '../src/errors.js';
import {
  broadcastShapes,
  broadcastStrides,
  broadcastTwo,
  broadcastsTo,
  checkShape,
  contiguousStrides,
  expandShape,
  flattenShape,
  formatShape,
  isContiguous,
  matmulShape,
  normalizeDim,
  normalizeDims,
  numel,
  permutation,
  reduceShape,
  reshapeShape,
  shapesEqual,
  squeezeShape,
  tryBroadcast,
  viewStrides,
} from '../src/shape.js';

/** What a call throws, as it would be printed. */
function thrown(call: () => unknown): string {
  try {
    return `no error but ${String(call())}`;
  } catch (error) {
    return String(error);
  }
}

describe('basics', () => {
  test('formatShape', () => {
    expect(formatShape([])).toBe('[]');
    expect(formatShape([2, 3])).toBe('[2,3]');
  });

  test('shapesEqual', () => {
    expect(shapesEqual([2, 3], [2, 3])).toBe(true);
    expect(shapesEqual([], [])).toBe(true);
    expect(shapesEqual([2, 3], [3, 2])).toBe(false);
    expect(shapesEqual([2], [2, 1])).toBe(false);
  });

  test('numel counts exactly or not at all', () => {
    expect(numel([])).toBe(1);
    expect(numel([2, 3, 4])).toBe(24);
    expect(numel([0, 3])).toBe(0);
    expect(numel([2 ** 53 - 1])).toBe(2 ** 53 - 1);
    expect(numel([2 ** 40, 2 ** 40, 0])).toBe(0);
    expect(thrown(() => numel([2 ** 27, 2 ** 26], 'zeros'))).toBe(
      'ShapeError: zeros: shape [134217728,67108864] has 9007199254740992 elements, more than 2^53 - 1.',
    );
  });

  test('checkShape', () => {
    const shape = [2, 0, 3];
    const checked = checkShape('zeros', shape);
    expect(checked).toEqual(shape);
    expect(checked).not.toBe(shape);
    const cases: [unknown, string][] = [
      [5, 'ArgumentError: zeros: shape must be an array of integers, got 5.'],
      [null, 'ArgumentError: zeros: shape must be an array of integers, got null.'],
      ['23', "ArgumentError: zeros: shape must be an array of integers, got '23'."],
      [{ length: 2 }, 'ArgumentError: zeros: shape must be an array of integers, got an object.'],
      [[2, NaN], 'ArgumentError: zeros: shape[1] must be an integer, got NaN.'],
      [[2.5], 'ArgumentError: zeros: shape[0] must be an integer, got 2.5.'],
      [[Infinity], 'ArgumentError: zeros: shape[0] must be an integer, got Infinity.'],
      [['2'], "ArgumentError: zeros: shape[0] must be an integer, got '2'."],
      [[2n], 'ArgumentError: zeros: shape[0] must be an integer, got 2n.'],
      [[[2]], 'ArgumentError: zeros: shape[0] must be an integer, got an array.'],
      [new Array(1), 'ArgumentError: zeros: shape[0] must be an integer, got undefined.'],
      [[3, -1], 'ShapeError: zeros: shape[1] is -1, dimensions cannot be negative.'],
      [[2 ** 53], 'ShapeError: zeros: shape[0] is 9007199254740992, more than 2^53 - 1.'],
      [[1, 1, 1, 1, 1, 1, 1, 1, 1], 'ShapeError: zeros: shape has 9 dimensions, at most 8 are supported.'],
      [
        [1e8, 1e8, 1e8],
        'ShapeError: zeros: shape [100000000,100000000,100000000] has 1000000000000000000000000 elements, more than 2^53 - 1.',
      ],
    ];
    for (const [wrong, message] of cases) expect(thrown(() => checkShape('zeros', wrong))).toBe(message);
  });
});

describe('broadcasting', () => {
  test('stretches dimensions of 1, aligned at the right', () => {
    expect(broadcastTwo('add', 'a', [2, 1], 'b', [3])).toEqual([2, 3]);
    expect(broadcastTwo('add', 'a', [], 'b', [3])).toEqual([3]);
    expect(broadcastTwo('add', 'a', [4, 1, 3], 'b', [5, 1])).toEqual([4, 5, 3]);
    expect(broadcastTwo('add', 'a', [0, 1], 'b', [1, 3])).toEqual([0, 3]);
    expect(tryBroadcast([0], [2])).toBe(null);
    expect(broadcastShapes('where', ['c', 'a', 'b'], [[2, 1], [3], []])).toEqual([2, 3]);
    expect(broadcastShapes('where', [], [])).toEqual([]);
  });

  test('equal shapes come back as they are', () => {
    const shape = [2, 3];
    expect(broadcastTwo('add', 'a', shape, 'b', [2, 3])).toBe(shape);
    expect(broadcastTwo('add', 'a', shape, 'b', [])).toBe(shape);
    expect(broadcastTwo('add', 'a', [], 'b', shape)).toBe(shape);
  });

  test('messages name the dimensions', () => {
    expect(thrown(() => broadcastTwo('add', 'a', [2, 3], 'b', [4, 3]))).toBe(
      'ShapeError: add(a [2,3], b [4,3]): cannot broadcast, a.shape[-2] = 2 but b.shape[-2] = 4.',
    );
    expect(thrown(() => broadcastShapes('add', ['a', 'b'], [[2, 3], [4]]))).toBe(
      'ShapeError: add(a [2,3], b [4]): cannot broadcast, a.shape[-1] = 3 but b.shape[-1] = 4.',
    );
    expect(
      thrown(() =>
        broadcastShapes(
          'where',
          ['condition', 'a', 'b'],
          [
            [1, 3],
            [2, 1],
            [5, 3],
          ],
        ),
      ),
    ).toBe(
      'ShapeError: where(condition [1,3], a [2,1], b [5,3]): cannot broadcast, a.shape[-2] = 2 but b.shape[-2] = 5.',
    );
  });

  test('broadcastsTo and strides', () => {
    expect(broadcastsTo([3], [2, 3])).toBe(true);
    expect(broadcastsTo([1, 3], [2, 3])).toBe(true);
    expect(broadcastsTo([2, 3], [3])).toBe(false);
    expect(broadcastsTo([2, 3], [1, 3])).toBe(false);
    expect(broadcastStrides([3, 1], [1, 1], [2, 3, 4])).toEqual([0, 1, 0]);
    expect(broadcastStrides([1], [7], [1])).toEqual([7]);
  });

  test('expandShape', () => {
    expect(expandShape('expand', [1, 3], [5, -1, -1])).toEqual([5, 1, 3]);
    expect(expandShape('expand', [1, 3], [4, 3])).toEqual([4, 3]);
    expect(expandShape('expand', [1], [0])).toEqual([0]);
    expect(thrown(() => expandShape('expand', [2, 3], [4, 4]))).toBe(
      'ShapeError: expand(a [2,3], [4,4]): only dimensions of 1 can expand, a.shape[-2] = 2 but 4 was asked.',
    );
    expect(thrown(() => expandShape('expand', [3], [-1, 3]))).toBe(
      'ShapeError: expand(a [3], [-1,3]): dimension 0 is new and cannot be -1.',
    );
    expect(thrown(() => expandShape('expand', [2, 3], [3]))).toBe(
      'ShapeError: expand(a [2,3], [3]): needs at least 2 dimensions, got 1.',
    );
    expect(thrown(() => expandShape('expand', [1], [-2]))).toBe(
      'ShapeError: expand: shape[0] is -2, dimensions cannot be negative.',
    );
    expect(thrown(() => expandShape('expand', [1], [NaN]))).toBe(
      'ArgumentError: expand: shape[0] must be an integer, got NaN.',
    );
    expect(thrown(() => expandShape('expand', [1], 3 as never))).toBe(
      'ArgumentError: expand: shape must be an array of integers, got 3.',
    );
  });
});

describe('matmulShape', () => {
  test.each([
    [
      [2, 3],
      [3, 4],
      [2, 4],
    ],
    [[3], [3], []],
    [[3], [3, 4], [4]],
    [[2, 3], [3], [2]],
    [[5, 2, 3], [3], [5, 2]],
    [[3], [5, 3, 4], [5, 4]],
    [
      [7, 1, 2, 3],
      [5, 3, 4],
      [7, 5, 2, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [0, 3],
      [3, 0],
      [0, 0],
    ],
    [
      [2, 0],
      [0, 3],
      [2, 3],
    ],
  ])('%j by %j is %j', (a, b, out) => {
    expect(matmulShape('matmul', a, b)).toEqual(out);
  });

  test.each([
    [[2, 3], [4, 5], '(a [2,3], b [4,5]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4.'],
    [
      [2, 3],
      [4, 3],
      '(a [2,3], b [4,3]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4. Did you mean matmul(a, b.t())?',
    ],
    [
      [2, 3],
      [2, 5],
      '(a [2,3], b [2,5]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 2. Did you mean matmul(a.t(), b)?',
    ],
    [
      [9, 2, 3],
      [9, 4, 3],
      '(a [9,2,3], b [9,4,3]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4. Did you mean matmul(a, b.mT())?',
    ],
    // Transposing would fit, but the batches would not.
    [[8, 2, 3], [9, 4, 3], '(a [8,2,3], b [9,4,3]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4.'],
    [
      [2, 3],
      [2],
      '(a [2,3], b [2]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-1] = 2. Did you mean matmul(a.t(), b)?',
    ],
    [[3], [4], '(a [3], b [4]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-1] = 4.'],
    [[], [4], '(a [], b [4]): both need at least 1 dimension, a has none.'],
    [[4], [], '(a [4], b []): both need at least 1 dimension, b has none.'],
    [
      [8, 2, 3],
      [9, 3, 4],
      '(a [8,2,3], b [9,3,4]): cannot broadcast the batch dimensions, a.shape[-3] = 8 but b.shape[-3] = 9.',
    ],
  ])('%j by %j fails', (a, b, message) => {
    expect(thrown(() => matmulShape('matmul', a, b))).toBe(`ShapeError: matmul${message}`);
  });

  test('other names', () => {
    expect(thrown(() => matmulShape('linear', [2, 3], [4, 5], 'input', 'weight'))).toBe(
      'ShapeError: linear(input [2,3], weight [4,5]): inner dimensions differ, input.shape[-1] = 3 but weight.shape[-2] = 4.',
    );
  });
});

describe('dimension numbers', () => {
  test('count from both ends', () => {
    expect([-3, -1, 0, 2].map((dim) => normalizeDim('sum', dim, 3))).toEqual([0, 2, 0, 2]);
    expect([-1, 0].map((dim) => normalizeDim('sum', dim, 0))).toEqual([0, 0]);
    expect(Object.is(normalizeDim('sum', -0, 3), 0)).toBe(true);
    expect(normalizeDims('sum', [-1, 0], 3)).toEqual([2, 0]);
    expect(permutation('permute', [2, 0, -2], 3)).toEqual([2, 0, 1]);
    expect(permutation('permute', [], 0)).toEqual([]);
  });

  test('and must be in range', () => {
    expect(thrown(() => normalizeDim('sum', 2, 2))).toBe(
      'IndexError: sum: dim 2 is out of range for 2 dimensions, expected -2 to 1.',
    );
    expect(thrown(() => normalizeDim('sum', -3, 2))).toBe(
      'IndexError: sum: dim -3 is out of range for 2 dimensions, expected -2 to 1.',
    );
    expect(thrown(() => normalizeDim('sum', 1, 0))).toBe(
      'IndexError: sum: dim 1 is out of range for 0 dimensions, expected -1 to 0.',
    );
    expect(() => normalizeDim('sum', 5, 2)).toThrow(IndexError);
    for (const [dim, shown] of [
      [NaN, 'NaN'],
      [0.5, '0.5'],
      [Infinity, 'Infinity'],
      ['0', "'0'"],
      [0n, '0n'],
      [null, 'null'],
      [true, 'true'],
    ]) {
      expect(thrown(() => normalizeDim('sum', dim as number, 2))).toBe(
        `ArgumentError: sum: dim must be an integer, got ${String(shown)}.`,
      );
    }
    expect(thrown(() => normalizeDims('sum', [0, -2], 2))).toBe(
      'ArgumentError: sum: dimension 0 appears twice in dims [0,-2].',
    );
    expect(thrown(() => normalizeDims('sum', '01' as never, 2))).toBe(
      "ArgumentError: sum: dims must be an array of integers, got '01'.",
    );
    expect(thrown(() => permutation('permute', [0], 2))).toBe(
      'ArgumentError: permute: dims [0] must name each of the 2 dimensions once.',
    );
  });
});

describe('results', () => {
  test('reduceShape', () => {
    expect(reduceShape([2, 3, 4], undefined, false)).toEqual([]);
    expect(reduceShape([2, 3, 4], undefined, true)).toEqual([1, 1, 1]);
    expect(reduceShape([2, 3, 4], [1], false)).toEqual([2, 4]);
    expect(reduceShape([2, 3, 4], [2, 0], true)).toEqual([1, 3, 1]);
    expect(reduceShape([2, 3], [], false)).toEqual([2, 3]);
    expect(reduceShape([], [0], false)).toEqual([]);
  });

  test('squeezeShape', () => {
    expect(squeezeShape([1, 3, 1], undefined)).toEqual([3]);
    expect(squeezeShape([1, 3, 1], [0, 1])).toEqual([3, 1]);
    expect(squeezeShape([], undefined)).toEqual([]);
  });

  test('flattenShape', () => {
    expect(flattenShape('flatten', [2, 3, 4, 5], 1, 2)).toEqual([2, 12, 5]);
    expect(flattenShape('flatten', [2, 3], 0, 1)).toEqual([6]);
    expect(flattenShape('flatten', [], 0, 0)).toEqual([1]);
    expect(flattenShape('flatten', [0, 3], 0, 1)).toEqual([0]);
    expect(thrown(() => flattenShape('flatten', [2, 3], 1, 0))).toBe(
      'ArgumentError: flatten: startDim 1 comes after endDim 0.',
    );
  });

  test('reshapeShape', () => {
    expect(reshapeShape('reshape', [2, 3, 4], [6, 4])).toEqual([6, 4]);
    expect(reshapeShape('reshape', [2, 3, 4], [-1, 8])).toEqual([3, 8]);
    expect(reshapeShape('reshape', [], [-1])).toEqual([1]);
    expect(reshapeShape('reshape', [0, 3], [3, -1])).toEqual([3, 0]);
    expect(reshapeShape('reshape', [1], [])).toEqual([]);
    const message = (shape: number[], newShape: unknown): string =>
      thrown(() => reshapeShape('reshape', shape, newShape as number[]));
    expect(message([2, 3], [4, 2])).toBe('ShapeError: reshape(a [2,3], [4,2]): 6 elements do not fit a shape of 8.');
    expect(message([2, 3], [4, -1])).toBe(
      'ShapeError: reshape(a [2,3], [4,-1]): 6 elements cannot be divided into parts of 4.',
    );
    expect(message([2, 3], [-1, -1])).toBe('ShapeError: reshape(a [2,3], [-1,-1]): only one dimension can be -1.');
    expect(message([0, 3], [0, -1])).toBe(
      'ShapeError: reshape(a [0,3], [0,-1]): the dimension -1 could be anything beside a dimension of 0.',
    );
    expect(message([2, 3], [-2, 3])).toBe('ShapeError: reshape: shape[0] is -2, dimensions cannot be negative.');
    expect(message([2, 3], [-1, NaN])).toBe('ArgumentError: reshape: shape[1] must be an integer, got NaN.');
    expect(message([2, 3], 6)).toBe('ArgumentError: reshape: shape must be an array of integers, got 6.');
    expect(message([2, 3], undefined)).toBe(
      'ArgumentError: reshape: shape must be an array of integers, got undefined.',
    );
    expect(() => reshapeShape('reshape', [2], [2 ** 30, 2 ** 30])).toThrow(ShapeError);
    expect(() => reshapeShape('reshape', [2], ['1'] as never)).toThrow(ArgumentError);
  });
});

describe('strides', () => {
  test('contiguousStrides and isContiguous', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([2, 0, 4])).toEqual([4, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
    expect(isContiguous([2, 3], [3, 1])).toBe(true);
    expect(isContiguous([2, 3], [1, 2])).toBe(false);
    expect(isContiguous([1, 3], [99, 1])).toBe(true);
    expect(isContiguous([2, 0], [7, 7])).toBe(true);
    expect(isContiguous([], [])).toBe(true);
    expect(isContiguous([2, 3], [0, 1])).toBe(false);
  });

  // Expected values from torch.Tensor.view on as_strided tensors.
  test.each<[number[], number[], number[], number[] | null]>([
    [
      [2, 3, 4],
      [12, 4, 1],
      [6, 4],
      [4, 1],
    ],
    [[2, 3, 4], [12, 4, 1], [24], [1]],
    [
      [2, 3, 4],
      [12, 4, 1],
      [2, 1, 12, 1],
      [12, 12, 1, 1],
    ],
    [[3, 2], [1, 3], [6], null],
    [
      [3, 2],
      [1, 3],
      [3, 1, 2],
      [1, 6, 3],
    ],
    [
      [4, 6],
      [1, 4],
      [2, 2, 3, 2],
      [2, 1, 8, 4],
    ],
    [[4, 6], [1, 4], [8, 3], null],
    [[2, 3], [0, 1], [6], null],
    [[2, 3], [0, 0], [6], [0]],
    [
      [2, 3],
      [6, 2],
      [3, 2],
      [4, 2],
    ],
    [[1, 3], [99, 2], [3], [2]],
    [[], [], [1, 1], [1, 1]],
    [[1], [5], [], []],
    [
      [0, 3],
      [3, 1],
      [3, 0],
      [1, 1],
    ],
    [
      [0, 3],
      [7, 2],
      [0, 3],
      [7, 2],
    ],
  ])('%j with strides %j seen as %j', (shape, strides, newShape, expected) => {
    expect(viewStrides(shape, strides, newShape)).toEqual(expected);
  });

  test('a view that is possible reads the same elements', () => {
    const positions = (shape: readonly number[], strides: readonly number[]): number[] =>
      shape.reduce<number[]>(
        (all, dim, d) => all.flatMap((at) => Array.from({ length: dim }, (_, i) => at + i * strides[d])),
        [0],
      );
    const shapes = [[12], [3, 4], [4, 3], [2, 6], [2, 3, 2], [1, 12], [2, 2, 3], [6, 1, 2], [3, 2, 2, 1]];
    let views = 0;
    for (const shape of shapes) {
      for (const storage of [contiguousStrides(shape), contiguousStrides([...shape].reverse()).reverse()]) {
        for (const scale of [1, 3]) {
          const strides = storage.map((stride) => stride * scale);
          for (const newShape of shapes) {
            const found = viewStrides(shape, strides, newShape);
            if (found === null) continue;
            views++;
            expect(positions(newShape, found)).toEqual(positions(shape, strides));
          }
        }
      }
    }
    expect(views).toBeGreaterThan(200);
  });
});
