import { describe, test } from 'vitest';
import type { nn } from '../../src/index.js';
import type {
  Conv1dFn,
  Conv2dFn,
  Conv3dFn,
  ConvTranspose1dFn,
  ConvTranspose2dFn,
  ConvTranspose3dFn,
  TransposedSize,
  WindowCount,
} from '../../src/types/conv.js';
import type { DividedBy, FromNatural, Minus, Natural, Plus, Times } from '../../src/types/digits.js';
import type { Apply } from '../../src/types/sequential.js';
import type { Shape, ShapeMismatch } from '../../src/types/shape.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._equal: Equal<A, B> extends true ? [] : ['differ', A, B]): void {}

type Sum<A extends number, B extends number> = FromNatural<Plus<Natural<A>, Natural<B>>>;
type Quotient<A extends number, B extends number> = FromNatural<DividedBy<Natural<A>, Natural<B>>>;

test('naturals', () => {
  same<Sum<0, 0>, 0>();
  same<Sum<7, 0>, 7>();
  same<Sum<0, 12>, 12>();
  same<Sum<5, 5>, 10>();
  same<Sum<999, 1>, 1000>();
  same<Sum<1, 9999>, 10000>();
  same<Sum<1234, 98>, 1332>();
  same<FromNatural<Minus<Natural<1000>, Natural<1>>>, 999>();
  same<FromNatural<Minus<Natural<5>, Natural<5>>>, 0>();
  same<Minus<Natural<5>, Natural<6>>, 'less'>();
  same<FromNatural<Times<Natural<0>, Natural<12>>>, 0>();
  same<FromNatural<Times<Natural<15>, Natural<12>>>, 180>();
  same<Quotient<0, 3>, 0>();
  same<Quotient<2, 3>, 0>();
  same<Quotient<221, 2>, 110>();
  same<Quotient<1000, 10>, 100>();
});

describe('sizes', () => {
  test('of windows', () => {
    same<WindowCount<28, 3>, 26>();
    same<WindowCount<224, 7, 2, 3>, 112>();
    same<WindowCount<32, 3, 1, 1>, 32>();
    same<WindowCount<32, 1>, 32>();
    same<WindowCount<7, 3, 2>, 3>();
    same<WindowCount<8, 3, 2>, 3>();
    same<WindowCount<10, 3, 1, 0, 2>, 6>();
    same<WindowCount<5, 5>, 1>();
    same<WindowCount<4, 5>, 'less'>();
    same<WindowCount<4, 5, 3, 1>, 1>();
    same<WindowCount<number, 3>, number>();
    same<WindowCount<28, number>, number>();
    same<WindowCount<28, 3, number>, number>();
  });

  test('of transposed convolutions', () => {
    same<TransposedSize<7, 2, 2>, 14>();
    same<TransposedSize<4, 3, 2, 1, 1, 1>, 8>();
    same<TransposedSize<4, 3, 3, 2, 2, 1>, 11>();
    same<TransposedSize<1, 1>, 1>();
    same<TransposedSize<1, 3, 1, 2>, 'less'>();
    same<TransposedSize<number, 3>, number>();
  });
});

describe('layers', () => {
  test('shapes', () => {
    same<Apply<Conv2dFn<3, 32, 3, object>, readonly [8, 3, 28, 30]>, readonly [8, 32, 26, 28]>();
    same<Apply<Conv2dFn<3, 32, 3, object>, readonly [3, 28, 30]>, readonly [32, 26, 28]>();
    same<Apply<Conv2dFn<3, 32, 3, { padding: 'same' }>, readonly [number, 3, 28, 30]>, readonly [number, 32, 28, 30]>();
    same<Apply<Conv2dFn<3, 32, 3, { padding: 'valid' }>, readonly [8, 3, 28, 30]>, readonly [8, 32, 26, 28]>();
    same<
      Apply<Conv2dFn<3, 8, readonly [3, 5], { stride: readonly [2, 1]; padding: 1 }>, readonly [8, 3, 28, 30]>,
      readonly [8, 8, 14, 28]
    >();
    same<Apply<Conv2dFn<3, 8, 3, { dilation: 2 }>, readonly [8, 3, number, 30]>, readonly [8, 8, number, 26]>();
    same<Apply<Conv2dFn<number, number, 3, object>, readonly [8, 3, 9, 9]>, readonly [8, number, 7, 7]>();
    same<Apply<Conv2dFn<3, 8, 3, nn.ConvOptions>, readonly [8, 3, 9, 9]>, readonly [8, 8, number, number]>();
    same<Apply<Conv2dFn<3, 8, number, object>, readonly [8, 3, 9, 9]>, readonly [8, 8, number, number]>();
    same<Apply<Conv2dFn<3, 8, 3, object>, Shape>, readonly [...number[], 8, number, number]>();
    same<Apply<Conv1dFn<4, 16, 5, { stride: 2 }>, readonly [8, 4, 100]>, readonly [8, 16, 48]>();
    same<Apply<Conv3dFn<1, 2, readonly [1, 2, 3], object>, readonly [1, 4, 4, 4]>, readonly [2, 4, 3, 2]>();
    same<Apply<ConvTranspose2dFn<16, 3, 2, { stride: 2 }>, readonly [8, 16, 7, 7]>, readonly [8, 3, 14, 14]>();
    same<Apply<ConvTranspose1dFn<2, 3, 3, { stride: 2; outputPadding: 1 }>, readonly [2, 4]>, readonly [3, 10]>();
    same<Apply<ConvTranspose3dFn<1, 2, 2, object>, Shape>, readonly [...number[], 2, number, number, number]>();
  });

  test('mistakes', () => {
    same<
      Apply<Conv2dFn<16, 8, 3, object>, readonly [1, 32, 9, 9]>,
      ShapeMismatch<'Conv2d(16, 8): [1,32,9,9] has 32 channels, expected 16'>
    >();
    same<
      Apply<Conv2dFn<3, 8, 7, { padding: 1 }>, readonly [1, 3, 9, 4]>,
      ShapeMismatch<'Conv2d(3, 8): kernel 7 is larger than the padded size 6 of [1,3,9,4]'>
    >();
    same<
      Apply<Conv2dFn<3, 8, 3, { dilation: 4 }>, readonly [1, 3, 9, 8]>,
      ShapeMismatch<'Conv2d(3, 8): kernel 9 is larger than the padded size 8 of [1,3,9,8]'>
    >();
    same<
      Apply<Conv2dFn<3, 8, 3, object>, readonly [3, 9]>,
      ShapeMismatch<'Conv2d(3, 8): expected [N,C,H,W] or [C,H,W], got [3,9]'>
    >();
    same<
      Apply<Conv1dFn<3, 8, 3, object>, readonly [1, 1, 3, 9]>,
      ShapeMismatch<'Conv1d(3, 8): expected [N,C,L] or [C,L], got [1,1,3,9]'>
    >();
    same<
      Apply<ConvTranspose1dFn<3, 8, 1, { padding: 1 }>, readonly [3, 2]>,
      ShapeMismatch<'ConvTranspose1d(3, 8): nothing of [3,2] would be left behind the padding'>
    >();
  });
});
