// Modules: plain classes whose parameters, buffers and submodules are found by walking their own fields.
import { noGrad } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import type { Device } from '../device.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { keep } from '../memory.js';
import { copy_, to as convert } from '../ops/copy.js';
import { checkTensor } from '../ops/define.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { ShapeFn, UnknownFn } from '../types/sequential.js';

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

/**
 * Base class of layers and models. Own fields decide: a tensor that requires gradients is a parameter, another tensor a
 * buffer (saved, not learned), a Module or an array of Modules a submodule. Fields whose names start with `_` are ignored,
 * and `#private` fields and what is inside plain objects and maps cannot be seen: keep learned things in plain fields.
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
  /**
   * True for layers that keep no reference to what they are given or give: a chain of them may free what passes between
   * two as soon as nobody needs it.
   *
   * @internal
   */
  readonly _transparent: boolean = false;

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

  private *namedTensors(): Generator<[string, Tensor]> {
    const seen = new Set<Tensor>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of Object.entries(module) as [string, unknown][]) {
        if (name.startsWith('_') || !isTensor(value) || seen.has(value)) continue;
        seen.add(value);
        yield [prefix === '' ? name : `${prefix}.${name}`, value];
      }
    }
  }

  /** The learned tensors by dotted name. One used in two places appears once. */
  *namedParameters(): Generator<[string, Parameter]> {
    for (const [name, value] of this.namedTensors()) if (isParameter(value)) yield [name, value];
  }

  /** The learned tensors. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, value]) => value);
  }

  /** Saved tensors that are not learned, by dotted name. */
  *namedBuffers(): Generator<[string, Tensor]> {
    for (const [name, value] of this.namedTensors()) if (!isParameter(value)) yield [name, value];
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
    return new Map(this.namedTensors());
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
   */
  to(target: DType | Device): this {
    if (typeof target === 'string' && !/^(cpu|cuda)/.test(target) && !isFloating(target as DType)) {
      throw new DTypeError(`to: a module can be converted to float dtypes only, got ${target}.`);
    }
    const isDevice = /^(cpu|cuda)/.test(target);
    // A tensor in two places stays one.
    const converted = new Map<Tensor, Tensor>();
    for (const [, module] of this.namedModules()) {
      const fields = module as unknown as Record<string, unknown>;
      for (const [name, value] of Object.entries(fields)) {
        if (name.startsWith('_') || !isTensor(value) || (!isDevice && !isFloating(value.dtype))) continue;
        let result = converted.get(value);
        if (result === undefined) {
          result = noGrad(() => convert(value, target as DType));
          if (result !== value) {
            keep(value.requiresGrad ? result.requiresGrad_() : result);
            result._isParameter = value._isParameter;
          }
          converted.set(value, result);
        }
        fields[name] = result;
      }
    }
    return this;
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
