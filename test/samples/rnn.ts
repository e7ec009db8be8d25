// Rows of the recurrent layers.
import { nn, type Tensor } from 'thalweg';
import { gruSequence, lstmSequence, rnnSequence, type SequenceOptions } from '../../src/ops/rnn.js';
import { family, withState } from './sample.js';

const { samples, rows } = family();
export { samples };

const packed = [4, 3, 3, 1];
const cases: Readonly<Record<string, SequenceOptions>> = {
  plain: {},
  reverse: { reverse: true },
  packed: { batchSizes: packed },
  packedReverse: { batchSizes: packed, reverse: true },
  noBias: {},
};
const biases = (given: readonly Tensor[]): [Tensor | null, Tensor | null] => [given[0] ?? null, given[1] ?? null];
for (const [name, options] of Object.entries(cases)) {
  rows('lstmSequence', {
    [name]: ([x, h, c, w, u, ...rest]) => lstmSequence(x, h, c, w, u, ...biases(rest), options),
  });
  rows('gruSequence', { [name]: ([x, h, w, u, ...rest]) => gruSequence(x, h, w, u, ...biases(rest), options) });
  rows('rnnSequence', { [name]: ([x, h, w, u, ...rest]) => rnnSequence(x, h, w, u, ...biases(rest), options) });
}
rows('rnnSequence', {
  relu: ([x, h, w, u, b, d]) => rnnSequence(x, h, w, u, b, d, { nonlinearity: 'relu', batchSizes: packed }),
});

// ---- layers. Their parameters are set, not differentiated: differences by them would see what gradients do not.
const set = { kink: true } as const;
const deep = { numLayers: 2, bidirectional: true, batchFirst: true } as const;
const flat = { numLayers: 2, bias: false } as const;
rows(
  'nn.LSTM',
  {
    plain: ([x, ...state]) => {
      const [output, [hN, cN]] = withState(new nn.LSTM(3, 2), state).forward(x);
      return [output, hN, cN];
    },
    deep: ([x, h, c, ...state]) => {
      const [output, [hN, cN]] = withState(new nn.LSTM(2, 2, deep), state).forward(x, [h, c]);
      return [output, hN, cN];
    },
    unbatched: ([x, h, c, ...state]) => {
      const [output, [hN, cN]] = withState(new nn.LSTM(2, 3, flat), state).forward(x, [h, c]);
      return [output, hN, cN];
    },
  },
  set,
);
rows(
  'nn.GRU',
  {
    plain: ([x, ...state]) => withState(new nn.GRU(3, 2), state).forward(x),
    deep: ([x, h, ...state]) => withState(new nn.GRU(2, 2, deep), state).forward(x, h),
    unbatched: ([x, h, ...state]) => withState(new nn.GRU(2, 3, flat), state).forward(x, h),
  },
  set,
);
rows(
  'nn.RNN',
  {
    plain: ([x, ...state]) => withState(new nn.RNN(3, 2), state).forward(x),
    deep: ([x, h, ...state]) => withState(new nn.RNN(2, 2, deep), state).forward(x, h),
    unbatched: ([x, h, ...state]) => withState(new nn.RNN(2, 3, flat), state).forward(x, h),
    relu: ([x, h, ...state]) => withState(new nn.RNN(2, 3, { nonlinearity: 'relu' }), state).forward(x, h),
  },
  set,
);
rows(
  'nn.LSTMCell',
  {
    plain: ([x, h, c, ...state]) => withState(new nn.LSTMCell(2, 4), state).forward(x, [h, c]),
    zero: ([x, ...state]) => withState(new nn.LSTMCell(2, 3, { bias: false }), state).forward(x),
  },
  set,
);
rows(
  'nn.GRUCell',
  {
    plain: ([x, h, ...state]) => withState(new nn.GRUCell(2, 4), state).forward(x, h),
    zero: ([x, ...state]) => withState(new nn.GRUCell(2, 3, { bias: false }), state).forward(x),
  },
  set,
);
rows(
  'nn.RNNCell',
  {
    plain: ([x, h, ...state]) => withState(new nn.RNNCell(2, 4), state).forward(x, h),
    zero: ([x, ...state]) => withState(new nn.RNNCell(2, 3, { bias: false }), state).forward(x),
    relu: ([x, h, ...state]) => withState(new nn.RNNCell(3, 3, { nonlinearity: 'relu' }), state).forward(x, h),
  },
  set,
);
