// L-BFGS with an optional strong Wolfe line search (its own file: strongWolfe.ts).
import { enableGrad, noGrad } from '../autograd/mode.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import { add, mul, sub } from '../ops/arithmetic.js';
import { clone, copy_ } from '../ops/copy.js';
import { zerosLike } from '../ops/creation.js';
import { cat, stack } from '../ops/join.js';
import { abs, neg } from '../ops/math.js';
import { amax, sum } from '../ops/reduce.js';
import { narrow, reshape, select } from '../ops/view.js';
import { formatShape } from '../shape.js';
import { Tensor } from '../tensor/tensor.js';
import { checkOption } from './common.js';
import {
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParametersLike,
  type ParameterState,
} from './optimizer.js';
import { strongWolfe } from './strongWolfe.js';

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** Learning rate: the step that is tried first. Default 1. */
  lr: number;
  /** Iterations of a call of step. Default 20. */
  maxIter: number;
  /** Evaluations of the closure of a call of step; null (default): maxIter * 1.25. */
  maxEval: number | null;
  /** Ends when no gradient is larger. Default 1e-7. */
  toleranceGrad: number;
  /** Ends when the loss or the parameters change less. Default 1e-9. */
  toleranceChange: number;
  /** Pairs of steps and gradient changes that are remembered. Default 100. */
  historySize: number;
  /** `'strong_wolfe'`, or null (default): no line search. */
  lineSearchFn: 'strong_wolfe' | null;
}

const dot = (a: Tensor, b: Tensor): number => tidy(() => Number(sum(mul(a, b)).itemSync()));
const largest = (a: Tensor): number => (a.numel === 0 ? 0 : tidy(() => Number(amax(abs(a)).itemSync())));
/** a + s * b, a tensor of its own. */
const plus = (a: Tensor, b: Tensor, s: number): Tensor => tidy(() => add(a, mul(b, s)));

/**
 * Limited-memory BFGS, as torch.optim.LBFGS: a quasi-Newton method for full batches. It evaluates the loss several times
 * for each step, so `step` needs a closure that clears the gradients, computes the loss and its gradients, and returns it.
 * All parameters are one group, of one dtype, on any devices. Reads numbers back, so it waits for the work it queues.
 *
 * Liu and Nocedal 1989; line search: Nocedal and Wright 2006, algorithms 3.5 and 3.6.
 *
 * @example
 * const optimizer = new optim.LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = nn.functional.mseLoss(model.forward(x), y);
 *   loss.backward();
 *   return loss;
 * });
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  private iterations = 0;
  private evaluations = 0;
  private direction: Tensor | null = null;
  private stepLength = 0;
  private previousGrad: Tensor | null = null;
  private hDiagonal = 1;
  private readonly history: { y: Tensor; s: Tensor; rho: number }[] = [];

  constructor(params: ParametersLike<LBFGSOptions>, options: OptimizerOptions<LBFGSOptions> = {}) {
    const own = { lr: 1, maxIter: 20, maxEval: null, toleranceGrad: 1e-7, toleranceChange: 1e-9, historySize: 100 };
    super('LBFGS', params, { ...own, lineSearchFn: null }, options);
  }

  override addParamGroup(group: OptimizerOptions<LBFGSOptions> & { readonly params: Iterable<Tensor> }): void {
    if (this.paramGroups.length > 0)
      throw new ArgumentError('LBFGS: takes one group of parameters; it has no options per parameter.');
    super.addParamGroup(group);
    const [first] = this.paramGroups[0].params;
    const other = this.paramGroups[0].params.find((p) => p.dtype !== first.dtype);
    if (other !== undefined)
      throw new ArgumentError(`LBFGS: parameters of one dtype expected, got ${first.dtype} and ${other.dtype}.`);
  }

  protected override checkOptions(o: LBFGSOptions): void {
    for (const name of ['lr', 'toleranceGrad', 'toleranceChange'] as const) checkOption('LBFGS', name, o[name]);
    for (const name of ['maxIter', 'historySize'] as const) checkOption('LBFGS', name, o[name], 1);
    if (o.maxEval !== null) checkOption('LBFGS', 'maxEval', o.maxEval, 1);
    if (o.lineSearchFn !== null && o.lineSearchFn !== 'strong_wolfe')
      throw new ArgumentError(
        `LBFGS: lineSearchFn must be 'strong_wolfe' or null, got ${JSON.stringify(o.lineSearchFn)}.`,
      );
  }

  protected override initialState(): ParameterState {
    return {};
  }

  // The method moves all parameters at once: step does it.
  protected override update(): void {}

  /**
   * Minimises for up to maxIter iterations.
   *
   * @returns what the closure returned at the point where the step began
   * @throws ArgumentError without a closure that returns the loss
   */
  override step<T>(closure?: () => T): T | undefined {
    if (typeof closure !== 'function')
      throw new ArgumentError(
        'LBFGS: step needs a closure that computes the loss and its gradients and returns the loss.',
      );
    let first: T | undefined;
    let called = false;
    const evaluate = (): number => {
      const result = enableGrad(closure);
      if (!called) first = result;
      called = true;
      this.evaluations++;
      const value = result instanceof Tensor && result.numel === 1 ? result.itemSync() : result;
      if (typeof value !== 'number') throw new ArgumentError('LBFGS: the closure must return the loss, a scalar.');
      return value;
    };
    untracked(() =>
      noGrad(() => {
        this.minimize(evaluate);
      }),
    );
    return first;
  }

  private minimize(evaluate: () => number): void {
    const o = this.paramGroups[0];
    const maxEval = o.maxEval ?? Math.floor((o.maxIter * 5) / 4);
    const start = this.evaluations;
    let loss = evaluate();
    let grad = this.flatGrad();
    if (largest(grad) <= o.toleranceGrad) return;
    for (let n = 1; n <= o.maxIter; n++) {
      this.iterations++;
      const d = this.nextDirection(grad, o.historySize);
      let t = this.iterations === 1 ? Math.min(1, 1 / tidy(() => Number(sum(abs(grad)).itemSync()))) * o.lr : o.lr;
      this.direction?.dispose();
      this.direction = keep(d);
      this.previousGrad?.dispose();
      this.previousGrad = keep(clone(grad));
      const previousLoss = loss;
      const slope = dot(grad, d);
      this.stepLength = t;
      if (slope > -o.toleranceChange) break;
      let optimal = false;
      if (o.lineSearchFn !== null) {
        const found = this.search(evaluate, t, d, loss, grad, slope, maxEval - (this.evaluations - start));
        ({ t, loss } = found);
        grad = found.grad;
        this.move(t, d);
        optimal = largest(grad) <= o.toleranceGrad;
      } else {
        this.move(t, d);
        if (n < o.maxIter) {
          loss = evaluate();
          grad = this.flatGrad();
          optimal = largest(grad) <= o.toleranceGrad;
        }
      }
      this.stepLength = t;
      if (this.evaluations - start >= maxEval || optimal) break;
      if (Math.abs(t) * largest(d) <= o.toleranceChange || Math.abs(loss - previousLoss) < o.toleranceChange) break;
    }
  }

  // The two-loop recursion; a pair whose curvature is not positive is left out.
  private nextDirection(grad: Tensor, historySize: number): Tensor {
    if (this.iterations === 1 || this.previousGrad === null || this.direction === null) return neg(grad);
    const y = sub(grad, this.previousGrad);
    const s = mul(this.direction, this.stepLength);
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (this.history.length === historySize) {
        const dropped = this.history.shift()!;
        dropped.y.dispose();
        dropped.s.dispose();
      }
      this.history.push({ y: keep(y), s: keep(s), rho: 1 / ys });
      this.hDiagonal = ys / dot(y, y);
    }
    const alphas: number[] = [];
    let q = neg(grad);
    for (let i = this.history.length - 1; i >= 0; i--) {
      const pair = this.history[i];
      alphas[i] = dot(pair.s, q) * pair.rho;
      q = plus(q, pair.y, -alphas[i]);
    }
    let r = mul(q, this.hDiagonal);
    this.history.forEach((pair, i) => {
      r = plus(r, pair.s, alphas[i] - dot(pair.y, r) * pair.rho);
    });
    return r;
  }

  private search(
    evaluate: () => number,
    t: number,
    d: Tensor,
    loss: number,
    grad: Tensor,
    slope: number,
    maxSteps: number,
  ): { t: number; loss: number; grad: Tensor } {
    const at = this.paramGroups[0].params.map((p) => clone(p.detach()));
    const point = (step: number): { loss: number; grad: Tensor; slope: number } => {
      this.move(step, d);
      const value = evaluate();
      const g = this.flatGrad();
      this.paramGroups[0].params.forEach((p, i) => copy_(p, at[i]));
      return { loss: value, grad: g, slope: dot(g, d) };
    };
    return strongWolfe(point, t, { loss, grad, slope }, largest(d), maxSteps);
  }

  // One vector for parameters on any devices: it is where the first of them is.
  private flatGrad(): Tensor {
    const { params } = this.paramGroups[0];
    return cat(params.map((p) => reshape(p.grad ?? zerosLike(p), [p.numel]).to(params[0].device)));
  }

  private move(t: number, d: Tensor): void {
    let from = 0;
    for (const p of this.paramGroups[0].params) {
      const part = reshape(narrow(d, 0, from, p.numel), p.shape);
      tidy(() => {
        copy_(p, add(p, mul(part, t).to(p.device)));
      });
      from += p.numel;
    }
  }

  override stateDict(): OptimizerStateDict {
    const dict = super.stateDict();
    const own: ParameterState = {
      iterations: this.iterations,
      evaluations: this.evaluations,
      stepLength: this.stepLength,
      hDiagonal: this.hDiagonal,
    };
    if (this.direction !== null) own['direction'] = this.direction;
    if (this.previousGrad !== null) own['previousGrad'] = this.previousGrad;
    if (this.history.length > 0) {
      own['y'] = noGrad(() => stack(this.history.map(({ y }) => y)));
      own['s'] = noGrad(() => stack(this.history.map(({ s }) => s)));
    }
    return { ...dict, state: { 0: own } };
  }

  override loadStateDict(dict: OptimizerStateDict): void {
    const own = dict.state[0] ?? {};
    const size = this.paramGroups[0].params.reduce((n, p) => n + p.numel, 0);
    const vector = (name: string): Tensor | null => {
      const value = own[name];
      if (!(value instanceof Tensor)) return null;
      const length = value.shape[value.shape.length - 1];
      if (length !== size) {
        throw new ShapeError(
          `LBFGS.loadStateDict: '${name}' has shape ${formatShape(value.shape)}, the parameters have ${size} elements.`,
        );
      }
      return value;
    };
    const [direction, previousGrad, y, s] = ['direction', 'previousGrad', 'y', 's'].map(vector);
    super.loadStateDict({ ...dict, state: {} });
    const number = (name: string, otherwise: number): number => (typeof own[name] === 'number' ? own[name] : otherwise);
    this.iterations = number('iterations', 0);
    this.evaluations = number('evaluations', 0);
    this.stepLength = number('stepLength', 0);
    this.hDiagonal = number('hDiagonal', 1);
    untracked(() =>
      noGrad(() => {
        const { device } = this.paramGroups[0].params[0];
        const copied = (x: Tensor): Tensor => keep(clone(x.detach().to(device)));
        this.direction = direction === null ? null : copied(direction);
        this.previousGrad = previousGrad === null ? null : copied(previousGrad);
        this.history.length = 0;
        for (let i = 0; y !== null && s !== null && i < y.shape[0]; i++) {
          const pair = { y: copied(select(y, 0, i)), s: copied(select(s, 0, i)) };
          this.history.push({ ...pair, rho: 1 / dot(pair.y, pair.s) });
        }
      }),
    );
  }
}
