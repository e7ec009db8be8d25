import { expectTypeOf, test } from 'vitest';
import { nn, randn, type Tensor } from '../../src/index.js';
import type { RecurrentCheck, RecurrentShape } from '../../src/types/recurrent.js';
import type { Shape, ShapeMismatch } from '../../src/types/shape.js';

declare const unknownRank: Tensor;
declare const unknownDims: Tensor<readonly [number, number, 10], 'float32'>;
declare const packed: nn.utils.rnn.PackedSequence<'float64'>;
declare const n: number;

test('shapes of recurrent layers', () => {
  const lstm = new nn.LSTM(10, 20, { numLayers: 2 });
  const [output, [hN, cN]] = lstm.forward(randn([5, 3, 10]));
  expectTypeOf(output.shape).toEqualTypeOf<readonly [5, 3, 20]>();
  expectTypeOf(output.dtype).toEqualTypeOf<'float32'>();
  expectTypeOf(hN).toEqualTypeOf<Tensor<Shape, 'float32'>>();
  expectTypeOf(lstm.forward(randn([5, 3, 10]), [hN, cN])[0].shape).toEqualTypeOf<readonly [5, 3, 20]>();
  expectTypeOf(lstm.forward(randn([5, 10]))[0].shape).toEqualTypeOf<readonly [5, 20]>();
  expectTypeOf(lstm.forward(unknownDims)[0].shape).toEqualTypeOf<readonly [number, number, 20]>();
  expectTypeOf(lstm.forward(unknownRank)[0].shape).toEqualTypeOf<readonly [...number[], 20]>();

  const both = new nn.GRU(10, 20, { bidirectional: true, batchFirst: true });
  expectTypeOf(both.forward(randn([3, 5, 10]))[0].shape).toEqualTypeOf<readonly [3, 5, 40]>();
  const maybe = new nn.RNN(10, 20, { bidirectional: n > 0 });
  expectTypeOf(maybe.forward(randn([3, 5, 10]))[0].shape).toEqualTypeOf<readonly [3, 5, number]>();
  const open = new nn.RNN(n, 20);
  expectTypeOf(open.forward(randn([3, 5, 10]))[0].shape).toEqualTypeOf<readonly [3, 5, 20]>();

  expectTypeOf(new nn.LSTMCell(10, 20).forward(randn([3, 10]))[0].shape).toEqualTypeOf<readonly [3, 20]>();
  expectTypeOf(new nn.GRUCell(10, 20).forward(randn([10])).shape).toEqualTypeOf<readonly [20]>();
});

test('packed in, packed out', () => {
  const [output, hN] = new nn.GRU(10, 20).forward(packed);
  expectTypeOf(output).toEqualTypeOf<nn.utils.rnn.PackedSequence<'float64'>>();
  expectTypeOf(hN).toEqualTypeOf<Tensor<Shape, 'float64'>>();
});

test('a wrong input does not compile', () => {
  // @ts-expect-error LSTM(10, 20): last dimension of [5,3,11] is 11, expected 10
  new nn.LSTM(10, 20).forward(randn([5, 3, 11]));
  // @ts-expect-error GRUCell(10, 20): last dimension of [3,9] is 9, expected 10
  new nn.GRUCell(10, 20).forward(randn([3, 9]));
  // @ts-expect-error two states are wanted
  new nn.LSTM(10, 20).forward(randn([5, 3, 10]), randn([1, 3, 20]));
  expectTypeOf<RecurrentCheck<'LSTM', readonly [5, 3, 11], 10, 20>>().toEqualTypeOf<
    ShapeMismatch<'LSTM(10, 20): last dimension of [5,3,11] is 11, expected 10'>
  >();
  expectTypeOf<RecurrentShape<readonly [5, 3, 10], 10, 20, true>>().toEqualTypeOf<readonly [5, 3, 40]>();
});
