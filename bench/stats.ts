// Summaries of repeated measurements, and how they are written.

/** The value at a share (0 to 1) of the sorted samples, interpolated between neighbours. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at % 1);
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Half the distance between the quartiles, as a share of the median: half of the samples lie within about this. */
export function spread(samples: readonly number[]): number {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / median(samples);
}

/** The median of b / a, pair by pair: drift between rounds does not enter. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, i) => b[i] / value));
}

const nanoseconds = { ns: 1, us: 1e3, ms: 1e6 } as const;

/** Nanoseconds in a unit, with three digits or the whole part. */
export function formatTime(ns: number, unit: keyof typeof nanoseconds): string {
  const value = ns / nanoseconds[unit];
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}
