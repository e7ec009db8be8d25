// From losses to an update of the parameters: accumulation, loss scaling, clipping, and methods that need a closure.
import { noGrad } from '../autograd/mode.js';
import type { GradScaler } from '../amp/gradScaler.js';
import { byDevice } from '../device.js';
import { ArgumentError, GradError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import { clipGradNorm, clipGradValue } from '../nn/utils/clipGrad.js';
import { mul } from '../ops/arithmetic.js';
import { LBFGS } from '../optim/lbfgs.js';
import type { Optimizer, ParameterGroup, ParameterState } from '../optim/optimizer.js';
import { SAM } from '../optim/wrappers.js';
import * as e from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import type { GradientRecord } from './callback.js';
import { checkDifferentiable, type Computed } from './compute.js';

/** A limit on gradients: on the norm of all of them together (a number says the same), or on each element. */
export type Clip = number | ClipNorm | ClipValue;

/** A limit on the norm of all gradients together. */
export interface ClipNorm {
  /** The largest norm. */
  readonly norm: number;
  /** Its order. Default 2. */
  readonly normType?: number;
}

/** A limit on each element of the gradients. */
export interface ClipValue {
  /** The largest magnitude. */
  readonly value: number;
}

/** What a run asks of an optimizer: those of `optim` have it, and those around others. */
export interface AnyOptimizer {
  /** Parameters and their options. */
  readonly paramGroups: ParameterGroup<object>[];
  /** What is remembered of each parameter. */
  readonly state: Map<Tensor, ParameterState>;
  /** Updates the parameters. */
  step(closure?: () => Tensor): unknown;
  /** Forgets the gradients. */
  zeroGrad(): void;
  /** What there is to keep. */
  stateDict(): unknown;
  /** Takes what `stateDict` gave. */
  loadStateDict(dict: never): void;
}

/** Throws ArgumentError for what is no limit. */
export function checkClip(op: string, clip: Clip | undefined): void {
  if (clip === undefined) return;
  const given: unknown =
    typeof clip === 'object' && clip !== null ? ('norm' in clip ? clip.norm : (clip as { value: number }).value) : clip;
  if (typeof given !== 'number' || !(given > 0)) {
    throw new ArgumentError(
      `${op}: clip must be the largest norm, { norm } or { value }, a number > 0; got ${String(given)}.`,
    );
  }
}

const scaleGradients = program({
  name: 'accumulate',
  tensors: ['g'],
  scalars: ['factor'],
  update: ({ g, factor }) => ({ g: e.mul(g, factor) }),
});

/** Whether `step` computes the loss itself, by a closure. */
export function needsClosure(optimizer: AnyOptimizer): boolean {
  if (optimizer instanceof SAM || optimizer instanceof LBFGS) return true;
  const { base } = optimizer as { base?: AnyOptimizer };
  return base !== undefined && needsClosure(base);
}

/** A batch's loss that has been read by nobody, and its weight. */
interface Part {
  readonly loss: Tensor;
  readonly samples: number;
}

/** What an update was made of. */
export interface Updated {
  readonly samples: number;
  readonly parts: readonly Part[];
  readonly gradNorm: Tensor | undefined;
}

/** Gathers gradients of batches, and steps. */
export class Updater {
  private parts: Part[] = [];
  private samples = 0;
  private first = 0;

  constructor(
    private readonly op: string,
    readonly optimizer: AnyOptimizer,
    private readonly clip: Clip | undefined,
    private readonly scaler: GradScaler | undefined,
  ) {}

  /** Batches whose gradients are waiting for an update. */
  get pending(): number {
    return this.parts.length;
  }

  private parameters(): Tensor[] {
    return this.optimizer.paramGroups.flatMap(({ params }) => params);
  }

  /**
   * Computes the gradients of a batch and adds them to those that are waiting.
   *
   * The loss is a mean over n samples. Gradients are gathered as sums, in units of the first batch's size, and divided when
   * all batches are known: so a smaller last one weighs what it has, and equal ones cost nothing extra.
   */
  backward(computed: Computed): void {
    const { loss, samples } = computed;
    checkDifferentiable(this.op, loss);
    if (this.pending === 0) {
      this.optimizer.zeroGrad();
      this.first = samples;
    }
    const weighted = samples === this.first ? loss : mul(loss, samples / this.first);
    (this.scaler === undefined ? weighted : this.scaler.scale(weighted)).backward();
    this.parts.push({ loss: untracked(() => keep(loss.detach())), samples });
    this.samples += samples;
  }

  /** Makes a mean of the gradients that are waiting. */
  finishGradients(): void {
    const grads = [...new Set(this.parameters().flatMap(({ grad }) => (grad === null ? [] : [grad])))];
    if (grads.length === 0) {
      throw new GradError(
        `${this.op}: backward has reached none of the optimizer's ${this.parameters().length} parameters; is it an optimizer of this model's parameters?`,
      );
    }
    const factor = this.first / this.samples;
    if (factor === 1) return;
    noGrad(() => {
      for (const there of byDevice(grads.filter((g) => g.numel > 0))) {
        for (const dtype of new Set(there.map((g) => g.dtype)))
          scaleGradients.run({ g: there.filter((g) => g.dtype === dtype) }, { factor });
      }
    });
  }

  /** What is known before the step. */
  record(): GradientRecord {
    const { parts, samples } = this;
    let loss: Promise<number> | undefined;
    return { samples, loss: () => (loss ??= lossOf({ parts, samples, gradNorm: undefined })) };
  }

  private applyClip(): Tensor | undefined {
    const { clip } = this;
    if (clip === undefined) return undefined;
    if (typeof clip === 'object' && 'value' in clip) {
      clipGradValue(this.parameters(), clip.value);
      return undefined;
    }
    const { norm, normType = 2 } = typeof clip === 'number' ? { norm: clip } : clip;
    return untracked(() => keep(clipGradNorm(this.parameters(), norm, { normType })));
  }

  /** Clips and steps. Where gradients had overflowed the device leaves the step out, and nobody here knows. */
  step(): Updated {
    let gradNorm: Tensor | undefined;
    tidy(() => {
      this.scaler?.unscale_(this.optimizer as Optimizer<object>);
      gradNorm = this.applyClip();
      if (this.scaler === undefined) {
        this.optimizer.step();
        return;
      }
      this.scaler.step(this.optimizer as Optimizer<object>);
      this.scaler.update();
    });
    const updated = { samples: this.samples, parts: this.parts, gradNorm };
    this.parts = [];
    this.samples = 0;
    return updated;
  }

  /** A step of a method that computes the loss itself, as often as it needs it. */
  stepWithClosure(compute: () => Computed): { computed: Computed; updated: Updated } {
    let first: Computed | undefined;
    let gradNorm: Tensor | undefined;
    const closure = (): Tensor => {
      this.optimizer.zeroGrad();
      const computed = compute();
      checkDifferentiable(this.op, computed.loss);
      computed.loss.backward();
      const norm = this.applyClip();
      gradNorm?.dispose();
      gradNorm = norm;
      first ??= { ...computed, loss: untracked(() => keep(computed.loss.detach())) };
      return computed.loss;
    };
    this.optimizer.step(closure);
    const { samples, loss } = first!;
    return { computed: first!, updated: { samples, parts: [{ loss, samples }], gradNorm } };
  }

  /** Forgets gradients that are waiting. */
  discard(): void {
    releaseUpdate({ samples: 0, parts: this.parts, gradNorm: undefined });
    this.parts = [];
    this.samples = 0;
    this.optimizer.zeroGrad();
  }
}

/** Frees the losses of an update. */
export function releaseUpdate({ parts, gradNorm }: Updated): void {
  for (const { loss } of parts) loss.dispose();
  gradNorm?.dispose();
}

/** The loss of an update: the mean over its samples. */
export async function lossOf({ parts, samples }: Updated): Promise<number> {
  const values = await Promise.all(parts.map(async ({ loss }) => Number(await loss.item())));
  if (values.length === 1) return values[0];
  return values.reduce((sum, value, i) => sum + value * (parts[i].samples / samples), 0);
}
