// The area under the ROC curve, exactly: by ranks, with ties counted as halves.
import { noGrad } from '../autograd/mode.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import { where } from '../ops/compare.js';
import { cat } from '../ops/join.js';
import { searchsorted } from '../ops/sort.js';
import { formatShape, shapesEqual } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkPair, looksLikeLogits } from './gather.js';
import type { Metric } from './metric.js';

/** Options of `RocAuc`. */
export interface RocAucOptions {
  /** Of several classes: `'macro'` (default), the mean of each class against the rest; `'none'`, a number for each class. */
  readonly average?: 'macro' | 'none';
  /** Scores of several classes are logits (true), probabilities (false). Default: logits if any lies outside of 0 to 1. */
  readonly logits?: boolean;
  /** Its key in logs. Default `rocAuc`. */
  readonly name?: string;
}

interface Pair {
  readonly scores: Tensor;
  readonly target: Tensor;
}

// float32 holds the 16-bit types; float64 is kept, since a rank may depend on the last bit.
function checked(op: string, output: Tensor, target: Tensor): Pair {
  checkPair(op, output, target);
  if (!isFloating(output.dtype))
    throw new DTypeError(`${op}: output must be scores, a float tensor, got ${output.dtype}.`);
  const one = output.shape.length === target.shape.length + 1 && output.shape.at(-1) === 1;
  const scores = one ? output.squeeze(-1) : output;
  const classes = scores.shape.length === 2 && shapesEqual(scores.shape.slice(0, 1), target.shape);
  if (!shapesEqual(scores.shape, target.shape) && !classes) {
    throw new ShapeError(
      `${op}(output ${formatShape(output.shape)}, target ${formatShape(target.shape)}): expected scores [N] and targets [N], or scores [N, C] and classes [N].`,
    );
  }
  const wide = scores.dtype === 'float64' ? scores : scores.to('float32');
  return { scores: classes ? wide : wide.reshape([-1]), target: target.to('int64').reshape([-1]) };
}

// P(score of a positive > that of a negative) + half P(equal), as a scalar; NaN without positives or negatives.
function area(scores: Tensor, positive: Tensor): Tensor {
  const { values } = scores.sort(0);
  const sorted = values.contiguous() as Tensor<readonly [number]>;
  const below = searchsorted(sorted, scores.contiguous()).to('float64');
  const upTo = searchsorted(sorted, scores.contiguous(), { right: true }).to('float64');
  const ranks = below.add(upTo).add(1).div(2);
  const p = positive.to('float64');
  const positives = p.sum();
  const negatives = p.neg().add(1).sum();
  const above = ranks
    .mul(p)
    .sum()
    .sub(positives.mul(positives.add(1)).div(2));
  const value = above.div(positives.mul(negatives));
  // A score that is NaN has no rank.
  return where(scores.isnan().any() as Tensor<[], 'bool'>, value.mul(Number.NaN), value);
}

function areas({ scores, target }: Pair, options: RocAucOptions): Tensor[] {
  if (scores.shape.length === 1) return [area(scores, target.gt(0))];
  const rows = scores.softmax(1);
  const { logits } = options;
  const probabilities = logits === undefined ? where(looksLikeLogits(scores), rows, scores) : logits ? rows : scores;
  return Array.from({ length: scores.shape[1] }, (_, c) => area(probabilities.select(1, c), target.eq(c)));
}

/**
 * The area under the ROC curve: the probability that a random positive sample has a higher score than a random negative one,
 * equal scores counting half. Exact, so it keeps all scores, on the device, until it is reset; nothing is read before
 * `compute`.
 *
 * `output`: scores `[N]`, logits or probabilities, beside targets 0 and 1; or scores `[N, C]` beside classes `[N]`: each class
 * against the rest. A class without positive or without negative samples has no value: NaN alone, left out of the mean.
 *
 * @example
 * const auc = new metrics.RocAuc();
 * auc.update(tensor([0.1, 0.4, 0.35, 0.8]), tensor([0, 0, 1, 1]));
 * await auc.compute(); // 0.75
 */
export class RocAuc implements Metric<number | readonly number[]> {
  /** Its key in logs. */
  readonly name: string;
  private scores: Tensor[] = [];
  private targets: Tensor[] = [];

  /** @throws ArgumentError for another average */
  constructor(private readonly options: RocAucOptions = {}) {
    this.name = options.name ?? 'rocAuc';
    const { average = 'macro' } = options;
    if (average !== 'macro' && average !== 'none')
      throw new ArgumentError(`RocAuc: average must be 'macro' or 'none', got ${JSON.stringify(average)}.`);
  }

  /** Takes a batch. */
  update(output: Tensor, target: Tensor): void {
    untracked(() =>
      noGrad(() => {
        const pair = tidy(() => {
          const { scores, target: classes } = checked('RocAuc', output, target);
          // Copies: the batch's own memory is used again.
          return { scores: scores.clone(), target: classes.clone() };
        });
        if (this.scores.length > 0 && this.scores[0].shape[1] !== pair.scores.shape[1]) {
          throw new ShapeError(
            `RocAuc: scores of shape ${formatShape(pair.scores.shape)} after those of shape ${formatShape(this.scores[0].shape)}.`,
          );
        }
        this.scores.push(keep(pair.scores));
        this.targets.push(keep(pair.target));
      }),
    );
  }

  /** The area over everything since the last reset; NaN before the first batch. */
  async compute(): Promise<number | readonly number[]> {
    if (this.scores.length === 0) return this.options.average === 'none' ? [] : Number.NaN;
    const values = noGrad(() =>
      tidy(() => areas({ scores: cat(this.scores, 0), target: cat(this.targets, 0) }, this.options)),
    );
    const numbers = await Promise.all(values.map(async (value) => Number(await value.item())));
    for (const value of values) value.dispose();
    if (this.scores[0].shape.length === 1) return numbers[0];
    if (this.options.average === 'none') return numbers;
    const known = numbers.filter((value) => !Number.isNaN(value));
    return known.length === 0 ? Number.NaN : known.reduce((a, b) => a + b, 0) / known.length;
  }

  /** Forgets everything. */
  reset(): void {
    for (const t of [...this.scores, ...this.targets]) t.dispose();
    this.scores = [];
    this.targets = [];
  }

  /** The scores. */
  stateDict(): Record<string, unknown> {
    return { scores: this.scores, targets: this.targets };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.reset();
    const copies = (list: unknown): Tensor[] =>
      untracked(() => (list as unknown[]).filter(isTensor).map((t) => keep(t.clone())));
    this.scores = copies(state['scores']);
    this.targets = copies(state['targets']);
  }
}

/**
 * The area under the ROC curve of two classes, of one batch, as a float64 scalar that has not been read; see `RocAuc`.
 *
 * @param output scores `[N]`
 * @param target 0 and 1, `[N]`
 */
export function rocAuc(output: Tensor, target: Tensor): Tensor<readonly []> {
  return noGrad(() =>
    tidy(() => {
      const pair = checked('rocAuc', output, target);
      if (pair.scores.shape.length !== 1)
        throw new ShapeError(
          `rocAuc: of scores of several classes use new metrics.RocAuc(), got ${formatShape(output.shape)}.`,
        );
      return areas(pair, {})[0] as Tensor<readonly []>;
    }),
  );
}
