import { expectTypeOf, test } from 'vitest';
import { nn, randn, type ShapeMismatch, type Tensor } from 'thalweg';
import type { AttentionKeyCheck, AttentionShape, AttentionValueCheck } from '../../src/types/attention.js';

test('the shape of attention', () => {
  expectTypeOf<AttentionShape<readonly [2, 8, 5, 4], readonly [2, 8, 7, 3]>>().toEqualTypeOf<readonly [2, 8, 5, 3]>();
  expectTypeOf<AttentionShape<readonly [5, 4], readonly [7, 4]>>().toEqualTypeOf<readonly [5, 4]>();
  expectTypeOf<AttentionKeyCheck<readonly [5, 4], readonly [7, 3]>>().toEqualTypeOf<
    ShapeMismatch<'queries have 4 features, keys 3'>
  >();
  expectTypeOf<AttentionValueCheck<readonly [7, 4], readonly [6, 4]>>().toEqualTypeOf<
    ShapeMismatch<'7 keys, but 6 values'>
  >();
  const q = randn([2, 5, 4]);
  expectTypeOf(nn.functional.scaledDotProductAttention(q, q, randn([2, 5, 3])).shape).toEqualTypeOf<
    readonly [2, 5, 3]
  >();
});

test('layers keep the shape of what they are given', () => {
  const layer = new nn.TransformerEncoderLayer(16, 2, { batchFirst: true });
  const x = randn([2, 5, 16]);
  expectTypeOf(layer.forward(x)).toEqualTypeOf<Tensor<readonly [2, 5, 16], 'float32'>>();
  const attention = new nn.MultiheadAttention(16, 2);
  expectTypeOf(attention.forward(x, x, x)[0]).toEqualTypeOf<Tensor<readonly [2, 5, 16], 'float32'>>();
  const wrong = randn([2, 5, 8]);
  // @ts-expect-error the last dimension is 8, not 16
  void (() => layer.forward(wrong));
  // @ts-expect-error the last dimension is 8, not 16
  void (() => attention.forward(wrong, x, x));
});
