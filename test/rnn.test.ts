// Recurrent layers beyond the goldens: packed and padded sequences, names, precision over many steps, dropout, errors.
import { describe, expect, test } from 'vitest';
import {
  fromTypedArray,
  getNumThreads,
  grad,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  setNumThreads,
  tensor,
  tidy,
  zeros,
  type Tensor,
} from '../src/index.js';
import { gruSequence, lstmSequence, rnnSequence } from '../src/ops/rnn.js';
import { errorOf } from './error-of.js';

const {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  PackedSequence,
  unpackSequence,
  unpadSequence,
} = nn.utils.rnn;
const numbers = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
const double = { dtype: 'float64' } as const;
const far = (a: Tensor, b: Tensor): number => {
  const [x, y] = [numbers(a), numbers(b)];
  expect(x.length).toBe(y.length);
  return x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i])), 0);
};
const loose = (x: unknown): Record<string, (...args: unknown[]) => unknown> =>
  x as Record<string, (...args: unknown[]) => unknown>;

type Layer = nn.LSTM | nn.GRU | nn.RNN;
/** The output and all last states of any recurrent layer. */
function run(
  layer: Layer,
  x: Tensor | InstanceType<typeof PackedSequence>,
  hx?: readonly Tensor[],
): [Tensor, ...Tensor[]] {
  const given = hx === undefined ? [] : [layer instanceof nn.LSTM ? hx : hx[0]];
  const [output, last] = loose(layer)['forward'](x, ...given) as [typeof x, Tensor | Tensor[]];
  const states = Array.isArray(last) ? last : [last];
  return [output instanceof PackedSequence ? padPackedSequence(output)[0] : output, ...states];
}

describe('parameters', () => {
  test("have PyTorch's names, order and shapes", () => {
    const layer = new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true });
    expect(Array.from(layer.stateDict(), ([name, x]) => `${name} ${x.shape.join('x')}`)).toEqual([
      'weight_ih_l0 16x3',
      'weight_hh_l0 16x4',
      'bias_ih_l0 16',
      'bias_hh_l0 16',
      'weight_ih_l0_reverse 16x3',
      'weight_hh_l0_reverse 16x4',
      'bias_ih_l0_reverse 16',
      'bias_hh_l0_reverse 16',
      'weight_ih_l1 16x8',
      'weight_hh_l1 16x4',
      'bias_ih_l1 16',
      'bias_hh_l1 16',
      'weight_ih_l1_reverse 16x8',
      'weight_hh_l1_reverse 16x4',
      'bias_ih_l1_reverse 16',
      'bias_hh_l1_reverse 16',
    ]);
    expect([...new nn.GRU(3, 4, { bias: false }).stateDict().keys()]).toEqual(['weight_ih_l0', 'weight_hh_l0']);
    expect([...new nn.GRUCell(3, 4).stateDict().keys()]).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect(layer.parameters()).toHaveLength(16);
    expect(layer.weight_hh_l1_reverse.requiresGrad).toBe(true);
  });

  test('start uniform on +-1 / sqrt(hiddenSize)', () => {
    const values = new nn.GRU(50, 16).parameters().flatMap(numbers);
    expect(Math.max(...values)).toBeLessThan(0.25);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-0.25);
    expect(Math.max(...values)).toBeGreaterThan(0.24);
  });

  test('are converted with the module, and in 16 bits compute in float32', () => {
    const layer = new nn.LSTM(3, 4);
    const x = randn([5, 2, 3]);
    const [expected] = layer.forward(x);
    layer.to('bfloat16');
    const [output] = layer.forward(x.to('bfloat16'));
    expect(output.dtype).toBe('bfloat16');
    expect(far(output, expected)).toBeLessThan(0.03);
    output.sum().backward();
    expect(layer.weight_ih_l0.grad!.dtype).toBe('bfloat16');
  });

  test('printed', () => {
    expect(String(new nn.LSTM(3, 4, { numLayers: 2, batchFirst: true, dropout: 0.5 }))).toBe(
      'LSTM(3, 4, numLayers=2, batchFirst=true, dropout=0.5)',
    );
    expect(String(new nn.RNN(3, 4, { nonlinearity: 'relu' }))).toBe('RNN(3, 4, nonlinearity=relu)');
    expect(String(new nn.RNNCell(3, 4, { bias: false }))).toBe('RNNCell(3, 4, bias=false)');
  });
});

const layers: readonly [string, (options: nn.RecurrentOptions) => Layer][] = [
  ['LSTM', (options) => new nn.LSTM(3, 5, options)],
  ['GRU', (options) => new nn.GRU(3, 5, options)],
  ['RNN', (options) => new nn.RNN(3, 5, options)],
];

describe.each(layers)('%s', (name, make) => {
  const lengths = [2, 6, 1, 6, 3];
  const options = { numLayers: 2, bidirectional: true, ...double };

  test('packed sequences give what each gives alone', () => {
    const layer = make(options);
    const count = name === 'LSTM' ? 2 : 1;
    const x = randn([6, 5, 3], { ...double, requiresGrad: true });
    const hx = Array.from({ length: count }, () => randn([4, 5, 5], { ...double, requiresGrad: true }));
    const packed = packPaddedSequence(x, lengths, { enforceSorted: false });
    const [output, ...states] = run(layer, packed, hx);
    const given = randn(output.shape, double);
    const inputs = [x, ...hx, ...layer.parameters()];
    const together = grad([output, ...states], inputs, { gradOutputs: [given, ...states.map((s) => s)] });

    const totals = inputs.map((input) => zeros(input.shape, double) as Tensor);
    lengths.forEach((length, b) => {
      const alone = x.narrow(1, b, 1).narrow(0, 0, length);
      const [own, ...ownStates] = run(
        layer,
        alone,
        hx.map((h) => h.narrow(1, b, 1)),
      );
      expect(far(own, output.narrow(1, b, 1).narrow(0, 0, length))).toBeLessThan(1e-14);
      ownStates.forEach((state, i) => expect(far(state, states[i].narrow(1, b, 1))).toBeLessThan(1e-14));
      const gradOutputs = [given.narrow(1, b, 1).narrow(0, 0, length), ...ownStates];
      grad([own, ...ownStates], inputs, { gradOutputs }).forEach((g, i) => {
        totals[i] = totals[i].add(g);
      });
      if (length < 6)
        expect(numbers(output.narrow(1, b, 1).narrow(0, length, 6 - length)).every((v) => v === 0)).toBe(true);
    });
    together.forEach((g, i) => expect(far(g, totals[i])).toBeLessThan(1e-12));
  });

  test('batchFirst and inputs without a batch are the same numbers', () => {
    const layer = make(options);
    const first = make({ ...options, batchFirst: true });
    first.loadStateDict(layer.stateDict());
    const x = randn([4, 2, 3], double);
    const [output, ...states] = run(layer, x);
    const [turned, ...turnedStates] = run(first, x.transpose(0, 1));
    expect(turned.shape).toEqual([2, 4, 10]);
    expect(far(turned.transpose(0, 1), output)).toBe(0);
    turnedStates.forEach((state, i) => expect(far(state, states[i])).toBe(0));
    const [single, ...singleStates] = run(first, x.select(1, 1));
    expect(single.shape).toEqual([4, 10]);
    expect(far(single, output.select(1, 1))).toBeLessThan(1e-15);
    singleStates.forEach((state, i) => expect(far(state, states[i].select(1, 1))).toBeLessThan(1e-15));
  });

  test('a sequence in two parts, and step by step in a cell', () => {
    const layer = make(double);
    const x = randn([7, 2, 3], double);
    const [whole, ...states] = run(layer, x);
    const [, ...middle] = run(layer, x.narrow(0, 0, 4));
    const [rest, ...last] = run(layer, x.narrow(0, 4, 3), middle);
    expect(far(rest, whole.narrow(0, 4, 3))).toBeLessThan(1e-15);
    last.forEach((state, i) => expect(far(state, states[i])).toBeLessThan(1e-15));
    const Cell = { LSTM: nn.LSTMCell, GRU: nn.GRUCell, RNN: nn.RNNCell }[name]!;
    const cell = new Cell(3, 5, double);
    cell.loadStateDict(new Map(Array.from(layer.stateDict(), ([key, value]) => [key.replace('_l0', ''), value])));
    let state: Tensor | Tensor[] | undefined;
    for (let t = 0; t < 7; t++) state = loose(cell)['forward'](x.select(0, t), state) as Tensor | Tensor[];
    (Array.isArray(state) ? state : [state!]).forEach((s, i) =>
      expect(far(s, states[i].select(0, 0))).toBeLessThan(1e-14),
    );
  });

  test('200 steps in float32 stay close to float64', () => {
    const exact = new { LSTM: nn.LSTM, GRU: nn.GRU, RNN: nn.RNN }[name as 'LSTM'](7, 37, double);
    const layer = new { LSTM: nn.LSTM, GRU: nn.GRU, RNN: nn.RNN }[name as 'LSTM'](7, 37);
    layer.loadStateDict(exact.stateDict());
    const x = randn([200, 21, 7]);
    const [output] = run(layer, x);
    const [reference] = run(exact, x.to('float64'));
    expect(far(output, reference)).toBeLessThan(2e-5);
    const weights = randn(output.shape);
    output.mul(weights).sum().backward();
    reference.mul(weights.to('float64')).sum().backward();
    const pairs = layer.parameters().map((p, i) => [p.grad!, exact.parameters()[i].grad!] as const);
    for (const [g, r] of pairs) expect(far(g, r)).toBeLessThan(2e-4 * (1 + Math.max(...numbers(r).map(Math.abs))));
  });

  test('the same bits on one thread and on several; once more with nothing recorded', () => {
    const layer = make({});
    // Blocks of rows, and steps so large that each is a parallel product.
    const wide = name === 'LSTM' ? new nn.LSTM(3, 300) : name === 'GRU' ? new nn.GRU(3, 340) : new nn.RNN(3, 600);
    for (const [net, batch] of [
      [layer, 45],
      [wide, 130],
    ] as const) {
      const x = randn([5, batch, 3], { requiresGrad: true });
      const threads = getNumThreads();
      const results = [1, 2].map((count) => {
        setNumThreads(count);
        const [output] = run(net, x);
        const inputs = [x, ...net.parameters()];
        return [output, ...grad(output, inputs, { gradOutputs: [ones(output.shape)] })].map(numbers);
      });
      setNumThreads(threads);
      expect(results[0]).toEqual(results[1]);
      expect(noGrad(() => numbers(run(net, x)[0]))).toEqual(results[0][0]);
    }
  });

  test('trains, and leaves nothing behind', () => {
    const layer = make({ numLayers: 2 });
    const x = randn([6, 4, 3]);
    const step = (): void => {
      tidy(() => run(layer, x)[0].square().mean().backward());
      layer.zeroGrad();
    };
    step();
    const before = memory();
    for (let i = 0; i < 5; i++) step();
    expect(memory().tensors).toBe(before.tensors);
    expect(memory().bytes).toBe(before.bytes);
  });

  test('no batch', () => {
    const [output, hN] = run(make({}), zeros([4, 0, 3]));
    expect(output.shape).toEqual([4, 0, 5]);
    expect(hN.shape).toEqual([1, 0, 5]);
  });
});

describe('layers', () => {
  test('dropout between layers: from the seed, none in evaluation, none behind the last', () => {
    const layer = new nn.GRU(3, 8, { numLayers: 2, dropout: 0.5 });
    const x = randn([4, 2, 3]);
    const outputs = [1, 1, 2].map((seed) => {
      manualSeed(seed);
      return numbers(layer.forward(x)[0]);
    });
    expect(outputs[0]).toEqual(outputs[1]);
    expect(outputs[0]).not.toEqual(outputs[2]);
    expect(outputs[0].every((value) => value !== 0)).toBe(true);
    layer.eval();
    expect(numbers(layer.forward(x)[0])).toEqual(numbers(layer.forward(x)[0]));
  });

  test('states that share a parameter with the input are differentiated apart', () => {
    // Second derivatives compute the sequence again; what an input was computed from must not be counted twice.
    const a = fromTypedArray(Float64Array.of(0.5), [1, 1], { requiresGrad: true });
    const layer = new nn.RNN(1, 1, double);
    const value = (p: Tensor): Tensor => layer.forward(p.mul(2).reshape([1, 1, 1]), p.reshape([1, 1, 1]))[0].sum();
    const [plain] = grad(value(a), [a]);
    const [again] = grad(value(a), [a], { createGraph: true });
    expect(far(plain, again)).toBeLessThan(1e-15);
    expect(again.requiresGrad).toBe(true);
  });

  test('NaN and infinity go through', () => {
    const layer = new nn.RNN(1, 2, { nonlinearity: 'relu' });
    expect(numbers(layer.forward(tensor([[[NaN]]]))[0])).toEqual([NaN, NaN]);
    const [h] = new nn.LSTM(1, 1).forward(tensor([[[Infinity]]]));
    expect(Math.abs(numbers(h)[0])).toBeLessThanOrEqual(1);
  });
});

describe('packing', () => {
  const sequences = [tensor([1, 2, 3]), tensor([4, 5]), tensor([6])];

  test('there and back', () => {
    const packed = packSequence(sequences);
    expect(numbers(packed.data)).toEqual([1, 4, 6, 2, 5, 3]);
    expect(packed.batchSizes).toEqual([3, 2, 1]);
    expect(packed.sortedIndices).toBe(null);
    const [padded, lengths] = padPackedSequence(packed, { batchFirst: true, paddingValue: -1, totalLength: 4 });
    expect(padded.arraySync()).toEqual([
      [1, 2, 3, -1],
      [4, 5, -1, -1],
      [6, -1, -1, -1],
    ]);
    expect(lengths.dtype).toBe('int64');
    expect(numbers(lengths)).toEqual([3, 2, 1]);
    expect(unpackSequence(packed).map(numbers)).toEqual([[1, 2, 3], [4, 5], [6]]);
  });

  test('in any order', () => {
    const shuffled = [sequences[2], sequences[0], sequences[1]];
    const packed = packSequence(shuffled, { enforceSorted: false });
    expect(numbers(packed.data)).toEqual([1, 4, 6, 2, 5, 3]);
    expect(numbers(packed.sortedIndices!)).toEqual([1, 2, 0]);
    expect(numbers(packed.unsortedIndices!)).toEqual([2, 0, 1]);
    expect(unpackSequence(packed).map(numbers)).toEqual([[6], [1, 2, 3], [4, 5]]);
    expect(numbers(new PackedSequence(packed.data, [3, 2, 1], packed.sortedIndices).unsortedIndices!)).toEqual([
      2, 0, 1,
    ]);
  });

  test('padSequence and unpadSequence', () => {
    expect(padSequence(sequences).arraySync()).toEqual([
      [1, 4, 6],
      [2, 5, 0],
      [3, 0, 0],
    ]);
    expect(padSequence(sequences, { batchFirst: true, paddingSide: 'left', paddingValue: 9 }).arraySync()).toEqual([
      [1, 2, 3],
      [9, 4, 5],
      [9, 9, 6],
    ]);
    expect(unpadSequence(padSequence(sequences), tensor([3n, 2n, 1n])).map(numbers)).toEqual([[1, 2, 3], [4, 5], [6]]);
    const x = randn([3, 2, 4], { requiresGrad: true });
    const [g] = grad(
      unpadSequence(x, [2, 3]).map((part) => part.sum()),
      [x],
    );
    expect(numbers(g.sum(-1))).toEqual([4, 4, 4, 4, 0, 4]);
  });

  test('gradients reach the padded tensor, and not the padding', () => {
    const x = randn([3, 2, 1], { requiresGrad: true });
    const [padded] = padPackedSequence(packPaddedSequence(x, [1, 3], { enforceSorted: false }));
    const [g] = grad(padded.sum(), [x]);
    expect(numbers(g)).toEqual([1, 1, 0, 1, 0, 1]);
  });

  test('tidy keeps a packed result', () => {
    const packed = tidy(() => packSequence(sequences, { enforceSorted: false }));
    expect(numbers(packed.data)).toHaveLength(6);
    expect(numbers(packed.unsortedIndices!)).toEqual([0, 1, 2]);
  });
});

describe('refused', () => {
  const x = zeros([5, 3, 10]);
  const lstm = new nn.LSTM(10, 20, { numLayers: 2 });
  const gru = new nn.GRU(10, 20);
  const cell = new nn.LSTMCell(10, 20);
  const any = (...args: unknown[]): never => args as never;
  test.each<[string, () => unknown, string]>([
    ['size', () => new nn.LSTM(10, 0), 'ArgumentError: LSTM: hiddenSize must be an integer >= 1, got 0.'],
    [
      'layers',
      () => new nn.GRU(1, 2, { numLayers: 1.5 }),
      'ArgumentError: GRU: numLayers must be an integer >= 1, got 1.5.',
    ],
    ['dropout', () => new nn.GRU(1, 2, { dropout: 2 }), 'ArgumentError: GRU: dropout must be from 0 to 1, got 2.'],
    [
      'nonlinearity',
      () => new nn.RNN(1, 2, { nonlinearity: any('gelu')[0] }),
      `ArgumentError: RNN: unknown nonlinearity "gelu", expected 'tanh' or 'relu'.`,
    ],
    [
      'projSize',
      () => new nn.LSTM(1, 2, { projSize: 1 } as nn.RecurrentOptions<false>),
      'ArgumentError: LSTM: projSize is not offered; put a Linear(2, projSize) behind the layer, which however does not feed back.',
    ],
    [
      'no tensor',
      () => loose(gru)['forward']([1]),
      'ArgumentError: GRU: x is an array, expected a Tensor; make one with tensor(...).',
    ],
    [
      'rank',
      () => gru.forward(zeros([10])),
      'ShapeError: GRU(x [10]): x must be [steps, batch, features] or [steps, features].',
    ],
    [
      'features',
      () => loose(gru)['forward'](zeros([5, 3, 11])),
      'ShapeError: GRU(x [5,3,11]): the last dimension is 11, but inputSize is 10.',
    ],
    [
      'steps',
      () => gru.forward(zeros([0, 3, 10])),
      'ShapeError: GRU(x [0,3,10]): there are no steps, a sequence has at least one.',
    ],
    [
      'dtype',
      () => gru.forward(x.to('float64')),
      `DTypeError: GRU(x float64[5,3,10]): the parameters are float32; convert one, e.g. x.to('float32').`,
    ],
    [
      'states',
      () => gru.forward(x, zeros([2, 3, 20])),
      'ShapeError: GRU(x [5,3,10]): h0 must be [1,3,20], [layers * directions, batch, hiddenSize], got [2,3,20].',
    ],
    [
      'states without batch',
      () => gru.forward(zeros([5, 10]), zeros([1, 1, 20])),
      'ShapeError: GRU(x [5,10]): h0 must be [1,20], [layers * directions, hiddenSize], got [1,1,20].',
    ],
    [
      'dtype of states',
      () => gru.forward(x, zeros([1, 3, 20], double)),
      'DTypeError: GRU: x is float32 and h0 float64; convert one.',
    ],
    [
      'one state',
      () => lstm.forward(x, any(zeros([2, 3, 20]))),
      'ArgumentError: LSTM: hx must be [h0, c0], two tensors.',
    ],
    [
      'cell state',
      () => lstm.forward(x, [zeros([2, 3, 20]), zeros([2, 4, 20])]),
      'ShapeError: LSTM(x [5,3,10]): c0 must be [2,3,20], [layers * directions, batch, hiddenSize], got [2,4,20].',
    ],
    [
      'cell features',
      () => loose(cell)['forward'](zeros([3, 9])),
      'ShapeError: LSTMCell(x [3,9]): the last dimension is 9, but inputSize is 10.',
    ],
    [
      'cell rank',
      () => cell.forward(x),
      'ShapeError: LSTMCell(x [5,3,10]): x must be [batch, inputSize] or [inputSize].',
    ],
    [
      'cell states',
      () => cell.forward(zeros([3, 10]), [zeros([3, 20]), zeros([20])]),
      'ShapeError: LSTMCell(x [3,10]): c0 must be [3,20], got [20].',
    ],
    [
      'unsorted lengths',
      () => packPaddedSequence(x, [1, 2, 2]),
      'ArgumentError: packPaddedSequence: with enforceSorted the lengths must not grow, but lengths[1] is 2 after 1; pass { enforceSorted: false }.',
    ],
    [
      'lengths',
      () => packPaddedSequence(x, [6, 1, 1]),
      'ArgumentError: packPaddedSequence: lengths[0] must be an integer from 1 to 5, got 6.',
    ],
    [
      'zero length',
      () => packPaddedSequence(x, [5, 1, 0]),
      'ArgumentError: packPaddedSequence: lengths[2] must be an integer from 1 to 5, got 0.',
    ],
    [
      'count of lengths',
      () => packPaddedSequence(x, [5]),
      'ArgumentError: packPaddedSequence: 1 lengths for a batch of 3 sequences.',
    ],
    [
      'totalLength',
      () => padPackedSequence(packSequence([ones([3])]), { totalLength: 2 }),
      'ArgumentError: padPackedSequence: totalLength must be an integer >= the longest length 3, got 2.',
    ],
    [
      'batch sizes',
      () => new PackedSequence(ones([5]), [2, 3]),
      'ArgumentError: PackedSequence: batchSizes must be integers above 0 that do not grow, but batchSizes[1] is 3 after 2.',
    ],
    [
      'rows',
      () => new PackedSequence(ones([5]), [2, 2]),
      'ArgumentError: PackedSequence: batchSizes add up to 4, but data has shape [5].',
    ],
    [
      'sequences',
      () => padSequence([ones([2, 3]), ones([2, 4])]),
      'ShapeError: padSequence: sequences[1] has shape [2,4], sequences[0] [2,3]; they must agree but in the first dimension.',
    ],
    ['no sequences', () => packSequence([]), 'ArgumentError: packSequence: expected a list of at least one tensor.'],
    [
      'weights',
      () => gruSequence(zeros([4, 2]), zeros([2, 3]), zeros([9, 2]), zeros([9, 4]), null, null),
      'ShapeError: gruSequence(x [4,2], h0 [2,3]): weightHh must be [9,3], got [9,4].',
    ],
    [
      'rows and batch',
      () => rnnSequence(zeros([5, 2]), zeros([2, 3]), zeros([3, 2]), zeros([3, 3]), null, null),
      'ShapeError: rnnSequence: 5 rows of x are no whole number of steps of a batch of 2.',
    ],
    [
      'sizes of steps',
      () =>
        lstmSequence(zeros([5, 2]), zeros([2, 3]), zeros([2, 3]), zeros([12, 2]), zeros([12, 3]), null, null, {
          batchSizes: [2, 1, 2],
        }),
      'ArgumentError: lstmSequence: batchSizes must descend from the batch of 2, but batchSizes[2] is 2 after 1.',
    ],
  ])('%s', (_, call, expected) => {
    expect(errorOf(call)).toBe(expected);
  });
});
