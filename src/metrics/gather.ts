// What metrics share: sums that stay on the device until somebody asks.
import { noGrad } from '../autograd/mode.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import { checkSameDevice, checkTensor } from '../ops/define.js';
import { where } from '../ops/compare.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** A sum over batches, on their device. */
export class Sum {
  private total: Tensor | null = null;

  /** Adds what `make` computes; what it makes on the way is freed. */
  add(make: () => Tensor): void {
    const before = this.total;
    // Outside of the caller's scope: the sum outlives it.
    this.total = untracked(() =>
      noGrad(() =>
        keep(
          tidy(() => {
            const made = make();
            return before === null ? made.clone() : before.to(made.device).add(made);
          }),
        ),
      ),
    );
    before?.dispose();
  }

  /** The elements, or null before the first batch. */
  async read(): Promise<number[] | null> {
    if (this.total === null) return null;
    return Array.from(await this.total.data(), Number);
  }

  /** The sum itself. */
  get tensor(): Tensor | null {
    return this.total;
  }

  /** Takes a sum from a checkpoint. */
  set(value: unknown): void {
    this.reset();
    if (isTensor(value)) this.total = untracked(() => keep(value.clone()));
  }

  /** Forgets it. */
  reset(): void {
    this.total?.dispose();
    this.total = null;
  }
}

/** Throws unless both are tensors on one device. */
export function checkPair(op: string, output: Tensor, target: Tensor): void {
  checkTensor(op, 'output', output);
  checkTensor(op, 'target', target);
  checkSameDevice(op, 'output', output, 'target', target);
}

/** How scores are read. */
export interface ScoreOptions {
  /** Scores of two classes: the probability from which on it is the second. Default 0.5. */
  readonly threshold?: number;
  /**
   * Whether scores of two classes are logits (true) or probabilities (false). Default: batch by batch, logits if any lies
   * outside of 0 to 1.
   */
  readonly logits?: boolean;
  /** Scores and targets of one shape `[N, C]` are C questions of yes or no each, not one of C classes. Default false. */
  readonly multilabel?: boolean;
}

/** Throws ArgumentError for options out of range. */
export function checkScores(op: string, { threshold = 0.5 }: ScoreOptions): void {
  if (typeof threshold !== 'number' || !(threshold >= 0 && threshold <= 1))
    throw new ArgumentError(`${op}: threshold must be a probability from 0 to 1, got ${String(threshold)}.`);
}

/** Whether the scores of a batch are logits, as a scalar on the device. */
export function looksLikeLogits(scores: Tensor): Tensor<Shape, 'bool'> {
  return scores.lt(0).logicalOr(scores.gt(1)).any();
}

function isPositive(scores: Tensor, { threshold = 0.5, logits }: ScoreOptions): Tensor {
  const asLogit = Math.log(threshold / (1 - threshold));
  if (logits !== undefined) return scores.ge(logits ? asLogit : threshold);
  // Nothing is read: both are computed, and one is taken.
  return where(looksLikeLogits(scores), scores.ge(asLogit), scores.ge(threshold));
}

/**
 * Class numbers of predictions and of targets, int64 of one shape. Scores `[N, C, ...]` beside targets `[N, ...]` give the class
 * with the largest, as they do beside soft or one-hot targets `[N, C]`; scores of the targets' own shape, or of one column, are
 * those of the second of two classes; integers are classes already.
 *
 * @returns also the number of classes, null if the shapes do not say
 */
export function toClasses(
  op: string,
  output: Tensor,
  target: Tensor,
  options: ScoreOptions = {},
): { predicted: Tensor; expected: Tensor; classes: number | null } {
  checkPair(op, output, target);
  const columns = output.shape[1] ?? 0;
  const alike = shapesEqual(output.shape, target.shape);
  if (alike && options.multilabel !== true && isFloating(target.dtype) && isFloating(output.dtype) && columns > 1)
    return { predicted: output.argmax(1), expected: target.argmax(1), classes: columns };
  const expected = target.to('int64');
  if (alike) {
    if (!isFloating(output.dtype)) return { predicted: output.to('int64'), expected, classes: null };
    return { predicted: isPositive(output, options).to('int64'), expected, classes: 2 };
  }
  const rest = [...output.shape.slice(0, 1), ...output.shape.slice(2)];
  if (output.shape.length >= 2 && shapesEqual(rest, target.shape) && isFloating(output.dtype)) {
    if (columns === 1) return { predicted: isPositive(output.squeeze(1), options).to('int64'), expected, classes: 2 };
    if (columns > 1) return { predicted: output.argmax(1), expected, classes: columns };
  }
  throw new ShapeError(
    `${op}(output ${output.dtype}${formatShape(output.shape)}, target ${target.dtype}${formatShape(target.shape)}): expected scores [N, C, ...] beside classes [N, ...], or two of one shape.`,
  );
}
