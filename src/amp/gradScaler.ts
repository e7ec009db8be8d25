// Loss scaling (Micikevicius et al. 2018, Mixed Precision Training): gradients too small for float16 are carried through
// backward as multiples of what they are. The factor, and whether gradients have overflowed, are numbers in the device's
// memory: nothing waits for them.
import { noGrad } from '../autograd/mode.js';
import { dynamicPart } from '../cuda/capture.js';
import { byDevice, type Device } from '../device.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { keep, tidy, untracked } from '../memory.js';
import { native, scratchHandles } from '../native.js';
import { mul } from '../ops/arithmetic.js';
import { copy_, fill_, to } from '../ops/copy.js';
import { full, zeros } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import type { Optimizer } from '../optim/optimizer.js';
import * as e from '../program/expr.js';
import { program } from '../program/program.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Options of `GradScaler`. */
export interface GradScalerOptions {
  /** The factor to start with, a float32. Default 65536. */
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

// Beyond the first it would not come down again, below the other not up.
const largestScale = (2 - 2 ** -23) * 2 ** 127;
const smallestScale = 2 ** -126;

// In float64, as the tracker is.
const adjusted = program({
  name: 'GradScaler.update',
  tensors: ['scale', 'tracker', 'found'],
  scalars: ['growthFactor', 'backoffFactor', 'growthInterval'],
  update: ({ scale, tracker, found, growthFactor, backoffFactor, growthInterval }) => {
    const count = e.add(tracker, 1);
    const isDue = e.ge(count, growthInterval);
    const grown = e.mul(scale, growthFactor);
    const next = e.select(isDue, e.select(e.le(grown, largestScale), grown, scale), scale);
    return {
      scale: e.select(found, e.maximum(e.mul(scale, backoffFactor), smallestScale), next),
      tracker: e.select(found, 0, e.select(isDue, 0, count)),
    };
  },
});

const either = program({
  name: 'GradScaler.update',
  tensors: ['any', 'found'],
  update: ({ any, found }) => ({ any: e.maximum(any, found) }),
});

type AnyOptimizer = Pick<Optimizer<object>, 'paramGroups' | 'step'>;
type Skippable = AnyOptimizer & Partial<Pick<Optimizer<object>, '_stepUnless'>>;
type Stage = 'unscaled' | 'stepped';

function checkAbove(name: string, value: number, limit: number, strict = true): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || !(strict ? value > limit : value >= limit)) {
    throw new ArgumentError(
      `GradScaler: ${name} must be a number ${strict ? '>' : '>='} ${limit}, got ${String(value)}.`,
    );
  }
}

function checkScale(value: number): void {
  checkAbove('scale', value, 0);
  const rounded = Math.fround(value);
  if (!(rounded >= smallestScale && rounded <= largestScale))
    throw new ArgumentError(`GradScaler: scale must be a float32, from 2^-126 to 2^128, got ${value}.`);
}

function checkNumbers(state: Omit<GradScalerState, 'growthTracker'>): void {
  checkScale(state.scale);
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
 * The factor and what was found in the gradients stay on the device, which leaves out steps by itself: parameters and the
 * state of the optimizer, step counts too, are then as they were. So nothing waits, and `cuda.graph` can capture a whole
 * step. `getScale`, `stateDict` and `foundInf` read, and wait. Of optimizers only those of a user's own class wait in
 * `step`, unless they were made by `defineOptimizer`.
 *
 * Schedules of the learning rate go on with each step that was asked for, also where it was left out.
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
  private _growthFactor: number;
  private _backoffFactor: number;
  private _growthInterval: number;
  // Until a device has them.
  private _start: { scale: number; tracker: number };
  private _numbers: Readonly<Record<'scale' | 'tracker' | 'any', Tensor>> | null = null;
  private _stages = new Map<AnyOptimizer, Stage>();
  // Whether gradients have overflowed, by the optimizer and its devices; memory that graphs go on using.
  private readonly _found = new WeakMap<AnyOptimizer, Map<Device, Tensor>>();

  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    checkNumbers({ scale: initScale, growthFactor, backoffFactor, growthInterval });
    this.enabled = enabled;
    this._start = { scale: Math.fround(initScale), tracker: 0 };
    this._growthFactor = growthFactor;
    this._backoffFactor = backoffFactor;
    this._growthInterval = growthInterval;
  }

  private numbersFor(device: Device): NonNullable<GradScaler['_numbers']> {
    return (this._numbers ??= untracked(() => ({
      scale: keep(full([], this._start.scale, { device, dtype: 'float32' })),
      tracker: keep(full([], this._start.tracker, { device, dtype: 'float64' })),
      any: keep(zeros([], { device, dtype: 'float32' })),
    })));
  }

  /** The factor; 1 if not enabled. Waits for the steps before. */
  getScale(): number {
    if (!this.enabled) return 1;
    return this._numbers === null ? this._start.scale : Number(this._numbers.scale.itemSync());
  }

  /** A loss, or each of several, times the factor. */
  scale<T extends Tensor | readonly Tensor[]>(loss: T): T {
    if (!this.enabled) return loss;
    const one = (x: Tensor): Tensor => {
      checkTensor('GradScaler.scale', 'loss', x);
      return mul(x, to(this.numbersFor(x.device).scale, x.device));
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
        `GradScaler.unscale_: the gradients of this optimizer ${stage === 'stepped' ? 'have been stepped with' : 'are unscaled already'}; call update() after step(), once for all optimizers.`,
      );
    }
    const grads = gradientsOf(optimizer);
    const half = grads.find(({ dtype }) => dtype === 'float16');
    if (half !== undefined) {
      throw new DTypeError(
        `GradScaler.unscale_: a gradient is float16; keep parameters in float32 and compute with amp.autocast().`,
      );
    }
    const lists = byDevice(grads);
    const found = this.foundOn(
      optimizer,
      lists.map(([{ device }]) => device),
    );
    noGrad(() =>
      tidy(() => {
        for (const flag of found.values()) fill_(flag, 0);
        for (const there of lists) {
          const { device } = there[0];
          unscaleAll(there, to(this.numbersFor(device).scale, device), found.get(device)!);
        }
        share([...found.values()]);
      }),
    );
    this._stages.set(optimizer, 'unscaled');
  }

  // The flags of an optimizer's devices: of those with gradients now, and of those that had some before.
  private foundOn(optimizer: AnyOptimizer, devices: readonly Device[]): Map<Device, Tensor> {
    let found = this._found.get(optimizer);
    if (found === undefined) this._found.set(optimizer, (found = new Map<Device, Tensor>()));
    for (const device of devices) {
      if (!found.has(device))
        found.set(
          device,
          untracked(() => keep(zeros([], { device, dtype: 'float32' }))),
        );
    }
    return found;
  }

  /**
   * `optimizer.step()`, with unscaled gradients, unless one of them is infinite or NaN: then the device leaves it out.
   * `foundInf` says which it was.
   *
   * @throws ArgumentError the second time since the last `update`
   */
  step(optimizer: AnyOptimizer): void {
    if (!this.enabled) {
      optimizer.step();
      return;
    }
    if (!this._stages.has(optimizer)) this.unscale_(optimizer);
    if (this._stages.get(optimizer) === 'stepped') {
      throw new ArgumentError('GradScaler.step: this optimizer has stepped already; call update() after step().');
    }
    this._stages.set(optimizer, 'stepped');
    const found = this._found.get(optimizer)!;
    // Without gradients there is nothing to leave out.
    if (found.size > 0 && (optimizer as Skippable)._stepUnless?.(found) === true) return;
    if (!this.foundInfSync(optimizer)) optimizer.step();
  }

  /**
   * Whether the gradients of an optimizer had overflowed when they were last unscaled, so that its step was left out. False
   * for one that was never stepped with this scaler.
   *
   * @example
   * scaler.step(optimizer);
   * if (await scaler.foundInf(optimizer)) console.log('left out');
   */
  async foundInf(optimizer: AnyOptimizer): Promise<boolean> {
    const flag = this.flagOf(optimizer);
    return flag !== undefined && Number(await flag.item()) !== 0;
  }

  /** As `foundInf`, waiting. */
  foundInfSync(optimizer: AnyOptimizer): boolean {
    const flag = this.flagOf(optimizer);
    return flag !== undefined && Number(flag.itemSync()) !== 0;
  }

  // All devices have the same.
  private flagOf(optimizer: AnyOptimizer): Tensor | undefined {
    const [flag] = this._found.get(optimizer)?.values() ?? [];
    return flag;
  }

  /**
   * Adjusts the factor to what the steps since the last call have found.
   *
   * @param scale sets the factor to this instead
   */
  update(scale?: number): void {
    if (!this.enabled) return;
    if (scale !== undefined) {
      checkScale(scale);
      this.write(scale, undefined);
    } else {
      if (this._stages.size === 0) {
        throw new ArgumentError('GradScaler.update: nothing was unscaled since the last update(); call step() first.');
      }
      this.adjust();
    }
    this._stages = new Map();
  }

  private adjust(): void {
    const flags = [...this._stages.keys()].flatMap((optimizer) => this.flagOf(optimizer) ?? []);
    const [{ paramGroups }] = this._stages.keys();
    const { scale, tracker, any } = this.numbersFor(flags[0]?.device ?? paramGroups[0].params[0].device);
    const { device } = scale;
    noGrad(() =>
      tidy(() => {
        let found = flags[0]?.device === device && flags.length === 1 ? flags[0] : any;
        if (found === any) {
          fill_(any, 0);
          for (const flag of flags) either.run({ any: [any], found: [to(flag, device)] }, {});
          found = any;
        }
        dynamicPart(() =>
          noGrad(() => {
            const {
              _growthFactor: growthFactor,
              _backoffFactor: backoffFactor,
              _growthInterval: growthInterval,
            } = this;
            adjusted.run(
              { scale: [scale], tracker: [tracker], found: [found] },
              { growthFactor, backoffFactor, growthInterval },
            );
          }),
        );
      }),
    );
  }

  private write(scale: number, tracker: number | undefined): void {
    if (this._numbers === null) {
      this._start = { scale: Math.fround(scale), tracker: tracker ?? this._start.tracker };
      return;
    }
    const numbers = this._numbers;
    noGrad(() => {
      fill_(numbers.scale, scale);
      if (tracker !== undefined) fill_(numbers.tracker, tracker);
    });
  }

  /** Numbers, for saving; null if not enabled. Waits for the steps before. */
  stateDict(): GradScalerState | null {
    if (!this.enabled) return null;
    return {
      scale: this.getScale(),
      growthFactor: this._growthFactor,
      backoffFactor: this._backoffFactor,
      growthInterval: this._growthInterval,
      growthTracker: this._numbers === null ? this._start.tracker : Number(this._numbers.tracker.itemSync()),
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
    this.write(state.scale, state.growthTracker);
    this._growthFactor = state.growthFactor;
    this._backoffFactor = state.backoffFactor;
    this._growthInterval = state.growthInterval;
  }
}

// Each once: parameters may share a gradient.
function gradientsOf(optimizer: AnyOptimizer): Tensor[] {
  const grads = optimizer.paramGroups.flatMap(({ params }) =>
    params.flatMap(({ grad }) => (grad === null ? [] : [grad])),
  );
  return [...new Set(grads)].filter(({ numel }) => numel > 0);
}

function unscaleAll(grads: readonly Tensor[], scale: Tensor, found: Tensor): void {
  const atOnce = scratchHandles.length;
  for (let from = 0; from < grads.length; from += atOnce) {
    const part = grads.slice(from, from + atOnce);
    part.forEach((g, i) => (scratchHandles[i] = g._handle));
    native.unscale(part.length, scale._handle, found._handle);
  }
  for (const g of grads) g._version.count++;
}

// What one device has found concerns them all.
function share(flags: readonly Tensor[]): void {
  if (flags.length < 2) return;
  const [first, ...others] = flags;
  for (const flag of others) either.run({ any: [first], found: [to(flag, first.device)] }, {});
  for (const flag of others) copy_(flag, first);
}
