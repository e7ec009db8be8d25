// Which classes are taken for which, and what follows from it: precision, recall, F1.
import { noGrad } from '../autograd/mode.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { ones, zeros } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkScores, Sum, toClasses, type ScoreOptions } from './gather.js';
import type { Metric, MetricValue } from './metric.js';

/** Options of `ConfusionMatrix`. */
export interface ConfusionMatrixOptions extends ScoreOptions {
  /** The number of classes. Default: as many as there are columns of scores; of integers it must be given. */
  readonly classes?: number;
  /** Its key in logs. */
  readonly name?: string;
}

function checkClasses(op: string, classes: number | undefined): void {
  if (classes !== undefined && (!Number.isSafeInteger(classes) || classes < 2))
    throw new ArgumentError(`${op}: classes must be an integer >= 2, got ${String(classes)}.`);
}

// Counts of a batch, int64 [C * C], true classes by rows.
function countsOf(op: string, output: Tensor, target: Tensor, options: ConfusionMatrixOptions): Tensor {
  const { predicted, expected, classes: seen } = toClasses(op, output, target, options);
  const classes = options.classes ?? seen;
  if (classes === null) throw new ArgumentError(`${op}: of predictions that are integers, classes must be given.`);
  if (seen !== null && seen > classes)
    throw new ArgumentError(`${op}: classes is ${classes}, but there are scores of ${seen} classes.`);
  const { device } = predicted;
  // Whatever does not fit goes to a place of its own: it must neither be counted elsewhere nor be lost without a word.
  const inside = (t: Tensor): Tensor => t.ge(0).logicalAnd(t.lt(classes));
  const ok = inside(predicted).logicalAnd(inside(expected)).to('int64');
  const cell = expected.mul(classes).add(predicted);
  const index = cell
    .mul(ok)
    .add(
      ok
        .mul(-1)
        .add(1)
        .mul(classes * classes),
    )
    .reshape([-1]);
  const counts = zeros([classes * classes + 1], { dtype: 'int64', device });
  return counts.scatterAdd(
    0,
    index as Tensor<readonly [number], 'int64'>,
    ones([index.numel], { dtype: 'int64', device }),
  );
}

function toMatrix(op: string, counts: readonly number[]): number[][] {
  const classes = Math.round(Math.sqrt(counts.length - 1));
  const odd = counts[counts.length - 1];
  if (odd > 0) {
    throw new ArgumentError(
      `${op}: ${odd} samples have classes outside of 0 to ${classes - 1}; leave them out, or set classes.`,
    );
  }
  return Array.from({ length: classes }, (_, row) => counts.slice(row * classes, (row + 1) * classes));
}

/** Base of what is computed from counts of classes. */
abstract class Counted<Value extends MetricValue> implements Metric<Value> {
  private readonly counts = new Sum();

  constructor(
    private readonly op: string,
    /** Its key in logs. */
    readonly name: string,
    private readonly options: ConfusionMatrixOptions,
  ) {
    checkScores(op, options);
    checkClasses(op, options.classes);
  }

  /** Takes a batch. */
  update(output: Tensor, target: Tensor): void {
    this.counts.add(() => countsOf(this.op, output, target, this.options));
  }

  /** The value of a matrix of counts. @internal */
  protected abstract valueOf(matrix: readonly (readonly number[])[]): Value;

  /** The value over everything since the last reset. Throws ArgumentError for classes that are out of range. */
  async compute(): Promise<Value> {
    const counts = await this.counts.read();
    return this.valueOf(counts === null ? [] : toMatrix(this.op, counts));
  }

  /** Forgets everything. */
  reset(): void {
    this.counts.reset();
  }

  /** The counts. */
  stateDict(): Record<string, unknown> {
    return { counts: this.counts.tensor };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.counts.set(state['counts']);
  }
}

/**
 * Counts: the entry of row i and column j says how many samples of class i were taken for class j. Empty before the first
 * batch. Takes what `Accuracy` takes.
 *
 * @example
 * const confusion = new metrics.ConfusionMatrix();
 * await train.evaluate(model, test, { loss: nn.functional.crossEntropy, metrics: [confusion] });
 * const matrix = await confusion.compute(); // number[][]
 */
export class ConfusionMatrix extends Counted<readonly (readonly number[])[]> {
  /** @throws ArgumentError for options out of range */
  constructor(options: ConfusionMatrixOptions = {}) {
    super('ConfusionMatrix', options.name ?? 'confusionMatrix', options);
  }

  /** @internal */
  protected override valueOf(matrix: readonly (readonly number[])[]): readonly (readonly number[])[] {
    return matrix;
  }
}

/** How the values of classes become one. */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted' | 'none';

/** Options of `Precision`, `Recall` and `F1`. */
export interface ClassScoreOptions extends ConfusionMatrixOptions {
  /**
   * `'binary'`: that of class 1 of two; `'micro'`: of all decisions together (of single-label classes the accuracy);
   * `'macro'`: the mean over classes; `'weighted'`: the mean weighted by how many samples a class has; `'none'`: a number
   * for each class. Means leave out classes that occur neither in targets nor in predictions. Default: `'binary'` for two
   * classes, else `'macro'`.
   */
  readonly average?: Average;
  /** The value where there is nothing to divide by: no prediction of the class, or no sample of it. Default 0. */
  readonly zeroDivision?: number;
}

interface ClassCounts {
  readonly right: number;
  readonly predicted: number;
  readonly actual: number;
}

type Ratio = (counts: ClassCounts, zeroDivision: number) => number;

const divide = (a: number, b: number, zeroDivision: number): number => (b === 0 ? zeroDivision : a / b);
const precisionOf: Ratio = ({ right, predicted }, zero) => divide(right, predicted, zero);
const recallOf: Ratio = ({ right, actual }, zero) => divide(right, actual, zero);
const f1Of: Ratio = ({ right, predicted, actual }, zero) => divide(2 * right, predicted + actual, zero);

function averaged(
  op: string,
  matrix: readonly (readonly number[])[],
  ratio: Ratio,
  options: ClassScoreOptions,
): number | number[] {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const { average = matrix.length === 2 ? 'binary' : 'macro', zeroDivision = 0 } = options;
  const classes = matrix.map((row, i) => ({
    right: row[i],
    predicted: sum(matrix.map((other) => other[i])),
    actual: sum(row),
  }));
  if (classes.length === 0) return average === 'none' ? [] : Number.NaN;
  if (average === 'none') return classes.map((counts) => ratio(counts, zeroDivision));
  if (average === 'binary') {
    if (classes.length !== 2)
      throw new ArgumentError(`${op}: the average 'binary' is of two classes, but there are ${classes.length}.`);
    return ratio(classes[1], zeroDivision);
  }
  if (average === 'micro') {
    const total = (key: keyof ClassCounts): number => sum(classes.map((counts) => counts[key]));
    return ratio({ right: total('right'), predicted: total('predicted'), actual: total('actual') }, zeroDivision);
  }
  const present = classes.filter(({ predicted, actual }) => predicted + actual > 0);
  const weights = present.map(({ actual }) => (average === 'weighted' ? actual : 1));
  const values = present.map((counts, i) => ratio(counts, zeroDivision) * weights[i]);
  return divide(sum(values), sum(weights), zeroDivision);
}

abstract class ClassScore extends Counted<number | readonly number[]> {
  private readonly kind: string;
  private readonly scoreOptions: ClassScoreOptions;

  constructor(op: string, name: string, options: ClassScoreOptions) {
    super(op, options.name ?? name, options);
    const { average } = options;
    if (average !== undefined && !['binary', 'micro', 'macro', 'weighted', 'none'].includes(average)) {
      throw new ArgumentError(
        `${op}: average must be 'binary', 'micro', 'macro', 'weighted' or 'none', got ${JSON.stringify(average)}.`,
      );
    }
    this.kind = op;
    this.scoreOptions = options;
  }

  /** @internal */
  protected abstract ratio(): Ratio;

  /** @internal */
  protected override valueOf(matrix: readonly (readonly number[])[]): number | readonly number[] {
    return averaged(this.kind, matrix, this.ratio(), this.scoreOptions);
  }
}

/**
 * Of the samples that were taken for a class, the share that is of it: `tp / (tp + fp)`. Takes what `Accuracy` takes; NaN
 * before the first batch.
 *
 * @example
 * const precision = new metrics.Precision({ average: 'macro' });
 */
export class Precision extends ClassScore {
  /** @throws ArgumentError for options out of range */
  constructor(options: ClassScoreOptions = {}) {
    super('Precision', 'precision', options);
  }

  /** @internal */
  protected override ratio(): Ratio {
    return precisionOf;
  }
}

/**
 * Of the samples of a class, the share that was found: `tp / (tp + fn)`. Takes what `Accuracy` takes; NaN before the first
 * batch.
 *
 * @example
 * const recall = new metrics.Recall({ average: 'none' });
 */
export class Recall extends ClassScore {
  /** @throws ArgumentError for options out of range */
  constructor(options: ClassScoreOptions = {}) {
    super('Recall', 'recall', options);
  }

  /** @internal */
  protected override ratio(): Ratio {
    return recallOf;
  }
}

/**
 * The harmonic mean of precision and recall: `2 tp / (2 tp + fp + fn)`. Takes what `Accuracy` takes; NaN before the first
 * batch. The macro average is the mean of the classes' F1.
 *
 * @example
 * const f1 = new metrics.F1({ average: 'weighted' });
 */
export class F1 extends ClassScore {
  /** @throws ArgumentError for options out of range */
  constructor(options: ClassScoreOptions = {}) {
    super('F1', 'f1', options);
  }

  /** @internal */
  protected override ratio(): Ratio {
    return f1Of;
  }
}

/**
 * The counts of one batch, int64 `[C, C]` with the true classes by rows, not read: see `ConfusionMatrix`. Samples of classes
 * out of range are left out.
 *
 * @example
 * const counts = metrics.confusionMatrix(model.forward(x), y);
 */
export function confusionMatrix(output: Tensor, target: Tensor, options: ConfusionMatrixOptions = {}): Tensor {
  const op = 'confusionMatrix';
  checkScores(op, options);
  checkClasses(op, options.classes);
  return noGrad(() =>
    tidy(() => {
      const counts = countsOf(op, output, target, options);
      const classes = Math.round(Math.sqrt(counts.numel - 1));
      return counts.narrow(0, 0, classes * classes).reshape([classes, classes]);
    }),
  );
}

async function once<Value extends MetricValue>(metric: Metric<Value>, output: Tensor, target: Tensor): Promise<Value> {
  metric.update(output, target);
  try {
    return await metric.compute();
  } finally {
    metric.reset();
  }
}

/** The precision of one batch; see `Precision`. */
export const precision = (
  output: Tensor,
  target: Tensor,
  options: ClassScoreOptions = {},
): Promise<number | readonly number[]> => once(new Precision(options), output, target);

/** The recall of one batch; see `Recall`. */
export const recall = (
  output: Tensor,
  target: Tensor,
  options: ClassScoreOptions = {},
): Promise<number | readonly number[]> => once(new Recall(options), output, target);

/** The F1 score of one batch; see `F1`. */
export const f1 = (
  output: Tensor,
  target: Tensor,
  options: ClassScoreOptions = {},
): Promise<number | readonly number[]> => once(new F1(options), output, target);
