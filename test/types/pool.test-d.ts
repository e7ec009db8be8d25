import { describe, test } from 'vitest';
import type { nn } from '../../src/index.js';
import type { AdaptivePool2dFn, Pool1dFn, Pool2dFn, Pool3dFn } from '../../src/types/pool.js';
import type { Apply } from '../../src/types/sequential.js';
import type { ShapeMismatch } from '../../src/types/shape.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._equal: Equal<A, B> extends true ? [] : ['differ', A, B]): void {}

describe('sizes of pooling', () => {
  test('the step is the kernel size by default', () => {
    same<Apply<Pool2dFn<'MaxPool2d', 2, object>, readonly [8, 3, 32, 31]>, readonly [8, 3, 16, 15]>();
    same<Apply<Pool2dFn<'MaxPool2d', readonly [2, 3], object>, readonly [3, 8, 9]>, readonly [3, 4, 3]>();
    same<Apply<Pool1dFn<'MaxPool1d', 3, { stride: 2; padding: 1 }>, readonly [1, 2, 9]>, readonly [1, 2, 5]>();
    same<Apply<Pool3dFn<'AvgPool3d', 2, object>, readonly [number, 2, 4, 6, 9]>, readonly [number, 2, 2, 3, 4]>();
  });

  test('what is not known', () => {
    same<Apply<Pool2dFn<'MaxPool2d', 2, { ceilMode: true }>, readonly [1, 1, 5, 5]>, readonly [1, 1, number, number]>();
    same<Apply<Pool2dFn<'MaxPool2d', number, object>, readonly [1, 1, 5, 5]>, readonly [1, 1, number, number]>();
  });

  test('what does not fit', () => {
    same<
      Apply<Pool2dFn<'MaxPool2d', 4, object>, readonly [1, 1, 3, 8]>,
      ShapeMismatch<'MaxPool2d: the window is larger than the padded input [1,1,3,8]'>
    >();
    same<
      Apply<Pool1dFn<'AvgPool1d', 4, object>, readonly [3]>,
      ShapeMismatch<'AvgPool1d: expected [N,C,L] or [C,L], got [3]'>
    >();
  });

  test('adaptive', () => {
    same<
      Apply<AdaptivePool2dFn<'AdaptiveAvgPool2d', readonly [3, null]>, readonly [2, 8, 7, 9]>,
      readonly [2, 8, 3, 9]
    >();
    same<Apply<AdaptivePool2dFn<'AdaptiveAvgPool2d', 1>, readonly [2, 8, 7, 9]>, readonly [2, 8, 1, 1]>();
  });

  test('layers name their functions', () => {
    type Fn = NonNullable<nn.MaxPool2d<2>['_shapeFn']>;
    same<Apply<Fn, readonly [4, 6, 24, 24]>, readonly [4, 6, 12, 12]>();
  });
});
