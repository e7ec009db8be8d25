// Workers and the main thread, each with a queue of its own on the same device. And what `thalweg info` says of devices.
import { expect, test } from 'vitest';
import { runScript } from '../fixtures/child.js';
import { describeDevice, isEmulated, second } from './available.js';

// The losses of a short training, as text.
const training = `
  const train = (thalweg, device, seed) => {
    const { manualSeed, nn, optim, randn, tidy } = thalweg;
    manualSeed(seed);
    const model = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 1)).to(device);
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    const [x, y] = [randn([32, 8], { device }), randn([32, 1], { device })];
    const losses = [];
    for (let i = 0; i < 6; i++) {
      losses.push(tidy(() => {
        const loss = nn.functional.mseLoss(model.forward(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.itemSync();
      }));
    }
    return losses.join();
  };`;
const script = (devices: readonly string[], seeds: readonly number[]): string => `
  import * as thalweg from 'thalweg';
  import { Worker } from 'node:worker_threads';
  import { once } from 'node:events';
  ${training}
  const source = \`import { parentPort, workerData } from 'node:worker_threads';
    import * as thalweg from 'thalweg';
    ${training.replaceAll('`', '\\`')}
    const losses = train(thalweg, workerData.device, workerData.seed);
    parentPort.postMessage([losses, thalweg.memory({ device: workerData.device }).tensors > 0]);\`;
  const start = (device, seed) => new Worker(source, { eval: true, workerData: { device, seed } });
  const workers = ${JSON.stringify(devices)}.map((device, i) => start(device, ${JSON.stringify(seeds)}[i]));
  const answers = workers.map((worker) => Promise.all([once(worker, 'message'), once(worker, 'exit')]));
  const own = train(thalweg, 'cuda', ${seeds[0]});
  const before = thalweg.memory({ device: 'cuda' }).tensors;
  const all = (await Promise.all(answers)).map(([[message], [code]]) => [...message, code]);
  console.log(JSON.stringify({ own, all, same: thalweg.memory({ device: 'cuda' }).tensors === before }));`;

const plain = { THALWEG_TEST_DEVICE: '' };

describeDevice('workers', () => {
  test('compute on one device and on two at once, and with the same seed get the same bits', async () => {
    const { code, signal, stdout, stderr } = await runScript(script(['cuda', second, 'cuda'], [1, 1, 2]), plain);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const { own, all, same } = JSON.parse(stdout) as { own: string; all: [string, boolean, number][]; same: boolean };
    expect(own.split(',').every((loss) => Number.isFinite(Number(loss)))).toBe(true);
    expect(all.map(([, hasTensors, exit]) => [hasTensors, exit])).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
    ]);
    expect(all[0][0]).toBe(own);
    expect(all[1][0]).toBe(own);
    expect(all[2][0]).not.toBe(own);
    expect(same).toBe(true);
  });
});

describeDevice('thalweg info', () => {
  const info = `import { collectInfo, formatInfo } from './dist-internals/cli/info.js';
    const found = await collectInfo();
    console.log(JSON.stringify([found.native.devices, found.native.cudaUnavailable, formatInfo(found)]));`;

  test('lists the devices', async () => {
    const { stdout, stderr } = await runScript(info, plain);
    expect(stderr).toBe('');
    const [devices, unavailable, text] = JSON.parse(stdout) as [string[], string | null, string];
    expect(devices[0]).toBe('cpu');
    expect(devices[1]).toMatch(/^cuda \(.+\)$/);
    expect(unavailable).toBe(null);
    expect(text).toMatch(/^devices +cpu, cuda \(/m);
    if (isEmulated) expect(devices.slice(1)).toEqual(['cuda (emulated device 0)', 'cuda:1 (emulated device 1)']);
  });

  test('says why there is none', async () => {
    const { code, stdout, stderr } = await runScript(info, { ...plain, THALWEG_CUDA_PLUGIN: 'nowhere.so' });
    expect([code, stderr]).toEqual([0, '']);
    const [devices, unavailable, text] = JSON.parse(stdout) as [string[], string, string];
    expect(devices).toEqual(['cpu']);
    expect(unavailable).toContain('THALWEG_CUDA_PLUGIN names nowhere.so, which does not exist');
    expect(text).toContain(unavailable);
  });
});
