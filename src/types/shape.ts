// The shape rules, once more, for the compiler. They are gradual: an unknown dimension is `number`, an unknown rank is
// `readonly number[]`, and both always pass; what is known is checked, and the message names the numbers.
//
// For each rule there is a result type, `XShape`, and where it can fail a check, `XCheck`, which is `unknown` if all is well
// or nothing is known, and else a `ShapeMismatch`. An op intersects the check with the type of one argument:
//
//   function matmul<A extends Shape, B extends Shape>(a: Tensor<A>, b: Tensor<B> & MatmulCheck<A, B>): ...
//
// Besides the two kinds above there are shapes of unknown rank whose last dimensions are known, such as the result of a
// Linear layer on anything: `readonly [...number[], 10]`.
import type { Product, Quotient } from './digits.js';

export type { Product } from './digits.js';

/** A shape: the length of each dimension. `readonly number[]` itself stands for "not known to the compiler". */
export type Shape = readonly number[];

/**
 * What an argument must also be when its shape is known to be wrong. No value has this property, so the call does not
 * compile, and the compiler prints the message.
 */
export interface ShapeMismatch<Message extends string> {
  /** What does not fit, in words. */
  readonly shapeMismatch: Message;
}

// ---- Messages

type ShowDim<N extends number> = number extends N ? '?' : `${N}`;

type ShowKnown<S extends Shape> = S extends readonly [infer Head extends number, ...infer Tail extends Shape]
  ? Tail extends readonly []
    ? ShowDim<Head>
    : `${ShowDim<Head>},${ShowKnown<Tail>}`
  : '';

type ShowOpen<S extends Shape> = S extends readonly [...infer Init extends Shape, infer Last extends number]
  ? `${ShowOpen<Init>},${ShowDim<Last>}`
  : '...';

/** A shape as written in messages: `[2,3]`, `[?,3]` with an unknown dimension, `[...,3]` with an unknown rank. */
export type ShowShape<S extends Shape> = number extends S['length'] ? `[${ShowOpen<S>}]` : `[${ShowKnown<S>}]`;

// ---- Dimension numbers

// Dimension numbers of each rank, negative ones too, to their position. A lookup is far cheaper than counting.
type Positions = [
  { '-1': 0; '0': 0 },
  { '-1': 0; '0': 0 },
  { '-2': 0; '-1': 1; '0': 0; '1': 1 },
  { '-3': 0; '-2': 1; '-1': 2; '0': 0; '1': 1; '2': 2 },
  { '-4': 0; '-3': 1; '-2': 2; '-1': 3; '0': 0; '1': 1; '2': 2; '3': 3 },
  { '-5': 0; '-4': 1; '-3': 2; '-2': 3; '-1': 4; '0': 0; '1': 1; '2': 2; '3': 3; '4': 4 },
  { '-6': 0; '-5': 1; '-4': 2; '-3': 3; '-2': 4; '-1': 5; '0': 0; '1': 1; '2': 2; '3': 3; '4': 4; '5': 5 },
  // prettier-ignore
  { '-7': 0; '-6': 1; '-5': 2; '-4': 3; '-3': 4; '-2': 5; '-1': 6; '0': 0; '1': 1; '2': 2; '3': 3; '4': 4; '5': 5; '6': 6 },
  // prettier-ignore
  { '-8': 0; '-7': 1; '-6': 2; '-5': 3; '-4': 4; '-3': 5; '-2': 6; '-1': 7; '0': 0; '1': 1; '2': 2; '3': 3; '4': 4; '5': 5; '6': 6; '7': 7 },
  // prettier-ignore
  { '-9': 0; '-8': 1; '-7': 2; '-6': 3; '-5': 4; '-4': 5; '-3': 6; '-2': 7; '-1': 8; '0': 0; '1': 1; '2': 2; '3': 3; '4': 4; '5': 5; '6': 6; '7': 7; '8': 8 },
];

/** The position from 0 of a dimension number; `never` if it is out of range. */
export type Position<Rank extends number, Dim extends number> = Rank extends keyof Positions
  ? `${Dim}` extends infer Key
    ? Key extends keyof Positions[Rank]
      ? Positions[Rank][Key] & number
      : never
    : never
  : never;

type OutOfRange<S extends Shape, Dim extends number> = S['length'] extends 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8
  ? number extends Dim
    ? false
    : Dim extends unknown
      ? [Position<S['length'], Dim>] extends [never]
        ? true
        : false
      : never
  : false;

/** Checks dimension numbers, one or a list (or undefined), against the rank of a shape. */
export type DimCheck<S extends Shape, Dims extends number | readonly number[] | undefined> = Dims extends number
  ? [OutOfRange<S, Dims>] extends [true]
    ? ShapeMismatch<`dimension ${Dims} is out of range for ${ShowShape<S>}`>
    : unknown
  : Dims extends readonly [infer Head extends number, ...infer Tail extends readonly number[]]
    ? [OutOfRange<S, Head>] extends [true]
      ? ShapeMismatch<`dimension ${Head} is out of range for ${ShowShape<S>}`>
      : DimCheck<S, Tail>
    : unknown;

// ---- Tuples

/** A shape of the same rank of which nothing else is known. */
export type AllUnknown<S extends Shape> = { readonly [I in keyof S]: number };

// Removes the positions in `Drop`.
type RemoveAt<
  S extends Shape,
  Drop extends number,
  Seen extends 0[] = [],
  Out extends number[] = [],
> = S extends readonly [infer Head extends number, ...infer Tail extends Shape]
  ? Seen['length'] extends Drop
    ? RemoveAt<Tail, Drop, [...Seen, 0], Out>
    : RemoveAt<Tail, Drop, [...Seen, 0], [...Out, Head]>
  : Readonly<Out>;

type InsertAt<
  S extends Shape,
  At extends number,
  N extends number,
  Out extends number[] = [],
> = Out['length'] extends At
  ? readonly [...Out, N, ...S]
  : S extends readonly [infer Head extends number, ...infer Tail extends Shape]
    ? InsertAt<Tail, At, N, [...Out, Head]>
    : Shape;

type ReplaceAt<S extends Shape, At extends number, N extends number> = {
  readonly [I in keyof S]: I extends `${At}` ? N : S[I];
};

/** The number of elements of a shape, e.g. 6 for `[2, 3]`; `number` if not known. */
export type Numel<S extends Shape> = Product<S>;

/** A shape with one dimension replaced: slice, narrow, cat, gather along it. */
export type WithDim<S extends Shape, Dim extends number, N extends number> = number extends S['length']
  ? Shape
  : number extends Dim
    ? AllUnknown<S>
    : ReplaceAt<S, Position<S['length'], Dim>, N>;

/** A shape with one dimension halved; `number` there if it is odd, which `HalveCheck` refuses. */
export type HalveDim<S extends Shape, Dim extends number> = number extends S['length']
  ? Shape
  : number extends Dim
    ? AllUnknown<S>
    : HalveAt<S, Position<S['length'], Dim>>;

type HalveAt<S extends Shape, At extends number> = {
  readonly [I in keyof S]: I extends `${At}` ? (Quotient<S[I], 2> extends infer Q extends number ? Q : number) : S[I];
};

/** `unknown` if the dimension's size is even or not known. */
export type HalveCheck<S extends Shape, Dim extends number> = number extends S['length'] | Dim
  ? unknown
  : S[Position<S['length'], Dim>] extends infer N extends number
    ? Quotient<N, 2> extends 'remainder'
      ? ShapeMismatch<`dimension ${Dim} of ${ShowShape<S>} must have an even size`>
      : unknown
    : unknown;

/** A shape with a dimension of N inserted; negative numbers count from the end of the result, as in `unsqueeze`. */
export type InsertDim<S extends Shape, Dim extends number, N extends number> = number extends S['length']
  ? Shape
  : number extends Dim
    ? AllUnknown<readonly [0, ...S]>
    : InsertAt<S, Position<(readonly [0, ...S])['length'], Dim>, N>;

// ---- Broadcasting

// `2 & 3` is never, `number & 3` is not, and a union stays possible as long as one member fits.
type DimFits<A extends number, B extends number> = 1 extends A
  ? true
  : 1 extends B
    ? true
    : [A & B] extends [never]
      ? false
      : true;

type BroadcastDim<A extends number, B extends number> = A extends 1 ? B : B extends 1 ? A : number extends A ? B : A;

type BroadcastFits<A extends Shape, B extends Shape> = A extends readonly [
  ...infer AInit extends Shape,
  infer ALast extends number,
]
  ? B extends readonly [...infer BInit extends Shape, infer BLast extends number]
    ? DimFits<ALast, BLast> extends true
      ? BroadcastFits<AInit, BInit>
      : false
    : true
  : true;

/** The shape that two shapes broadcast to, aligned at the right, where a dimension of 1 stretches. */
export type Broadcast<A extends Shape, B extends Shape> = A extends readonly []
  ? B
  : B extends readonly []
    ? A
    : A extends readonly [...infer AInit extends Shape, infer ALast extends number]
      ? B extends readonly [...infer BInit extends Shape, infer BLast extends number]
        ? readonly [...Broadcast<AInit, BInit>, BroadcastDim<ALast, BLast>]
        : Shape
      : Shape;

/** Checks that two shapes broadcast: `ShapeMismatch<"cannot broadcast [2,3] with [4,3]">` if they do not. */
export type BroadcastCheck<A extends Shape, B extends Shape> =
  BroadcastFits<A, B> extends false ? ShapeMismatch<`cannot broadcast ${ShowShape<A>} with ${ShowShape<B>}`> : unknown;

/** The shape of `x.expand(size)`: -1 keeps a dimension, new ones may be added on the left. */
export type ExpandShape<S extends Shape, Size extends Shape> = number extends S['length'] | Size['length']
  ? Size
  : ExpandDims<S, Size>;

type ExpandDims<S extends Shape, Size extends Shape> = Size extends readonly [
  ...infer Init extends Shape,
  infer Last extends number,
]
  ? S extends readonly [...infer SInit extends Shape, infer SLast extends number]
    ? readonly [...ExpandDims<SInit, Init>, Last extends -1 ? SLast : Last]
    : Size
  : readonly [];

type ExpandFits<S extends Shape, Size extends Shape> = S extends readonly [
  ...infer SInit extends Shape,
  infer SLast extends number,
]
  ? Size extends readonly [...infer Init extends Shape, infer Last extends number]
    ? -1 extends Last
      ? ExpandFits<SInit, Init>
      : 1 extends SLast
        ? ExpandFits<SInit, Init>
        : [SLast & Last] extends [never]
          ? false
          : ExpandFits<SInit, Init>
    : Size extends readonly []
      ? false
      : true
  : true;

/** Checks `x.expand(size)`: only dimensions of 1 can change. */
export type ExpandCheck<S extends Shape, Size extends Shape> =
  ExpandFits<S, Size> extends false ? ShapeMismatch<`cannot expand ${ShowShape<S>} to ${ShowShape<Size>}`> : unknown;

// ---- Matrix products

/** The shape of `matmul(a, b)`: vectors, matrices, and batches of matrices, whose leading dimensions broadcast. */
export type MatmulShape<A extends Shape, B extends Shape> = A extends readonly [number]
  ? B extends readonly [number]
    ? readonly []
    : B extends readonly [...infer BatchB extends Shape, number, infer N extends number]
      ? readonly [...BatchB, N]
      : Shape
  : A extends readonly [...infer BatchA extends Shape, infer M extends number, number]
    ? B extends readonly [number]
      ? readonly [...BatchA, M]
      : B extends readonly [...infer BatchB extends Shape, number, infer N extends number]
        ? readonly [...Broadcast<BatchA, BatchB>, M, N]
        : Shape
    : Shape;

/** The last dimension. */
export type LastDim<S extends Shape> = S extends readonly [...Shape, infer Last extends number] ? Last : number;

type InnerDimOfRight<S extends Shape> = S extends readonly [infer K extends number]
  ? K
  : S extends readonly [...Shape, infer K extends number, number]
    ? K
    : number;

type BatchDims<S extends Shape> = S extends readonly [...infer Batch extends Shape, number, number]
  ? Batch
  : S extends readonly [number]
    ? readonly []
    : Shape;

/** Checks `matmul(a, b)`: `ShapeMismatch<"inner dimensions differ: 3 vs 5">` if they do. */
export type MatmulCheck<A extends Shape, B extends Shape> = A extends readonly []
  ? ShapeMismatch<'matmul needs at least 1 dimension, the left side is a scalar'>
  : B extends readonly []
    ? ShapeMismatch<'matmul needs at least 1 dimension, the right side is a scalar'>
    : [LastDim<A> & InnerDimOfRight<B>] extends [never]
      ? ShapeMismatch<`inner dimensions differ: ${LastDim<A>} vs ${InnerDimOfRight<B>}`>
      : BroadcastFits<BatchDims<A>, BatchDims<B>> extends false
        ? ShapeMismatch<`cannot broadcast batch dimensions ${ShowShape<BatchDims<A>>} with ${ShowShape<BatchDims<B>>}`>
        : unknown;

/** The shape of a linear map from `_In` to `Out` features on the last dimension. Of an unknown shape, that much is known. */
export type LinearShape<S extends Shape, _In extends number, Out extends number> = S extends readonly [
  ...infer Batch extends Shape,
  number,
]
  ? readonly [...Batch, Out]
  : readonly [...number[], Out];

/** Checks that the last dimension is `In`. */
export type LinearCheck<S extends Shape, In extends number> = S extends readonly []
  ? ShapeMismatch<`a scalar has no last dimension, expected ${ShowDim<In>}`>
  : [LastDim<S> & In] extends [never]
    ? ShapeMismatch<`last dimension of ${ShowShape<S>} is ${LastDim<S>}, expected ${In}`>
    : unknown;

// ---- Reductions and dimension changes

/**
 * The shape after reducing a dimension, several, or (undefined) all of them.
 *
 * @typeParam KeepDim reduced dimensions stay, with size 1
 */
export type ReduceShape<
  S extends Shape,
  Dims extends number | readonly number[] | undefined = undefined,
  KeepDim extends boolean = false,
> = boolean extends KeepDim
  ? Shape
  : [Dims] extends [undefined]
    ? KeepDim extends true
      ? number extends S['length']
        ? Shape
        : { readonly [I in keyof S]: 1 }
      : readonly []
    : number extends S['length']
      ? Shape
      : Dims extends number
        ? ReduceOne<S, Dims, KeepDim>
        : Dims extends readonly number[]
          ? number extends Dims['length'] | Dims[number]
            ? KeepDim extends true
              ? AllUnknown<S>
              : Shape
            : ReduceAt<S, Position<S['length'], Dims[number]>, KeepDim>
          : Shape;

type ReduceOne<S extends Shape, Dim extends number, KeepDim extends boolean> = number extends Dim
  ? KeepDim extends true
    ? AllUnknown<S>
    : S extends readonly [number, ...infer Tail extends Shape]
      ? AllUnknown<Tail>
      : S
  : ReduceAt<S, Position<S['length'], Dim>, KeepDim>;

type ReduceAt<S extends Shape, At extends number, KeepDim extends boolean> = KeepDim extends true
  ? ReplaceAt<S, At, 1>
  : RemoveAt<S, At>;

/** The shape of `x.permute(dims)`. */
export type PermuteShape<S extends Shape, Dims extends readonly number[]> = number extends S['length'] | Dims['length']
  ? Shape
  : { readonly [I in keyof Dims]: PickDim<S, Dims[I]> };

type PickDim<S extends Shape, Dim extends number> = number extends Dim
  ? number
  : S[Position<S['length'], Dim>] & number;

/** Checks `x.permute(dims)`: each dimension once. */
export type PermuteCheck<S extends Shape, Dims extends readonly number[]> = number extends
  S['length'] | Dims['length'] | Dims[number]
  ? unknown
  : S['length'] extends Dims['length']
    ? DimCheck<S, Dims> extends infer Failed
      ? unknown extends Failed
        ? [
            Exclude<Position<S['length'], AllDims[S['length'] & keyof AllDims]>, Position<S['length'], Dims[number]>>,
          ] extends [never]
          ? unknown
          : ShapeMismatch<`permute of ${ShowShape<S>} must name each dimension once, got ${ShowShape<Dims>}`>
        : Failed
      : never
    : ShapeMismatch<`permute of ${ShowShape<S>} must name each dimension once, got ${ShowShape<Dims>}`>;

type AllDims = [
  never,
  0,
  0 | 1,
  0 | 1 | 2,
  0 | 1 | 2 | 3,
  0 | 1 | 2 | 3 | 4,
  0 | 1 | 2 | 3 | 4 | 5,
  0 | 1 | 2 | 3 | 4 | 5 | 6,
  0 | 1 | 2 | 3 | 4 | 5 | 6 | 7,
];

/** The shape of `x.transpose(a, b)`; by default the last two dimensions, as `x.mT`. */
export type TransposeShape<S extends Shape, A extends number = -2, B extends number = -1> = number extends S['length']
  ? Shape
  : number extends A | B
    ? AllUnknown<S>
    : SwapAt<S, Position<S['length'], A>, Position<S['length'], B>>;

type SwapAt<S extends Shape, A extends number, B extends number> = {
  readonly [I in keyof S]: I extends `${A}` ? S[B] & number : I extends `${B}` ? S[A] & number : S[I];
};

/** The shape of `x.squeeze(dims)`. A dimension that is not known might be 1 or not, so the rank becomes unknown. */
export type SqueezeShape<
  S extends Shape,
  Dims extends number | readonly number[] | undefined = undefined,
> = number extends S['length']
  ? Shape
  : [Dims] extends [undefined]
    ? SqueezeAt<S, number>
    : Dims extends number
      ? number extends Dims
        ? Shape
        : SqueezeAt<S, Position<S['length'], Dims>>
      : Dims extends readonly number[]
        ? number extends Dims['length'] | Dims[number]
          ? Shape
          : SqueezeAt<S, Position<S['length'], Dims[number]>>
        : Shape;

type SqueezeAt<
  S extends Shape,
  At extends number,
  Seen extends 0[] = [],
  Out extends number[] = [],
> = S extends readonly [infer Head extends number, ...infer Tail extends Shape]
  ? Seen['length'] extends At
    ? Head extends 1
      ? SqueezeAt<Tail, At, [...Seen, 0], Out>
      : number extends Head
        ? Shape
        : SqueezeAt<Tail, At, [...Seen, 0], [...Out, Head]>
    : SqueezeAt<Tail, At, [...Seen, 0], [...Out, Head]>
  : Readonly<Out>;

/** The shape of `x.unsqueeze(dim)`. */
export type UnsqueezeShape<S extends Shape, Dim extends number> = InsertDim<S, Dim, 1>;

/** Checks the dimension number of `x.unsqueeze(dim)`, which may be one past the end. */
export type UnsqueezeCheck<S extends Shape, Dim extends number> = number extends S['length']
  ? unknown
  : [OutOfRange<readonly [0, ...S], Dim>] extends [true]
    ? ShapeMismatch<`dimension ${Dim} is out of range for unsqueeze of ${ShowShape<S>}`>
    : unknown;

// ---- Reshape

type WithoutInferred<New extends Shape> = { readonly [I in keyof New]: New[I] extends -1 ? 1 : New[I] };

/** The shape of `x.reshape(shape)`, with -1 worked out where all else is known. */
export type ReshapeShape<S extends Shape, New extends Shape> = number extends New['length']
  ? Shape
  : -1 extends New[number]
    ? number extends New[number]
      ? { readonly [I in keyof New]: New[I] extends -1 ? number : New[I] }
      : InferDim<New, Quotient<Numel<S>, Product<WithoutInferred<New>>>>
    : Readonly<New>;

type InferDim<New extends Shape, Dim> = {
  readonly [I in keyof New]: New[I] extends -1 ? (Dim extends number ? Dim : number) : New[I];
};

type CountInferred<New extends Shape, Seen extends 0[] = []> = New extends readonly [
  infer Head,
  ...infer Tail extends Shape,
]
  ? CountInferred<Tail, Head extends -1 ? [...Seen, 0] : Seen>
  : Seen['length'];

/** Checks `x.reshape(shape)`: the same number of elements, at most one -1. A dimension not known might be the -1. */
export type ReshapeCheck<S extends Shape, New extends Shape> = number extends New['length'] | New[number]
  ? unknown
  : -1 extends New[number]
    ? CountInferred<New> extends 1
      ? 'remainder' extends Quotient<Numel<S>, Product<WithoutInferred<New>>>
        ? ShapeMismatch<`cannot reshape ${ShowShape<S>} (${Numel<S>} elements) to ${ShowShape<New>}`>
        : unknown
      : ShapeMismatch<`only one dimension can be -1 in ${ShowShape<New>}`>
    : [Numel<S> & Product<New>] extends [never]
      ? ShapeMismatch<`cannot reshape ${ShowShape<S>} (${Numel<S>} elements) to ${ShowShape<New>} (${Product<New>} elements)`>
      : unknown;

/** The shape of `x.flatten(startDim, endDim)`: those dimensions, both included, become their product. */
export type FlattenShape<S extends Shape, Start extends number = 0, End extends number = -1> = number extends
  S['length'] | Start | End
  ? FlattenUnknown<Start, End>
  : S extends readonly []
    ? readonly [1]
    : FlattenAt<S, Position<S['length'], Start>, Position<S['length'], End>>;

// From dimension 0 or 1 to the last one, the rank of the result is known even if the rank of the argument is not.
type FlattenUnknown<Start extends number, End extends number> = [End] extends [-1]
  ? [Start] extends [0]
    ? readonly [number]
    : [Start] extends [1]
      ? readonly [number, number]
      : Shape
  : Shape;

type FlattenAt<
  S extends Shape,
  Start extends number,
  End extends number,
  Before extends number[] = [],
  Inside extends number[] = [],
> = S extends readonly [infer Head extends number, ...infer Tail extends Shape]
  ? [...Before, ...Inside]['length'] extends End
    ? readonly [...Before, Product<[...Inside, Head]>, ...Tail]
    : Inside extends []
      ? Before['length'] extends Start
        ? FlattenAt<Tail, Start, End, Before, [Head]>
        : FlattenAt<Tail, Start, End, [...Before, Head], []>
      : FlattenAt<Tail, Start, End, Before, [...Inside, Head]>
  : Shape;

// ---- Nested arrays

/** The shape of a nested array, from its type: `readonly [2, 3]` for a literal, `number` where a length is not known. */
export type NestedShape<A> = A extends readonly unknown[]
  ? number extends A['length']
    ? readonly [number, ...ElementShape<A[number]>]
    : readonly [A['length'] & number, ...(A extends readonly [] ? readonly [] : ElementShape<A[0]>)]
  : A extends ArrayBufferView
    ? readonly [number]
    : readonly [];

// Elements that may be arrays or not, as in a recursive type, say nothing; asking further would never end.
type ElementShape<E> = [E] extends [readonly unknown[] | ArrayBufferView]
  ? NestedShape<E>
  : [Extract<E, readonly unknown[] | ArrayBufferView>] extends [never]
    ? readonly []
    : Shape;
