// Optimizers around an optimizer: SAM and Lookahead. Groups, gradients and schedules are those of the one inside.
import { enableGrad, noGrad } from '../autograd/mode.js';
import { dynamicPart } from '../cuda/capture.js';
import { byDevice, type Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { add as addTensors } from '../ops/arithmetic.js';
import { clone, copy_, fill_ } from '../ops/copy.js';
import { emptyLike, full, zeros } from '../ops/creation.js';
import { sqrt as sqrtTensor, square as squareTensor } from '../ops/math.js';
import { reshape } from '../ops/view.js';
import { add, div, eq, mul, remainder, select, square, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Flags } from '../program/skip.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption } from './common.js';
import { l2Norms } from './norms.js';
import { Optimizer, type OptimizerStateDict, type ParameterState } from './optimizer.js';

/** What wrappers ask of an optimizer. */
export type AnyOptimizer = Pick<
  Optimizer<object>,
  'paramGroups' | 'state' | 'step' | 'zeroGrad' | 'stateDict' | 'loadStateDict'
>;

abstract class Wrapper {
  constructor(
    name: string,
    /** The optimizer inside. */
    readonly base: AnyOptimizer,
  ) {
    if (!(base instanceof Optimizer) && !(base instanceof Wrapper))
      throw new ArgumentError(`${name}: expected an optimizer as the first argument.`);
  }

  /** The groups of the optimizer inside: what schedules drive. */
  get paramGroups(): AnyOptimizer['paramGroups'] {
    return this.base.paramGroups;
  }

  /** The state of the optimizer inside. */
  get state(): Map<Tensor, ParameterState> {
    return this.base.state;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    this.base.zeroGrad();
  }

  /** @internal */
  protected params(): Tensor[] {
    return this.base.paramGroups.flatMap((group) => group.params);
  }
}

/** Options of `SAM`. */
export interface SAMOptions {
  /** The radius of the neighbourhood. Default 0.05. */
  rho?: number;
  /** Scale the neighbourhood with the parameters (ASAM; Kwon et al. 2021). Default false. */
  adaptive?: boolean;
}

const perturb = program({
  name: 'SAM',
  tensors: ['p', 'g', 'norm'],
  scalars: ['rho', 'adaptive'],
  update: ({ p, g, norm, rho, adaptive }) => ({
    p: add(p, mul(div(rho, add(norm, 1e-12)), mul(select(adaptive, square(p), 1), g))),
  }),
});

const weighted = program({
  name: 'SAM',
  tensors: ['out', 'g', 'p'],
  update: ({ g, p }) => ({ out: mul(g, p) }),
});

/**
 * Sharpness-aware minimisation around any optimizer: the gradient is taken at the worst point nearby,
 * `p + rho * g / |g|`, and applied at p. `step` needs a closure that clears the gradients, computes the loss and its
 * gradients, and returns the loss; it is called twice.
 *
 * Foret et al. 2021.
 *
 * @example
 * const optimizer = new optim.SAM(new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }), { rho: 0.05 });
 * const loss = optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const value = nn.functional.crossEntropy(model.forward(x), labels);
 *   value.backward();
 *   return value;
 * });
 */
export class SAM extends Wrapper {
  /** The radius of the neighbourhood. */
  rho: number;
  /** Whether it scales with the parameters. */
  readonly adaptive: boolean;

  constructor(base: AnyOptimizer, options: SAMOptions = {}) {
    super('SAM', base);
    const { rho = 0.05, adaptive = false } = options;
    checkOption('SAM', 'rho', rho);
    this.rho = rho;
    this.adaptive = adaptive;
  }

  /** @returns what the closure returned at p */
  step<T>(closure?: () => T): T {
    if (typeof closure !== 'function')
      throw new ArgumentError('SAM: step needs a closure that clears, computes and returns the loss.');
    const result = enableGrad(closure);
    const saved = untracked(() => noGrad(() => this.climb()));
    try {
      enableGrad(closure);
    } finally {
      noGrad(() => {
        for (const [p, copy] of saved) {
          copy_(p, copy);
          copy.dispose();
        }
      });
    }
    this.base.step();
    return result;
  }

  /** Moves the parameters to the worst point nearby; gives what they were. */
  private climb(): Map<Tensor, Tensor> {
    const p = this.params().filter((x) => x.grad !== null);
    if (p.length === 0) throw new ArgumentError('SAM: the closure left no gradients; call backward() in it.');
    const g = p.map((x) => x.grad!);
    let direction = g;
    const lists = byDevice(p.map((x, i) => ({ device: x.device, i }))).map((there) => there.map(({ i }) => i));
    const of = (list: readonly Tensor[], which: readonly number[]): Tensor[] => which.map((i) => list[i]);
    if (this.adaptive) {
      direction = g.map((x) => emptyLike(x));
      for (const i of lists) weighted.run({ out: of(direction, i), g: of(g, i), p: of(p, i) }, {});
    }
    // One neighbourhood for all parameters, wherever they are.
    const squares = l2Norms(direction, 'whole').map((n) => squareTensor(reshape(n, [])) as Tensor);
    const norm = sqrtTensor(squares.reduce((a, b) => addTensors(a, b.to(a.device))));
    const saved = new Map(p.map((x) => [x, clone(x.detach())]));
    for (const i of lists) {
      const own = norm.to(p[i[0]].device);
      const norms = of(p, i).map((x) => reshape(own, Array<number>(x.shape.length).fill(1)));
      perturb.run({ p: of(p, i), g: of(g, i), norm: norms }, { rho: this.rho, adaptive: this.adaptive ? 1 : 0 });
    }
    return saved;
  }

  /** The state of the optimizer inside: SAM has none. */
  stateDict(): OptimizerStateDict {
    return this.base.stateDict();
  }

  /** Restores what `stateDict()` gave. */
  loadStateDict(dict: OptimizerStateDict): void {
    this.base.loadStateDict(dict);
  }
}

/** Options of `Lookahead`. */
export interface LookaheadOptions {
  /** Fast steps for each slow one. Default 5. */
  k?: number;
  /** The size of a slow step, from 0 to 1. Default 0.5. */
  alpha?: number;
}

const synchronize = program({
  name: 'Lookahead',
  tensors: ['p', 'slow'],
  scalars: ['alpha'],
  update: ({ p, slow, alpha }) => {
    const value = add(slow, mul(alpha, sub(p, slow)));
    return { slow: value, p: value };
  },
});

// On the device: counts a step unless it is left out, and says with 0 that the slow weights are to follow.
const tick = program({
  name: 'Lookahead',
  tensors: ['steps', 'hold', 'found'],
  scalars: ['k'],
  update: ({ steps, found, k }) => {
    const next = add(steps, 1);
    return { steps: select(found, steps, next), hold: select(found, 1, select(eq(remainder(next, k), 0), 0, 1)) };
  },
});

/** The state of a Lookahead: its own beside that of the optimizer inside. */
export interface LookaheadStateDict {
  /** The state of the optimizer inside. */
  base: OptimizerStateDict;
  /** The number of fast steps so far. */
  steps: number;
  /** The slow weights, in the order of the parameters. */
  slow: Tensor[];
}

/**
 * Slow weights that go a part of the way, every k steps, to where any optimizer's fast weights have got:
 * `slow = slow + alpha * (p - slow), p = slow`.
 *
 * Zhang et al. 2019, Lookahead optimizer: k steps forward, 1 step back.
 *
 * @example
 * const optimizer = new optim.Lookahead(new optim.Adam(model.parameters()), { k: 5, alpha: 0.5 });
 */
export class Lookahead extends Wrapper {
  /** Fast steps for each slow one. */
  readonly k: number;
  /** The size of a slow step. */
  readonly alpha: number;
  private steps = 0;
  // Where the device decides what is a step, it counts them instead.
  private readonly ticks = new Map<Device, Readonly<Record<'steps' | 'hold', Tensor>>>();
  private slow = new Map<Tensor, Tensor>();

  constructor(base: AnyOptimizer, options: LookaheadOptions = {}) {
    super('Lookahead', base);
    const { k = 5, alpha = 0.5 } = options;
    if (!Number.isInteger(k) || k < 1) throw new ArgumentError(`Lookahead: k must be an integer >= 1, got ${k}.`);
    if (!(alpha >= 0 && alpha <= 1)) throw new ArgumentError(`Lookahead: alpha must be from 0 to 1, got ${alpha}.`);
    this.k = k;
    this.alpha = alpha;
    this.remember();
  }

  // Parameters that were added to a group later start from where they are.
  private remember(): void {
    untracked(() =>
      noGrad(() => {
        for (const p of this.params()) if (!this.slow.has(p)) this.slow.set(p, keep(clone(p.detach())));
      }),
    );
  }

  /** A fast step, and every k-th time a slow one. */
  step<T>(closure?: () => T): T | undefined {
    this.remember();
    this.takeCount();
    const result = this.base.step(closure);
    this.steps++;
    if (this.steps % this.k === 0) noGrad(() => this.follow(this.params()));
    return result;
  }

  // The slow weights go their part of the way.
  private follow(params: readonly Tensor[], skip?: Tensor): void {
    for (const there of byDevice(params)) {
      for (const dtype of new Set(there.map((x) => x.dtype))) {
        const p = there.filter((x) => x.dtype === dtype);
        synchronize.run({ p, slow: p.map((x) => this.slow.get(x)!) }, { alpha: this.alpha }, skip && { skip });
      }
    }
  }

  /** As of `Optimizer`. @internal */
  _stepUnless(flags: Flags): boolean {
    this.remember();
    const { base } = this as { base: { _stepUnless?(given: Flags): boolean } };
    if (this.step !== Lookahead.prototype.step || base._stepUnless?.(flags) !== true) return false;
    const numbers = untracked(() => [...flags.keys()].map((device) => [device, this.ticksOn(device)] as const));
    dynamicPart(() =>
      noGrad(() => {
        for (const [device, { steps, hold }] of numbers) {
          tick.run({ steps: [steps], hold: [hold], found: [flags.get(device)!] }, { k: this.k });
          this.follow(
            this.params().filter((p) => p.device === device),
            hold,
          );
        }
      }),
    );
    return true;
  }

  private ticksOn(device: Device): Readonly<Record<'steps' | 'hold', Tensor>> {
    let own = this.ticks.get(device);
    if (own === undefined) {
      const steps = keep(full([], this.steps, { dtype: 'float64', device }));
      this.ticks.set(device, (own = { steps, hold: keep(zeros([], { device })) }));
    }
    return own;
  }

  // Reads what a device has counted, and waits for it.
  private takeCount(): void {
    const [first] = this.ticks.values();
    if (first === undefined) return;
    this.steps = Number(first.steps.itemSync());
    for (const { steps, hold } of this.ticks.values()) for (const t of [steps, hold]) t.dispose();
    this.ticks.clear();
  }

  /** State of the optimizer inside, and the slow weights. */
  stateDict(): LookaheadStateDict {
    const [first] = this.ticks.values();
    if (first !== undefined) this.steps = Number(first.steps.itemSync());
    return { base: this.base.stateDict(), steps: this.steps, slow: this.params().map((p) => this.slow.get(p)!) };
  }

  /** Restores what `stateDict()` gave. Tensors are copied. */
  loadStateDict(dict: LookaheadStateDict): void {
    const params = this.params();
    if (dict.slow.length !== params.length)
      throw new ArgumentError(
        `Lookahead.loadStateDict: ${dict.slow.length} slow weights for ${params.length} parameters.`,
      );
    this.base.loadStateDict(dict.base);
    noGrad(() => {
      params.forEach((p, i) => copy_(this.slow.get(p)!, dict.slow[i]));
      for (const { steps } of this.ticks.values()) fill_(steps, dict.steps);
    });
    this.steps = dict.steps;
  }
}
