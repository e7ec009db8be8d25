// How many predictions are right.
import { noGrad } from '../autograd/mode.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, shapesEqual } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPair, checkScores, Sum, toClasses, type ScoreOptions } from './gather.js';
import type { Metric } from './metric.js';

const share = (right: number, count: number): number => (count === 0 ? Number.NaN : right / count);

/** Base of metrics that are the share of right predictions. */
abstract class Share implements Metric<number> {
  private readonly right = new Sum();
  private count = 0;

  constructor(
    /** Its key in logs. */
    readonly name: string,
  ) {}

  /** For each prediction whether it is right. @internal */
  protected abstract judge(output: Tensor, target: Tensor): Tensor;

  /** Takes a batch. */
  update(output: Tensor, target: Tensor): void {
    let count = 0;
    this.right.add(() => {
      const right = this.judge(output, target);
      count = right.numel;
      return right.sum();
    });
    this.count += count;
  }

  /** The share of right predictions since the last reset; NaN before the first batch. */
  async compute(): Promise<number> {
    const [right = 0] = (await this.right.read()) ?? [];
    return share(right, this.count);
  }

  /** Forgets everything. */
  reset(): void {
    this.right.reset();
    this.count = 0;
  }

  /** The counts. */
  stateDict(): Record<string, unknown> {
    return { right: this.right.tensor, count: this.count };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.right.set(state['right']);
    this.count = Number(state['count']);
  }
}

/**
 * The share of right predictions (micro average: each counts the same).
 *
 * `output` may be scores `[N, C, ...]` (logits or probabilities: the largest is the prediction) with `target` classes
 * `[N, ...]` or one-hot `[N, C]`; scores of two classes `[N]` or `[N, 1]` (see the options); or classes as integers. With
 * targets that are as many questions of yes or no (`multilabel`), each is counted.
 *
 * @example
 * const accuracy = new metrics.Accuracy();
 * accuracy.update(tensor([[0.1, 0.9], [0.8, 0.2]]), tensor([1n, 1n]));
 * await accuracy.compute(); // 0.5
 */
export class Accuracy extends Share {
  private readonly options: ScoreOptions;

  /** @throws ArgumentError for a threshold that is no probability */
  constructor(options: ScoreOptions & { readonly name?: string } = {}) {
    super(options.name ?? 'accuracy');
    checkScores('Accuracy', options);
    this.options = options;
  }

  /** @internal */
  protected override judge(output: Tensor, target: Tensor): Tensor {
    const { predicted, expected } = toClasses('Accuracy', output, target, this.options);
    return predicted.eq(expected);
  }
}

/** Options of `TopKAccuracy`. */
export interface TopKAccuracyOptions {
  /** How many guesses there are. Default 5. */
  readonly k?: number;
  /** Its key in logs. Default: `top5Accuracy`. */
  readonly name?: string;
}

function isAmongTop(output: Tensor, target: Tensor, k: number): Tensor {
  const op = 'TopKAccuracy';
  checkPair(op, output, target);
  const rest = [...output.shape.slice(0, 1), ...output.shape.slice(2)];
  if (output.shape.length < 2 || !shapesEqual(rest, target.shape) || !isFloating(output.dtype)) {
    throw new ShapeError(
      `${op}(output ${output.dtype}${formatShape(output.shape)}, target ${formatShape(target.shape)}): expected scores [N, C, ...] and classes [N, ...].`,
    );
  }
  if (k > output.shape[1]) throw new ArgumentError(`${op}: k is ${k}, but there are ${output.shape[1]} classes.`);
  const { indices } = output.topk(k, 1);
  return indices.eq(target.to('int64').unsqueeze(1)).any(1);
}

function checkK(k: number): number {
  if (!Number.isSafeInteger(k) || k < 1)
    throw new ArgumentError(`TopKAccuracy: k must be an integer >= 1, got ${String(k)}.`);
  return k;
}

/**
 * The share of samples whose class is among the k with the largest scores. `output`: scores `[N, C, ...]`; `target`: classes
 * `[N, ...]`.
 *
 * @example
 * const top5 = new metrics.TopKAccuracy({ k: 5 });
 */
export class TopKAccuracy extends Share {
  private readonly k: number;

  /** @throws ArgumentError unless k is an integer >= 1 */
  constructor(options: TopKAccuracyOptions = {}) {
    const k = checkK(options.k ?? 5);
    super(options.name ?? `top${k}Accuracy`);
    this.k = k;
  }

  /** @internal */
  protected override judge(output: Tensor, target: Tensor): Tensor {
    return isAmongTop(output, target, this.k);
  }
}

const mean = (right: Tensor): Tensor<readonly []> => {
  const value: Tensor = right.to('float32').mean();
  return value as Tensor<readonly []>;
};

/**
 * The accuracy of one batch, as a scalar that has not been read; see `Accuracy` for what it takes.
 *
 * @example
 * const value = await metrics.accuracy(model.forward(x), y).item();
 */
export function accuracy(output: Tensor, target: Tensor, options: ScoreOptions = {}): Tensor<readonly []> {
  checkScores('accuracy', options);
  return noGrad(() =>
    tidy(() => {
      const { predicted, expected } = toClasses('accuracy', output, target, options);
      return mean(predicted.eq(expected));
    }),
  );
}

/** The top-k accuracy of one batch, as a scalar that has not been read; see `TopKAccuracy`. */
export function topKAccuracy(output: Tensor, target: Tensor, k = 5): Tensor<readonly []> {
  checkK(k);
  return noGrad(() => tidy(() => mean(isAmongTop(output, target, k))));
}
