// State as a tree: what `stateDict` methods give, of plain JSON and tensors.
import { ArgumentError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { clone, detach } from '../ops/copy.js';
import { noGrad } from '../autograd/mode.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Plain JSON, bigints and tensors, as nested arrays, maps and plain objects. */
export type StateTree = Record<string, unknown>;

/** Names that a plain object of JavaScript may not have as keys without surprises. */
const isTrap = (key: string): boolean => key === '__proto__';

function mapTree(value: unknown, leaf: (tensor: Tensor) => unknown): unknown {
  if (isTensor(value)) return leaf(value);
  if (Array.isArray(value)) return value.map((item) => mapTree(item, leaf));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key as unknown, mapTree(item, leaf)]));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTree(item, leaf)]));
  return value;
}

/** A copy of a tree that no later change reaches: tensors are cloned, on their device. */
export function copyTree(tree: StateTree): StateTree {
  return untracked(() => noGrad(() => mapTree(tree, (t) => keep(clone(detach(t)))))) as StateTree;
}

/** Frees the tensors of a copy. */
export function disposeTree(tree: StateTree): void {
  mapTree(tree, (t) => {
    t.dispose();
    return null;
  });
}

/** A value of the tree that JSON has no form for is stored as an object of this one key. */
const TAG = '$';

/**
 * A tree as JSON and the tensors in it, by name. What JSON lacks has a form of its own: NaN and infinities, negative zero,
 * bigints, maps.
 *
 * @throws ArgumentError for a value that cannot be kept: a function, a class's instance
 */
export function encodeTree(tree: StateTree): { json: string; tensors: Map<string, Tensor> } {
  const tensors = new Map<string, Tensor>();
  const encode = (value: unknown, path: string): unknown => {
    if (isTensor(value)) {
      // Without dots in its parts a path would be ambiguous; a number makes it unique.
      const name = tensors.has(path) ? `${path}#${tensors.size}` : path;
      tensors.set(name, value);
      return { [TAG]: 'tensor', name };
    }
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? value : { [TAG]: 'number', value: spell(value) };
      case 'bigint':
        return { [TAG]: 'bigint', value: String(value) };
      case 'string':
      case 'boolean':
        return value;
      case 'object':
        break;
      default:
        throw new ArgumentError(`checkpoint: '${path}' is a ${typeof value}, which cannot be kept.`);
    }
    if (value === null) return null;
    const at = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`);
    if (Array.isArray(value)) return value.map((item, i) => encode(item ?? null, at(i)));
    if (value instanceof Map) {
      const entries = [...(value as Map<unknown, unknown>)];
      return {
        [TAG]: 'map',
        entries: entries.map(([key, item]) => [encode(key, `${path}.key`), encode(item, at(String(key)))]),
      };
    }
    if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null) {
      throw new ArgumentError(
        `checkpoint: '${path}' is a ${value.constructor?.name ?? 'object'}, which cannot be kept.`,
      );
    }
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.some(([key]) => key === TAG || isTrap(key)))
      throw new ArgumentError(`checkpoint: '${path}' has a key '${TAG}' or '__proto__', which cannot be kept.`);
    return Object.fromEntries(entries.map(([key, item]) => [key, encode(item, at(key))]));
  };
  return { json: JSON.stringify(encode(tree, '')), tensors };
}

const spell = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/**
 * The tree that `encodeTree` took apart.
 *
 * @throws ArgumentError for what it cannot have given
 */
export function decodeTree(json: string, tensors: ReadonlyMap<string, Tensor>): StateTree {
  const bad = (what: string): ArgumentError => new ArgumentError(`checkpoint: the state has ${what}.`);
  const decode = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(decode);
    if (!Object.hasOwn(value, TAG)) {
      if (Object.hasOwn(value, '__proto__')) throw bad(`a key '__proto__'`);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    }
    const tagged = value as Record<string, unknown>;
    const text = String(tagged['value']);
    switch (tagged[TAG]) {
      case 'tensor': {
        const tensor = tensors.get(String(tagged['name']));
        if (tensor === undefined) throw bad(`no tensor '${String(tagged['name'])}'`);
        return tensor;
      }
      case 'number':
        if (!['NaN', 'Infinity', '-Infinity', '-0'].includes(text)) throw bad(`a number '${text}'`);
        return Number(text);
      case 'bigint':
        if (!/^-?\d{1,4000}$/.test(text)) throw bad(`a bigint '${text.slice(0, 40)}'`);
        return BigInt(text);
      case 'map': {
        const { entries } = tagged;
        if (!Array.isArray(entries) || !entries.every((e) => Array.isArray(e) && e.length === 2))
          throw bad('a map without entries');
        return new Map(entries.map(([key, item]: unknown[]) => [decode(key), decode(item)]));
      }
      default:
        throw bad(`an unknown tag '${String(tagged[TAG])}'`);
    }
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new ArgumentError(`checkpoint: the state is no JSON.`, { cause: error });
  }
  const tree = decode(parsed);
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree) || tree instanceof Map)
    throw bad('no object at its top');
  return tree as StateTree;
}
