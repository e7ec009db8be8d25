// Loss scaling (Micikevicius et al. 2018, Mixed Precision Training): gradients too small for float16 are carried through
// backward as multiples of what they are.
import { noGrad } from '../autograd/mode.js';
import { byDevice } from '../device.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { tidy } from '../memory.js';
import { getTotalNorm } from '../nn/utils/clipGrad.js';
import { mul } from '../ops/arithmetic.js';
import { checkTensor } from '../ops/define.js';
import type { Optimizer } from '../optim/optimizer.js';
import * as e from '../program/expr.js';
import { program } from '../program/program.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Options of `GradScaler`. */
export interface GradScalerOptions {
  /** The factor to start with. Default 65536. */
  initScale?: number;
  /** What the factor is multiplied by after `growthInterval` steps without an overflow. Default 2. */
  growthFactor?: number;
  /** What the factor is multiplied by after a step with one. Default 0.5. */
  backoffFactor?: number;
  /** Default 2000. */
  growthInterval?: number;
  /** False: everything is done as if there were no scaler. Default true. */
  enabled?: boolean;
}

/** What `stateDict()` gives. */
export interface GradScalerState {
  /** The factor. */
  scale: number;
  /** As in `GradScalerOptions`. */
  growthFactor: number;
  /** As in `GradScalerOptions`. */
  backoffFactor: number;
  /** As in `GradScalerOptions`. */
  growthInterval: number;
  /** Steps without an overflow since the factor changed. */
  growthTracker: number;
}

const scaled = program({
  name: 'GradScaler.unscale_',
  tensors: ['g'],
  scalars: ['factor'],
  update: ({ g, factor }) => ({ g: e.mul(g, factor) }),
});

type AnyOptimizer = Pick<Optimizer<object>, 'paramGroups' | 'step'>;
type Stage = { readonly foundInf: boolean; stepped: boolean };

function checkAbove(name: string, value: number, limit: number, strict = true): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || !(strict ? value > limit : value >= limit)) {
    throw new ArgumentError(
      `GradScaler: ${name} must be a number ${strict ? '>' : '>='} ${limit}, got ${String(value)}.`,
    );
  }
}

function checkNumbers(state: Omit<GradScalerState, 'growthTracker'>): void {
  checkAbove('scale', state.scale, 0);
  checkAbove('growthFactor', state.growthFactor, 1);
  checkAbove('growthInterval', state.growthInterval, 1, false);
  checkAbove('backoffFactor', state.backoffFactor, 0);
  if (state.backoffFactor >= 1)
    throw new ArgumentError(`GradScaler: backoffFactor must be below 1, got ${state.backoffFactor}.`);
}

/**
 * Scales losses, and gradients back, for training in float16: the loss is multiplied by a factor, so are all gradients, and
 * steps whose gradients have overflowed are left out and make the factor smaller. bfloat16 has float32's range and needs
 * none of this.
 *
 * `step` and `unscale_` look whether gradients are finite, and so wait for them.
 *
 * @throws ArgumentError for factors that do not grow, or do not shrink
 * @example
 * const scaler = new amp.GradScaler();
 * for (const [x, y] of batches) {
 *   optimizer.zeroGrad();
 *   const loss = amp.autocast({ dtype: 'float16' }, () => nn.functional.crossEntropy(model.forward(x), y));
 *   scaler.scale(loss).backward();
 *   scaler.step(optimizer);
 *   scaler.update();
 * }
 */
export class GradScaler {
  /** False: this scaler does nothing. */
  readonly enabled: boolean;
  private _scale: number;
  private _growthFactor: number;
  private _backoffFactor: number;
  private _growthInterval: number;
  private _growthTracker = 0;
  private _stages = new Map<AnyOptimizer, Stage>();

  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    checkNumbers({ scale: initScale, growthFactor, backoffFactor, growthInterval });
    this.enabled = enabled;
    this._scale = initScale;
    this._growthFactor = growthFactor;
    this._backoffFactor = backoffFactor;
    this._growthInterval = growthInterval;
  }

  /** The factor; 1 if not enabled. */
  getScale(): number {
    return this.enabled ? this._scale : 1;
  }

  /** A loss, or each of several, times the factor. */
  scale<T extends Tensor | readonly Tensor[]>(loss: T): T {
    if (!this.enabled) return loss;
    const one = (x: Tensor): Tensor => {
      checkTensor('GradScaler.scale', 'loss', x);
      return mul(x, this._scale);
    };
    return (isTensor(loss) ? one(loss) : loss.map(one)) as unknown as T;
  }

  /**
   * Divides the gradients of an optimizer's parameters by the factor, in place. `step` does it, unless it was done already:
   * before gradients are clipped.
   *
   * @throws ArgumentError when it was done since the last `update`; DTypeError for gradients in float16, which cannot hold
   *   what comes out
   * @example
   * scaler.unscale_(optimizer);
   * nn.utils.clipGradNorm(model.parameters(), 1);
   * scaler.step(optimizer);
   */
  unscale_(optimizer: AnyOptimizer): void {
    if (!this.enabled) return;
    const stage = this._stages.get(optimizer);
    if (stage !== undefined) {
      throw new ArgumentError(
        `GradScaler.unscale_: the gradients of this optimizer ${stage.stepped ? 'have been stepped with' : 'are unscaled already'}; call update() after step(), once for all optimizers.`,
      );
    }
    const grads = gradientsOf(optimizer);
    const half = grads.find(({ dtype }) => dtype === 'float16');
    if (half !== undefined) {
      throw new DTypeError(
        `GradScaler.unscale_: a gradient is float16; keep parameters in float32 and compute with amp.autocast().`,
      );
    }
    for (const there of byDevice(grads)) noGrad(() => scaled.run({ g: there }, { factor: 1 / this._scale }));
    const largest = tidy(() => Number(getTotalNorm(grads, { normType: Infinity }).itemSync()));
    this._stages.set(optimizer, { foundInf: !Number.isFinite(largest), stepped: false });
  }

  /**
   * `optimizer.step()`, with unscaled gradients, unless one of them is infinite or NaN.
   *
   * @returns whether the step was taken
   * @throws ArgumentError the second time since the last `update`
   */
  step(optimizer: AnyOptimizer): boolean {
    if (!this.enabled) {
      optimizer.step();
      return true;
    }
    if (!this._stages.has(optimizer)) this.unscale_(optimizer);
    const stage = this._stages.get(optimizer)!;
    if (stage.stepped) {
      throw new ArgumentError('GradScaler.step: this optimizer has stepped already; call update() after step().');
    }
    stage.stepped = true;
    if (!stage.foundInf) optimizer.step();
    return !stage.foundInf;
  }

  /**
   * Adjusts the factor to what the steps since the last call have found.
   *
   * @param scale sets the factor to this instead
   */
  update(scale?: number): void {
    if (!this.enabled) return;
    if (scale !== undefined) {
      checkAbove('scale', scale, 0);
      this._scale = scale;
    } else {
      if (this._stages.size === 0) {
        throw new ArgumentError('GradScaler.update: nothing was unscaled since the last update(); call step() first.');
      }
      if ([...this._stages.values()].some(({ foundInf }) => foundInf)) {
        this._scale *= this._backoffFactor;
        this._growthTracker = 0;
      } else if (++this._growthTracker >= this._growthInterval) {
        // Infinite, it would not come down again.
        if (Number.isFinite(Math.fround(this._scale * this._growthFactor))) this._scale *= this._growthFactor;
        this._growthTracker = 0;
      }
    }
    this._stages = new Map();
  }

  /** Numbers, for saving; null if not enabled. */
  stateDict(): GradScalerState | null {
    if (!this.enabled) return null;
    return {
      scale: this._scale,
      growthFactor: this._growthFactor,
      backoffFactor: this._backoffFactor,
      growthInterval: this._growthInterval,
      growthTracker: this._growthTracker,
    };
  }

  /**
   * Restores what `stateDict()` gave.
   *
   * @throws ArgumentError for what it cannot have given; nothing is changed then
   */
  loadStateDict(state: GradScalerState | null): void {
    if (!this.enabled) return;
    if (state === null) {
      throw new ArgumentError('GradScaler.loadStateDict: the state is that of a scaler that was not enabled.');
    }
    checkNumbers(state);
    checkAbove('growthTracker', state.growthTracker, 0, false);
    this._scale = state.scale;
    this._growthFactor = state.growthFactor;
    this._backoffFactor = state.backoffFactor;
    this._growthInterval = state.growthInterval;
    this._growthTracker = state.growthTracker;
  }
}

// Each once: parameters may share a gradient.
function gradientsOf(optimizer: AnyOptimizer): Tensor[] {
  const grads = optimizer.paramGroups.flatMap(({ params }) =>
    params.flatMap(({ grad }) => (grad === null ? [] : [grad])),
  );
  return [...new Set(grads)].filter(({ numel }) => numel > 0);
}
