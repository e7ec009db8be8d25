// Checkpoints change when values are computed, and nothing else.
import { describe, expect, test } from 'vitest';
import {
  Generator,
  GradError,
  grad,
  manualSeed,
  memory,
  nn,
  noGrad,
  randn,
  synchronize,
  tidy,
  utils,
  type Tensor,
} from 'thalweg';
import { defaultDevice } from '../src/device.js';

const { checkpoint, checkpointSequential } = utils;
const device = defaultDevice();

class Block extends nn.Module {
  readonly norm = new nn.LayerNorm([16]);
  readonly up = new nn.Linear(16, 64);
  readonly down = new nn.Linear(64, 16);
  readonly drop = new nn.Dropout(0.5);
  runs = 0;

  override forward(x: Tensor): Tensor {
    this.runs++;
    const h = this.up.forward(this.norm.forward(x)).gelu();
    return this.drop.forward(this.down.forward(h)).add(x);
  }
}

function model(): Block[] {
  manualSeed(1);
  return [new Block(), new Block(), new Block()];
}

function gradients(blocks: readonly Block[], through: (block: Block, x: Tensor) => Tensor): number[][] {
  manualSeed(2);
  const input = randn([8, 16], { requiresGrad: true });
  let x: Tensor = input;
  for (const block of blocks) x = through(block, x);
  x.mul(x).mean().backward();
  const all = [input, ...blocks.flatMap((block) => block.parameters())];
  return [x, ...all.map((leaf) => leaf.grad!)].map((t) => [...(t.dataSync() as Float32Array)]);
}

function work(run: (x: Tensor) => Tensor, x: Tensor): number {
  run(x).sum().backward();
  synchronize();
  const { peakBytes } = memory({ device });
  x.grad!.dispose();
  x.grad = null;
  return peakBytes;
}

describe('checkpoint', () => {
  test('gives the same bits, dropout included, and runs twice', () => {
    const plain = gradients(model(), (block, x) => block.forward(x));
    const blocks = model();
    expect(gradients(blocks, (block, x) => checkpoint((h) => block.forward(h), [x]))).toEqual(plain);
    expect(blocks.map((block) => block.runs)).toEqual([2, 2, 2]);
    // The random numbers go on where they would have.
    expect(gradients(model(), (block, x) => tidy(() => checkpoint((h) => block.forward(h), [x])))).toEqual(plain);
  });

  test('works inside of itself', () => {
    const plain = gradients(model(), (block, x) => block.forward(block.forward(x)));
    const nested = gradients(model(), (block, x) =>
      checkpoint((h) => block.forward(checkpoint((k) => block.forward(k), [h])), [x]),
    );
    expect(nested).toEqual(plain);
  });

  test('has second derivatives', () => {
    const [x, w] = [
      randn([3, 4], { dtype: 'float64', requiresGrad: true }),
      randn([4, 4], { dtype: 'float64', requiresGrad: true }),
    ];
    const f = (a: Tensor): Tensor => a.matmul(w).tanh().exp().mul(a);
    const second = (run: (a: Tensor) => Tensor): number[][] => {
      const [gx, gw] = grad(run(x).sum(), [x, w], { createGraph: true });
      const results = grad(gx.mul(gx).sum().add(gw.mul(gw).sum()), [x, w]);
      return results.map((t) => Array.from(t.dataSync()));
    };
    const expected = second(f);
    second((a) => checkpoint(f, [a])).forEach((values, i) =>
      values.forEach((value, k) => expect(value).toBeCloseTo(expected[i][k], 10)),
    );
  });

  test('keeps its arguments though the caller disposes of them', () => {
    const w = randn([4, 4], { requiresGrad: true });
    const run = (through: (x: Tensor) => Tensor): number[] => {
      w.grad = null;
      const x = w.mul(2);
      const out = through(x);
      x.dispose();
      out.sum().backward();
      return Array.from((w.grad as unknown as Tensor<readonly number[], 'float32'>).dataSync());
    };
    const f = (x: Tensor): Tensor => x.exp().mul(x);
    expect(run((x) => checkpoint(f, [x]))).toEqual(run(f));
  });

  test('takes other arguments, gives other results, and draws from other generators', () => {
    const generator = new Generator(5);
    const x = randn([100], { requiresGrad: true });
    const f = (scale: number, input: Tensor): { loss: Tensor; parts: Tensor[] } => {
      const kept = nn.functional.dropout(input.exp(), { p: 0.5, generator }).mul(scale);
      return { loss: kept.mul(kept).sum(), parts: [kept] };
    };
    f(3, x).loss.backward();
    const expected = x.grad!.dataSync();
    x.grad = null;
    generator.manualSeed(5);
    const { loss, parts } = checkpoint(f, [3, x], { generators: [generator] });
    expect(parts[0].shape).toEqual([100]);
    loss.backward();
    expect((x.grad! as Tensor).dataSync()).toEqual(expected);
  });

  test('keeps less memory, and gives all of it back', () => {
    const layers = Array.from({ length: 16 }, () => (x: Tensor) => x.sigmoid().mul(x).tanh());
    const peak = (run: (x: Tensor) => Tensor): number => {
      const x = randn([2 ** 18], { requiresGrad: true });
      memory({ collect: true, resetPeak: true, device });
      const { bytes } = memory({ device });
      const most = work(run, x);
      memory({ collect: true });
      expect(memory({ device }).bytes - bytes).toBeLessThan(2 ** 20);
      return most - bytes;
    };
    // As Sequential does: what passes from layer to layer is freed unless backward needs it.
    const chain = (x: Tensor): Tensor => tidy(() => layers.reduce((y, layer) => tidy(() => layer(y)), x));
    const plain = peak(chain);
    const less = peak((x) =>
      tidy(() =>
        checkpointSequential(
          layers.map((layer) => (y: Tensor) => tidy(() => layer(y))),
          4,
          x,
        ),
      ),
    );
    expect(less).toBeLessThan(0.6 * plain);
  });

  test('a graph that is kept can be used again', () => {
    const x = randn([5], { requiresGrad: true });
    const loss = checkpoint((a: Tensor) => a.exp().sin(), [x]).sum();
    loss.backward({ retainGraph: true });
    const once = x.grad!.dataSync();
    loss.backward();
    x.grad!.dataSync().forEach((value, i) => expect(value).toBeCloseTo(2 * once[i], 5));
    expect(() => loss.backward()).toThrow('were freed by an earlier backward()');
  });

  test('without recording it is a call', () => {
    let runs = 0;
    const x = randn([3], { requiresGrad: true });
    const out = noGrad(() => checkpoint((a: Tensor) => (runs++, a.exp()), [x]));
    expect([runs, out.requiresGrad]).toEqual([1, false]);
  });

  test('says what is wrong', async () => {
    const x = randn([3], { requiresGrad: true });
    let runs = 0;
    const fickle = checkpoint((a: Tensor) => (runs++ === 0 ? a.exp().sin() : a.exp().sin().cos().exp()), [x]);
    expect(() => fickle.sum().backward()).toThrow(GradError);
    runs = 0;
    const shrinking = checkpoint((a: Tensor) => (runs++ === 0 ? a.exp().sin() : a.mul(2)), [x]);
    expect(() => shrinking.sum().backward()).toThrow('saved 0 values, not');
    runs = 0;
    const reshaped = checkpoint((a: Tensor) => (runs++ === 0 ? a : a.unsqueeze(0)).exp().sin(), [x]);
    expect(() => reshaped.sum().backward()).toThrow('float32[1,3] as saved value 0, not float32[3]');

    const changed = randn([3]);
    const out = checkpoint((a: Tensor, b: Tensor) => a.mul(b).exp().sin(), [x, changed]);
    changed.add_(1);
    expect(() => out.sum().backward()).toThrow('was changed in place 1 time(s)');

    expect(() => checkpoint(3 as never, [x])).toThrow('checkpoint: fn is a number, expected a function.');
    expect(() => checkpoint((a: Tensor) => a, x as never)).toThrow('args must be an array');
    expect(() => checkpoint(() => Promise.resolve(x), [])).toThrow('fn returned a promise');
    expect(() => checkpointSequential([(a) => a], 2, x)).toThrow('from 1 to the number of layers, 1; got 2');
    await Promise.resolve();
  });
});
