// Precision and recall at evenly spaced thresholds.
import { noGrad } from '../autograd/mode.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { checkTensor } from '../ops/define.js';
import { bincount } from '../ops/statistics.js';
import type { Tensor } from '../tensor/tensor.js';

/** Rows of true positives, false positives, true negatives, false negatives, precision and recall, one after the other. */
export async function prCurve(labels: Tensor, predictions: Tensor, thresholds: number): Promise<number[]> {
  checkTensor('addPrCurve', 'labels', labels);
  checkTensor('addPrCurve', 'predictions', predictions);
  if (labels.numel !== predictions.numel) {
    throw new ShapeError(
      `addPrCurve: there are ${labels.numel} labels and ${predictions.numel} predictions; there must be as many.`,
    );
  }
  if (!Number.isInteger(thresholds) || thresholds < 2 || thresholds > 10_000) {
    throw new ArgumentError(`addPrCurve: numThresholds must be an integer from 2 to 10000, got ${String(thresholds)}.`);
  }
  // How many predictions fall between two thresholds, of each label.
  const [positive, negative] = noGrad(() =>
    tidy(() => {
      const bucket = predictions
        .detach()
        .to('float64')
        .flatten()
        .clamp({ min: 0, max: 1 })
        .mul(thresholds - 1)
        .floor()
        .to('int64') as Tensor<readonly number[], 'int64'>;
      const is = labels.detach().flatten().to('bool').to('float64') as Tensor;
      const count = (weights: Tensor): Tensor => bincount(bucket, weights, { minlength: thresholds });
      return [count(is), count(is.mul(-1).add(1))] as const;
    }),
  );
  const [yes, no] = await Promise.all([positive.data(), negative.data()]);
  positive.dispose();
  negative.dispose();
  const above = (counts: ArrayLike<number | bigint>): number[] => {
    const sums = new Array<number>(thresholds).fill(0);
    for (let i = thresholds - 1, sum = 0; i >= 0; i--) sums[i] = sum += Number(counts[i]);
    return sums;
  };
  const [tp, fp] = [above(yes), above(no)];
  const tn = fp.map((value) => fp[0] - value);
  const fn = tp.map((value) => tp[0] - value);
  const precision = tp.map((value, i) => value / Math.max(value + fp[i], Number.MIN_VALUE));
  const recall = tp.map((value, i) => value / Math.max(value + fn[i], Number.MIN_VALUE));
  return [...tp, ...fp, ...tn, ...fn, ...precision, ...recall];
}
