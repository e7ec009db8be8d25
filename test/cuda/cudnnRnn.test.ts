// Recurrent layers by cuDNN: on the emulated device by a library that stands for it (native/test/fake_cudnn_rnn.cpp), when
// THALWEG_CUDA_LIB_DIRS names its folder. What it is asked to do is set by variables, so most of this runs in processes of
// its own.
import { afterEach, expect, test } from 'vitest';
import {
  cuda,
  full,
  grad,
  manualSeed,
  nn,
  noGrad,
  randn,
  setFloat32MatmulPrecision,
  synchronize,
  type Tensor,
} from 'thalweg';
import { runScript } from '../fixtures/child.js';
import { describeDevice, isEmulated } from './available.js';
import { relativeError } from './compare.js';

const found = cuda.isAvailable() && /^cuDNN: \d/m.test(cuda.libraries());
afterEach(() => setFloat32MatmulPrecision('highest'));

// Layers of every kind, with their gradients, against the CPU.
const script = `
  import { cuda, manualSeed, nn, noGrad, randn } from 'thalweg';
${relativeError}
  manualSeed(1);
  const cases = [
    ['LSTM', { numLayers: 2 }, {}],
    ['LSTM', { numLayers: 2, bidirectional: true, batchFirst: true }, { states: true }],
    ['LSTM', { bias: false }, { lengths: [5, 5, 3, 1] }],
    ['LSTM', { bidirectional: true }, { lengths: [2, 5, 1, 4], states: true }],
    ['GRU', { numLayers: 2, bidirectional: true }, { lengths: [5, 4, 4, 2] }],
    ['GRU', { bias: false }, { states: true, inputOnly: true }],
    ['RNN', { numLayers: 3 }, { states: true }],
    ['RNN', { nonlinearity: 'relu', bidirectional: true }, { frozen: true }],
    ['LSTM', {}, { unbatched: true }],
    ['GRU', { numLayers: 2, dropout: 0.5 }, { evaluating: true }],
  ];
  const tolerances = { float32: 2e-5, float64: 1e-12, float16: 2e-2, bfloat16: 0.15 };
  const few = process.env.FEW === '1';
  const [I, H, T, B] = [6, 8, 5, 4];
  let worst = 0, inferred = 0;
  for (const [dtype, tolerance] of Object.entries(tolerances).slice(0, few ? 1 : 4)) {
    for (const [kind, options, how] of cases.slice(0, few ? 2 : cases.length)) {
      const layer = new nn[kind](I, H, options).to(dtype);
      if (how.evaluating) layer.eval();
      const count = (options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
      const x = randn(how.unbatched ? [T, I] : options.batchFirst ? [B, T, I] : [T, B, I]).to(dtype);
      const states = [0, 1].slice(0, how.states ? (kind === 'LSTM' ? 2 : 1) : 0).map(() => randn([count, B, H]).to(dtype));
      const results = (device) => {
        const own = layer.to(device);
        own.zeroGrad();
        if (how.inputOnly) for (const p of own.parameters()) p.requiresGrad_(false);
        const [cx, ...hx] = [x, ...states].map((t) => t.detach().to(device).requiresGrad_(!how.frozen || t !== x));
        const input = how.lengths ? nn.utils.rnn.packPaddedSequence(cx, how.lengths, { enforceSorted: false }) : cx;
        const given = hx.length === 0 ? undefined : kind === 'LSTM' ? hx : hx[0];
        const run = () => {
          const [out, last] = own.forward(input, given);
          return [how.lengths ? out.data : out, ...(kind === 'LSTM' ? last : [last])];
        };
        const outs = run();
        const again = noGrad(run);
        if (process.env.EXACT)
          for (let i = 0; i < outs.length; i++)
            if (!outs[i].eq(again[i]).all().itemSync()) throw new Error('training and inference differ');
        inferred++;
        let loss = outs[0].mul(outs[0]).sum();
        if (how.states) for (const state of outs.slice(1)) loss = loss.add(state.mul(3).sum());
        loss.backward();
        const grads = [cx, ...hx, ...(how.inputOnly ? [] : own.parameters())].flatMap((t) => (t.grad ? [t.grad] : []));
        return [...outs, ...again, ...grads].map((t) => t.detach().to('float64').to('cpu').dataSync());
      };
      worst = Math.max(worst, relativeError(results('cpu'), results('cuda')) / tolerance);
    }
  }
  console.log(JSON.stringify({ agrees: worst < 1, worst, cases: inferred / 2 }));`;

interface Outcome {
  agrees: boolean;
  cases: number;
  /** What the library that stands for cuDNN counted. */
  forwards: number;
  training: number;
  backwards: number;
  layers: number;
}

async function runWith(env: Record<string, string>): Promise<Outcome> {
  const result = await runScript(script, { FAKE_CUDNN_REPORT: '1', ...(isEmulated ? { EXACT: '1' } : {}), ...env });
  expect({ code: result.code, signal: result.signal }, result.stderr).toEqual({ code: 0, signal: null });
  const { agrees, worst, cases } = JSON.parse(result.stdout) as { agrees: boolean; worst: number; cases: number };
  const counts = /fake cuDNN RNN: (\d+) forwards \((\d+) for training\), (\d+) backwards, (\d+) layers/.exec(
    result.stderr,
  );
  const [forwards, training, backwards, layers] = counts?.slice(1).map(Number) ?? [0, 0, 0, 0];
  expect(agrees, `the largest error is ${worst} times the tolerance`).toBe(true);
  return { agrees, cases, forwards, training, backwards, layers };
}

const none = { forwards: 0, training: 0, backwards: 0 };

describeDevice('recurrent layers by cuDNN', () => {
  test.skipIf(!found)('of every kind and dtype', async () => {
    const outcome = await runWith({});
    // Each once for training and once without, and all layers of a case in one call.
    const { cases } = outcome;
    expect(cases).toBe(40);
    // A GPU counts nothing.
    if (!isEmulated) return;
    expect(outcome).toMatchObject({ forwards: 2 * cases, training: cases, backwards: cases });
    expect(outcome.layers).toBe(4 * 2 * (2 + 2 + 1 + 1 + 2 + 1 + 3 + 1 + 1 + 2));
  });

  test.skipIf(!found || !isEmulated)('that cuDNN refuses, or that is switched off', async () => {
    const [refused, off] = await Promise.all([
      runWith({ FEW: '1', FAKE_CUDNN_REFUSE: 'rnn' }),
      runWith({ FEW: '1', THALWEG_CUDNN: '0' }),
    ]);
    for (const outcome of [refused, off]) expect(outcome).toMatchObject({ ...none, cases: 2 });
  });

  test.skipIf(!found || !isEmulated)('that fail', async () => {
    const result = await runScript(
      `import { nn, ones, synchronize } from 'thalweg';
       try {
         new nn.GRU(3, 4).to('cuda').forward(ones([5, 2, 3], { device: 'cuda' }));
         synchronize('cuda');
       } catch (error) { console.log(error.name + ': ' + error.message); }`,
      { FAKE_CUDNN_FAIL: '1' },
    );
    expect(result.stdout).toMatch(/^DeviceError: rnnStack: cuDNN: CUDNN_STATUS_EXECUTION_FAILED .*THALWEG_CUDNN=0/);
  });

  test.skipIf(!found)('give the same gradients again from a graph that is retained', () => {
    manualSeed(2);
    const layer = new nn.LSTM(4, 8, { numLayers: 2 }).to('cuda');
    const x = randn([3, 2, 4], { device: 'cuda' });
    const loss = layer.forward(x)[0].sum();
    const gradients = (): number[][] => {
      layer.zeroGrad();
      loss.backward({ retainGraph: true });
      return [...layer.parameters()].map((p) => Array.from(p.grad!.dataSync() as Float32Array));
    };
    const first = gradients();
    expect(first.flat().some((value) => value !== 0)).toBe(true);
    expect(gradients()).toEqual(first);
  });

  test.skipIf(!found)('are differentiated twice', () => {
    manualSeed(3);
    const layer = new nn.GRU(3, 4, { bidirectional: true, numLayers: 2 }).to('float64');
    const given = randn([3, 2, 3], { dtype: 'float64' });
    const second = (device: 'cpu' | 'cuda'): number[] => {
      const own = layer.to(device);
      const x = given.to(device).detach().requiresGrad_();
      const [y, hN] = own.forward(x);
      const [g] = grad(y.mul(y).sum().add(hN.sum()), [x], { createGraph: true });
      const [twice] = grad(g.mul(g).sum(), [x]);
      return Array.from(twice.to('cpu').dataSync(), Number);
    };
    const expected = second('cpu');
    second('cuda').forEach((value, i) => expect(value).toBeCloseTo(expected[i], 9));
  });

  test.skipIf(!found)('round float32 to TF32 only when that is allowed', () => {
    // The state of relu is the product: 1 + 2^-12 has more bits than TF32 keeps.
    const layer = new nn.RNN(8, 8, { nonlinearity: 'relu', bias: false }).to('cuda');
    noGrad(() => {
      layer.weight_ih_l0.fill_(0);
      layer.weight_hh_l0.fill_(0);
      for (let i = 0; i < 8; i++) layer.weight_ih_l0.narrow(0, i, 1).narrow(1, i, 1).fill_(1);
    });
    const x = full([2, 8, 8], 1 + 2 ** -12, { device: 'cuda' });
    const first = (): number => Number(noGrad(() => layer.forward(x)[0].dataSync())[0]);
    expect(first()).toBe(1 + 2 ** -12);
    setFloat32MatmulPrecision('high');
    expect(first()).toBe(1);
    // The pass back is of the same kind as the pass forward was, whatever is set by then.
    const loss = layer.forward(x)[0].sum();
    setFloat32MatmulPrecision('highest');
    loss.backward();
    synchronize();
    expect(first()).toBe(1 + 2 ** -12);
  });

  test.skipIf(!found)('are part of a graph', () => {
    manualSeed(4);
    const layer = new nn.LSTM(4, 8, { numLayers: 2, bidirectional: true }).to('cuda');
    const x = randn([3, 2, 4], { device: 'cuda' });
    const step = (): Tensor => {
      layer.zeroGrad();
      const loss = layer.forward(x)[0].sum();
      loss.backward();
      return layer.weight_hh_l1.grad!.add(loss);
    };
    const expected = step().dataSync();
    const captured = cuda.graph(step);
    for (let i = 0; i < 4; i++) expect(captured().dataSync()).toEqual(expected);
  });

  test.skipIf(!found)('with dropout between them in training', () => {
    const layer = new nn.LSTM(4, 8, { numLayers: 2, dropout: 1 }).to('cuda');
    const x = randn([3, 2, 4], { device: 'cuda' });
    // The second layer sees zeros only, so what comes out does not depend on x.
    const [a] = layer.forward(x);
    const [b] = layer.forward(x.mul(2));
    expect(a.dataSync()).toEqual(b.dataSync());
    layer.eval();
    expect(layer.forward(x)[0].dataSync()).not.toEqual(layer.forward(x.mul(2))[0].dataSync());
  });
});
