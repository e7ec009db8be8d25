// Shape rules of attention for the compiler.
import type { Broadcast, LinearCheck, Shape, ShapeMismatch } from './shape.js';
import type { InputOf, ShapeFn } from './sequential.js';

type LastDim<S extends Shape> = S extends readonly [...Shape, infer Last extends number] ? Last : number;

type RowsOf<S extends Shape> = S extends readonly [...Shape, infer Rows extends number, number] ? Rows : number;

type BatchOf<S extends Shape> = S extends readonly [...infer Batch extends Shape, number, number] ? Batch : Shape;

/** The shape of attention of queries `[..., L, E]` to keys `[..., S, E]` and values `[..., S, Ev]`: `[..., L, Ev]`. */
export type AttentionShape<Q extends Shape, V extends Shape> = readonly [
  ...Broadcast<BatchOf<Q>, BatchOf<V>>,
  RowsOf<Q>,
  LastDim<V>,
];

/** Checks that queries and keys have the same number of features. */
export type AttentionKeyCheck<Q extends Shape, K extends Shape> = [LastDim<Q> & LastDim<K>] extends [never]
  ? ShapeMismatch<`queries have ${LastDim<Q>} features, keys ${LastDim<K>}`>
  : unknown;

/** Checks that there is a value for each key. */
export type AttentionValueCheck<K extends Shape, V extends Shape> = [RowsOf<K> & RowsOf<V>] extends [never]
  ? ShapeMismatch<`${RowsOf<K>} keys, but ${RowsOf<V>} values`>
  : unknown;

/** A shape whose last dimension is E stays. */
export interface FeaturesFn<Name extends string, E extends number> extends ShapeFn {
  readonly out: FeaturesOut<InputOf<this>, Name, E>;
}

type FeaturesOut<S extends Shape, Name extends string, E extends number> =
  LinearCheck<S, E> extends ShapeMismatch<infer Why> ? ShapeMismatch<`${Name}(${E}): ${Why}`> : S;
