// Shapes of tensors joined, repeated and cut into parts, for the compiler.
import type { FromNatural, Natural, Plus, Product, Quotient } from './digits.js';
import type { Tensor } from '../tensor/tensor.js';
import type {
  AllUnknown,
  Broadcast,
  BroadcastCheck,
  DimCheck,
  InsertDim,
  Position,
  Shape,
  ShapeMismatch,
  ShowShape,
  WithDim,
} from './shape.js';

/** Tensors of these shapes; the compiler reads the shapes off a list of tensors by it. */
export type TensorsOf<Shapes extends readonly Shape[]> = { readonly [I in keyof Shapes]: Tensor<Shapes[I]> };

type AddDims<A extends number, B extends number> = number extends A | B
  ? number
  : FromNatural<Plus<Natural<A>, Natural<B>>>;

type DimOf<S extends Shape, I> = I extends keyof S ? S[I] & number : number;

// What is known of either side is known of the result.
type JoinTwo<A extends Shape, B extends Shape, At extends number> = {
  readonly [I in keyof A]: I extends `${At}` ? AddDims<A[I], DimOf<B, I>> : number extends A[I] ? DimOf<B, I> : A[I];
};

type JoinAll<Out extends Shape, Rest extends readonly Shape[], At extends number> = Rest extends readonly [
  infer Head extends Shape,
  ...infer Tail extends readonly Shape[],
]
  ? Head['length'] extends Out['length']
    ? JoinAll<JoinTwo<Out, Head, At>, Tail, At>
    : JoinAll<JoinTwo<Out, AllUnknown<Out>, At>, Tail, At>
  : Out;

/** The shape of `cat(tensors, dim)`: their sizes add up along the dimension. */
export type CatShape<Shapes extends readonly Shape[], Dim extends number> = Shapes extends readonly [
  infer First extends Shape,
  ...infer Rest extends readonly Shape[],
]
  ? number extends First['length']
    ? Shape
    : number extends Dim
      ? AllUnknown<First>
      : JoinAll<First, Rest, Position<First['length'], Dim>>
  : WithDim<Shapes[number], Dim, number>;

// Whether two shapes may be the same but for the dimension `At`.
type SameBut<A extends Shape, B extends Shape, At extends number> = number extends A['length'] | B['length']
  ? true
  : A['length'] extends B['length']
    ? false extends {
        readonly [I in keyof A]: I extends `${At}` ? true : A[I] & DimOf<B, I> extends never ? false : true;
      }[number]
      ? false
      : true
    : false;

type AllSameBut<
  Name extends string,
  First extends Shape,
  Rest extends readonly Shape[],
  At extends number,
> = Rest extends readonly [infer Head extends Shape, ...infer Tail extends readonly Shape[]]
  ? SameBut<First, Head, At> extends false
    ? ShapeMismatch<`cannot ${Name} ${ShowShape<First>} and ${ShowShape<Head>}`>
    : AllSameBut<Name, First, Tail, At>
  : unknown;

/** Checks `cat(tensors, dim)`: the same shapes, but for the dimension. */
export type CatCheck<Shapes extends readonly Shape[], Dim extends number> = Shapes extends readonly [
  infer First extends Shape,
  ...infer Rest extends readonly Shape[],
]
  ? First extends readonly []
    ? ShapeMismatch<'scalars have no dimension to join along; use stack'>
    : DimCheck<First, Dim> extends infer Failed
      ? unknown extends Failed
        ? number extends Dim | First['length']
          ? unknown
          : AllSameBut<`join along dimension ${Dim}`, First, Rest, Position<First['length'], Dim>>
        : Failed
      : never
  : unknown;

type MergeAll<Out extends Shape, Rest extends readonly Shape[]> = JoinAll<Out, Rest, -1>;

/** The shape of `stack(tensors, dim)`: a new dimension of as many as there are tensors. */
export type StackShape<Shapes extends readonly Shape[], Dim extends number> = Shapes extends readonly [
  infer First extends Shape,
  ...infer Rest extends readonly Shape[],
]
  ? number extends First['length']
    ? Shape
    : InsertDim<MergeAll<First, Rest>, Dim, Shapes['length']>
  : InsertDim<Shapes[number], Dim, number>;

/** Checks `stack(tensors, dim)`: the same shapes. */
export type StackCheck<Shapes extends readonly Shape[]> = Shapes extends readonly [
  infer First extends Shape,
  ...infer Rest extends readonly Shape[],
]
  ? AllSameBut<'stack', First, Rest, -1>
  : unknown;

// ---- Parts

type DimAt<S extends Shape, Dim extends number> = number extends S['length'] | Dim
  ? number
  : S[Position<S['length'], Dim>] & number;

type WholeOr<N extends number, Q> = [Q] extends [number] ? (number extends Q ? number : N) : number;

/** The tensors' shape of `split(size, dim)`: the size is known if it divides the dimension. */
export type SplitShape<S extends Shape, Size, Dim extends number> = WithDim<
  S,
  Dim,
  Size extends number ? WholeOr<Size, Quotient<DimAt<S, Dim>, Size>> : number
>;

/** The tensors' shape of `chunk(count, dim)`: the size is known if the count divides the dimension. */
export type ChunkShape<S extends Shape, Count extends number, Dim extends number> = WithDim<
  S,
  Dim,
  Quotient<DimAt<S, Dim>, Count> extends infer Q extends number ? Q : number
>;

// ---- Repetition

/** The shape of `repeat(counts)`: each dimension times its count, and further counts in front. */
export type RepeatShape<S extends Shape, Counts extends Shape> = number extends S['length'] | Counts['length']
  ? Shape
  : RepeatDims<S, Counts>;

type RepeatDims<S extends Shape, Counts extends Shape, Out extends Shape = readonly []> = S extends readonly [
  ...infer Init extends Shape,
  infer Last extends number,
]
  ? Counts extends readonly [...infer Before extends Shape, infer Count extends number]
    ? RepeatDims<Init, Before, readonly [Product<readonly [Last, Count]>, ...Out]>
    : // Fewer counts than dimensions: `tile` leaves the first ones as they are, `repeat` refuses them.
      readonly [...S, ...Out]
  : readonly [...Counts, ...Out];

/** Checks `repeat(counts)`: at least as many counts as dimensions. */
export type RepeatCheck<S extends Shape, Counts extends Shape> = number extends S['length'] | Counts['length']
  ? unknown
  : Counts extends readonly [...{ readonly [I in keyof S]: number }, ...Shape]
    ? unknown
    : ShapeMismatch<`repeat of ${ShowShape<S>} needs a count for each dimension, got ${ShowShape<Counts>}`>;

// ---- Three operands

/** The shape of a tensor or number among the operands of an op. */
export type OperandShape<T> = T extends { readonly shape: infer S extends Shape } ? S : readonly [];

/** The shape that three shapes broadcast to. */
export type Broadcast3<A extends Shape, B extends Shape, C extends Shape> = Broadcast<Broadcast<A, B>, C>;

/** Checks that a third shape broadcasts with two others. */
export type BroadcastCheck3<A extends Shape, B extends Shape, C extends Shape> = BroadcastCheck<Broadcast<A, B>, C>;
