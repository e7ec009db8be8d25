// Lists and dictionaries of modules and parameters. They are modules themselves, so that what they hold is found, saved,
// moved and converted; they have no forward.
import { ArgumentError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { itemAt, position } from './items.js';
import { Module, parameter, type AnyModule, type Parameter } from './module.js';

abstract class Container extends Module {
  override forward(): never {
    const name = this.constructor.name;
    throw new ArgumentError(`${name}: it holds things and has no forward; call what it holds, or use nn.Sequential.`);
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return isTensor(value) ? 'a Tensor' : `a value of type ${typeof value}`;
}

function checkModule<M extends AnyModule>(op: string, key: number | string, value: M): M {
  if (!((value as unknown) instanceof Module))
    throw new ArgumentError(`${op}: item ${key} is ${describe(value)}, expected a Module.`);
  return value;
}

// Plain tensors become parameters, as in PyTorch.
function asParameter(op: string, key: number | string, value: Tensor): Parameter {
  if (!isTensor(value)) throw new ArgumentError(`${op}: item ${key} is ${describe(value)}, expected a Tensor.`);
  return value._isParameter ? value : parameter(value);
}

function checkKey(op: string, key: string): string {
  if (typeof key !== 'string' || key === '' || key.includes('.'))
    throw new ArgumentError(`${op}: a key must be a string that is not empty and has no dot, got '${String(key)}'.`);
  return key;
}

/** What the dictionaries are made from: pairs, a Map, or a plain object. */
export type Entries<V> = Iterable<readonly [string, V]> | Readonly<Record<string, V>>;

function pairs<V>(op: string, entries: Entries<V>): readonly (readonly [string, V])[] {
  if (typeof entries !== 'object' || entries === null)
    throw new ArgumentError(`${op}: expected pairs, a Map or an object, got ${describe(entries)}.`);
  return Symbol.iterator in entries
    ? [...(entries as Iterable<readonly [string, V]>)]
    : Object.entries(entries as Readonly<Record<string, V>>);
}

function missingKey(op: string, key: string, keys: Iterable<string>): ArgumentError {
  return new ArgumentError(
    `${op}: there is no '${key}'; the keys are ${[...keys].map((name) => `'${name}'`).join(', ') || 'none'}.`,
  );
}

/**
 * Modules in a list. Names in the state dict: '0.weight', '1.weight' and so on.
 *
 * @example
 * class Net extends nn.Module {
 *   readonly blocks = new nn.ModuleList(Array.from({ length: 3 }, () => new nn.Linear(8, 8)));
 *   override forward(x: Tensor): Tensor {
 *     for (const block of this.blocks) x = block.forward(x).relu();
 *     return x;
 *   }
 * }
 */
export class ModuleList<M extends AnyModule = AnyModule> extends Container {
  private readonly _items: M[] = [];

  constructor(modules: Iterable<M> = []) {
    super();
    this.extend(modules);
  }

  /** The number of modules. */
  get length(): number {
    return this._items.length;
  }

  /**
   * A module by position; negative positions count from the end.
   *
   * @throws IndexError if there is none
   */
  at(index: number): M {
    return itemAt('ModuleList', this._items, index);
  }

  /**
   * Puts a module in the place of another.
   *
   * @throws IndexError if there is none; ArgumentError unless it is a Module
   */
  set(index: number, module: M): this {
    const i = position('ModuleList', index, this.length);
    this._items[i] = checkModule('ModuleList', index, module);
    return this;
  }

  /** Adds a module at the end. */
  append(module: M): this {
    this._items.push(checkModule('ModuleList', this.length, module));
    return this;
  }

  /** Adds modules at the end, all or none. */
  extend(modules: Iterable<M>): this {
    const added = [...modules].map((module, i) => checkModule('ModuleList', this.length + i, module));
    this._items.push(...added);
    return this;
  }

  /**
   * Adds a module before a position: 0 is the start, `length` the end; negative positions count from the end.
   *
   * @throws IndexError if there is no such position
   */
  insert(index: number, module: M): this {
    const i = index === this.length ? index : position('ModuleList', index, this.length);
    this._items.splice(i, 0, checkModule('ModuleList', index, module));
    return this;
  }

  /**
   * Takes a module out.
   *
   * @param index the last by default
   * @throws IndexError if there is none
   */
  pop(index = -1): M {
    return this._items.splice(position('ModuleList', index, this.length), 1)[0];
  }

  /** The modules in order. */
  [Symbol.iterator](): IterableIterator<M> {
    return this._items[Symbol.iterator]();
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    for (const [i, module] of this._items.entries()) yield [String(i), module];
  }
}

/**
 * Modules by name, in the order in which they were added. Names in the state dict: 'name.weight'.
 *
 * @example
 * const heads = new nn.ModuleDict({ classes: new nn.Linear(8, 3), boxes: new nn.Linear(8, 4) });
 * heads.get('boxes').forward(x);
 */
export class ModuleDict<M extends AnyModule = AnyModule> extends Container {
  private readonly _items = new Map<string, M>();

  constructor(modules: Entries<M> = {}) {
    super();
    this.update(modules);
  }

  /** The number of modules. */
  get size(): number {
    return this._items.size;
  }

  /** @throws ArgumentError if there is none */
  get(key: string): M {
    const module = this._items.get(key);
    if (module === undefined) throw missingKey('ModuleDict', key, this._items.keys());
    return module;
  }

  /** Adds a module, or puts it in the place of the one of this name. */
  set(key: string, module: M): this {
    this._items.set(checkKey('ModuleDict', key), checkModule('ModuleDict', `'${key}'`, module));
    return this;
  }

  /** As `set`, of several: all or none. */
  update(modules: Entries<M>): this {
    const given = pairs('ModuleDict', modules);
    for (const [key, module] of given) checkModule('ModuleDict', `'${checkKey('ModuleDict', key)}'`, module);
    for (const [key, module] of given) this._items.set(key, module);
    return this;
  }

  /** True if there is a module of this name. */
  has(key: string): boolean {
    return this._items.has(key);
  }

  /** Takes a module out; false if there was none. */
  delete(key: string): boolean {
    return this._items.delete(key);
  }

  /** Takes all out. */
  clear(): void {
    this._items.clear();
  }

  /** The names. */
  keys(): IterableIterator<string> {
    return this._items.keys();
  }

  /** The modules. */
  values(): IterableIterator<M> {
    return this._items.values();
  }

  /** Names and modules. */
  entries(): IterableIterator<[string, M]> {
    return this._items.entries();
  }

  /** Names and modules. */
  [Symbol.iterator](): IterableIterator<[string, M]> {
    return this._items.entries();
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    yield* this._items;
  }
}

/**
 * Parameters in a list; tensors become parameters. Names in the state dict: '0', '1' and so on.
 *
 * @example
 * readonly scales = new nn.ParameterList([ones([3]), ones([4])]);
 */
export class ParameterList extends Container {
  private readonly _items: Parameter[] = [];

  constructor(tensors: Iterable<Tensor> = []) {
    super();
    this.extend(tensors);
  }

  /** The number of parameters. */
  get length(): number {
    return this._items.length;
  }

  /**
   * A parameter by position; negative positions count from the end.
   *
   * @throws IndexError if there is none
   */
  at(index: number): Parameter {
    return itemAt('ParameterList', this._items, index);
  }

  /**
   * Puts a parameter in the place of another.
   *
   * @throws IndexError if there is none; ArgumentError, DTypeError for what cannot be a parameter
   */
  set(index: number, tensor: Tensor): this {
    const i = position('ParameterList', index, this.length);
    this._items[i] = asParameter('ParameterList', index, tensor);
    return this;
  }

  /** Adds a parameter at the end. */
  append(tensor: Tensor): this {
    this._items.push(asParameter('ParameterList', this.length, tensor));
    return this;
  }

  /** Adds parameters at the end, all or none. */
  extend(tensors: Iterable<Tensor>): this {
    const added = [...tensors].map((tensor, i) => asParameter('ParameterList', this.length + i, tensor));
    this._items.push(...added);
    return this;
  }

  /** The parameters in order. */
  [Symbol.iterator](): IterableIterator<Parameter> {
    return this._items[Symbol.iterator]();
  }

  /** @internal */
  override *_ownTensors(): Generator<[string, Tensor]> {
    for (const [i, tensor] of this._items.entries()) yield [String(i), tensor];
  }

  /** @internal */
  override _replaceTensor(name: string, tensor: Tensor): void {
    this._items[Number(name)] = tensor;
  }

  override extraRepr(): string {
    return this._items.map(({ shape }) => `[${shape.join()}]`).join(', ');
  }
}

/**
 * Parameters by name, in the order in which they were added; tensors become parameters. Names in the state dict: the keys.
 *
 * @example
 * readonly gains = new nn.ParameterDict({ left: ones([3]), right: ones([3]) });
 */
export class ParameterDict extends Container {
  private readonly _items = new Map<string, Parameter>();

  constructor(tensors: Entries<Tensor> = {}) {
    super();
    this.update(tensors);
  }

  /** The number of parameters. */
  get size(): number {
    return this._items.size;
  }

  /** @throws ArgumentError if there is none */
  get(key: string): Parameter {
    const tensor = this._items.get(key);
    if (tensor === undefined) throw missingKey('ParameterDict', key, this._items.keys());
    return tensor;
  }

  /** Adds a parameter, or puts it in the place of the one of this name. */
  set(key: string, tensor: Tensor): this {
    this._items.set(checkKey('ParameterDict', key), asParameter('ParameterDict', `'${key}'`, tensor));
    return this;
  }

  /** As `set`, of several: all or none. */
  update(tensors: Entries<Tensor>): this {
    const given = pairs('ParameterDict', tensors).map(
      ([key, tensor]) =>
        [checkKey('ParameterDict', key), asParameter('ParameterDict', `'${key}'`, tensor)] as const,
    );
    for (const [key, tensor] of given) this._items.set(key, tensor);
    return this;
  }

  /** True if there is a parameter of this name. */
  has(key: string): boolean {
    return this._items.has(key);
  }

  /** Takes a parameter out; false if there was none. */
  delete(key: string): boolean {
    return this._items.delete(key);
  }

  /** The names. */
  keys(): IterableIterator<string> {
    return this._items.keys();
  }

  /** The parameters. */
  values(): IterableIterator<Parameter> {
    return this._items.values();
  }

  /** Names and parameters. */
  entries(): IterableIterator<[string, Parameter]> {
    return this._items.entries();
  }

  /** Names and parameters. */
  [Symbol.iterator](): IterableIterator<[string, Parameter]> {
    return this._items.entries();
  }

  /** @internal */
  override *_ownTensors(): Generator<[string, Tensor]> {
    yield* this._items;
  }

  /** @internal */
  override _replaceTensor(name: string, tensor: Tensor): void {
    this._items.set(name, tensor);
  }

  override extraRepr(): string {
    return Array.from(this._items, ([key, { shape }]) => `${key}: [${shape.join()}]`).join(', ');
  }
}
