// Attention by cuDNN: on the emulated device by a library that stands for it, knows only the graphs that the real one
// has kernels for, and ends the process at what the real one would refuse (native/test/fake_cudnn_attention.cpp), when
// THALWEG_CUDA_LIB_DIRS names its folder. What it is asked to do is set by variables, so most of this runs in processes
// of its own.
import { expect, test } from 'vitest';
import { cuda, grad, nn, noGrad, randn, type Device } from 'thalweg';
import { runScript } from '../fixtures/child.js';
import { expectClose } from '../golden.js';
import { describeDevice, isEmulated } from './available.js';
import { relativeError } from './compare.js';

const found = cuda.isAvailable() && /^cuDNN: \d/m.test(cuda.libraries());

// Named cases of attention and its gradients, against the CPU; which of them, CASES says.
const script = `
  import { cuda, manualSeed, nn, ones, randn } from 'thalweg';
  ${relativeError}
  manualSeed(1);
  const heads = (batch, heads, rows, width) => randn([batch, rows, heads, width]);
  const turned = (x) => x.transpose(1, 2);
  const as = (x) => x;
  const self = (b, h, l, e) => [heads(b, h, l, e), heads(b, h, l, e), heads(b, h, l, e)];
  const shaped = (q, k, v) => [heads(...q), heads(...k), heads(...v)];
  const cases = {
    // Taken: operands, the view of them that is attended, options.
    plain: [self(2, 2, 5, 8), turned, {}],
    headsFirst: [[randn([2, 3, 4, 16]), randn([2, 3, 6, 16]), randn([2, 3, 6, 8])], as, {}],
    matrix: [[randn([5, 8]), randn([7, 8]), randn([7, 16])], as, {}],
    causal: [self(2, 2, 9, 8), turned, { isCausal: true }],
    causalTall: [shaped([1, 2, 9, 8], [1, 2, 4, 8], [1, 2, 4, 8]), turned, { isCausal: true }],
    causalWide: [shaped([1, 2, 3, 8], [1, 2, 7, 8], [1, 2, 7, 8]), turned, { isCausal: true }],
    grouped: [shaped([2, 6, 5, 8], [2, 2, 7, 8], [2, 2, 7, 16]), turned, { enableGqa: true }],
    groupedCausal: [shaped([1, 4, 6, 16], [1, 1, 6, 16], [1, 1, 6, 16]), turned, { enableGqa: true, isCausal: true }],
    scaled: [self(1, 2, 5, 8), turned, { scale: -0.7 }],
    oneKey: [shaped([2, 2, 9, 8], [2, 2, 1, 8], [2, 2, 1, 8]), turned, {}],
    parts: [[randn([2, 5, 3, 2, 8])], (x) => x.permute([2, 0, 3, 1, 4]), {}],
    // Taken in two calls for the gradients, by batches and by heads.
    batches: [self(9000, 1, 2, 8), turned, {}],
    manyHeads: [self(1, 9000, 2, 8), turned, { isCausal: true }],
    manyGroups: [shaped([1, 9000, 2, 8], [1, 4500, 2, 8], [1, 4500, 2, 8]), turned, { enableGqa: true }],
    // Not taken.
    narrow: [self(1, 2, 5, 12), turned, {}],
    valuesNarrow: [shaped([1, 2, 5, 8], [1, 2, 5, 8], [1, 2, 5, 6]), turned, {}],
    wide: [self(1, 1, 3, 264), turned, {}],
    columns: [[randn([1, 2, 8, 5]), randn([1, 2, 8, 5]), randn([1, 2, 8, 5])], (x) => x.transpose(2, 3), {}],
    steps: [self(1, 2, 5, 12), (x) => turned(x).narrow(3, 0, 8), {}],
    unaligned: [self(1, 1, 5, 16), (x) => turned(x).narrow(3, 4, 8), {}],
    sharedRows: [shaped([1, 2, 1, 8], [1, 2, 5, 8], [1, 2, 5, 8]), (x) => turned(x).expand([1, 2, 5, 8]), {}],
    boolMask: [self(1, 2, 4, 8), turned, { attnMask: ones([4, 4]).tril().to('bool') }],
    emptyRow: [self(1, 2, 4, 8), turned, { attnMask: ones([4, 4]).tril(-1).to('bool') }],
    floatMask: [self(1, 2, 4, 8), turned, { attnMask: randn([4, 4]) }],
    noKeys: [shaped([1, 2, 4, 8], [1, 2, 0, 8], [1, 2, 0, 8]), turned, {}],
    tiles: [shaped([1, 2, 130, 20], [1, 1, 70, 20], [1, 1, 70, 76]), turned, { enableGqa: true, isCausal: true }],
    oneRow: [shaped([2, 2, 1, 8], [2, 2, 9, 8], [2, 2, 9, 8]), turned, {}],
  };
  const dtypes = process.env.DTYPES?.split(',') ?? ['float16', 'bfloat16'];
  const attend = nn.functional.scaledDotProductAttention;
  const worst = {};
  for (const name of process.env.CASES.split(',')) {
    const [operands, view, { attnMask, ...options }] = cases[name];
    for (const dtype of dtypes) {
      // Rounded operands, exact results: on the CPU in float64.
      const rounded = operands.map((x) => x.to(dtype));
      const run = (device, computed) => {
        const leaves = rounded.map((x) => x.detach().to(device).to(computed).requiresGrad_());
        const [q, k, v] = leaves.length === 1 ? [...Array(3).keys()].map((i) => view(leaves[0]).select(0, i)) : leaves.map(view);
        const mask = attnMask === undefined ? {} : { attnMask: (attnMask.dtype === 'bool' ? attnMask : attnMask.to(dtype).to(computed)).to(device) };
        const out = attend(q, k, v, { ...options, ...mask });
        out.mul(out).sum().backward();
        return [out, ...leaves.map((x) => x.grad)].map((x) => x.to('float64').to('cpu').dataSync());
      };
      const error = relativeError(run('cpu', 'float64'), run('cuda', dtype), 1e-3);
      const tolerance = { float32: 1e-5, float64: 1e-12, float16: 4e-3, bfloat16: 3e-2 }[dtype];
      worst[name] = Math.max(worst[name] ?? 0, error / tolerance);
    }
  }
  console.log(JSON.stringify(Object.entries(worst).filter(([, by]) => !(by < 1)).map(([name, by]) => name + ' by ' + by)));`;

interface Outcome {
  /** Cases that do not agree with the CPU. */
  wrong: readonly string[];
  graphs: number;
  executions: number;
}

async function runWith(cases: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const result = await runScript(script, { FAKE_CUDNN_REPORT: '1', CASES: cases.join(), ...env });
  expect({ code: result.code, signal: result.signal }, result.stderr).toEqual({ code: 0, signal: null });
  const counts = /fake cuDNN: (\d+) graphs, \d+ plans, (\d+) executions/.exec(result.stderr);
  const [graphs, executions] = counts?.slice(1).map(Number) ?? [0, 0];
  return { wrong: JSON.parse(result.stdout) as string[], graphs, executions };
}

const taken = [
  ...['plain', 'headsFirst', 'matrix', 'causal', 'causalTall', 'causalWide', 'grouped', 'groupedCausal', 'scaled'],
  ...['oneKey', 'parts'],
];
const divided = ['batches', 'manyHeads', 'manyGroups'];
const notTaken = [
  ...['narrow', 'valuesNarrow', 'wide', 'columns', 'steps', 'unaligned', 'sharedRows', 'boolMask', 'emptyRow'],
  ...['floatMask', 'noKeys', 'tiles', 'oneRow'],
];

describeDevice('attention by cuDNN', () => {
  test('has gradients of gradients in 16 bits', () => {
    const values = [0, 1, 2].map(() => randn([2, 3, 8]));
    const second = (device: Device, dtype: 'bfloat16' | 'float64'): ArrayLike<number> => {
      const leaves = values.map((x) => x.to('bfloat16').to(dtype).to(device).requiresGrad_());
      const [q, k, v] = leaves;
      const first = grad(nn.functional.scaledDotProductAttention(q, k, v).square().sum(), leaves, {
        createGraph: true,
      });
      const [result] = grad(first[0].square().sum(), [k]);
      expect(result.dtype).toBe(dtype);
      return result.to('float64').to('cpu').dataSync();
    };
    const expected = second('cpu', 'float64');
    expectClose('gradient of a gradient', second('cuda', 'bfloat16'), expected, { relative: 0.05, floor: 1 });
  });

  test.skipIf(!found)('is part of a graph', () => {
    const q = randn([2, 3, 8, 16], { device: 'cuda' }).to('bfloat16');
    const attend = (): typeof q => noGrad(() => nn.functional.scaledDotProductAttention(q, q, q, { isCausal: true }));
    const expected = attend().dataSync();
    const step = cuda.graph(attend);
    for (let i = 0; i < 5; i++) expect(step().dataSync()).toEqual(expected);
  });

  test.skipIf(!found || !isEmulated)('is taken for operands of 16 bits, whatever their views', async () => {
    // Forward and backward, in two dtypes, of graphs that are described once.
    const runs = taken.length * 2 * 2;
    const outcome = await runWith(taken);
    expect(outcome).toEqual({ wrong: [], graphs: expect.any(Number) as number, executions: runs });
    expect(outcome.graphs).toBeLessThanOrEqual(runs);
  });

  test.skipIf(!found || !isEmulated)('makes gradients in parts where the workspace would be too large', async () => {
    const outcome = await runWith(divided, { DTYPES: 'bfloat16' });
    expect(outcome).toEqual({ wrong: [], graphs: divided.length * 2, executions: divided.length * 3 });
  });

  test.skipIf(!found || !isEmulated)('is not taken for what its kernels cannot do', async () => {
    // A width of 264 is asked about, in vain.
    expect(await runWith(notTaken)).toEqual({ wrong: [], graphs: 2 * 2, executions: 0 });
  });

  test.skipIf(!found || !isEmulated)('is taken for a number of shapes, each time', async () => {
    const result = await runScript(
      `
      import { nn, noGrad, ones } from 'thalweg';
      noGrad(() => {
        for (let round = 0; round < 2; round++)
          for (let rows = 2; rows < 80; rows++) {
            const q = ones([1, 1, rows, 8], { device: 'cuda' }).to('float16');
            nn.functional.scaledDotProductAttention(q, q, q).dataSync();
          }
      });`,
      { FAKE_CUDNN_REPORT: '1' },
    );
    expect(result.stderr).toContain('fake cuDNN: 64 graphs, 128 plans, 128 executions');
  });

  test.skipIf(!found || !isEmulated)('is not taken for float32 and float64', async () => {
    const outcome = await runWith(['plain', 'causal'], { DTYPES: 'float32,float64' });
    expect(outcome).toEqual({ wrong: [], graphs: 0, executions: 0 });
  });

  test.skipIf(!found || !isEmulated)('refused, switched off or too old leaves it to own kernels', async () => {
    const few = ['plain', 'groupedCausal'];
    const outcomes = await Promise.all([
      runWith(few, { FAKE_CUDNN_REFUSE: 'all' }),
      runWith(few, { FAKE_CUDNN_REFUSE: 'execution' }),
      runWith(few, { THALWEG_CUDNN: '0' }),
      runWith(few, { FAKE_CUDNN_VERSION: '91002' }),
    ]);
    for (const { wrong, executions } of outcomes) expect({ wrong, executions }).toEqual({ wrong: [], executions: 0 });
    expect(outcomes.map(({ graphs }) => graphs > 0)).toEqual([true, true, false, false]);
  });

  test.skipIf(!found || !isEmulated)(
    'makes the gradients that are wanted, the same each time, and no dropout',
    async () => {
      const result = await runScript(
        `
      import { manualSeed, nn, randn } from 'thalweg';
      const attend = nn.functional.scaledDotProductAttention;
      manualSeed(3);
      const [q, k, v] = [0, 1, 2].map(() => randn([2, 4, 3, 8], { device: 'cuda' }).to('float16'));
      const run = (wanted, options = {}) => {
        const leaves = [q, k, v].map((x, i) => (wanted[i] ? x.detach().requiresGrad_() : x.detach()));
        attend(...leaves, options).square().sum().backward();
        return leaves.map((x) => (x.grad === null ? null : [...x.grad.dataSync()]));
      };
      const all = run([true, true, true]);
      const parts = [[true, false, false], [false, true, false], [false, false, true], [true, false, true]].map((wanted) =>
        run(wanted).every((values, i) => JSON.stringify(values) === JSON.stringify(wanted[i] ? all[i] : null)));
      run([true, true, true], { dropoutP: 0.5 });
      console.log(JSON.stringify(parts));`,
        { FAKE_CUDNN_REPORT: '1' },
      );
      expect(result.stdout.trim(), result.stderr).toBe('[true,true,true,true]');
      expect(result.stderr).toContain(' 10 executions');
    },
  );
});
