// Shape functions of layers that leave the shape as it is, but know how many channels or features they are for.
import type { InputOf, ShapeFn } from './sequential.js';
import type { Shape, ShapeMismatch, ShowShape } from './shape.js';

type Differ<A extends number, B extends number> = [A & B] extends [never] ? true : false;

type ChannelOut<S extends Shape, Name extends string, C extends number> = S extends readonly [
  number,
  infer Given extends number,
  ...number[],
]
  ? SameChannels<S, Name, C, Given>
  : S;

type SameChannels<S extends Shape, Name extends string, C extends number, Given extends number> =
  Differ<Given, C> extends true ? ShapeMismatch<`${Name}(${C}): ${ShowShape<S>} has ${Given} channels, not ${C}`> : S;

// Of a shape with an unknown batch, as inside a chain, the rank that the layer wants tells where the channels are.
type OpenChannelOut<S extends Shape, Name extends string, C extends number, Ranks extends number> = [Ranks] extends [4]
  ? S extends readonly [...Shape, infer Given extends number, number, number]
    ? SameChannels<S, Name, C, Given>
    : S
  : [Ranks] extends [5]
    ? S extends readonly [...Shape, infer Given extends number, number, number, number]
      ? SameChannels<S, Name, C, Given>
      : S
    : S;

/**
 * `[N, C, ...]` of a rank in `Ranks` to itself.
 *
 * @typeParam Name the layer, for the message
 */
export interface ChannelFn<Name extends string, C extends number, Ranks extends number = number> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? Differ<S['length'], Ranks> extends true
      ? ShapeMismatch<`${Name}(${C}): ${ShowShape<S>} has ${S['length']} dimensions`>
      : number extends S['length']
        ? OpenChannelOut<S, Name, C, Ranks>
        : ChannelOut<S, Name, C>
    : never;
}

type FeatureOut<S extends Shape, Name extends string, F extends number> = S extends readonly [
  ...Shape,
  infer Given extends number,
]
  ? Differ<Given, F> extends true
    ? ShapeMismatch<`${Name}(${F}): the last dimension of ${ShowShape<S>} is not ${F}`>
    : S
  : S;

/** `[..., F]` to itself; F is `number` where several dimensions are normalised. */
export interface FeatureFn<Name extends string, F extends number> extends ShapeFn {
  readonly out: FeatureOut<InputOf<this>, Name, F>;
}
