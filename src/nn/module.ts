// Modules: plain classes whose parameters, buffers and submodules are found by walking their own fields.
import type { FusedActivation } from '../ops/fused.js';
import type { HookHandle } from '../autograd/hooks.js';
import { noGrad } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import type { Device } from '../device.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { keep } from '../memory.js';
import { checkTarget, copy_, to as convert, type MoveOptions } from '../ops/copy.js';
import { checkTensor } from '../ops/define.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { ShapeFn, UnknownFn } from '../types/sequential.js';
import {
  ModuleHooks,
  type ForwardHook,
  type ForwardPreHook,
  type FullBackwardHook,
  type FullBackwardPreHook,
} from './hooks.js';

/** A module of any shape function. */
export type AnyModule = Module<ShapeFn>;

/** A tensor that a module learns. */
export type Parameter<S extends Shape = Shape, D extends DType = DType> = Tensor<S, D>;

/**
 * Marks a tensor as a parameter: it requires gradients, and modules list it.
 *
 * @throws DTypeError for integer and bool tensors
 */
export function parameter<S extends Shape, D extends DType>(data: Tensor<S, D>): Parameter<S, D> {
  if (data._node !== null)
    throw new ArgumentError('parameter: the tensor was made by a recorded operation; pass detach() of it.');
  data._isParameter = true;
  return keep(data).requiresGrad_();
}

// A plain tensor that requires gradients is learned too; one made by parameter() stays a parameter when it is frozen.
function isParameter(tensor: Tensor): boolean {
  return tensor._isParameter || tensor.requiresGrad;
}

/** Tensors by dotted name, in the order of the fields. */
export type StateDict = Map<string, Tensor>;

/** What `loadStateDict` did not find, or did not know. */
export interface LoadReport {
  /** Names that the module has and the given state has not. */
  missing: string[];
  /** Names that the given state has and the module has not. */
  unexpected: string[];
}

let changes = 0;

/** Grows with each tensor that `to` or `register...` gives to some module in the place of another. @internal */
export const tensorChanges = (): number => changes;

/**
 * Base class of layers and models. Own fields decide: a tensor that requires gradients is a parameter, another tensor a
 * buffer (saved, not learned), a Module or an array of Modules a submodule. Fields whose names start with `_` are ignored,
 * and `#private` fields and what is inside plain objects and maps cannot be seen: keep learned things in plain fields,
 * or in `ModuleList`, `ModuleDict`, `ParameterList`, `ParameterDict`.
 *
 * `F` is the shape function of `forward`, for checking chains at compile time; leave it out when in doubt.
 *
 * @example
 * class Net extends nn.Module {
 *   hidden = new nn.Linear(784, 512);
 *   output = new nn.Linear(512, 10);
 *   override forward(x: Tensor): Tensor {
 *     return this.output.forward(this.hidden.forward(x).relu());
 *   }
 * }
 */
export abstract class Module<F extends ShapeFn = UnknownFn> {
  /** Only for the compiler. @internal */
  declare readonly _shapeFn?: F;
  private _training = true;
  private _moduleHooks: ModuleHooks | null = null;
  private _unsaved: Set<string> | null = null;
  /**
   * True for layers that keep no reference to what they are given or give: a chain of them may free what passes between
   * two as soon as nobody needs it.
   *
   * @internal
   */
  readonly _transparent: boolean = false;

  /** The activation that this layer is, where the layer in front of it may as well apply it. @internal */
  _fusedActivation(): FusedActivation | null {
    return null;
  }

  /** `forward` followed by an activation, in one; null if this layer cannot. @internal */
  _forwardWith(input: Tensor, activation: FusedActivation): Tensor | null {
    void input;
    void activation;
    return null;
  }

  /** True for a layer whose results are the largest of some inputs each. @internal */
  _takesMaxima(): boolean {
    return false;
  }

  /** True when a hook sees, and may keep, what this module is given or gives. @internal */
  get _isWatched(): boolean {
    return this._moduleHooks?.sees === true;
  }

  /** True in training mode (the start), false after `eval()`: dropout and the like depend on it. */
  get training(): boolean {
    return this._training;
  }

  /** Computes the output. What a layer takes beside its input is its own business. */
  abstract forward(input: Tensor, ...others: never[]): unknown;

  /** The direct submodules by field name; of arrays, by `field.index`. */
  *namedChildren(): Generator<[string, AnyModule]> {
    for (const [name, value] of Object.entries(this) as [string, unknown][]) {
      if (name.startsWith('_')) continue;
      if (value instanceof Module) yield [name, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of (value as unknown[]).entries())
          if (item instanceof Module) yield [`${name}.${i}`, item];
      }
    }
  }

  /** This module and all below it, by dotted name; '' is this one. A module in two places appears once. */
  *namedModules(prefix = '', seen = new Set<AnyModule>()): Generator<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) {
      yield* child.namedModules(prefix === '' ? name : `${prefix}.${name}`, seen);
    }
  }

  /** The direct submodules. */
  children(): AnyModule[] {
    return Array.from(this.namedChildren(), ([, child]) => child);
  }

  /** This module and all below it. */
  modules(): AnyModule[] {
    return Array.from(this.namedModules(), ([, module]) => module);
  }

  /** The tensors of this module itself by name. @internal */
  *_ownTensors(): Generator<[string, Tensor]> {
    for (const [name, value] of Object.entries(this) as [string, unknown][])
      if (!name.startsWith('_') && isTensor(value)) yield [name, value];
  }

  /** Puts another tensor in the place of an own one. @internal */
  _replaceTensor(name: string, tensor: Tensor): void {
    (this as unknown as Record<string, unknown>)[name] = tensor;
  }

  private *namedTensors(saved = false): Generator<[string, Tensor]> {
    const seen = new Set<Tensor>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module._ownTensors()) {
        if (seen.has(value) || (saved && module._unsaved?.has(name) === true)) continue;
        seen.add(value);
        yield [prefix === '' ? name : `${prefix}.${name}`, value];
      }
    }
  }

  /** The learned tensors by dotted name. One used in two places appears once. */
  *namedParameters(): Generator<[string, Parameter]> {
    for (const [name, value] of this.namedTensors()) if (isParameter(value)) yield [name, value];
  }

  /**
   * The number of learned values.
   *
   * @param options `trainable` (default false): count only parameters that are not frozen
   */
  countParameters(options: { trainable?: boolean } = {}): number {
    const counted = this.parameters().filter((p) => options.trainable !== true || p.requiresGrad);
    return counted.reduce((n, p) => n + p.numel, 0);
  }

  /** The learned tensors. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, value]) => value);
  }

  /** Tensors that are not learned, by dotted name. */
  *namedBuffers(): Generator<[string, Tensor]> {
    for (const [name, value] of this.namedTensors()) if (!isParameter(value)) yield [name, value];
  }

  /** Tensors that are not learned. */
  buffers(): Tensor[] {
    return Array.from(this.namedBuffers(), ([, value]) => value);
  }

  /**
   * Sets a field to a tensor that is not learned. The same as an assignment, but for one that is not to be saved. In
   * TypeScript declare the field with `declare readonly`, so that it does not overwrite what is set here.
   *
   * @param options `persistent` (default true): the state dict has it
   * @throws ArgumentError for a name that is in use, starts with `_`, is empty or has a dot, and for a tensor that requires
   *   gradients
   * @example
   * this.registerBuffer('mask', ones([n, n]).tril(), { persistent: false });
   */
  registerBuffer(name: string, tensor: Tensor | null, options: { persistent?: boolean } = {}): void {
    this.checkFree('registerBuffer', name);
    if (tensor !== null) {
      checkTensor('registerBuffer', 'tensor', tensor);
      if (isParameter(tensor))
        throw new ArgumentError(`registerBuffer: '${name}' requires gradients; pass detach() of it.`);
      keep(tensor);
    }
    (this as unknown as Record<string, unknown>)[name] = tensor;
    changes++;
    if (options.persistent === false) (this._unsaved ??= new Set()).add(name);
    else this._unsaved?.delete(name);
  }

  /**
   * Sets a field to a parameter; `null` for none. The same as an assignment, for names that are computed.
   *
   * @throws ArgumentError for a name that is in use, starts with `_`, is empty or has a dot, and for a tensor that is no
   *   parameter
   */
  registerParameter(name: string, param: Parameter | null): void {
    this.checkFree('registerParameter', name);
    if (param !== null) {
      checkTensor('registerParameter', 'param', param);
      if (!isParameter(param) || !param.isLeaf)
        throw new ArgumentError(`registerParameter: '${name}' is no parameter; make one with nn.parameter(tensor).`);
    }
    (this as unknown as Record<string, unknown>)[name] = param;
    changes++;
  }

  private checkFree(op: string, name: string): void {
    if (typeof name !== 'string' || name === '' || name.startsWith('_') || name.includes('.'))
      throw new ArgumentError(`${op}: a name must not be empty, start with _ or have a dot, got '${name}'.`);
    const known = (this as unknown as Record<string, unknown>)[name];
    // A field may be set again to another tensor.
    if (known !== undefined && known !== null && !(Object.hasOwn(this, name) && isTensor(known)))
      throw new ArgumentError(`${op}: ${this.constructor.name} has '${name}' already.`);
  }

  /**
   * The module of a dotted name, as `namedModules` gives them; '' is this one.
   *
   * @throws ArgumentError if there is none
   */
  getSubmodule(target: string): AnyModule {
    if (target === '') return this;
    // One in two places is found by both names.
    const children = [...this.namedChildren()];
    const next = children.find(([name]) => target === name || target.startsWith(`${name}.`));
    if (next === undefined) {
      throw new ArgumentError(
        `getSubmodule: there is no module '${target}'; ${this.constructor.name} has ${children.map(([name]) => `'${name}'`).join(', ') || 'none'}.`,
      );
    }
    return next[1].getSubmodule(target.slice(next[0].length + 1));
  }

  /**
   * The parameter of a dotted name.
   *
   * @throws ArgumentError if there is none
   */
  getParameter(target: string): Parameter {
    return this.getTensor('getParameter', 'parameter', target, true);
  }

  /**
   * The buffer of a dotted name.
   *
   * @throws ArgumentError if there is none
   */
  getBuffer(target: string): Tensor {
    return this.getTensor('getBuffer', 'buffer', target, false);
  }

  private getTensor(op: string, what: string, target: string, learned: boolean): Tensor {
    const dot = target.lastIndexOf('.');
    const owner = this.getSubmodule(target.slice(0, Math.max(dot, 0)));
    for (const [name, tensor] of owner._ownTensors())
      if (name === target.slice(dot + 1) && isParameter(tensor) === learned) return tensor;
    throw new ArgumentError(`${op}: there is no ${what} '${target}'.`);
  }

  /** Calls `fn` on this module and all below it, children first. */
  apply(fn: (module: AnyModule) => void): this {
    for (const [, child] of this.namedChildren()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Sets training mode here and below. */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module._training = mode;
    return this;
  }

  /** Sets training mode here, not below. @internal */
  _setOwnTraining(mode: boolean): void {
    this._training = mode;
  }

  /** Sets evaluation mode here and below. */
  eval(): this {
    return this.train(false);
  }

  /** Starts (or stops) recording gradients for all parameters. */
  requiresGrad_(value = true): this {
    for (const tensor of this.parameters()) {
      tensor._isParameter = true;
      tensor.requiresGrad_(value);
    }
    return this;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const tensor of this.parameters()) {
      tensor.grad?.dispose();
      tensor.grad = null;
    }
  }

  /** Parameters and buffers by dotted name: the tensors themselves, not copies, outside the graph. */
  stateDict(): StateDict {
    return new Map(this.namedTensors(true));
  }

  /**
   * Copies values into parameters and buffers by name.
   *
   * @param options `strict` (default true): every name must be on both sides
   * @throws ArgumentError naming what is missing or unexpected; ShapeError if a shape differs; nothing is changed then
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, options: { strict?: boolean } = {}): LoadReport {
    if (typeof (state as { has?: unknown } | null)?.has !== 'function')
      throw new ArgumentError('loadStateDict: expected a Map of tensors by name, as stateDict() gives.');
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !state.has(name));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    if ((options.strict ?? true) && missing.length + unexpected.length > 0) {
      const list = (what: string, names: string[]): string =>
        names.length === 0 ? '' : ` ${what}: ${names.join(', ')}.`;
      throw new ArgumentError(
        `loadStateDict: the names differ.${list('Missing', missing)}${list('Unexpected', unexpected)} Pass { strict: false } to load what fits.`,
      );
    }
    for (const [name, target] of own) {
      const source = state.get(name);
      if (source !== undefined) checkTensor('loadStateDict', `'${name}'`, source);
      if (source !== undefined && !shapesEqual(source.shape, target.shape)) {
        throw new ShapeError(
          `loadStateDict: '${name}' has shape ${formatShape(target.shape)}, the given tensor ${formatShape(source.shape)}.`,
        );
      }
    }
    noGrad(() => {
      for (const [name, target] of own) {
        const source = state.get(name);
        if (source !== undefined) copy_(target, source);
      }
    });
    return { missing, unexpected };
  }

  /**
   * Converts float parameters and buffers to a dtype, or moves everything to a device, in place of the old tensors.
   * Make optimizers afterwards.
   *
   * @param options `nonBlocking`: as of `Tensor.to`, for a model that is used later than others: its weights travel beside
   *   the kernels of the GPU
   */
  to(target: DType | Device, options: MoveOptions = {}): this {
    const isDevice = /^(cpu|cuda)/.test(target);
    if (!isDevice && !isFloating(checkTarget(target)))
      throw new DTypeError(`to: a module can be converted to float dtypes only, got ${target}.`);
    // A tensor in two places stays one.
    const converted = new Map<Tensor, Tensor>();
    for (const [, module] of this.namedModules()) {
      for (const [name, value] of [...module._ownTensors()]) {
        if (!isDevice && !isFloating(value.dtype)) continue;
        let result = converted.get(value);
        if (result === undefined) {
          result = noGrad(() => convert(value, target as Device, options));
          if (result !== value) {
            keep(value.requiresGrad ? result.requiresGrad_() : result);
            result._isParameter = value._isParameter;
            changes++;
          }
          converted.set(value, result);
        }
        module._replaceTensor(name, result);
      }
    }
    return this;
  }

  /** `to('float32')`. */
  float(): this {
    return this.to('float32');
  }

  /** `to('float64')`. */
  double(): this {
    return this.to('float64');
  }

  /** `to('float16')`. */
  half(): this {
    return this.to('float16');
  }

  /** `to('bfloat16')`. */
  bfloat16(): this {
    return this.to('bfloat16');
  }

  /** Hooks of this module, made when the first is registered. @internal */
  _hooks(): ModuleHooks {
    return (this._moduleHooks ??= ModuleHooks.install(this, () => {
      this._moduleHooks = null;
    }));
  }

  /**
   * Has `hook(module, inputs)` called before each `forward`. What it returns, a list of arguments or the only argument,
   * takes the place of the arguments.
   *
   * Hooks are called by `module.forward(...)`; a subclass's `super.forward(...)` goes past them. So long as a hook is
   * there, `Sequential` does not free early what the hook has seen.
   *
   * @param options `prepend` (default false): before the hooks that are there
   * @returns `remove()` takes the hook away
   */
  registerForwardPreHook(hook: ForwardPreHook<this>, options: { prepend?: boolean } = {}): HookHandle {
    checkHook('registerForwardPreHook', hook);
    const hooks = this._hooks();
    return hooks.add(hooks.forwardPre, hook as ForwardPreHook<object>, options.prepend);
  }

  /**
   * Has `hook(module, inputs, output)` called after each `forward`. What it returns, unless undefined, takes the place of
   * the output.
   *
   * @param options `prepend` (default false): before the hooks that are there
   * @returns `remove()` takes the hook away
   * @example
   * const seen: Tensor[] = [];
   * const handle = model.getSubmodule('encoder.0').registerForwardHook((_, __, output) => {
   *   seen.push((output as Tensor).detach());
   * });
   * model.forward(x);
   * handle.remove();
   */
  registerForwardHook(hook: ForwardHook<this>, options: { prepend?: boolean } = {}): HookHandle {
    checkHook('registerForwardHook', hook);
    const hooks = this._hooks();
    return hooks.add(hooks.forward, hook as ForwardHook<object>, options.prepend);
  }

  /**
   * Has `hook(module, gradInput, gradOutput)` called in backward when the gradients of the module's inputs have been
   * computed: lists with one gradient for each argument and each output, null where there is none. What it returns takes the
   * place of gradInput. When no input requires gradients, it is called when those of the outputs are there, with gradInput
   * `[null]`.
   *
   * Only tensors that are arguments themselves, and an output that is a tensor or an array of them, are seen.
   *
   * @param options `prepend` (default false): before the hooks that are there
   * @returns `remove()` takes the hook away; calls of `forward` before it keep the hook
   */
  registerFullBackwardHook(hook: FullBackwardHook<this>, options: { prepend?: boolean } = {}): HookHandle {
    checkHook('registerFullBackwardHook', hook);
    const hooks = this._hooks();
    return hooks.add(hooks.backward, hook as FullBackwardHook<object>, options.prepend);
  }

  /**
   * Has `hook(module, gradOutput)` called in backward before the module's own gradients are computed. What it returns takes
   * the place of gradOutput.
   *
   * @param options `prepend` (default false): before the hooks that are there
   * @returns `remove()` takes the hook away; calls of `forward` before it keep the hook
   */
  registerFullBackwardPreHook(hook: FullBackwardPreHook<this>, options: { prepend?: boolean } = {}): HookHandle {
    checkHook('registerFullBackwardPreHook', hook);
    const hooks = this._hooks();
    return hooks.add(hooks.backwardPre, hook as FullBackwardPreHook<object>, options.prepend);
  }

  /** What stands in brackets when the module is printed. */
  extraRepr(): string {
    return '';
  }

  /** A tree of the modules, as PyTorch prints it. */
  toString(): string {
    const name = this.constructor.name;
    const children = [...this.namedChildren()];
    if (children.length === 0) return `${name}(${this.extraRepr()})`;
    const lines = children.map(([key, child]) => `  (${key}): ${child.toString().replaceAll('\n', '\n  ')}`);
    return `${name}(\n${lines.join('\n')}\n)`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function checkHook(op: string, hook: unknown): void {
  if (typeof hook !== 'function')
    throw new ArgumentError(`${op}: hook must be a function, got a value of type ${typeof hook}.`);
}
