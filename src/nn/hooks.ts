// Hooks of modules. `forward` is called directly, so the first hook puts a wrapper in front of it as a property of the
// instance, not enumerable, and the last one to go takes it away again.
import type { InputGradients } from '../autograd/node.js';
import { checkReplacement, HookList, type HookHandle } from '../autograd/hooks.js';
import { isFloating } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { needsRecord, record } from '../ops/define.js';
import { isTensor, viewTensor, type Tensor } from '../tensor/tensor.js';

/** Called before `forward` with its arguments; what it returns, a list of arguments or the only one, takes their place. */
export type ForwardPreHook<M> = (module: M, inputs: readonly unknown[]) => unknown;

/** Called after `forward` with its arguments and result; what it returns, unless undefined, takes the result's place. */
export type ForwardHook<M> = (module: M, inputs: readonly unknown[], output: unknown) => unknown;

/** A gradient of each input or output; null for what is no tensor or has none. */
export type ModuleGradients = readonly (Tensor | null)[];

/** Called with the gradients of a module's inputs and outputs; what it returns takes the place of those of the inputs. */
export type FullBackwardHook<M> = (
  module: M,
  gradInput: ModuleGradients,
  gradOutput: ModuleGradients,
) => ModuleGradients | null | undefined | void;

/** Called with the gradients of a module's outputs, before it; what it returns takes their place. */
export type FullBackwardPreHook<M> = (
  module: M,
  gradOutput: ModuleGradients,
) => ModuleGradients | null | undefined | void;

interface Forwarding {
  forward: (...inputs: unknown[]) => unknown;
}

/** The hooks of one module. @internal */
export class ModuleHooks {
  readonly forwardPre = new HookList<ForwardPreHook<object>>();
  readonly forward = new HookList<ForwardHook<object>>();
  readonly backward = new HookList<FullBackwardHook<object>>();
  readonly backwardPre = new HookList<FullBackwardPreHook<object>>();
  /** What computes parameters before each forward, e.g. `weightNorm`; it sees no inputs. */
  readonly preparations = new HookList<() => void>();

  private constructor(
    private readonly module: object,
    private readonly original: (...inputs: unknown[]) => unknown,
  ) {}

  /** Puts the wrapper in front of `forward`. `emptied` is called when the last hook is gone. */
  static install(module: object, emptied: () => void): ModuleHooks {
    const own = Object.getOwnPropertyDescriptor(module, 'forward');
    const hooks = new ModuleHooks(module, (module as unknown as Forwarding).forward);
    Object.defineProperty(module, 'forward', {
      value: (...inputs: unknown[]) => hooks.run(inputs),
      configurable: true,
      enumerable: false,
      writable: true,
    });
    hooks.uninstall = () => {
      if (hooks.isEmpty) {
        delete (module as Partial<Forwarding>).forward;
        if (own !== undefined) Object.defineProperty(module, 'forward', own);
        emptied();
      }
    };
    return hooks;
  }

  private uninstall = (): void => undefined;

  /** Registers a hook in one of the lists. */
  add<F>(list: HookList<F>, hook: F, prepend = false): HookHandle {
    let removed = false;
    return list.add(hook, prepend, () => {
      if (!removed) this.uninstall();
      removed = true;
    });
  }

  /** True when a hook is given inputs or outputs, which it may keep. */
  get sees(): boolean {
    return this.forwardPre.size + this.forward.size + this.backward.size + this.backwardPre.size > 0;
  }

  private get isEmpty(): boolean {
    return !this.sees && this.preparations.size === 0;
  }

  private run(given: readonly unknown[]): unknown {
    const { module } = this;
    let inputs = given;
    for (const hook of this.preparations.list()) hook();
    for (const hook of this.forwardPre.list()) {
      const result = hook(module, inputs);
      if (result !== undefined && result !== null) inputs = Array.isArray(result) ? (result as unknown[]) : [result];
    }
    const watched = this.backward.size + this.backwardPre.size > 0;
    const call = watched ? new WatchedCall(this.module, this.backward.list(), this.backwardPre.list()) : null;
    if (call !== null) inputs = call.inputs(inputs);
    let output = this.original.apply(module, [...inputs]);
    for (const hook of this.forward.list()) {
      const result = hook(module, inputs, output);
      if (result !== undefined) output = result;
    }
    return call === null ? output : call.output(output);
  }
}

/** One call of a module with backward hooks: steps in the graph before and behind it that let gradients pass. */
class WatchedCall {
  private gradOutput: ModuleGradients = [];
  private inputsRecorded = false;

  constructor(
    private readonly module: object,
    private readonly hooks: readonly FullBackwardHook<object>[],
    private readonly preHooks: readonly FullBackwardPreHook<object>[],
  ) {}

  inputs(inputs: readonly unknown[]): readonly unknown[] {
    this.inputsRecorded = needsRecord(inputs.filter(isTensor));
    return passThrough(inputs, (gradInput) => {
      hold(gradInput);
      return this.callHooks(gradInput);
    });
  }

  output(output: unknown): unknown {
    const several = Array.isArray(output);
    const values = several ? (output as readonly unknown[]) : [output];
    if (!values.some(isTensor)) {
      throw new ArgumentError(
        `registerFullBackwardHook: ${this.module.constructor.name} must give a tensor or an array of tensors, it gave a value of type ${typeof output}.`,
      );
    }
    const passed = passThrough(values, (gradOutput) => this.receive(gradOutput));
    return several ? passed : passed[0];
  }

  private receive(gradOutput: ModuleGradients): ModuleGradients {
    let all = gradOutput;
    hold(all);
    for (const hook of this.preHooks) {
      const result = hook(this.module, all);
      if (result !== undefined && result !== null) all = checkGradients('registerFullBackwardPreHook', result, all);
      hold(all);
    }
    this.gradOutput = all;
    if (!this.inputsRecorded) this.callHooks([null]);
    return all;
  }

  private callHooks(gradInput: ModuleGradients): ModuleGradients {
    let all = gradInput;
    for (const hook of this.hooks) {
      const result = hook(this.module, all, this.gradOutput);
      if (result !== undefined && result !== null) all = checkGradients('registerFullBackwardHook', result, all);
      hold(all);
    }
    return all;
  }
}

// Hooks may keep what they are given, so the backward pass must not free it.
function hold(grads: ModuleGradients): void {
  for (const grad of grads) if (grad !== null) grad._uses++;
}

function checkGradients(op: string, given: unknown, before: ModuleGradients): ModuleGradients {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length !== before.length) {
    throw new ArgumentError(`${op}: a hook returned ${list.length} gradients, expected ${before.length}.`);
  }
  return list.map((item, i) => {
    const old = before[i];
    if (item === null || item === undefined) return null;
    if (old === null) {
      throw new ArgumentError(`${op}: a hook returned a gradient at position ${i}, where there is none; return null.`);
    }
    checkReplacement(op, item, old);
    return item;
  });
}

type Rule = (grads: ModuleGradients) => ModuleGradients;

// The values with views in place of the tensors, recorded as one operation whose gradients go through `rule`, which sees
// one for each value.
function passThrough(values: readonly unknown[], rule: Rule): readonly unknown[] {
  if (!needsRecord(values.filter(isTensor))) return values;
  const floats = [...new Set(values.filter(isTensor))].filter((x) => isFloating(x.dtype));
  const views = floats.map((x) => viewTensor(x, x.shape, x._strides, x._offset));
  const places = values.map((value) => (isTensor(value) ? floats.indexOf(value) : -1));
  record('hook', floats, views, () => [], gradientRule(places, floats.length, rule));
  return values.map((value, i) => views[places[i]] ?? value);
}

// Apart from the above, because the closure must not hold the tensors.
function gradientRule(places: readonly number[], count: number, rule: Rule) {
  return (grads: readonly (Tensor | null)[]): InputGradients => {
    const results = rule(places.map((place) => grads[place] ?? null));
    return Array.from({ length: count }, (_, place) => {
      const result = results[places.indexOf(place)] ?? null;
      return result === null ? null : () => result;
    });
  };
}
