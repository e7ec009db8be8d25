// Summaries of repeated measurements, and how they are written.

/** The value at a share (0 to 1) of the sorted samples, interpolated between neighbours. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at % 1);
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** The median and the quartiles, between which half of the samples lie. */
export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export const summarize = (samples: readonly number[]): Summary => ({
  median: median(samples),
  low: quantile(samples, 0.25),
  high: quantile(samples, 0.75),
});

/** Half the distance between the quartiles, as a share of the median. */
export const spread = ({ median, low, high }: Summary): number => (high - low) / 2 / median;

/** b / a, pair by pair: drift between rounds does not enter. */
export const ratios = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => b[i] / value);

const nanoseconds = { ns: 1, us: 1e3, ms: 1e6 } as const;

/** Nanoseconds in a unit, with three digits or the whole part. */
export function formatTime(ns: number, unit: keyof typeof nanoseconds): string {
  const value = ns / nanoseconds[unit];
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text} ${unit === 'us' ? 'µs' : unit}`;
}

/** A ratio with three digits at most. */
export const formatRatio = (ratio: number): string => ratio.toFixed(ratio >= 10 ? (ratio >= 100 ? 0 : 1) : 2);

export const formatPercent = (share: number): string => `${(100 * share).toFixed(0)}%`;
