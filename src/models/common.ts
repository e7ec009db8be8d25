// What the models share: options, checks, activations, and the shape function of an image classifier.
import { ArgumentError, ShapeError } from '../errors.js';
import { GELU, LeakyReLU, ReLU, Sigmoid, Tanh } from '../nn/activation.js';
import type { AnyModule } from '../nn/module.js';
import { Sequential } from '../nn/sequential.js';
import type { TensorOptions } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import type { Generator } from '../ops/random.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { InputOf, ShapeFn } from '../types/sequential.js';
import type { ShapeMismatch, ShowShape } from '../types/shape.js';

/** Options of every model. */
export interface ModelOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** An activation by name. */
export type ActivationName = 'relu' | 'leakyRelu' | 'tanh' | 'sigmoid' | 'gelu';

const activations: Readonly<Record<ActivationName, () => AnyModule>> = {
  relu: () => new ReLU(),
  leakyRelu: () => new LeakyReLU(0.2),
  tanh: () => new Tanh(),
  sigmoid: () => new Sigmoid(),
  gelu: () => new GELU(),
};

/** A new layer of an activation. @throws ArgumentError for an unknown name */
export function activationLayer(model: string, name: ActivationName): AnyModule {
  if (!Object.hasOwn(activations, name)) {
    const known = Object.keys(activations).map((item) => `'${item}'`);
    throw new ArgumentError(
      `${model}: activation must be ${known.slice(0, -1).join(', ')} or ${known.at(-1)}, got ${JSON.stringify(name)}.`,
    );
  }
  return activations[name]();
}

/** @throws ArgumentError unless all are integers above 0 */
export function checkPositive(model: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`${model}: ${name} must be an integer above 0, got ${String(value)}.`);
  }
}

/** @throws ArgumentError unless p is from 0 to below 1 */
export function checkProbability(model: string, name: string, p: number): void {
  if (!(p >= 0 && p < 1)) throw new ArgumentError(`${model}: ${name} must be from 0 to below 1, got ${String(p)}.`);
}

/** @throws ArgumentError unless the value is one of those that are known */
export function checkChoice<T>(model: string, name: string, value: T, known: readonly T[]): void {
  if (known.includes(value)) return;
  const list = known.map((item) => JSON.stringify(item));
  throw new ArgumentError(
    `${model}: ${name} must be ${list.slice(0, -1).join(', ')} or ${list.at(-1)}, got ${JSON.stringify(value)}.`,
  );
}

/** @throws ShapeError unless x is `[N, channels, H, W]`, of the size if there is one */
export function checkImages(model: string, x: Tensor, channels: number, size?: number): void {
  checkTensor(model, 'x', x);
  const wanted = `[N,${channels},${size ?? 'H'},${size ?? 'W'}]`;
  const fits =
    x.shape.length === 4 &&
    x.shape[1] === channels &&
    (size === undefined || (x.shape[2] === size && x.shape[3] === size));
  if (!fits) throw new ShapeError(`${model}(x ${formatShape(x.shape)}): x must be ${wanted}.`);
}

/** @throws ShapeError unless ids are `[N, L]` with L from 1 */
export function checkSequences(model: string, ids: Tensor, longest = Infinity): void {
  checkTensor(model, 'ids', ids);
  if (ids.shape.length !== 2 || ids.shape[1] === 0)
    throw new ShapeError(`${model}(ids ${formatShape(ids.shape)}): ids must be [N,L] with at least one step.`);
  if (ids.shape[1] > longest) {
    throw new ShapeError(
      `${model}(ids ${formatShape(ids.shape)}): there are ${ids.shape[1]} steps, the model has ${longest} positions.`,
    );
  }
}

/** A chain of layers that the compiler knows nothing of. */
export const chain = (layers: readonly AnyModule[]): Sequential => new Sequential(...layers) as unknown as Sequential;

type Differ<A extends number, B extends number> = [A & B] extends [never] ? true : false;

type ImageClasses<S extends Shape, Name extends string, C extends number, K extends number> = number extends S['length']
  ? readonly [number, K]
  : S extends readonly [infer N extends number, infer Given extends number, number, number]
    ? Differ<Given, C> extends true
      ? ShapeMismatch<`${Name}: ${ShowShape<S>} has ${Given} channels, not ${C}`>
      : readonly [N, K]
    : ShapeMismatch<`${Name}: ${ShowShape<S>} is not [N, ${C}, H, W]`>;

/**
 * `[N, C, H, W]` to `[N, K]`.
 *
 * @typeParam Name the model, for the message
 */
export interface ImageClassifierFn<Name extends string, C extends number, K extends number> extends ShapeFn {
  readonly out: ImageClasses<InputOf<this>, Name, C, K>;
}

type TextClasses<S extends Shape, Name extends string, Rest extends readonly number[]> = number extends S['length']
  ? readonly [number, ...Rest]
  : S extends readonly [infer N extends number, number]
    ? readonly [N, ...Rest]
    : ShapeMismatch<`${Name}: ${ShowShape<S>} is not [N, L]`>;

/** `[N, L]` of tokens to `[N, K]`; of one class to `[N]`. */
export interface TextClassifierFn<Name extends string, K extends number> extends ShapeFn {
  readonly out: TextClasses<
    InputOf<this>,
    Name,
    K extends 1 ? (number extends K ? readonly number[] : readonly []) : readonly [K]
  >;
}
