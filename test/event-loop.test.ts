// The event loop stays alive while a model trains.
import { expect, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import { nn, ones, optim, randn, synchronize, tensor, tidy } from '../src/index.js';

test('a 10 ms timer keeps ticking in an awaited training loop', async () => {
  const model = new nn.Sequential(new nn.Linear(256, 256), new nn.ReLU(), new nn.Linear(256, 10));
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
  const x = randn([128, 256]);
  const y = tensor(Array.from({ length: 128 }, (_, i) => BigInt(i % 10)));
  const step = (): Tensor =>
    tidy(() => {
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss.detach();
    });
  await step().item();

  let ticks = 0;
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    ticks++;
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  const start = performance.now();
  let steps = 0;
  while (performance.now() - start < 1000) {
    const loss = step();
    await loss.item();
    loss.dispose();
    steps++;
  }
  clearInterval(timer);
  expect(steps).toBeGreaterThan(5);
  // 100 at best; machines are shared.
  expect(ticks).toBeGreaterThan(20);
  expect(longest).toBeLessThan(500);
});

test('the loop turns while one long kernel runs', async () => {
  const a = ones([1200, 1200]);
  synchronize();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const product = a.matmul(a).matmul(a).matmul(a);
  const data = product.data();
  let done = false;
  void data.then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  expect((await data)[0]).toBe(1200 ** 3);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

test('reads are answered in order, also with other work between', async () => {
  const order: number[] = [];
  const reads = Array.from({ length: 50 }, (_, i) =>
    ones([100])
      .mul(i)
      .data()
      .then((data) => order.push(data[99])),
  );
  await Promise.all(reads);
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('a read sees the values of its time, not later changes', async () => {
  const x = ones([10_000]);
  const before = x.data();
  x.add_(1);
  const between = x.data();
  x.zero_();
  const after = x.data();
  expect((await before)[9999]).toBe(1);
  expect((await between)[9999]).toBe(2);
  expect((await after)[9999]).toBe(0);
});

test('an array may change as soon as a tensor was made from it', async () => {
  const { fromTypedArray } = await import('../src/index.js');
  const big = ones([800, 800]);
  const source = new Float32Array(100_000).fill(3);
  const busy = big.matmul(big);
  const x = fromTypedArray(source, [100_000]);
  source.fill(9);
  expect(x.sum().itemSync()).toBe(300_000);
  expect(busy.dataSync()[0]).toBe(800);
});
