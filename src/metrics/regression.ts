// How far predictions are from numbers, and running means.
import { isFloating } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { cat, stack } from '../ops/join.js';
import { crossEntropy } from '../nn/classLoss.js';
import { formatShape, shapesEqual } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkPair, Sum } from './gather.js';
import type { Metric } from './metric.js';

/** The options of metrics that have no others. */
export interface NamedOptions {
  /** Its key in logs. */
  readonly name?: string;
}

function checkAlike(op: string, output: Tensor, target: Tensor): void {
  checkPair(op, output, target);
  if (!shapesEqual(output.shape, target.shape)) {
    throw new ShapeError(
      `${op}(output ${formatShape(output.shape)}, target ${formatShape(target.shape)}): the shapes must be the same; squeeze(-1) takes away a last dimension of 1.`,
    );
  }
}

/** Base of metrics that are a function of sums. */
abstract class Sums implements Metric<number> {
  private readonly total = new Sum();

  constructor(
    /** Its key in logs. */
    readonly name: string,
  ) {}

  /** What is added up, a float64 vector. @internal */
  protected abstract sumsOf(output: Tensor, target: Tensor): Tensor;

  /** The value of the sums. @internal */
  protected abstract valueOf(sums: readonly number[]): number;

  /** Takes a batch. */
  update(output: Tensor, target: Tensor): void {
    this.total.add(() => this.sumsOf(output, target));
  }

  /** The value over everything since the last reset; NaN before the first batch. */
  async compute(): Promise<number> {
    const sums = await this.total.read();
    return sums === null ? Number.NaN : this.valueOf(sums);
  }

  /** Forgets everything. */
  reset(): void {
    this.total.reset();
  }

  /** The sums. */
  stateDict(): Record<string, unknown> {
    return { sums: this.total.tensor };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.total.set(state['sums']);
  }
}

const wide = (t: Tensor): Tensor => t.to('float64');
const withCount = (sum: Tensor, count: number): Tensor => {
  const value = sum.reshape([]);
  return stack([value, value.mul(0).nanToNum().add(count)] as Tensor[], 0);
};

/**
 * The mean of absolute differences, over all elements. `output` and `target`: numbers of one shape.
 *
 * @example
 * const mae = new metrics.MAE();
 */
export class MAE extends Sums {
  constructor(options: NamedOptions = {}) {
    super(options.name ?? 'mae');
  }

  /** @internal */
  protected override sumsOf(output: Tensor, target: Tensor): Tensor {
    checkAlike('MAE', output, target);
    return withCount(wide(output).sub(wide(target)).abs().sum(), output.numel);
  }

  /** @internal */
  protected override valueOf([sum, count]: readonly number[]): number {
    return sum / count;
  }
}

/**
 * The mean of squared differences, over all elements. `output` and `target`: numbers of one shape.
 *
 * @example
 * const mse = new metrics.MSE();
 */
export class MSE extends Sums {
  constructor(options: NamedOptions = {}) {
    super(options.name ?? 'mse');
  }

  /** @internal */
  protected override sumsOf(output: Tensor, target: Tensor): Tensor {
    checkAlike(this.name, output, target);
    return withCount(wide(output).sub(wide(target)).square().sum(), output.numel);
  }

  /** @internal */
  protected override valueOf([sum, count]: readonly number[]): number {
    return sum / count;
  }
}

/**
 * The square root of the mean of squared differences over everything since the last reset.
 *
 * @example
 * const rmse = new metrics.RMSE();
 */
export class RMSE extends MSE {
  constructor(options: NamedOptions = {}) {
    super({ name: options.name ?? 'rmse' });
  }

  /** @internal */
  protected override valueOf(sums: readonly number[]): number {
    return Math.sqrt(super.valueOf(sums));
  }
}

/** Options of `Perplexity`. */
export interface PerplexityOptions extends NamedOptions {
  /** Targets of this class are left out. Default -100, as in `crossEntropy`. */
  readonly ignoreIndex?: number;
}

/**
 * e to the mean negative log likelihood of the targets. `output`: logits, or log probabilities, with the classes in the last
 * dimension, `[..., C]`, and `target` `[...]`; or as `crossEntropy` takes them, `[N, C, ...]` and `[N, ...]`, where the shapes
 * say so.
 *
 * @example
 * const perplexity = new metrics.Perplexity();
 * perplexity.update(model.forward(tokens), next); // [batch, time, vocabulary] and [batch, time]
 */
export class Perplexity extends Sums {
  private readonly ignoreIndex: number;

  constructor(options: PerplexityOptions = {}) {
    super(options.name ?? 'perplexity');
    this.ignoreIndex = options.ignoreIndex ?? -100;
  }

  /** @internal */
  protected override sumsOf(output: Tensor, target: Tensor): Tensor {
    const op = 'Perplexity';
    checkPair(op, output, target);
    const { shape } = output;
    const last = shape.length >= 1 && shapesEqual(shape.slice(0, -1), target.shape);
    const second = shape.length >= 2 && shapesEqual([...shape.slice(0, 1), ...shape.slice(2)], target.shape);
    if ((!last && !second) || !isFloating(output.dtype)) {
      throw new ShapeError(
        `${op}(output ${output.dtype}${formatShape(shape)}, target ${formatShape(target.shape)}): expected logits [..., C] and classes [...].`,
      );
    }
    const logits = last ? output : output.movedim(1, -1);
    const classes = target.to('int64').reshape([-1]);
    const rows = logits.to('float32').reshape([-1, logits.shape.at(-1) as number]);
    const loss = crossEntropy(rows, classes, {
      reduction: 'sum',
      ignoreIndex: this.ignoreIndex,
    });
    return stack([wide(loss as Tensor), wide(classes.ne(this.ignoreIndex).sum())] as Tensor[], 0);
  }

  /** @internal */
  protected override valueOf([sum, count]: readonly number[]): number {
    return Math.exp(sum / count);
  }
}

/**
 * The coefficient of determination, `1 - sum (y - f)^2 / sum (y - mean y)^2`: 1 for perfect predictions, 0 for those no better
 * than the mean. Of outputs `[N, D]` the mean over the D columns. A column of targets that are all the same has 1 if the
 * predictions are right, else 0.
 *
 * @example
 * const r2 = new metrics.R2();
 */
export class R2 implements Metric<number> {
  /** Its key in logs. */
  readonly name: string;
  private readonly sums = new Sum();
  /** Sums are taken around the first batch's mean: far from zero they would lose their digits. */
  private center: Tensor | null = null;

  constructor(options: NamedOptions = {}) {
    this.name = options.name ?? 'r2';
  }

  /** Takes a batch. */
  update(output: Tensor, target: Tensor): void {
    checkAlike('R2', output, target);
    if (target.shape.length === 0) throw new ShapeError('R2: expected outputs and targets [N] or [N, D], got scalars.');
    const columns = (t: Tensor): Tensor => wide(t.detach()).reshape([t.shape[0], -1]);
    const { center } = this;
    let first: Tensor | undefined;
    this.sums.add(() => {
      const y = columns(target);
      const around = center ?? y.mean(0);
      if (center === null) first = untracked(() => keep(around.clone()));
      const z = y.sub(around);
      const error = y.sub(columns(output)).square().sum(0);
      const count = error.mul(0).nanToNum().add(y.shape[0]);
      return stack([error, z.sum(0), z.square().sum(0), count] as Tensor[], 0);
    });
    if (first !== undefined) this.center = first;
  }

  /** The value over everything since the last reset; NaN before the first batch. */
  async compute(): Promise<number> {
    const sums = await this.sums.read();
    if (sums === null) return Number.NaN;
    const d = sums.length / 4;
    let total = 0;
    for (let column = 0; column < d; column++) {
      const [error, sum, squares, count] = [0, 1, 2, 3].map((row) => sums[row * d + column]);
      const spread = squares - (sum * sum) / count;
      // What is left of rounding is no spread.
      if (spread > 1e-14 * squares) total += 1 - error / spread;
      else total += error === 0 ? 1 : 0;
    }
    return total / d;
  }

  /** Forgets everything. */
  reset(): void {
    this.sums.reset();
    this.center?.dispose();
    this.center = null;
  }

  /** The sums. */
  stateDict(): Record<string, unknown> {
    return { sums: this.sums.tensor, center: this.center };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.reset();
    this.sums.set(state['sums']);
    const { center } = state;
    if (isTensor(center)) this.center = untracked(() => keep(center.clone()));
  }
}

/**
 * The mean of what it is given, weighted if there is a second tensor of the same shape.
 *
 * @example
 * const mean = new metrics.Mean();
 * mean.update(tensor([1, 2, 3]));
 * await mean.compute(); // 2
 */
export class Mean implements Metric<number> {
  /** Its key in logs. */
  readonly name: string;
  private readonly total = new Sum();

  constructor(options: NamedOptions = {}) {
    this.name = options.name ?? 'mean';
  }

  /** Takes values, and what each counts for. */
  update(values: Tensor, weights?: Tensor): void {
    if (!isTensor(values)) throw new ArgumentError('Mean: values must be a tensor.');
    if (weights !== undefined) checkAlike('Mean', values, weights);
    this.total.add(() => {
      const x = wide(values);
      if (weights === undefined) return withCount(x.sum(), x.numel);
      const w = wide(weights);
      const sums: Tensor[] = [x.mul(w).sum().reshape([1]), w.sum().reshape([1])];
      return cat(sums, 0);
    });
  }

  /** The mean of everything since the last reset; NaN before that, and for weights of sum 0. */
  async compute(): Promise<number> {
    const [sum, count] = (await this.total.read()) ?? [Number.NaN, 1];
    return sum / count;
  }

  /** Forgets everything. */
  reset(): void {
    this.total.reset();
  }

  /** The sums. */
  stateDict(): Record<string, unknown> {
    return { sums: this.total.tensor };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.total.set(state['sums']);
  }
}
