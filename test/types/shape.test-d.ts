import { describe, expectTypeOf, test } from 'vitest';
import type { Product, Quotient } from '../../src/types/digits.js';
import type {
  Broadcast,
  BroadcastCheck,
  DimCheck,
  ExpandShape,
  FlattenShape,
  InsertDim,
  LinearCheck,
  LinearShape,
  MatmulCheck,
  MatmulShape,
  NestedShape,
  PermuteCheck,
  PermuteShape,
  ReduceShape,
  ReshapeCheck,
  ReshapeShape,
  Shape,
  ShapeMismatch,
  SqueezeShape,
  TransposeShape,
  UnsqueezeShape,
  WithDim,
} from '../../src/types/shape.js';

type Open = readonly [...number[], 10];
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._equal: Equal<A, B> extends true ? [] : ['differ', A, B]): void {}

describe('arithmetic', () => {
  test('products', () => {
    same<Product<readonly []>, 1>();
    same<Product<readonly [1, 1]>, 1>();
    same<Product<readonly [28, 28]>, 784>();
    same<Product<readonly [512, 7, 7]>, 25088>();
    same<Product<readonly [3, 224, 224]>, 150528>();
    same<Product<readonly [99999, 99999]>, 9999800001>();
    same<Product<readonly [100, 100, 100, 10]>, 10000000>();
    same<Product<readonly [10, 0, 3]>, 0>();
    same<Product<readonly [2, number]>, number>();
    same<Product<Shape>, number>();
    same<Product<readonly [2 | 3, 4]>, 8 | 12>();
    // Beyond what a double holds, and what is no dimension at all.
    same<Product<readonly [94906267, 94906267]>, number>();
    same<Product<readonly [-1, 100]>, number>();
    same<Product<readonly [1.5, 2]>, number>();
  });

  test('quotients', () => {
    same<Quotient<100352, 784>, 128>();
    same<Quotient<150528, 224>, 672>();
    same<Quotient<1000000, 1000>, 1000>();
    same<Quotient<7006652, 7>, 'remainder'>();
    same<Quotient<7007, 7>, 1001>();
    same<Quotient<6, 6>, 1>();
    same<Quotient<6, 1>, 6>();
    same<Quotient<0, 5>, 0>();
    same<Quotient<6, 4>, 'remainder'>();
    same<Quotient<5, 10>, 'remainder'>();
    same<Quotient<5, 0>, number>();
    same<Quotient<number, 4>, number>();
    same<Quotient<4, number>, number>();
  });
});

describe('broadcasting', () => {
  test('shapes', () => {
    same<Broadcast<readonly [2, 1], readonly [3]>, readonly [2, 3]>();
    same<Broadcast<readonly [], readonly [3]>, readonly [3]>();
    same<Broadcast<readonly [2, number], readonly [4, 2, 3]>, readonly [4, 2, 3]>();
    same<Broadcast<readonly [number], readonly [1]>, readonly [number]>();
    same<Broadcast<readonly [0], readonly [1]>, readonly [0]>();
    same<Broadcast<Shape, readonly [3]>, Shape>();
    same<Broadcast<Open, readonly [10]>, Open>();
    same<Broadcast<Open, readonly [1]>, Open>();
  });

  test('checks', () => {
    same<BroadcastCheck<readonly [2, 3], readonly [4, 3]>, ShapeMismatch<'cannot broadcast [2,3] with [4,3]'>>();
    same<BroadcastCheck<readonly [2, 3], readonly [1, 3]>, unknown>();
    same<BroadcastCheck<readonly [2, 3], Shape>, unknown>();
    same<BroadcastCheck<readonly [2, 3], readonly [number, 3]>, unknown>();
    same<BroadcastCheck<readonly [2 | 3], readonly [3]>, unknown>();
    same<BroadcastCheck<Open, readonly [11]>, ShapeMismatch<'cannot broadcast [...,10] with [11]'>>();
  });
});

describe('matmul and linear', () => {
  test('shapes', () => {
    same<MatmulShape<readonly [2, 3], readonly [3, 4]>, readonly [2, 4]>();
    same<MatmulShape<readonly [3], readonly [3]>, readonly []>();
    same<MatmulShape<readonly [2, 3], readonly [3]>, readonly [2]>();
    same<MatmulShape<readonly [3], readonly [5, 3, 4]>, readonly [5, 4]>();
    same<MatmulShape<readonly [7, 1, 2, 3], readonly [5, 3, 4]>, readonly [7, 5, 2, 4]>();
    same<MatmulShape<Shape, readonly [3, 4]>, Shape>();
    same<LinearShape<readonly [2, 3, 4], 4, 5>, readonly [2, 3, 5]>();
    same<LinearShape<Shape, 4, 10>, Open>();
  });

  test('checks', () => {
    same<MatmulCheck<readonly [2, 3], readonly [5, 4]>, ShapeMismatch<'inner dimensions differ: 3 vs 5'>>();
    same<MatmulCheck<readonly [2, 3], readonly [3, 4]>, unknown>();
    same<MatmulCheck<Shape, readonly [3, 4]>, unknown>();
    same<MatmulCheck<Open, readonly [3, 4]>, ShapeMismatch<'inner dimensions differ: 10 vs 3'>>();
    same<MatmulCheck<readonly [number, number], readonly [3, 4]>, unknown>();
    same<LinearCheck<readonly [2, 3], 3>, unknown>();
    same<LinearCheck<readonly [2, number], 3>, unknown>();
    same<LinearCheck<readonly [2, 3], number>, unknown>();
    same<LinearCheck<readonly [2, 3], 4>, ShapeMismatch<'last dimension of [2,3] is 3, expected 4'>>();
    same<LinearCheck<readonly [], 4>, ShapeMismatch<'a scalar has no last dimension, expected 4'>>();
  });
});

describe('changes of dimensions', () => {
  test('reductions', () => {
    same<ReduceShape<readonly [2, 3, 4]>, readonly []>();
    same<ReduceShape<readonly [2, 3, 4], undefined, true>, readonly [1, 1, 1]>();
    same<ReduceShape<readonly [2, 3, 4], 1>, readonly [2, 4]>();
    same<ReduceShape<readonly [2, 3, 4], -1, true>, readonly [2, 3, 1]>();
    same<ReduceShape<readonly [2, 3, 4], readonly [0, -1]>, readonly [3]>();
    same<ReduceShape<readonly [2, 3, 4], number>, readonly [number, number]>();
    same<ReduceShape<readonly [2, 3, 4], number, true>, readonly [number, number, number]>();
    same<ReduceShape<readonly [2, 3, 4], readonly number[]>, Shape>();
    same<ReduceShape<readonly [2, 3], 1, boolean>, Shape>();
    same<ReduceShape<Shape, 1>, Shape>();
    same<ReduceShape<Shape>, readonly []>();
    same<ReduceShape<readonly [], 0>, readonly []>();
    same<DimCheck<readonly [], 0>, unknown>();
    same<DimCheck<readonly [2], undefined>, unknown>();
    same<DimCheck<Shape, 7>, unknown>();
  });

  test('permutations', () => {
    same<PermuteShape<readonly [2, 3, 4], readonly [2, 0, -2]>, readonly [4, 2, 3]>();
    same<PermuteShape<readonly [2, 3, 4], readonly [number, 0, 1]>, readonly [number, 2, 3]>();
    same<PermuteShape<Shape, readonly [1, 0]>, Shape>();
    same<PermuteCheck<readonly [], readonly []>, unknown>();
    same<PermuteCheck<readonly [2, 3], readonly [-1, 0]>, unknown>();
    same<TransposeShape<readonly [2, 3, 4]>, readonly [2, 4, 3]>();
    same<TransposeShape<readonly [2, 3, 4], 0, 2>, readonly [4, 3, 2]>();
    same<TransposeShape<readonly [2, 3], 1, 1>, readonly [2, 3]>();
    same<TransposeShape<readonly [2, 3], number, 1>, readonly [number, number]>();
  });

  test('adding and removing', () => {
    same<SqueezeShape<readonly [1, 3, 1]>, readonly [3]>();
    same<SqueezeShape<readonly [1, 3, 1], -1>, readonly [1, 3]>();
    same<SqueezeShape<readonly [1, 3, 1], 1>, readonly [1, 3, 1]>();
    same<SqueezeShape<readonly [1, 3, 1], readonly [0, 2]>, readonly [3]>();
    same<SqueezeShape<readonly [number, 3]>, Shape>();
    same<UnsqueezeShape<readonly [2, 3], -1>, readonly [2, 3, 1]>();
    same<UnsqueezeShape<readonly [2, 3], 0>, readonly [1, 2, 3]>();
    same<UnsqueezeShape<readonly [], 0>, readonly [1]>();
    same<InsertDim<readonly [2, 3], 1, 9>, readonly [2, 9, 3]>();
    same<WithDim<readonly [2, 3], -1, number>, readonly [2, number]>();
    same<ExpandShape<readonly [1, 3], readonly [5, -1, -1]>, readonly [5, 1, 3]>();
  });

  test('reshape and flatten', () => {
    same<ReshapeShape<readonly [128, 1, 28, 28], readonly [-1, 784]>, readonly [128, 784]>();
    same<ReshapeShape<readonly [number, 28, 28], readonly [-1, 784]>, readonly [number, 784]>();
    same<ReshapeShape<Shape, readonly [-1, 784]>, readonly [number, 784]>();
    same<ReshapeShape<readonly [2, 3], Shape>, Shape>();
    same<ReshapeCheck<Shape, readonly [3, -1]>, unknown>();
    same<ReshapeCheck<readonly [2, 3], readonly [number, 4]>, unknown>();
    same<FlattenShape<readonly [2, 3, 4]>, readonly [24]>();
    same<FlattenShape<readonly [2, 3, 4, 5], 1, 2>, readonly [2, 12, 5]>();
    same<FlattenShape<readonly [number, 3, 4], 1>, readonly [number, 12]>();
    same<FlattenShape<readonly []>, readonly [1]>();
    same<FlattenShape<Shape, 1>, readonly [number, number]>();
    same<FlattenShape<Shape>, readonly [number]>();
  });
});

test('nested arrays', () => {
  type Ragged = number | Ragged[];
  same<NestedShape<5>, readonly []>();
  same<NestedShape<readonly []>, readonly [0]>();
  same<NestedShape<readonly [readonly [1, 2, 3], readonly [4, 5, 6]]>, readonly [2, 3]>();
  same<NestedShape<number[][]>, readonly [number, number]>();
  same<NestedShape<[number[], number[]]>, readonly [2, number]>();
  same<NestedShape<Float32Array>, readonly [number]>();
  expectTypeOf<NestedShape<Ragged[]>>().toExtend<Shape>();
});
