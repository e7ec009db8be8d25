// What goes wrong with devices, in processes of their own: the variables of native/cuda/emulated/runtime.cpp make the
// emulated device fail as real ones do. The CPU works on in each of them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { addonPath } from '../../src/load.js';
import { runScript, type ChildResult } from '../fixtures/child.js';
import { describeDevice, isEmulated } from './available.js';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-'));
afterAll(() => rmSync(folder, { recursive: true }));

const head = `
  import * as thalweg from 'thalweg';
  const { cuda, emptyCache, memory, ones, randn, synchronize, tensor, zeros } = thalweg;
  const attempt = (fn) => {
    try { const value = fn(); return String(value); } catch (error) { return error.name + ': ' + error.message; }
  };
  const attemptAsync = async (fn) => {
    try { const value = await fn(); return String(value); } catch (error) { return error.name + ': ' + error.message; }
  };
  const cpuWorks = () => ones([3, 3], { device: 'cpu' }).matmul(ones([3, 3], { device: 'cpu' })).sum().itemSync() === 27;
`;

// Not the settings that this process runs its tests with.
const plain = { THALWEG_TEST_DEVICE: '', THALWEG_SYNC: '', THALWEG_DEBUG: '' };
const run = (script: string, env: Record<string, string> = {}): Promise<ChildResult> =>
  runScript(head + script, { ...plain, ...env });
const ended = ({ code, signal, stderr }: ChildResult): unknown => ({ code, signal, stderr });
const clean = { code: 0, signal: null, stderr: '' };

describe('there is no CUDA', () => {
  const script = `
    console.log(JSON.stringify([cuda.isAvailable(), cuda.deviceCount(), cuda.unavailableReason(),
      attempt(() => zeros([2], { device: 'cuda' })), attempt(() => ones([2], { device: 'cpu' }).to('cuda:1')),
      attempt(() => memory({ device: 'cuda' })), attempt(() => cuda.libraries()),
      attempt(() => cuda.deviceProperties()), cpuWorks()]));`;

  /** Runs it; the reason must be the same everywhere. */
  async function reasonWith(env: Record<string, string>): Promise<string> {
    const result = await run(script, env);
    expect(ended(result)).toEqual(clean);
    const [available, count, reason, ...rest] = JSON.parse(result.stdout) as [boolean, number, string, ...unknown[]];
    expect([available, count]).toEqual([false, 0]);
    expect(reason).not.toMatch(/\.$/);
    const missing = (op: string, device: string): string =>
      `DeviceError: ${op}: device '${device}' is not available: ${reason}.`;
    expect(rest).toEqual([
      missing('zeros', 'cuda'),
      missing('to', 'cuda:1'),
      missing('memory', 'cuda'),
      `DeviceError: cuda.libraries: CUDA is not available: ${reason}.`,
      missing('cuda.deviceProperties', 'cuda'),
      true,
    ]);
    return reason;
  }

  test('no such file', async () => {
    const path = join(folder, 'nothing.so');
    expect(await reasonWith({ THALWEG_CUDA_PLUGIN: path })).toBe(
      `the CUDA plugin was not found: THALWEG_CUDA_PLUGIN names ${path}, which does not exist; in a checkout, build it with: npm run build:cuda`,
    );
  });

  test('a file that is no library', async () => {
    const path = join(folder, 'text.so');
    writeFileSync(path, 'not a library\n'.repeat(100));
    expect(await reasonWith({ THALWEG_CUDA_PLUGIN: path })).toContain(path);
  });

  test('an empty file, and a folder', async () => {
    const path = join(folder, 'empty.so');
    writeFileSync(path, '');
    expect(await reasonWith({ THALWEG_CUDA_PLUGIN: path })).toContain(path);
    expect(await reasonWith({ THALWEG_CUDA_PLUGIN: folder })).toContain(folder);
  });

  test('a library that is not the plugin', async () => {
    const path = addonPath()!;
    expect(await reasonWith({ THALWEG_CUDA_PLUGIN: path })).toBe(
      `${path} is not of the same build as the addon; build or install both again`,
    );
  });

  describe.skipIf(!isEmulated)('by the machine (emulated)', () => {
    test('no driver', async () => {
      expect(await reasonWith({ THALWEG_CUDA_EMULATED_DRIVER: 'none' })).toBe(
        'no NVIDIA driver was found on this machine; install one (nvidia-smi then lists the GPUs)',
      );
    });

    test('a driver too old', async () => {
      expect(await reasonWith({ THALWEG_CUDA_EMULATED_DRIVER: 'old' })).toBe(
        'the NVIDIA driver is too old: it supports CUDA 12.2, this build needs 13.0 or newer; update the driver',
      );
    });

    test('a driver that does not start', async () => {
      expect(await reasonWith({ THALWEG_CUDA_EMULATED_DRIVER: '803' })).toBe(
        'CUDA does not start: it reports cudaErrorSystemDriverMismatch (system has unsupported display driver / cuda driver combination); ' +
          "the driver's module and its libraries are of different versions: restart the machine after an update, or install the same one in the container",
      );
      expect(await reasonWith({ THALWEG_CUDA_EMULATED_DRIVER: '802' })).toMatch(
        /^CUDA does not start: it reports cudaErrorSystemNotReady \(.*\); services of the driver are not running, such as the fabric manager/,
      );
    });

    test('no device', async () => {
      expect(await reasonWith({ THALWEG_CUDA_EMULATED_DEVICES: '0' })).toBe(
        'the NVIDIA driver shows no GPU to this process; check nvidia-smi and CUDA_VISIBLE_DEVICES',
      );
    });

    test('the second of one', async () => {
      const result = await run(
        `console.log(cuda.deviceCount()); console.log(attempt(() => zeros([2], { device: 'cuda:1' })));
         console.log(zeros([2], { device: 'cuda' }).tolist(), cpuWorks());`,
        { THALWEG_CUDA_EMULATED_DEVICES: '1' },
      );
      expect(ended(result)).toEqual(clean);
      expect(result.stdout).toBe(
        `1\nDeviceError: zeros: device 'cuda:1' does not exist, this machine has 'cuda' only.\n[ 0, 0 ] true\n`,
      );
    });

    test('a device without memory for the least', async () => {
      const result = await run(`console.log(attempt(() => zeros([2], { device: 'cuda' }))); console.log(cpuWorks());`, {
        THALWEG_CUDA_EMULATED_MEMORY: '1',
      });
      expect(ended(result)).toEqual(clean);
      expect(result.stdout).toBe(
        "DeviceError: zeros: device 'cuda' cannot be used: allocating: CUDA reports cudaErrorMemoryAllocation (out of memory); " +
          "nvidia-smi shows which processes hold the GPU's memory, CUDA_VISIBLE_DEVICES chooses another GPU\ntrue\n",
      );
    });

    test('a device that is busy, or too old', async () => {
      const script = `console.log(cuda.isAvailable());
        for (let i = 0; i < 2; i++) console.log(attempt(() => zeros([2], { device: 'cuda' })));
        console.log(attempt(() => new thalweg.nn.Linear(2, 2).to('cuda')));
        console.log(cpuWorks());`;
      const message = (why: string): string =>
        `true\n${['zeros', 'zeros', 'to'].map((op) => `DeviceError: ${op}: device 'cuda' cannot be used: ${why}\n`).join('')}true\n`;
      const busy = await run(script, { THALWEG_CUDA_EMULATED_START: '46' });
      expect(ended(busy)).toEqual(clean);
      expect(busy.stdout).toBe(
        message(
          'choosing the device: CUDA reports cudaErrorDevicesUnavailable (CUDA-capable device(s) is/are busy or unavailable); ' +
            'another process has the GPU for itself, or it is out of order: see nvidia-smi, or choose another one with CUDA_VISIBLE_DEVICES',
        ),
      );
      const old = await run(script, { THALWEG_CUDA_EMULATED_CAPABILITY: '70' });
      expect(ended(old)).toEqual(clean);
      expect(old.stdout).toBe(
        message(
          'emulated device 0 has compute capability 7.0, and needed is 7.5 or newer; CUDA_VISIBLE_DEVICES chooses another GPU',
        ),
      );
    });
  });
});

const lost =
  /^DeviceError: .*CUDA reports cudaErrorLaunchFailure \(unspecified launch failure\); this process has lost its GPUs, start it again \(the CPU still works\)$/;

describe.skipIf(!isEmulated)('a device is lost in the middle (emulated)', () => {
  const env = { THALWEG_CUDA_EMULATED_LOST: '3' };
  const losing = `
    const x = zeros([4], { device: 'cuda' });
    const kept = ones([4], { device: 'cuda' });
    for (let i = 0; i < 10; i++) x.fill_(i);`;

  test('every later read says so, the CPU goes on, and the process ends well', async () => {
    const result = await run(
      `${losing}
      for (let i = 0; i < 3; i++) console.log(attempt(() => x.dataSync()));
      console.log(attempt(() => kept.itemSync === undefined ? '' : kept.slice(0, 0, 1).itemSync()));
      for (let i = 0; i < 3; i++) console.log(await attemptAsync(() => x.data()));
      console.log(attempt(() => String(x)));
      console.log(attempt(() => synchronize()));
      console.log('cpu', cpuWorks(), await ones([3], { device: 'cpu' }).sum().item());`,
      env,
    );
    expect(ended(result)).toEqual(clean);
    const lines = result.stdout.trim().split('\n');
    expect(lines).toHaveLength(10);
    for (const line of lines.slice(0, 9)) expect(line).toMatch(lost);
    expect(lines[9]).toBe('cpu true 3');
  });

  test('new tensors, copies and frees: errors, nothing else', async () => {
    const result = await run(
      `${losing}
      console.log(attempt(() => synchronize()));
      const small = tensor([1, 2], { device: 'cpu' });
      console.log(attempt(() => zeros([2 ** 24], { device: 'cuda' }).dataSync()));
      console.log(attempt(() => small.to('cuda').dataSync()));
      console.log(attempt(() => kept.to('cuda:1').dataSync()));
      console.log(attempt(() => zeros([1], { device: 'cuda:1' }).dataSync()));
      console.log(attempt(() => small.copy_(kept.slice(0, 0, 2)).dataSync()));
      x.dispose();
      console.log(cuda.deviceCount(), memory({ device: 'cuda' }).tensors > 0, attempt(() => emptyCache()));
      memory({ collect: true });
      console.log('cpu', cpuWorks(), small.tolist().length);`,
      env,
    );
    expect(ended(result)).toEqual(clean);
    const lines = result.stdout.trim().split('\n');
    expect(lines).toHaveLength(8);
    for (const line of lines.slice(0, 6)) expect(line).toMatch(/^DeviceError: .*CUDA reports cudaErrorLaunchFailure/);
    expect(lines[6]).toBe('2 true undefined');
    expect(lines[7]).toBe('cpu true 2');
  });

  test('reads that were waiting are all answered', async () => {
    const result = await run(
      `const x = zeros([4], { device: 'cuda' });
      const answers = [];
      for (let i = 0; i < 20; i++) { x.fill_(i); answers.push(attemptAsync(() => x.data())); }
      const all = await Promise.all(answers);
      console.log(all.length, all.filter((answer) => answer.startsWith('DeviceError')).length > 10);
      console.log(all.at(-1));
      console.log(cpuWorks());`,
      env,
    );
    expect(ended(result)).toEqual(clean);
    const [first, second, third] = result.stdout.trim().split('\n');
    expect(first).toBe('20 true');
    expect(second).toMatch(lost);
    expect(third).toBe('true');
  });

  test('THALWEG_SYNC=1: the call itself fails, with its name', async () => {
    const result = await run(
      `const x = zeros([4], { device: 'cuda' });
      for (let i = 0; i < 5; i++) console.log(i, attempt(() => { x.fill_(i); return 'filled'; }));
      console.log(cpuWorks());`,
      { ...env, THALWEG_SYNC: '1' },
    );
    expect(ended(result)).toEqual(clean);
    const lines = result.stdout.trim().split('\n');
    expect(lines.slice(0, 2)).toEqual(['0 filled', '1 filled']);
    for (const line of lines.slice(2, 5)) expect(line).toMatch(/^\d DeviceError: fill: .*cudaErrorLaunchFailure/);
    expect(lines[5]).toBe('true');
  });

  test('nobody reads: it is printed at the end', async () => {
    const result = await run(
      `${losing} await new Promise((resolve) => setTimeout(resolve, 500)); console.log('end');`,
      env,
    );
    expect([result.code, result.signal, result.stdout]).toEqual([0, null, 'end\n']);
    expect(result.stderr).toMatch(
      /^thalweg: an operation failed, and nothing was read after it: DeviceError: \S+: .*cudaErrorLaunchFailure.*\n$/,
    );
  });

  test('uncaught, the process ends with code 1', async () => {
    const result = await run(`${losing} x.dataSync();`, env);
    expect([result.code, result.signal]).toEqual([1, null]);
    expect(result.stderr).toContain('cudaErrorLaunchFailure');
  });

  test('in a worker, the main thread goes on', async () => {
    const result = await run(
      `import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const worker = new Worker(\`
        import { parentPort } from 'node:worker_threads';
        import { zeros } from 'thalweg';
        const x = zeros([4], { device: 'cuda' });
        for (let i = 0; i < 10; i++) x.fill_(i);
        try { x.dataSync(); } catch (error) { parentPort.postMessage(error.name); }\`, { eval: true });
      const [[message], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
      console.log(message, code, cpuWorks());`,
      env,
    );
    expect(ended(result)).toEqual(clean);
    expect(result.stdout).toBe('DeviceError 0 true\n');
  });
});

describeDevice('an index that only the device can see is wrong', () => {
  const wrong = `
    const x = tensor([[1, 2], [3, 4]], { device: 'cuda' });
    const index = tensor([[0n, 99n]], { device: 'cuda' });`;
  const message = 'IndexError: gather: index 99 is out of range for dimension 0 of size 2';

  test('the next read says so, and what follows works', async () => {
    const result = await run(`${wrong}
      const y = x.gather(0, index);
      console.log(attempt(() => y.dataSync()));
      console.log(x.gather(0, tensor([[0n, 1n]], { device: 'cuda' })).tolist());
      x.gather(0, index);
      console.log(await attemptAsync(() => x.data()));
      console.log(await attemptAsync(() => x.data()));
      x.gather(0, index);
      console.log(attempt(() => synchronize()));
      console.log(attempt(() => synchronize()));
      console.log(x.tolist(), cpuWorks());`);
    expect(ended(result)).toEqual(clean);
    expect(result.stdout.split('\n')).toEqual([
      message,
      '[ [ 1, 4 ] ]',
      message,
      '1,2,3,4',
      message,
      'undefined',
      '[ [ 1, 2 ], [ 3, 4 ] ] true',
      '',
    ]);
  });

  test('the first of several is told', async () => {
    const result = await run(`${wrong}
      x.gather(0, index); x.gather(0, tensor([[7n]], { device: 'cuda' })); x.gather(1, tensor([[-5n]], { device: 'cuda' }));
      console.log(attempt(() => x.dataSync()));
      console.log(attempt(() => x.dataSync()));`);
    expect(ended(result)).toEqual(clean);
    expect(result.stdout).toBe(`${message}\n1,2,3,4\n`);
  });

  test('THALWEG_SYNC=1: the call itself throws', async () => {
    const result = await run(`${wrong} console.log(attempt(() => x.gather(0, index))); console.log(x.tolist());`, {
      THALWEG_SYNC: '1',
    });
    expect(ended(result)).toEqual(clean);
    expect(result.stdout).toBe(`${message}\n[ [ 1, 2 ], [ 3, 4 ] ]\n`);
  });

  test('nobody reads: it is printed at the end', async () => {
    const result = await run(`${wrong} x.gather(0, index); await new Promise((resolve) => setTimeout(resolve, 500));`);
    expect([result.code, result.signal]).toEqual([0, null]);
    expect(result.stderr).toBe(`thalweg: an operation failed, and nothing was read after it: ${message}\n`);
  });

  test('a pending read that nobody awaits is an unhandled rejection', async () => {
    const result = await run(`${wrong} x.gather(0, index).data();`);
    expect([result.code, result.signal]).toEqual([1, null]);
    expect(result.stderr).toContain(message);
  });
});

describeDevice('a process with a device ends', () => {
  const head = `const x = randn([64, 64], { device: 'cuda' });
    const work = (count) => { let y = x; for (let i = 0; i < count; i++) y = y.matmul(x).tanh(); return y; };`;

  test('with work and reads pending', async () => {
    const result = await run(`${head} work(20); work(5).data().then((data) => console.log(data.length));`);
    expect(ended(result)).toEqual(clean);
    expect(result.stdout).toBe('4096\n');
  });

  test('by process.exit', async () => {
    const result = await run(`${head} work(20).data(); process.exit(7);`);
    expect(ended(result)).toEqual({ code: 7, signal: null, stderr: '' });
  });

  test('with workers that are terminated', async () => {
    const result = await run(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      for (let round = 0; round < 3; round++) {
        const worker = new Worker(\`
          import { parentPort } from 'node:worker_threads';
          import { randn, tidy } from 'thalweg';
          const x = randn([32, 32], { device: 'cuda' });
          parentPort.postMessage('busy');
          for (;;) tidy(() => { x.matmul(x).data().catch(() => undefined); });\`, { eval: true });
        await once(worker, 'message');
        console.log(await worker.terminate());
      }
      console.log(zeros([2], { device: 'cuda' }).tolist());`);
    expect(ended(result)).toEqual(clean);
    expect(result.stdout).toBe('1\n1\n1\n[ 0, 0 ]\n');
  });
});
