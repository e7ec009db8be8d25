// The programs of examples/ on a slice of their data: what they print and leave behind makes sense.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { data, safetensors, tensorboard } from 'thalweg';
import { main } from '../examples/main.js';
import { mnistFolder } from '../examples/lib/digits.js';
import type { RunResult } from '../examples/lib/twin.js';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const lines: string[] = [];
const errors: string[] = [];
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => void errors.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  lines.length = errors.length = 0;
});

let count = 0;

/** Runs a program and reads what it left for its twin. */
async function run(name: string, flags: readonly string[]) {
  const place = join(folder, `${name}-${count++}`);
  const status = await main([name, ...flags, '--threads', '1', '--out', place, '--twin', join(place, 'twin')]);
  expect(errors.join('\n')).toBe('');
  expect(status).toBe(0);
  const { runs } = JSON.parse(readFileSync(join(place, 'twin', 'result.json'), 'utf8')) as { runs: RunResult[] };
  return { place, output: lines.join('\n'), runs };
}

function expectSvg(file: string, lineCount: number): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^<svg[^]*<\/svg>\s*$/);
  expect(text.match(/<(path|polyline)[^>]*fill="none"/g)?.length ?? 0).toBeGreaterThanOrEqual(lineCount);
}

/** A picture of some different grey values: a grid without images has one or two. */
function expectPng(file: string, width: number, height: number, levels = 20): void {
  const image = decode(readFileSync(file));
  expect([image.width, image.height]).toEqual([width, height]);
  expect(new Set(image.data).size).toBeGreaterThan(levels);
}

const falls = ({ name, losses }: RunResult): void => {
  expect(losses.every(Number.isFinite), `${name}: ${losses.join(', ')}`).toBe(true);
  expect(losses[losses.length - 1], name).toBeLessThan(losses[0]);
};

/** CIFAR-10's binary files, of images whose colour is their class's. */
function cifarFolder(): string {
  const place = join(folder, 'cifar10');
  mkdirSync(place);
  const records = (n: number): Uint8Array => {
    const bytes = new Uint8Array(n * 3073);
    for (let i = 0; i < n; i++) {
      bytes[i * 3073] = i % 10;
      for (let p = 0; p < 3072; p++) bytes[i * 3073 + 1 + p] = (i % 10) * 20 + ((p * 7 + i) % 31) + (p >> 10) * 4;
    }
    return bytes;
  };
  writeFileSync(join(place, 'data_batch_1.bin'), records(60));
  writeFileSync(join(place, 'test_batch.bin'), records(20));
  return place;
}

/** The first images of MNIST's files. */
function digitsFolder(): string {
  const place = join(folder, 'mnist');
  mkdirSync(place);
  for (const [set, n] of [
    ['train', 300],
    ['t10k', 100],
  ] as const) {
    for (const [name, header, record] of [
      ['images-idx3-ubyte', 16, 784],
      ['labels-idx1-ubyte', 8, 1],
    ] as const) {
      const whole = readFileSync(join(mnistFolder(), `${set}-${name}`));
      const part = Buffer.from(whole.subarray(0, header + n * record));
      part.writeUInt32BE(n, 4);
      writeFileSync(join(place, `${set}-${name}`), part);
    }
  }
  return place;
}

const small = ['--data', digitsFolder()];

describe('programs', () => {
  test('linear-regression: by hand is by optim, and each mistake does what is said of it', async () => {
    const { place, output, runs } = await run('linear-regression', []);
    expect(runs).toHaveLength(5);
    runs.forEach(falls);
    for (const { name, final } of runs) {
      expect(Math.abs(final['slope'] - 2), name).toBeLessThan(0.2);
      expect(Math.abs(final['intercept'] - 1), name).toBeLessThan(0.15);
    }
    expect(output).toMatch(/wrong sign[^]*\n {2}wrong .* Infinity/);
    expect(output).toMatch(/no column of ones[^]*found\n[^]*y = 3\.\d+ x\n/);
    expect(output).toMatch(/step 0[^]*\n {2}wrong .* NaN/);
    expectSvg(join(place, 'losses.svg'), 5);
    const { tensors } = await safetensors.load(join(place, 'twin', 'data.safetensors'));
    expect(tensors.get('X')?.shape).toEqual([100, 2]);
    const orders = (await safetensors.load(join(place, 'twin', 'orders-20.safetensors'))).tensors.get('order')!;
    expect(orders.shape).toEqual([20, 100]);
    expect(await orders.select(0, 3).data()).toEqual(data.shuffledIndices(100, 1, 3));
  });

  test('regularization-paths: descent finds the exact paths', async () => {
    const { place, output, runs } = await run('regularization-paths', ['--strengths', '4']);
    expect(output).toContain('The proximal zeros are those of coordinate descent.');
    expect(runs.map(({ name }) => name)).toEqual(['ridge', 'lasso proximal', 'lasso subgradient']);
    for (const name of ['ridge', 'lasso', 'lasso-subgradient']) expectSvg(join(place, `${name}.svg`), 8);
    // The strongest penalty leaves nothing, the subgradient never a zero.
    expect(output).toMatch(/\n\d\.\d{4}( +\.){8} +8 +0\n/);
  });

  test('mnist-mlp: a row for each technique', async () => {
    const flags = ['--epochs', '3', '--hidden', '32', '--batch-size', '32', '--seeds', '2', ...small];
    const { place, output, runs } = await run('mnist-mlp', flags);
    expect(runs.map(({ name }) => name).slice(0, 3)).toEqual(['sgd/1', 'sgd/2', 'nesterov/1']);
    expect(runs).toHaveLength(10);
    runs.forEach(falls);
    expect(output).toMatch(/\+ dropout 0\.3 .*% ± \d+\.\d+%/);
    expectSvg(join(place, 'losses.svg'), 5);
    const plan = JSON.parse(readFileSync(join(place, 'twin', 'plan.json'), 'utf8')) as { runs: { weights: string }[] };
    expect(plan.runs.map(({ weights }) => weights).slice(0, 3)).toEqual(['weights-1', 'weights-2', 'weights-1']);
  });

  test('mnist-lenet: goes on where it was interrupted, and leaves what shows it', async () => {
    const flags = ['--epochs', '3', '--batch-size', '50', ...small];
    const whole = await run('mnist-lenet', flags);
    whole.runs.forEach(falls);
    const again = join(folder, 'mnist-lenet-again');
    expect(await main(['mnist-lenet', ...flags, '--threads', '1', '--out', again, '--stop', '8'])).toBe(0);
    expect(lines.join('\n')).toContain('interrupted after 8 steps');
    const twin = join(again, 'twin');
    expect(await main(['mnist-lenet', ...flags, '--threads', '1', '--out', again, '--twin', twin])).toBe(0);
    const { runs } = JSON.parse(readFileSync(join(twin, 'result.json'), 'utf8')) as { runs: RunResult[] };
    expect(runs[0].losses).toEqual(whole.runs[0].losses);
    expect(runs[0].final).toEqual(whole.runs[0].final);

    expect(readFileSync(join(whole.place, 'report.html'), 'utf8')).toMatch(/LeNet on MNIST[^]*<\/html>/);
    const tags = new Set<string>();
    const [events] = readdirSync(join(whole.place, 'tensorboard'));
    for await (const { values } of tensorboard.readEvents(join(whole.place, 'tensorboard', events)))
      for (const { tag } of values) tags.add(tag);
    expect(Array.from(tags)).toEqual(expect.arrayContaining(['loss/train', 'loss/validation', 'accuracy/validation']));
  });

  test('cifar-cnn: learns colours', async () => {
    const { place, output, runs } = await run('cifar-cnn', [
      ...['--data', cifarFolder(), '--epochs', '6', '--batch-size', '10', '--lr', '0.01'],
    ]);
    expect(output).toContain('60 training images, 20 test images (a part of the 50,000 and 10,000)');
    runs.forEach(falls);
    expect(runs[0].final['accuracy']).toBeGreaterThan(0.2);
    expectSvg(join(place, 'losses.svg'), 1);
  });

  test('imdb-lstm: learns a few reviews by heart', async () => {
    const { output, runs } = await run('imdb-lstm', [
      ...['--data', join('test', 'golden'), '--epochs', '12', '--batch-size', '2', '--lr', '0.02'],
      ...['--length', '8', '--embedding', '8', '--hidden', '8'],
    ]);
    expect(output).toMatch(/^IMDB: \d+ training reviews, \d+ test reviews \(a part of/);
    runs.forEach(falls);
    expect(runs[0].losses[11]).toBeLessThan(0.3);
  });

  test('vae: its bound rises, and grids are drawn', async () => {
    const { place, runs } = await run('vae', ['--epochs', '3', '--batch-size', '32', ...small]);
    runs.forEach(falls);
    expect(runs[0].final['bound']).toBeLessThan(400);
    expectPng(join(place, 'samples.png'), 8 * 30 + 2, 8 * 30 + 2);
    expectPng(join(place, 'reconstructions.png'), 8 * 30 + 2, 2 * 30 + 2);
    expectPng(join(place, 'between-digits.png'), 8 * 30 + 2, 7 * 30 + 2);
  });

  test('gan: both kinds take their steps', async () => {
    const { place, runs } = await run('gan', [
      ...['--steps', '6', '--wgan-steps', '2', '--critic-steps', '2', '--batch-size', '16', '--channels', '4'],
      ...[...small, '--judge-epochs', '1', '--samples', '32'],
    ]);
    expect(runs.map(({ name, updates }) => [name, updates])).toEqual([
      ['dcgan', 6],
      ['wgan-gp', 2],
    ]);
    for (const { name, losses, final } of runs) {
      expect(losses.every(Number.isFinite), name).toBe(true);
      expect(final['score'], name).toBeGreaterThan(0.999);
      // After so few steps everything is nearly the same grey.
      expectPng(join(place, `${name}.png`), 8 * 30 + 2, 8 * 30 + 2, 2);
      expectSvg(join(place, `${name}.svg`), 2);
    }
  });

  test('schedules: eight of them, each other learning rates', async () => {
    const { place, output, runs } = await run('schedules', ['--epochs', '3', '--hidden', '16', ...small]);
    expect(runs).toHaveLength(8);
    runs.forEach(falls);
    expect(output).toMatch(/fixed +0\.1000 +0\.1000 /);
    expect(output).toMatch(/linear +0\.1000 +1\.0e-3|linear +0\.1000 +0\.0010/);
    expect(output).toMatch(/one-cycle +0\.0040 /);
    expectSvg(join(place, 'learning-rates.svg'), 8);
    expectSvg(join(place, 'losses.svg'), 8);
  });

  test('optimizers: each with the best of its learning rates', async () => {
    const flags = ['--epochs', '2', '--tuning-epochs', '1', '--hidden', '16', '--batch-size', '32', ...small];
    const { place, output, runs } = await run('optimizers', flags);
    expect(runs).toHaveLength(18);
    for (const { name, losses } of runs) expect(losses.every(Number.isFinite), name).toBe(true);
    const tried = [...output.matchAll(/^Adam (\S+): loss (\S+),/gm)].map(([, lr, loss]) => [Number(lr), Number(loss)]);
    expect(tried).toHaveLength(4);
    const [best] = tried.reduce((a, b) => (b[1] < a[1] ? b : a));
    expect(output).toMatch(new RegExp(`^Adam +${best} `, 'm'));
    expectSvg(join(place, 'losses.svg'), 18);
  });

  test('batch-size: fewer updates', async () => {
    const flags = ['--epochs', '6', '--every', '2', '--factor', '2', '--hidden', '16', ...small];
    const { place, runs } = await run('batch-size', flags);
    runs.forEach(falls);
    const [fixed, decay, growth] = runs;
    expect([fixed.updates, decay.updates, growth.updates]).toEqual([60, 60, 2 * (10 + 5 + 3)]);
    for (const name of ['epochs', 'updates', 'seconds']) expectSvg(join(place, `loss-over-${name}.svg`), 3);
  });
});

describe('the runner', () => {
  test('lists the programs, and has help for each', async () => {
    expect(await main([])).toBe(0);
    const names = [...lines.join('\n').matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThanOrEqual(10);
    for (const name of names) {
      lines.length = 0;
      expect(await main([name, '--help'])).toBe(0);
      expect(lines.join('\n')).toContain(`npm run example -- ${name} [flags]`);
      expect(lines.join('\n')).toContain('--seed N');
    }
  });

  test.each([
    [['nothing'], "There is no program 'nothing'."],
    [['vae', '--epochs', '0'], "--epochs must be an integer of at least 1, not '0'."],
    [['vae', '--epochs', ''], "--epochs must be an integer of at least 1, not ''."],
    [['vae', '--lr', 'fast'], "--lr must be a number of at least 0, not 'fast'."],
    [['vae', '--nonsense'], "Unknown option '--nonsense'"],
    [['gan', '--kinds', 'dcgan,other'], "--kinds: there is no 'other'; there are dcgan, wgan-gp."],
  ])('%j is refused with status 2', async (args, message) => {
    expect(await main(args)).toBe(2);
    expect(errors.join('\n')).toContain(message);
    expect(errors.join('\n')).toContain('npm run example -- ');
  });

  test('says which data are missing', async () => {
    const nowhere = join(folder, 'nowhere');
    for (const name of ['mnist-mlp', 'cifar-cnn', 'imdb-lstm']) {
      errors.length = 0;
      expect(await main([name, '--data', nowhere])).toBe(1);
      expect(errors.join('\n')).toMatch(/^FileError: /);
      expect(errors.join('\n')).toContain(nowhere);
    }
  });

  test('ends with status 1 if a full run misses its target', async () => {
    // With so few samples the features are nearly collinear, and 300 steps are too few.
    const flags = ['--strengths', '3', '--samples', '16', '--threads', '1', '--out', join(folder, 'missed')];
    expect(await main(['regularization-paths', ...flags])).toBe(1);
    expect(errors.join('\n')).toMatch(/from the exact solutions/);
  });

  test('the same seed gives the same numbers, another seed others', async () => {
    const flags = ['--epochs', '1', '--hidden', '8', '--steps', 'dropout', '--seeds', '1', ...small];
    const [a, b, c] = [
      await run('mnist-mlp', flags),
      await run('mnist-mlp', flags),
      await run('mnist-mlp', [...flags, '--seed', '2']),
    ];
    expect(a.runs[0].losses).toEqual(b.runs[0].losses);
    expect(a.runs[0].losses).not.toEqual(c.runs[0].losses);
  });
});

const real = process.env['THALWEG_DATA'];
describe.skipIf(real === undefined)('with the data of THALWEG_DATA', () => {
  test('cifar-cnn and imdb-lstm', async () => {
    const cifar = join(real!, 'cifar10');
    const imdb = join(real!, 'imdb');
    for (const place of [cifar, imdb]) expect(existsSync(place), place).toBe(true);
    const images = await run('cifar-cnn', ['--data', cifar, '--limit', '512', '--test-limit', '100', '--epochs', '3']);
    images.runs.forEach(falls);
    const reviews = await run('imdb-lstm', ['--data', imdb, '--limit', '256', '--test-limit', '100', '--epochs', '3']);
    reviews.runs.forEach(falls);
  });
});
