// Means over an epoch, on the device: nothing is read before the epoch is over.
import { noGrad } from '../autograd/mode.js';
import type { Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import type { Metric, MetricValue } from '../metrics/metric.js';
import { zeros } from '../ops/creation.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Computed } from './compute.js';
import type { StateTree } from './stateTree.js';

/** Metrics as options take them: a list, under their own names, or by names of the user's choice. */
export type Metrics = readonly Metric[] | Readonly<Record<string, Metric>>;

/** Metrics by the names that they have in logs. Throws ArgumentError for what is none, and for a name that is taken. */
export function namedMetrics(op: string, metrics: Metrics | undefined): Map<string, Metric> {
  const named = new Map<string, Metric>();
  const entries: [string, Metric][] = Array.isArray(metrics)
    ? (metrics as readonly Metric[]).map((metric) => [metric?.name, metric])
    : Object.entries((metrics ?? {}) as Record<string, Metric>);
  for (const [name, metric] of entries) {
    const known = metric as Partial<Metric> | null | undefined;
    if (
      typeof known?.update !== 'function' ||
      typeof known.compute !== 'function' ||
      typeof known.reset !== 'function'
    ) {
      throw new ArgumentError(`${op}: metrics must have update, compute and reset, as new metrics.Accuracy() has.`);
    }
    if (typeof name !== 'string' || name === '' || name === 'loss' || named.has(name)) {
      throw new ArgumentError(
        `${op}: there are two metrics, or a loss and a metric, of the name '${String(name)}'; give metrics as { name: metric }.`,
      );
    }
    named.set(name, metric);
  }
  return named;
}

/** What a split has come to. */
export interface Totals {
  /** Numbers by name, the loss among them. */
  readonly logs: Record<string, number>;
  /** Metrics that are no single number. */
  readonly values: Record<string, MetricValue>;
}

/** The sum of the losses weighted by samples, and metrics. */
export class Running {
  /** Samples so far. */
  samples = 0;
  private sum: Tensor | null = null;

  constructor(
    private readonly op: string,
    private readonly metrics: ReadonlyMap<string, Metric>,
  ) {}

  /** Begins again. */
  reset(): void {
    this.samples = 0;
    this.sum?.dispose();
    this.sum = null;
    for (const metric of this.metrics.values()) metric.reset();
  }

  /** The sum where losses are; one of a checkpoint is where files are read to. */
  private sumOn(device: Device): Tensor {
    const { sum } = this;
    if (sum?.device === device) return sum;
    this.sum = untracked(() => keep(sum === null ? zeros([], { dtype: 'float64', device }) : sum.to(device)));
    sum?.dispose();
    return this.sum;
  }

  /** Takes a batch: queues work, reads nothing. */
  add({ loss, output, target, samples }: Computed): void {
    noGrad(() => {
      const sum = this.sumOn(loss.device);
      tidy(() => {
        // float64: of many batches the last would be lost in a float32 sum.
        sum.add_(loss.detach().to('float64').mul(samples));
      });
      if (this.metrics.size > 0) {
        if (!isTensor(output) || !isTensor(target)) {
          throw new ArgumentError(
            `${this.op}: metrics need what the model gave: have forward return { loss, output, target }.`,
          );
        }
        for (const metric of this.metrics.values()) untracked(() => metric.update(output, target));
      }
    });
    this.samples += samples;
  }

  /** Waits for what is queued, without blocking. */
  async settle(): Promise<void> {
    await this.sum?.data();
  }

  /** Reads what there is. */
  async read(): Promise<Totals> {
    const logs: Record<string, number> = {};
    const values: Record<string, MetricValue> = {};
    logs['loss'] = this.sum === null ? Number.NaN : Number(await this.sum.item()) / this.samples;
    for (const [name, metric] of this.metrics) {
      const value = await metric.compute();
      if (typeof value === 'number') logs[name] = value;
      else values[name] = value;
    }
    return { logs, values };
  }

  /** For a checkpoint. */
  stateDict(): StateTree {
    return {
      samples: this.samples,
      sum: this.sum,
      metrics: Object.fromEntries(
        Array.from(this.metrics, ([name, metric]) => [name, metric.stateDict?.() ?? null] as const),
      ),
    };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: StateTree): void {
    this.reset();
    const { samples, sum, metrics } = state as {
      samples: number;
      sum: Tensor | null;
      metrics: Record<string, unknown>;
    };
    this.samples = samples;
    if (sum !== null) this.sum = untracked(() => keep(sum.clone()));
    for (const [name, metric] of this.metrics) {
      const own = metrics[name];
      if (own !== null && own !== undefined) metric.loadStateDict?.(own as Record<string, unknown>);
    }
  }

  /** The names of the metrics. */
  get names(): string[] {
    return [...this.metrics.keys()];
  }

  /** The names of metrics whose state cannot be kept. */
  get forgetful(): string[] {
    return [...this.metrics].filter(([, metric]) => metric.stateDict === undefined).map(([name]) => name);
  }
}

/** `accuracy` as the validation's: `valAccuracy`. */
export const validationName = (name: string): string => `val${name.charAt(0).toUpperCase()}${name.slice(1)}`;
