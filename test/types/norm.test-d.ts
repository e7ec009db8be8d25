import { describe, test } from 'vitest';
import type { nn } from 'thalweg';
import type { FnOf, Apply, ApplyShape } from '../../src/types/sequential.js';
import type { Shape, ShapeMismatch } from '../../src/types/shape.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._equal: Equal<A, B> extends true ? [] : ['differ', A, B]): void {}

describe('normalising layers', () => {
  test('leave a shape that fits as it is', () => {
    same<Apply<FnOf<nn.BatchNorm2d<16>>, readonly [8, 16, 5, 5]>, readonly [8, 16, 5, 5]>();
    same<Apply<FnOf<nn.BatchNorm2d<16>>, readonly [number, number, 5, 5]>, readonly [number, number, 5, 5]>();
    same<Apply<FnOf<nn.BatchNorm1d>, readonly [8, 16]>, readonly [8, 16]>();
    same<Apply<FnOf<nn.BatchNorm1d<3>>, Shape>, Shape>();
    same<Apply<FnOf<nn.GroupNorm<6>>, readonly [8, 6]>, readonly [8, 6]>();
    same<Apply<FnOf<nn.LayerNorm<4>>, readonly [2, 3, 4]>, readonly [2, 3, 4]>();
    same<Apply<FnOf<nn.LayerNorm<readonly [3, 4]>>, readonly [2, 3, 4]>, readonly [2, 3, 4]>();
    same<Apply<FnOf<nn.RMSNorm<4>>, Shape>, Shape>();
  });

  test('name the channels that do not fit', () => {
    same<
      Apply<FnOf<nn.BatchNorm2d<32>>, readonly [8, 16, 5, 5]>,
      ShapeMismatch<'BatchNorm2d(32): [8,16,5,5] has 16 channels, not 32'>
    >();
    same<
      Apply<FnOf<nn.BatchNorm2d<32>>, readonly [8, 32]>,
      ShapeMismatch<'BatchNorm2d(32): [8,32] has 2 dimensions'>
    >();
    same<
      Apply<FnOf<nn.LayerNorm<5>>, readonly [2, 3, 4]>,
      ShapeMismatch<'LayerNorm(5): the last dimension of [2,3,4] is not 5'>
    >();
    same<
      Apply<FnOf<nn.RMSNorm<5>>, readonly [...number[], 4]>,
      ShapeMismatch<'RMSNorm(5): the last dimension of [...,4] is not 5'>
    >();
    same<ApplyShape<FnOf<nn.GroupNorm<6>>, readonly [8, 4, 2]>, Shape>();
  });
});
