// Values counted in buckets whose limits grow by a tenth, the ones that TensorBoard draws best.
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { isfinite, where } from '../ops/compare.js';
import { tensor } from '../ops/creation.js';
import { bucketize } from '../ops/sort.js';
import { bincount } from '../ops/statistics.js';
import type { Tensor } from '../tensor/tensor.js';
import type { HistogramData } from './messages.js';

function bucketLimits(): number[] {
  const positive: number[] = [];
  for (let limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push(limit);
  return [...positive.map((limit) => -limit).reverse(), 0, ...positive, Number.MAX_VALUE];
}

const limits = bucketLimits();

/** Of all finite values. Empty buckets at both ends are left out; the first one reaches down to the smallest value. */
export async function histogramOf(x: Tensor): Promise<HistogramData> {
  const [facts, counts] = noGrad(() =>
    tidy(() => {
      const values = x.detach().to('float64').flatten();
      const finite = isfinite(values);
      const known = where(finite, values, 0) as Tensor;
      const edges = tensor(limits, { dtype: 'float64', device: x.device });
      const counted = bincount(bucketize(known, edges) as Tensor<readonly number[], 'int64'>, null, {
        minlength: limits.length,
      }).to('float64');
      if (x.numel === 0) return [[], counted] as const;
      const least = (where(finite, values, Infinity) as Tensor).min();
      const most = (where(finite, values, -Infinity) as Tensor).max();
      const num = finite.to('float64').sum();
      return [[least, most, num, known.sum(), known.mul(known).sum()], counted] as const;
    }),
  );
  try {
    const [min = Infinity, max = -Infinity, num = 0, sum = 0, sumSquares = 0] = await Promise.all(
      facts.map(async (fact) => Number(await fact.item())),
    );
    if (num === 0) return { min: 0, max: 0, num: 0, sum: 0, sumSquares: 0, limits: [0], counts: [0] };
    const all = Array.from(await counts.data(), Number);
    // What is not finite was counted as 0.
    all[limits.indexOf(0)] -= x.numel - num;
    const first = all.findIndex((count) => count > 0);
    const end = all.reduce((last, count, i) => (count > 0 ? i + 1 : last), 0);
    return { min, max, num, sum, sumSquares, limits: limits.slice(first, end), counts: all.slice(first, end) };
  } finally {
    for (const made of [...facts, counts]) made.dispose();
  }
}
