// Optimizers: the same steps as PyTorch's, state that continues where it stopped.
import { describe, expect, test } from 'vitest';
import { fromTypedArray, noGrad, optim, sum, tensor, tidy, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { expectClose, readGoldens } from '../golden.js';
import { flat, make, type Stepper } from './optimizers.js';

interface Goldens {
  readonly start: readonly (readonly number[] | readonly (readonly number[])[])[];
  readonly curvature: Goldens['start'];
  readonly cases: Readonly<
    Record<string, { options: Record<string, unknown>; trajectory: readonly (readonly number[])[] }>
  >;
}

const goldens = readGoldens<Goldens>('optim.json');

function tensorsOf(lists: Goldens['start'], requiresGrad: boolean): Tensor[] {
  return lists.map((list) => {
    const flat = list.flat();
    const shape = flat.length === list.length ? [flat.length] : [list.length, flat.length / list.length];
    return fromTypedArray(Float64Array.from(flat), shape, { requiresGrad });
  });
}

const curvature = tensorsOf(goldens.curvature, false);

function lossOf(params: readonly Tensor[]): Tensor {
  return params
    .map((p, i) => sum(curvature[i].mul(0.5).mul(p).mul(p).add(p.mul(3).sin())))
    .reduce((total, term) => total.add(term));
}

function step(params: readonly Tensor[], optimizer: Stepper): void {
  const closure = (): Tensor => {
    optimizer.zeroGrad();
    const loss = lossOf(params);
    loss.backward();
    return loss;
  };
  tidy(() => {
    // The one that needs no closure is tried without.
    if (optimizer instanceof optim.Adam) {
      closure();
      optimizer.step();
    } else optimizer.step(closure);
  });
}

/** The parameters that an optimizer takes: Muon has matrices only. */
const startOf = (key: string): Goldens['start'] => goldens.start.slice(0, key.startsWith('Muon/') ? 1 : 2);

test('every optimizer has a trajectory', () => {
  const covered = new Set(Object.keys(goldens.cases).map((key) => key.split('/')[0]));
  const steps = (value: unknown): boolean => typeof value === 'function' && 'step' in (value.prototype as object);
  const all = Object.entries(optim).filter(([name, value]) => steps(value) && name !== 'Optimizer');
  expect(all.map(([name]) => name).filter((name) => !covered.has(name))).toEqual([]);
});

describe('20 steps as PyTorch takes them', () => {
  for (const [key, { options, trajectory }] of Object.entries(goldens.cases)) {
    test(key, () => {
      const params = tensorsOf(startOf(key), true);
      const optimizer = make(key.split('/')[0], params, options);
      trajectory.forEach((expected, i) => {
        step(params, optimizer);
        // PyTorch keeps the product of NAdam and the rate of ASGD in float32.
        const relative = /^(NAdam|ASGD)/.test(key) ? 1e-6 : 1e-10;
        expectClose(`step ${i + 1}`, flat(params), expected, { relative, floor: 1e-3 });
      });
    });

    // L-BFGS ends an iteration where the loss changes by less than 1e-9, so in float32 it ends elsewhere.
    test.skipIf(key.startsWith('LBFGS/'))(`${key} in float32`, () => {
      const params = tensorsOf(startOf(key), false).map((p) => p.to('float32').requiresGrad_());
      const optimizer = make(key.split('/')[0], params, options);
      for (let i = 0; i < 5; i++) step(params, optimizer);
      expectClose('after 5 steps', flat(params), trajectory[4], { relative: 2e-6, floor: 0.1 });
    });
  }
});

describe('state dicts', () => {
  test.each(Object.keys(goldens.cases))('%s continues bit for bit', (key) => {
    const { options } = goldens.cases[key];
    const name = key.split('/')[0];
    const params = tensorsOf(startOf(key), true);
    const optimizer = make(name, params, options);
    for (let i = 0; i < 7; i++) step(params, optimizer);
    const copies = params.map((p) => p.detach().clone().requiresGrad_());
    // Options are in the state dict, but for those of a wrapper.
    const other = make(name, copies, name === 'SAM' || name === 'Lookahead' ? options : {});
    other.loadStateDict(optimizer.stateDict());
    for (let i = 0; i < 5; i++) {
      step(params, optimizer);
      step(copies, other);
      expect(flat(copies)).toEqual(flat(params));
    }
  });

  test('hold options, positions and tensors in use; loading copies', () => {
    const params = tensorsOf(goldens.start, true);
    const optimizer = new optim.Adam([{ params: [params[1]], lr: 0.5 }, { params: [params[0]] }], {
      betas: [0.8, 0.9],
    });
    step(params, optimizer);
    const dict = optimizer.stateDict();
    const more = { eps: 1e-8, amsgrad: false, weightDecay: 0, decoupledWeightDecay: false, maximize: false };
    const shared = { betas: [0.8, 0.9], ...more };
    expect(dict.paramGroups).toEqual([
      { params: [0], ...shared, lr: 0.5 },
      { params: [1], ...shared, lr: 0.001 },
    ]);
    expect(Object.keys(dict.state)).toEqual(['0', '1']);
    expect(dict.state[0]['step']).toBe(1);
    const first = dict.state[0]['m'] as Tensor;
    const before = flat([first]);
    const copies = [params[1], params[0]].map((p) => p.detach().clone().requiresGrad_());
    const other = new optim.Adam([{ params: [copies[0]] }, { params: [copies[1]] }]);
    other.loadStateDict(dict);
    expect(other.paramGroups.map(({ lr }) => lr)).toEqual([0.5, 0.001]);
    noGrad(() => first.zero_());
    expect(flat([other.state.get(copies[0])!['m'] as Tensor])).toEqual(before);
  });

  test('that do not fit change nothing', () => {
    const params = tensorsOf(goldens.start, true);
    const optimizer = new optim.Adam([{ params: [params[0]] }, { params: [params[1]] }], { lr: 0.25 });
    step(params, optimizer);
    const good = optimizer.stateDict();
    const snapshot = (): unknown => [
      optimizer.paramGroups.map(({ lr, eps }) => [lr, eps]),
      [...optimizer.state.values()].map(({ step: n, m }) => [n, ...flat([m as Tensor])]),
    ];
    const before = snapshot();
    const attempt = (change: (dict: optim.OptimizerStateDict) => void): string => {
      const dict: optim.OptimizerStateDict = {
        state: Object.fromEntries(Object.entries(good.state).map(([key, values]) => [key, { ...values }])),
        paramGroups: good.paramGroups.map((group) => ({ ...group, lr: 0.75 })),
      };
      change(dict);
      const message = errorOf(() => optimizer.loadStateDict(dict));
      expect(snapshot()).toEqual(before);
      return message;
    };
    expect(attempt((dict) => dict.paramGroups.pop())).toBe(
      "ArgumentError: Adam.loadStateDict: the groups hold 1 parameters, this optimizer's 1, 1.",
    );
    expect(attempt((dict) => (dict.state[7] = {}))).toBe('ArgumentError: Adam.loadStateDict: there is no parameter 7.');
    expect(attempt((dict) => (dict.state[1] = { m: zeros([2]) }))).toBe(
      "ShapeError: Adam.loadStateDict: 'm' of parameter 1 has shape [2], the parameter [3].",
    );
    expect(attempt((dict) => (dict.paramGroups[1]['eps'] = -1))).toBe(
      'ArgumentError: Adam: eps must be a number >= 0, got -1.',
    );
  });
});

describe('beyond a step', () => {
  test('LBFGS with a line search finds the minimum of Rosenbrock', () => {
    const p = tensor([-1.2, 1], { requiresGrad: true, dtype: 'float64' });
    const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strong_wolfe', maxIter: 100, toleranceChange: 1e-14 });
    const loss = (): Tensor => {
      const [x, y] = p.unbind() as unknown as [Tensor, Tensor];
      return y.sub(x.square()).square().mul(100).add(x.neg().add(1).square());
    };
    const first = optimizer.step(() => {
      optimizer.zeroGrad();
      const value = loss();
      value.backward();
      return value;
    });
    expect(Number(first!.itemSync())).toBeCloseTo(24.2, 10);
    expect(flat([p]).map((v) => Math.abs(v - 1) < 1e-5)).toEqual([true, true]);
  });
});
