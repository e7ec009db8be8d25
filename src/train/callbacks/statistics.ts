// Norms and moments of gradients and weights, now and then.
import { noGrad } from '../../autograd/mode.js';
import { ArgumentError } from '../../errors.js';
import { keep, tidy, untracked } from '../../memory.js';
import { clone } from '../../ops/copy.js';
import { stack } from '../../ops/join.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Callback, Run } from '../callback.js';

/** Options of `Statistics`. */
export interface StatisticsOptions {
  /** Updates from one look to the next; each look reads once from the device. Default 100. */
  readonly every?: number;
  /** Which parameters, by their dotted names. Default: all that learn. */
  readonly include?: (name: string) => boolean;
}

type Quantity = 'gradNorm' | 'gradMean' | 'gradStd' | 'weightNorm' | 'weightMean' | 'weightStd' | 'updateRatio';

/**
 * Notes, for each parameter, the L2 norm, mean and standard deviation (of the population) of its gradient, before clipping,
 * and of its weights, and how large the update was beside the weights (`|p' - p| / |p|`; around 0.001 is usual): in the run's
 * `notes`, as `gradNorm/hidden.weight`, `updateRatio/hidden.weight` and so on, with `gradNorm` of all parameters together.
 *
 * @example
 * const { notes } = await train.fit(model, { ...options, callbacks: [new train.Statistics({ every: 50 })] });
 * console.log(notes[0].step, notes[0].numbers['gradNorm/hidden.weight']);
 */
export class Statistics implements Callback {
  private readonly every: number;
  private before: {
    readonly names: string[];
    readonly weights: Tensor[];
    readonly numbers: [string, Tensor][];
  } | null = null;

  /** @throws ArgumentError unless every is an integer >= 1 */
  constructor(private readonly options: StatisticsOptions = {}) {
    const { every = 100 } = options;
    if (!Number.isSafeInteger(every) || every < 1)
      throw new ArgumentError(`Statistics: every must be an integer >= 1, got ${String(every)}.`);
    this.every = every;
  }

  private moments(kind: 'grad' | 'weight', name: string, t: Tensor): [string, Tensor][] {
    const x = t.detach().to('float32');
    const mean = x.mean();
    const entries: [Quantity, Tensor][] = [
      [`${kind}Norm`, x.square().sum().sqrt()],
      [`${kind}Mean`, mean],
      [`${kind}Std`, x.sub(mean).square().mean().sqrt()],
    ];
    return entries.map(([quantity, value]) => [`${quantity}/${name}`, value.to('cpu')]);
  }

  /** Looks at gradients and weights. */
  onGradients(run: Run): void {
    this.release();
    if ((run.step + 1) % this.every !== 0) return;
    const chosen = [...run.model.namedParameters()].filter(
      ([name, p]) => p.grad !== null && p.numel > 0 && (this.options.include?.(name) ?? true),
    );
    const weights = untracked(() => noGrad(() => chosen.map(([, p]) => keep(clone(p.detach())))));
    const numbers = untracked(() =>
      noGrad(() =>
        tidy(() =>
          chosen.flatMap(([name, p]) => [...this.moments('grad', name, p.grad!), ...this.moments('weight', name, p)]),
        ),
      ),
    );
    this.before = { names: chosen.map(([name]) => name), weights, numbers };
  }

  /** Looks at the updates, and reads everything. */
  async onStep(run: Run): Promise<void> {
    const { before } = this;
    if (before === null) return;
    const ratios = noGrad(() =>
      tidy(() =>
        before.names.map((name, i): [string, Tensor] => {
          const old = before.weights[i].to('float32');
          const change = run.model.getParameter(name).detach().to('float32').sub(old);
          const norm = (t: Tensor): Tensor => t.square().sum().sqrt();
          return [`updateRatio/${name}`, norm(change).div(norm(old)).to('cpu')];
        }),
      ),
    );
    const all = [...before.numbers, ...ratios];
    if (all.length > 0) {
      const list: Tensor[] = all.map(([, value]) => value);
      const values: Tensor = noGrad(() => tidy(() => stack(list, 0)));
      const read = await values.data();
      values.dispose();
      const numbers = Object.fromEntries(all.map(([name], i) => [name, Number(read[i])]));
      const squares = Object.entries(numbers).filter(([name]) => name.startsWith('gradNorm/'));
      run.note({ gradNorm: Math.sqrt(squares.reduce((sum, [, norm]) => sum + norm * norm, 0)), ...numbers });
    }
    for (const [, value] of ratios) value.dispose();
    this.release();
  }

  private release(): void {
    for (const t of this.before?.weights ?? []) t.dispose();
    for (const [, t] of this.before?.numbers ?? []) t.dispose();
    this.before = null;
  }

  /** Frees what a step has left. */
  onFitEnd(): void {
    this.release();
  }

  /** Frees what a step has left. */
  onError(): void {
    this.release();
  }
}
