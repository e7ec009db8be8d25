// Convolutions by cuDNN: on the emulated device by a library that stands for it and refuses what the real one would
// (native/test/fake_cudnn.cpp), when THALWEG_CUDA_LIB_DIRS names its folder. What it is asked to do is set by variables,
// so most of this runs in processes of its own.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { conv2d, cuda, full, nn, noGrad, setFloat32MatmulPrecision, zeros } from 'thalweg';
import { runScript } from '../fixtures/child.js';
import { describeDevice, isEmulated } from './available.js';
import { relativeError } from './compare.js';

const found = cuda.isAvailable() && /^cuDNN: \d/m.test(cuda.libraries());
const folder = mkdtempSync(join(tmpdir(), 'thalweg-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => setFloat32MatmulPrecision('highest'));

// Convolutions, their gradients and transposes against the CPU, of what cuDNN is asked about: layouts, sizes, dtypes.
const script = `
  import { conv1d, conv2d, conv3d, convTranspose2d, cuda, manualSeed, randn } from 'thalweg';
${relativeError}
  manualSeed(1);
  const cases = [
    [conv2d, [2, 3, 9, 8], [16, 3, 3, 3], { padding: 1 }],
    [conv2d, [2, 16, 9, 8], [16, 8, 3, 2], { stride: [2, 1], padding: [1, 0], groups: 2 }],
    [conv2d, [1, 8, 10, 10], [8, 8, 4, 4], { padding: 'same' }],
    [conv2d, [1, 8, 10, 10], [9, 8, 3, 3], { dilation: 2, padding: 2 }],
    [conv2d, [2, 4, 6, 6], [8, 4, 2, 2], { stride: 2 }],
    [conv1d, [2, 8, 20], [9, 8, 5], { stride: 2, padding: 2 }],
    [conv3d, [1, 4, 5, 4, 6], [8, 4, 3, 2, 3], { padding: 1 }],
    [convTranspose2d, [2, 8, 5, 4], [8, 9, 3, 3], { stride: 2, padding: 1, outputPadding: 1 }],
  ];
  const tolerances = { float32: 1e-5, float64: 1e-12, float16: 4e-3, bfloat16: 3e-2 };
  const few = process.env.FEW === '1';
  let worst = 0;
  for (const [dtype, tolerance] of Object.entries(tolerances).slice(0, few ? 1 : 4)) {
    for (const [op, shape, weights, options] of cases.slice(0, few ? 2 : 8)) {
      const x = randn(shape).to(dtype), w = randn(weights).to(dtype);
      const b = randn([op === convTranspose2d ? weights[1] : weights[0]]).to(dtype);
      const results = (device) => {
        const [cx, cw, cb] = [x, w, b].map((t) => t.detach().to(device).requiresGrad_());
        const y = op(cx, cw, cb, options);
        y.mul(y).sum().backward();
        return [y, cx.grad, cw.grad, cb.grad].map((t) => t.to('float64').to('cpu').dataSync());
      };
      worst = Math.max(worst, relativeError(results('cpu'), results('cuda')) / tolerance);
    }
  }
  console.log(JSON.stringify({ agrees: worst < 1, libraries: cuda.libraries().split('\\n') }));`;

interface Outcome {
  agrees: boolean;
  cudnn: string;
  /** What the library that stands for cuDNN counted. */
  graphs: number;
  executions: number;
  biases: number;
}

async function runWith(env: Record<string, string>): Promise<Outcome> {
  const result = await runScript(script, { FAKE_CUDNN_REPORT: '1', ...env });
  expect({ code: result.code, signal: result.signal }, result.stderr).toEqual({ code: 0, signal: null });
  const { agrees, libraries } = JSON.parse(result.stdout) as { agrees: boolean; libraries: string[] };
  const counts = /fake cuDNN: (\d+) graphs, \d+ plans, (\d+) executions, (\d+) with a bias/.exec(result.stderr);
  const [graphs, executions, biases] = counts?.slice(1).map(Number) ?? [0, 0, 0];
  return { agrees, cudnn: libraries.find((line) => line.startsWith('cuDNN')) ?? '', graphs, executions, biases };
}

// Four dtypes of eight cases, each with two gradients; a bias is part of seven.
const all = { agrees: true, executions: 4 * 8 * 3, biases: 4 * 7 };
const few = { agrees: true, executions: 2 * 3, biases: 2 };
const none = { agrees: true, executions: 0, biases: 0 };

describeDevice('convolutions by cuDNN', () => {
  test.skipIf(!found)('round float32 to TF32 only when that is allowed', () => {
    // 1 + 2^-12 has more bits than TF32 keeps. Only the middle tap is not 0.
    const x = full([1, 8, 5, 5], 1 + 2 ** -12, { device: 'cuda' });
    const weight = zeros([8, 8, 3, 3], { device: 'cuda' });
    for (let i = 0; i < 8; i++) weight.narrow(0, i, 1).narrow(1, i, 1).narrow(2, 1, 1).narrow(3, 1, 1).fill_(1);
    const first = (): number => Number(conv2d(x, weight, null, { padding: 1 }).dataSync()[0]);
    expect(first()).toBe(1 + 2 ** -12);
    setFloat32MatmulPrecision('high');
    expect(first()).toBe(1);
    setFloat32MatmulPrecision('highest');
    expect(first()).toBe(1 + 2 ** -12);
  });

  test.skipIf(!found)('are part of a graph', () => {
    const layer = new nn.Conv2d(8, 16, 3, { padding: 1 }).to('cuda');
    const x = full([2, 8, 6, 6], 1, { device: 'cuda' });
    const expected = noGrad(() => layer.forward(x).dataSync());
    const step = cuda.graph(() => noGrad(() => layer.forward(x)));
    for (let i = 0; i < 5; i++) expect(step().dataSync()).toEqual(expected);
  });

  test.skipIf(!found || !isEmulated)('of every dtype and shape', async () => {
    const outcome = await runWith({});
    expect(outcome).toMatchObject(all);
    expect(outcome.cudnn).toMatch(/^cuDNN: 9\.24\.0, from /);
    // Each graph is asked about once.
    expect(outcome.graphs).toBeLessThanOrEqual(outcome.executions);
  });

  test.skipIf(!found || !isEmulated)('that cannot add a bias', async () => {
    expect(await runWith({ FEW: '1', FAKE_CUDNN_REFUSE: 'bias' })).toMatchObject({ ...few, biases: 0 });
  });

  test.skipIf(!found || !isEmulated)('that cuDNN refuses, before or after it has planned', async () => {
    const [refused, late] = await Promise.all(
      ['all', 'execution'].map((what) => runWith({ FEW: '1', FAKE_CUDNN_REFUSE: what })),
    );
    expect(refused).toMatchObject(none);
    expect(late).toMatchObject(none);
    expect(Math.min(refused.graphs, late.graphs)).toBeGreaterThan(0);
  });

  test.skipIf(!found || !isEmulated)('without cuDNN: switched off, too old, without cuBLASLt', async () => {
    const line = cuda.libraries().split('\n');
    const [, file] = /from (.*)$/.exec(line.find((text) => text.startsWith('cuDNN'))!)!;
    copyFileSync(file, join(folder, 'libcudnn.so.9'));
    const ways: Record<string, string>[] = [
      { THALWEG_CUDNN: '0' },
      { FAKE_CUDNN_VERSION: '80907' },
      { THALWEG_CUDA_LIB_DIRS: folder },
    ];
    const [off, old, alone] = await Promise.all(ways.map((env) => runWith({ FEW: '1', ...env })));
    for (const outcome of [off, old, alone]) expect(outcome).toMatchObject({ ...none, graphs: 0 });
    expect(old.cudnn).toContain('is too old: it is version 8.9.7, needed is 9.0.0 or newer');
    expect(alone.cudnn).toContain('(9.24.0) needs cuBLASLt, which cannot be used either, so convolutions');
  });

  test.skipIf(!found || !isEmulated)('that fail', async () => {
    const result = await runScript(
      `import { conv2d, ones, synchronize } from 'thalweg';
       try {
         conv2d(ones([1, 8, 4, 4], { device: 'cuda' }), ones([8, 8, 3, 3], { device: 'cuda' }));
         synchronize('cuda');
       } catch (error) { console.log(error.name + ': ' + error.message); }`,
      { FAKE_CUDNN_FAIL: '1' },
    );
    expect(result.stdout).toContain('DeviceError: ');
    expect(result.stdout).toBe(
      'DeviceError: convForward: cuDNN: CUDNN_STATUS_EXECUTION_FAILED (as the test asked for)\n',
    );
  });
});
