// The graph: accumulation, freeing, errors, higher derivatives, what may happen to tensors between forward and backward.
// That each op's gradient is right is the samples' business.
import { describe, expect, test } from 'vitest';
import {
  ArgumentError,
  defineOp,
  DTypeError,
  enableGrad,
  fromTypedArray,
  full,
  grad,
  GradError,
  isGradEnabled,
  keep,
  matmul,
  memory,
  noGrad,
  ones,
  randn,
  ShapeError,
  sum,
  tensor,
  tidy,
  where,
  zeros,
  type Tensor,
} from 'thalweg';
import { errorOf } from './error-of.js';

/** A leaf of float64 values. */
function leaf(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return fromTypedArray(Float64Array.from(values), shape, { requiresGrad: true });
}

const values = (x: Tensor | null): number[] => Array.from(x!.dataSync(), Number);

/** Tiny tensors (scalars) are collected by pages of 16, of which the last is still open. */
const openPage = 16;

/** Tensors that live after everything forgotten has been collected. */
const liveTensors = (): number => memory({ collect: true }).tensors;

describe('backward', () => {
  test('adds to grad at each call', () => {
    const x = leaf([1, 2, 3]);
    x.square().sum().backward();
    expect(values(x.grad)).toEqual([2, 4, 6]);
    x.mul(10).sum().backward();
    expect(values(x.grad)).toEqual([12, 14, 16]);
    x.grad = null;
    x.sum().backward();
    expect(values(x.grad)).toEqual([1, 1, 1]);
  });

  test('sums the branches of a diamond, each node running once', () => {
    const x = leaf([3]);
    const shared = x.mul(2);
    const y = shared.mul(shared).add(shared.exp().mul(0)).add(shared);
    y.sum().backward();
    // (2x)^2 + 2x
    expect(values(x.grad)).toEqual([8 * 3 + 2]);
  });

  test('one tensor as both operands', () => {
    const x = leaf([1.5, -2]);
    x.mul(x).sum().backward();
    expect(values(x.grad)).toEqual([3, -4]);
    const m = leaf([1, 2, 3, 4], [2, 2]);
    matmul(m, m).sum().backward();
    expect(values(m.grad)).toEqual([7, 11, 9, 13]);
  });

  test('a leaf as the root', () => {
    const x = leaf([5], []);
    x.backward();
    x.backward();
    expect(values(x.grad)).toEqual([2]);
  });

  test('a gradient given for a tensor that is no scalar', () => {
    const x = leaf([1, 2]);
    const given = tensor([10, 100], { dtype: 'float64' });
    x.mul(x).backward({ gradient: given });
    expect(values(x.grad)).toEqual([20, 400]);
    expect(values(given)).toEqual([10, 100]);
    // It stays the caller's, even when it is the gradient itself.
    const y = leaf([1, 2]);
    y.backward({ gradient: given });
    given.fill_(7);
    expect(values(y.grad)).toEqual([10, 100]);
    given.dispose();
    expect(values(y.grad)).toEqual([10, 100]);
  });

  test('a root of one element and several dimensions', () => {
    const x = leaf([2], [1, 1]);
    x.square().backward();
    expect(x.grad!.shape).toEqual([1, 1]);
    expect(values(x.grad)).toEqual([4]);
  });

  test('through broadcasting: the gradient has the shape of its input', () => {
    const a = leaf([1, 2], [2, 1]);
    const b = leaf([1, 2, 3]);
    const c = leaf([10], []);
    a.mul(b).add(c).sum().backward();
    expect([a.grad!.shape, b.grad!.shape, c.grad!.shape]).toEqual([[2, 1], [3], []]);
    expect([values(a.grad), values(b.grad), values(c.grad)]).toEqual([[6, 6], [3, 3, 3], [6]]);
  });

  test('through a conversion: the gradient has the dtype of its input', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const w = leaf([3, 4]);
    x.to('float64').mul(w).sum().backward();
    expect([x.grad!.dtype, w.grad!.dtype]).toEqual(['float32', 'float64']);
    const half = tensor([1, 2], { dtype: 'float16', requiresGrad: true });
    half.mul(x.detach()).sum().backward();
    expect(half.grad!.dtype).toBe('float16');
  });

  test('through overlapping slices and views', () => {
    const x = leaf([1, 2, 3, 4, 5, 6], [2, 3]);
    const left = x.slice(1, 0, 2);
    const right = x.slice(1, 1, 3);
    left.mul(right).sum().backward();
    expect(values(x.grad)).toEqual([2, 4, 2, 5, 10, 5]);
    x.grad = null;
    x.t().reshape([6]).slice(0, 0, 6, 2).square().sum().backward();
    // Elements 0, 2, 4 of the transposed order 1 4 2 5 3 6.
    expect(values(x.grad)).toEqual([2, 4, 6, 0, 0, 0]);
    x.grad = null;
    x.select(0, 1).unsqueeze(0).expand([4, 3]).sum().backward();
    expect(values(x.grad)).toEqual([0, 0, 0, 4, 4, 4]);
  });

  test('a leaf may be a view, with gaps', () => {
    const x = leaf([1, 2, 3, 4, 5, 6], [2, 3]).detach().t().requiresGrad_();
    x.square().sum().backward();
    expect(x.grad!.shape).toEqual([3, 2]);
    expect(values(x.grad)).toEqual([2, 8, 4, 10, 6, 12]);
    x.mul(2).sum().backward();
    expect(values(x.grad)).toEqual([4, 10, 6, 12, 8, 14]);
  });

  test('only the branch that was taken gets a gradient, and no NaN from the other', () => {
    const x = leaf([-1, 4]);
    where(x.gt(0), x.sqrt(), x.mul(3)).sum().backward();
    // sqrt of a negative number is NaN with derivative NaN * 0: as in PyTorch, it has to be avoided before the root.
    const y = leaf([-1, 4]);
    const positive = y.gt(0);
    where(positive, where(positive, y, 1).sqrt(), y.mul(3))
      .sum()
      .backward();
    expect(values(y.grad)).toEqual([3, 0.25]);
  });

  test('chains of 20,000 operations', () => {
    const x = leaf([1]);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = y.add(1);
    y.sum().backward();
    expect(values(x.grad)).toEqual([1]);
    const z = leaf([1]);
    let w = z;
    for (let i = 0; i < 5_000; i++) w = w.add(w.mul(0));
    w.sum().backward();
    expect(values(z.grad)).toEqual([1]);
  });

  test('a function of several results, some without a gradient', () => {
    const x = leaf([3, 1, 2, 9, 7, 8], [2, 3]);
    const { values: best } = x.max(1);
    best.sum().backward();
    expect(values(x.grad)).toEqual([1, 0, 0, 1, 0, 0]);
    const y = leaf([1, 2, 3, 4]);
    const [, , third] = y.split(1);
    third.sum().backward();
    expect(values(y.grad)).toEqual([0, 0, 1, 0]);
  });

  test('inside noGrad', () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    noGrad(() => y.backward());
    expect(values(x.grad)).toEqual([2, 4]);
    expect(x.grad!.requiresGrad).toBe(false);
  });

  test('zero-size tensors', () => {
    const x = leaf([], [0, 3]);
    x.mul(2).sum().backward();
    expect(x.grad!.shape).toEqual([0, 3]);
    const y = leaf([1, 2, 3]);
    x.add(y).sum().backward();
    expect(values(y.grad)).toEqual([0, 0, 0]);
  });
});

describe('gradients do not share memory', () => {
  /** Changing any one gradient in place leaves the others. */
  function expectSeparate(grads: readonly Tensor[]): void {
    const before = grads.map((g) => values(g));
    grads.forEach((g, i) => {
      noGrad(() => g.add_(1000 * (i + 1)));
    });
    grads.forEach((g, i) => expect(values(g)).toEqual(before[i].map((value) => value + 1000 * (i + 1))));
    grads[0].dispose();
    grads.slice(1).forEach((g, i) => expect(values(g)).toEqual(before[i + 1].map((value) => value + 1000 * (i + 2))));
  }

  for (const createGraph of [false, true]) {
    const name = createGraph ? ' with createGraph' : '';
    test(`of two leaves fed by the same${name}`, () => {
      const [a, b, c] = [leaf([1, 2]), leaf([3, 4]), leaf([5, 6])];
      a.add(b).add(c).mul(2).sum().backward({ createGraph });
      expectSeparate([a.grad!, b.grad!, c.grad!]);
    });

    test(`of views of one gradient${name}`, () => {
      const [a, b] = [leaf([1, 2, 3, 4], [2, 2]), leaf([3, 4, 5, 6])];
      a.reshape([4]).add(b).mul(2).sum().backward({ createGraph });
      expectSeparate([a.grad!, b.grad!]);
    });

    test(`of grad()${name}`, () => {
      const [a, b] = [leaf([1, 2]), leaf([3, 4])];
      const given = ones([2], { dtype: 'float64' });
      const y = a.add(b);
      const [da, db, dy, again] = grad(y, [a, b, y, a], { gradOutputs: [given], createGraph });
      expectSeparate([given, da, db, dy, again]);
    });

    test(`of a sum, whose gradient is an expanded scalar${name}`, () => {
      const a = leaf([1, 2, 3]);
      a.sum().backward({ createGraph });
      a.sum().backward();
      expect(values(a.grad)).toEqual([2, 2, 2]);
      expectSeparate([a.grad!]);
    });
  }
});

describe('higher derivatives', () => {
  test('the third of x^4, by grad with createGraph', () => {
    const x = leaf([2], []);
    const [first] = grad(x.pow(4), [x], { createGraph: true });
    const [second] = grad(first, [x], { createGraph: true });
    const [third] = grad(second, [x]);
    expect([first, second, third].map((d) => d.itemSync())).toEqual([32, 48, 48]);
    expect(x.grad).toBe(null);
  });

  test('by backward with createGraph', () => {
    const x = leaf([0.5], []);
    x.sin().backward({ createGraph: true });
    const first = x.grad!;
    expect(first.requiresGrad).toBe(true);
    x.grad = null;
    first.backward();
    expect(x.grad!.itemSync()).toBeCloseTo(-Math.sin(0.5), 14);
  });

  test('a gradient penalty', () => {
    const x = leaf([1, -2, 3]);
    const w = leaf([0.5, 0.25, -1]);
    const [dx] = grad(x.square().mul(w).sum(), [x], { createGraph: true });
    dx.square().sum().backward();
    // dx = 2 x w; the sum of squares has derivative 8 x^2 w by w.
    expect(values(w.grad)).toEqual([4, 8, -72]);
    expect(values(x.grad)).toEqual([2, -1, 24]);
  });

  test('grad() of several outputs with gradients of their own', () => {
    const x = leaf([1, 2]);
    const [dx] = grad([x.mul(2), x.square().sum()], [x], {
      gradOutputs: [tensor([1, 10], { dtype: 'float64' }), undefined],
    });
    expect(values(dx)).toEqual([4, 24]);
  });

  test('grad() by an inner tensor', () => {
    const x = leaf([3], []);
    const y = x.mul(2);
    const z = y.square();
    const [dy, dx, dz] = grad(z, [y, x, z]);
    expect([dy, dx, dz].map((d) => d.itemSync())).toEqual([12, 24, 1]);
  });

  test('grad() with an unused input', () => {
    const x = leaf([1], []);
    const unused = leaf([1, 2, 3]);
    expect(errorOf(() => grad(x.mul(2), [x, unused]))).toBe(
      'GradError: grad: input 1 of shape [3] was not used to compute the outputs; pass { allowUnused: true } to get null for it.',
    );
    const [dx, none] = grad(x.mul(2), [x, unused], { allowUnused: true });
    expect(dx!.itemSync()).toBe(2);
    expect(none).toBe(null);
  });

  test('a gradient given in another dtype', () => {
    const x = leaf([1, 2]);
    const given = tensor([1, 10]);
    for (let i = 0; i < 3; i++) {
      const [dx] = grad(x.mul(2), [x], { gradOutputs: [given] });
      expect([dx.dtype, ...values(dx)]).toEqual(['float64', 2, 20]);
    }
    expect(given.isDisposed).toBe(false);
  });
});

describe('errors', () => {
  test('a second backward', () => {
    const x = leaf([1, 2]);
    const y = x.exp().sum();
    y.backward();
    expect(errorOf(() => y.backward())).toBe(
      'GradError: backward: the values that sum saved were freed by an earlier backward(); pass { retainGraph: true } to the first one.',
    );
    expect(values(x.grad)).toEqual([Math.E, Math.exp(2)]);
  });

  test('retainGraph allows it', () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(values(x.grad)).toEqual([4, 8]);
    expect(() => y.backward()).toThrow(GradError);
  });

  test('a shared part of the graph that was freed', () => {
    const x = leaf([1, 2]);
    const shared = x.exp();
    shared.sum().backward();
    expect(errorOf(() => shared.mul(2).sum().backward())).toBe(
      'GradError: backward: the values that exp saved were freed by an earlier backward(); pass { retainGraph: true } to the first one.',
    );
  });

  test('a saved tensor that was changed in place', () => {
    const w = leaf([1, 2, 3]);
    const x = tensor([4, 5, 6], { dtype: 'float64' });
    const y = w.mul(x).sum();
    x.add_(1);
    x.mul_(2);
    expect(errorOf(() => y.backward())).toBe(
      "GradError: backward: 'b' of mul, shape [3], was changed in place 2 time(s) after mul saved it; use the out-of-place form or a clone().",
    );
    expect(w.grad).toBe(null);
  });

  test('through a view of it, and by each in-place op', () => {
    const change: Record<string, (x: Tensor) => unknown> = {
      view: (x) => x.slice(0, 0, 1).fill_(0),
      copy_: (x) => x.copy_(ones([3])),
      zero_: (x) => x.zero_(),
      uniform_: (x) => x.uniform_(),
      normal_: (x) => x.normal_(),
      result: (x) => noGrad(() => x.sub_(1)),
    };
    for (const [name, fn] of Object.entries(change)) {
      const w = leaf([1, 2, 3]);
      const x = tensor([4, 5, 6], { dtype: 'float64' });
      const y = w.mul(x).sum();
      fn(x);
      expect(() => y.backward(), name).toThrow(/was changed in place 1 time/);
    }
    const w = leaf([1, 2, 3]);
    const e = w.exp();
    noGrad(() => e.mul_(2));
    expect(errorOf(() => e.sum().backward())).toBe(
      "GradError: backward: 'out' of exp, shape [3], was changed in place 1 time(s) after exp saved it; use the out-of-place form or a clone().",
    );
  });

  test('an in-place change of something not saved is fine', () => {
    const w = leaf([1, 2, 3]);
    const x = tensor([4, 5, 6], { dtype: 'float64' });
    const y = w.add(x).sum();
    x.zero_();
    y.backward();
    expect(values(w.grad)).toEqual([1, 1, 1]);
  });

  test('in-place changes that would be recorded', () => {
    const x = leaf([1, 2]);
    const message = (name: string): string =>
      `GradError: ${name}: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).`;
    const plain = zeros([2], { dtype: 'float64' });
    expect(errorOf(() => x.add_(1))).toBe(message('add_'));
    expect(errorOf(() => x.fill_(1))).toBe(message('fill_'));
    expect(errorOf(() => plain.add_(x))).toBe(message('add_'));
    expect(errorOf(() => plain.copy_(x))).toBe(message('copy_'));
    expect(values(plain)).toEqual([0, 0]);
    noGrad(() => plain.copy_(x));
    expect(values(plain)).toEqual([1, 2]);
  });

  test('a root that is no scalar, or has no graph', () => {
    const x = leaf([1, 2]);
    expect(errorOf(() => x.mul(2).backward())).toBe(
      'GradError: backward: the tensor of shape [2] is not a scalar; reduce it (mean(), sum()) or pass { gradient }.',
    );
    const message =
      'the tensor does not depend on anything that requires gradients; make parameters with { requiresGrad: true } and compute outside noGrad().';
    expect(errorOf(() => ones([]).backward())).toBe(`GradError: backward: ${message}`);
    expect(errorOf(() => grad(ones([]), [x]))).toBe(`GradError: grad: ${message}`);
    expect(errorOf(() => noGrad(() => x.sum()).backward())).toBe(`GradError: backward: ${message}`);
    expect(errorOf(() => x.gt(0).to('float32').sum().backward())).toBe(`GradError: backward: ${message}`);
  });

  test('a gradient that does not fit', () => {
    const x = leaf([1, 2]);
    expect(errorOf(() => x.mul(2).backward({ gradient: ones([3]) }))).toBe(
      'ShapeError: backward: gradient has shape [3], the tensor [2].',
    );
    expect(errorOf(() => x.mul(2).backward({ gradient: 1 as unknown as Tensor }))).toBe(
      'ArgumentError: backward: gradient is a number, expected a Tensor; make one with tensor(...).',
    );
    const disposed = ones([2]);
    disposed.dispose();
    expect(errorOf(() => x.mul(2).backward({ gradient: disposed }))).toBe(
      'DisposedError: backward: gradient of shape [2] was disposed.',
    );
  });

  test('requiresGrad where it cannot be', () => {
    expect(() => tensor([1n], { requiresGrad: true })).toThrow(DTypeError);
    expect(errorOf(() => tensor([1n]).requiresGrad_())).toBe(
      'DTypeError: requiresGrad_: only float tensors can have gradients, this one is int64.',
    );
    const x = leaf([1]);
    expect(errorOf(() => x.mul(2).requiresGrad_(false))).toBe(
      'GradError: requiresGrad_: this tensor was made by a recorded operation; use detach() to leave the graph.',
    );
  });

  test('a rule whose gradient has a wrong shape', () => {
    const broken = defineOp({
      name: 'broken',
      inputs: ['x'],
      shape: ({ x }) => x.shape,
      forward: ([out], { x }) => noGrad(() => out.copy_(x)),
      vjp: () => [() => ones([7], { dtype: 'float64' })],
    });
    expect(
      errorOf(() =>
        broken([leaf([1, 2])], undefined)
          .sum()
          .backward(),
      ),
    ).toBe('ShapeError: backward: broken gave input 0 of shape [2] a gradient of shape [7].');
    expect([ShapeError, ArgumentError].every((c) => c.prototype instanceof Error)).toBe(true);
  });

  test('a failed backward leaves everything usable', () => {
    const x = leaf([1, 2]);
    const given = ones([2], { dtype: 'float64' });
    const broken = defineOp({
      name: 'failing',
      inputs: ['x'],
      shape: ({ x }) => x.shape,
      forward: ([out], { x }) => noGrad(() => out.copy_(x)),
      vjp: () => [
        () => {
          throw new RangeError('on purpose');
        },
      ],
    });
    expect(() => broken([x], undefined).backward({ gradient: given })).toThrow('on purpose');
    expect(isGradEnabled()).toBe(true);
    x.backward({ gradient: given });
    expect(values(x.grad)).toEqual([1, 1]);
  });
});

describe('modes', () => {
  test('noGrad and enableGrad nest, and end with an error too', () => {
    const x = leaf([1]);
    noGrad(() => {
      expect(isGradEnabled()).toBe(false);
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
      expect(isGradEnabled()).toBe(false);
    });
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isGradEnabled()).toBe(true);
  });

  test('an async function is refused', async () => {
    let rejected: Promise<unknown> = Promise.resolve();
    expect(() => void noGrad(() => (rejected = Promise.resolve(1)))).toThrow(
      'noGrad(fn): fn returned a promise; what it does after its first await would be outside noGrad.',
    );
    await rejected;
    expect(isGradEnabled()).toBe(true);
  });

  test('detach stops gradients and shares memory', () => {
    const x = leaf([1, 2]);
    const d = x.detach();
    expect([d.requiresGrad, d.isLeaf]).toEqual([false, true]);
    x.mul(d).sum().backward();
    expect(values(x.grad)).toEqual([1, 2]);
    d.fill_(9);
    expect(values(x)).toEqual([9, 9]);
  });

  test('isLeaf and requiresGrad', () => {
    const x = leaf([1, 2]);
    expect([x.isLeaf, x.requiresGrad]).toEqual([true, true]);
    const y = x.mul(2);
    expect([y.isLeaf, y.requiresGrad]).toEqual([false, true]);
    const indices = x.argmax();
    expect([indices.isLeaf, indices.requiresGrad]).toEqual([true, false]);
    x.requiresGrad = false;
    expect(x.mul(2).requiresGrad).toBe(false);
  });
});

describe('memory', () => {
  test('a saved tensor may be disposed of before backward', () => {
    const x = leaf([1, 2, 3]);
    const y = tensor([4, 5, 6], { dtype: 'float64' });
    const product = x.mul(y);
    const e = product.exp();
    const loss = e.sum();
    y.dispose();
    product.dispose();
    e.dispose();
    loss.backward();
    expect(values(x.grad)).toEqual([4, 5, 6].map((v, i) => v * Math.exp(v * (i + 1))));
    expect(() => y.add(1)).toThrow('add: a of shape [3] was disposed.');
  });

  test('and is given back after it', () => {
    const x = randn([100], { requiresGrad: true });
    x.grad = zeros([100]);
    const before = liveTensors();
    const y = randn([100]);
    const z = x.mul(y).exp();
    const loss = z.sum();
    y.dispose();
    z.dispose();
    loss.backward();
    loss.dispose();
    // The saved values are freed by backward itself, without a collection. What is left is the product.
    expect(memory().tensors).toBeLessThanOrEqual(before + 1);
    expect(liveTensors()).toBeLessThan(before + openPage);
  });

  test('a graph of second order outlives the disposed values of the first', () => {
    const x = randn([100], { dtype: 'float64', requiresGrad: true });
    const w = randn([100], { dtype: 'float64', requiresGrad: true });
    const first = (): Tensor => {
      const c = full([100], 3, { dtype: 'float64' });
      const y = x.mul(c).mul(w).sum();
      c.dispose();
      return grad(y, [x], { createGraph: true })[0];
    };
    const dx = first();
    liveTensors();
    randn([100], { dtype: 'float64' });
    const [dw] = grad(dx.sum(), [w]);
    expect(values(dw)).toEqual(new Array(100).fill(3));
  });

  test('backward returns to the baseline', () => {
    const w = randn([64, 32], { requiresGrad: true });
    const b = zeros([32], { requiresGrad: true });
    const x = randn([16, 64]);
    const step = (): void => {
      const loss = matmul(x, w).add(b).relu().square().mean();
      loss.backward();
    };
    step();
    const before = liveTensors();
    const { bytes } = memory();
    for (let i = 0; i < 20; i++) step();
    expect(liveTensors()).toBeLessThan(before + openPage);
    expect(memory().bytes).toBeLessThan(bytes + 4096);
  });

  test('tidy around forward and backward frees all but the gradients, at once', () => {
    const w = randn([64, 32], { requiresGrad: true });
    const x = randn([16, 64]);
    const step = (): number =>
      tidy(() => {
        w.grad?.dispose();
        w.grad = null;
        const loss = matmul(x, w).relu().square().mean();
        loss.backward();
        return loss.itemSync();
      });
    step();
    const before = memory().tensors;
    for (let i = 0; i < 10; i++) step();
    expect(memory().tensors).toBe(before);
    expect(w.grad!.isDisposed).toBe(false);
    expect(values(w.grad).length).toBe(64 * 32);
  });

  test('tidy around grad() frees its results', () => {
    const w = randn([64, 32], { requiresGrad: true });
    liveTensors();
    const before = memory().tensors;
    const size = tidy(() => {
      const [g] = grad(w.square().sum(), [w]);
      return g.abs().sum().itemSync();
    });
    expect(size).toBeGreaterThan(0);
    expect(memory().tensors).toBe(before);
    const kept = tidy(() => keep(grad(w.square().sum(), [w])[0]));
    expect(kept.isDisposed).toBe(false);
  });

  test('inputs that no gradient needs are not kept', () => {
    const x = randn([1000], { requiresGrad: true });
    const before = liveTensors();
    let y: Tensor = x;
    // add and sum save nothing; mul by a tensor without gradient saves that tensor, not the product.
    for (let i = 0; i < 50; i++) y = y.add(1);
    const loss = sum(y.neg());
    expect(liveTensors()).toBeLessThan(before + 1 + openPage);
    loss.backward();
    const c = randn([1000]);
    const z = x.mul(2).mul(c);
    const total = z.sum();
    // x: none; 2 * x: not saved, as c needs no gradient; c; z; total; x.grad.
    expect(liveTensors()).toBeLessThan(before + 5 + openPage);
    total.backward();
    expect(values(x.grad).slice(0, 5)).toEqual(
      values(c)
        .slice(0, 5)
        .map((v) => Math.fround(Math.fround(v * 2) - 1)),
    );
  });

  test('a forgotten graph is collected without backward', () => {
    const x = randn([1000], { requiresGrad: true });
    const before = liveTensors();
    for (let i = 0; i < 50; i++) x.exp().mul(x).log1p().sum();
    expect(liveTensors()).toBeLessThan(before + openPage);
  });
});
