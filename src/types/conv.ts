// The sizes of convolutions, and of whatever else slides a window, for the compiler.
import type { DividedBy, FromNatural, Minus, Natural, Plus, Times } from './digits.js';
import type { InputOf, ShapeFn } from './sequential.js';
import type { Shape, ShapeMismatch, ShowShape } from './shape.js';

// ---- Formulas

// dilation (kernel - 1) + 1
type Extent<Kernel extends number, Dilation extends number> = Kernel extends 1
  ? '1'
  : Plus<Times<Natural<Dilation>, Minus<Natural<Kernel>, '1'>>, '1'>;

type Padded<Size extends number, Padding extends number> = Padding extends 0
  ? Natural<Size>
  : Plus<Natural<Size>, Plus<Natural<Padding>, Natural<Padding>>>;

/**
 * How often a window fits: `floor((Size + 2 Padding - Dilation (Kernel - 1) - 1) / Stride) + 1`; `'less'` if it does not fit
 * once, `number` if something is not known.
 */
export type WindowCount<
  Size extends number,
  Kernel extends number,
  Stride extends number = 1,
  Padding extends number = 0,
  Dilation extends number = 1,
> = number extends Size | Kernel | Stride | Padding | Dilation
  ? number
  : 0 extends Kernel | Stride
    ? number
    : Minus<Padded<Size, Padding>, Extent<Kernel, Dilation>> extends infer Left extends string
      ? Left extends 'less'
        ? 'less'
        : FromNatural<Plus<DividedBy<Left, Natural<Stride>>, '1'>>
      : never;

/**
 * The size whose windows these are, of several the smallest, plus `Added`: `(Size - 1) Stride - 2 Padding + Dilation
 * (Kernel - 1) + Added + 1`; `'less'` if it is negative, `number` if something is not known.
 */
export type TransposedSize<
  Size extends number,
  Kernel extends number,
  Stride extends number = 1,
  Padding extends number = 0,
  Dilation extends number = 1,
  Added extends number = 0,
> = number extends Size | Kernel | Stride | Padding | Dilation | Added
  ? number
  : 0 extends Size | Kernel
    ? number
    : Minus<
          Plus<Plus<Times<Minus<Natural<Size>, '1'>, Natural<Stride>>, Extent<Kernel, Dilation>>, Natural<Added>>,
          Plus<Natural<Padding>, Natural<Padding>>
        > extends infer Left extends string
      ? Left extends 'less'
        ? 'less'
        : FromNatural<Left>
      : never;

// ---- Options

/** Of a number for all spatial dimensions or one for each, the one for dimension `At`; `number` if not known. */
export type SizeAt<Sizes, At extends number> = Sizes extends number
  ? Sizes
  : Sizes extends readonly number[]
    ? number extends Sizes['length']
      ? number
      : Sizes[At]
    : number;

/** The same for an option that may be left out. */
export type OptionAt<
  Options,
  Name extends string,
  At extends number,
  Default extends number,
> = Name extends keyof Options ? (undefined extends Options[Name] ? number : SizeAt<Options[Name], At>) : Default;

type PaddingAt<Options, At extends number> = Options extends { readonly padding: infer P }
  ? [P] extends ['valid']
    ? 0
    : SizeAt<P, At>
  : OptionAt<Options, 'padding', At, 0>;

type IsSame<Options> = Options extends { readonly padding: infer P } ? ([P] extends ['same'] ? true : false) : false;

// ---- Layers

// All that a layer's shape function knows.
interface Conv {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: unknown;
  readonly options: unknown;
  readonly transposed: boolean;
}

type Describe<C extends Conv> = `${C['name']}(${C['inputs']}, ${C['outputs']})`;

// The size of spatial dimension `At`, or the reason why there is none.
type SizeOut<C extends Conv, S extends Shape, Size extends number, At extends number> = C['transposed'] extends true
  ? TransposedSize<
      Size,
      SizeAt<C['kernel'], At>,
      OptionAt<C['options'], 'stride', At, 1>,
      OptionAt<C['options'], 'padding', At, 0>,
      OptionAt<C['options'], 'dilation', At, 1>,
      OptionAt<C['options'], 'outputPadding', At, 0>
    > extends infer N
    ? N extends 'less' | 0
      ? ShapeMismatch<`${Describe<C>}: nothing of ${ShowShape<S>} would be left behind the padding`>
      : N
    : never
  : IsSame<C['options']> extends true
    ? Size
    : WindowCount<
          Size,
          SizeAt<C['kernel'], At>,
          OptionAt<C['options'], 'stride', At, 1>,
          PaddingAt<C['options'], At>,
          OptionAt<C['options'], 'dilation', At, 1>
        > extends infer N
      ? N extends 'less'
        ? ShapeMismatch<`${Describe<C>}: kernel ${FromNatural<
            Extent<SizeAt<C['kernel'], At>, OptionAt<C['options'], 'dilation', At, 1>>
          >} is larger than the padded size ${FromNatural<Padded<Size, PaddingAt<C['options'], At>>>} of ${ShowShape<S>}`>
        : N
      : never;

// Sizes of a result, or the first reason among them.
type Sized<Out extends readonly unknown[], Lead extends Shape, Channels extends number> = Out extends Shape
  ? readonly [...Lead, Channels, ...Out]
  : Extract<Out[number], ShapeMismatch<string>>;

// [] or [N]; or not known.
type LeadOf<Lead extends Shape> = number extends Lead['length'] ? true : Lead['length'] extends 0 | 1 ? true : false;

type ChannelsDiffer<A extends number, B extends number> = number extends A | B
  ? false
  : [A] extends [B]
    ? false
    : [B] extends [A]
      ? false
      : true;

type WrongChannels<
  C extends Conv,
  S extends Shape,
  Got extends number,
> = ShapeMismatch<`${Describe<C>}: ${ShowShape<S>} has ${Got} channels, expected ${C['inputs']}`>;

type WrongRank<
  C extends Conv,
  S extends Shape,
  Names extends string,
> = ShapeMismatch<`${Describe<C>}: expected [N,C,${Names}] or [C,${Names}], got ${ShowShape<S>}`>;

type Out1d<C extends Conv, S extends Shape> = S extends readonly [
  ...infer Lead extends Shape,
  infer Channels extends number,
  infer L extends number,
]
  ? LeadOf<Lead> extends false
    ? WrongRank<C, S, 'L'>
    : ChannelsDiffer<Channels, C['inputs']> extends true
      ? WrongChannels<C, S, Channels>
      : Sized<[SizeOut<C, S, L, 0>], Lead, C['outputs']>
  : number extends S['length']
    ? readonly [...number[], C['outputs'], number]
    : WrongRank<C, S, 'L'>;

type Out2d<C extends Conv, S extends Shape> = S extends readonly [
  ...infer Lead extends Shape,
  infer Channels extends number,
  infer H extends number,
  infer W extends number,
]
  ? LeadOf<Lead> extends false
    ? WrongRank<C, S, 'H,W'>
    : ChannelsDiffer<Channels, C['inputs']> extends true
      ? WrongChannels<C, S, Channels>
      : Sized<[SizeOut<C, S, H, 0>, SizeOut<C, S, W, 1>], Lead, C['outputs']>
  : number extends S['length']
    ? readonly [...number[], C['outputs'], number, number]
    : WrongRank<C, S, 'H,W'>;

type Out3d<C extends Conv, S extends Shape> = S extends readonly [
  ...infer Lead extends Shape,
  infer Channels extends number,
  infer D extends number,
  infer H extends number,
  infer W extends number,
]
  ? LeadOf<Lead> extends false
    ? WrongRank<C, S, 'D,H,W'>
    : ChannelsDiffer<Channels, C['inputs']> extends true
      ? WrongChannels<C, S, Channels>
      : Sized<[SizeOut<C, S, D, 0>, SizeOut<C, S, H, 1>, SizeOut<C, S, W, 2>], Lead, C['outputs']>
  : number extends S['length']
    ? readonly [...number[], C['outputs'], number, number, number]
    : WrongRank<C, S, 'D,H,W'>;

interface Layer<
  Name extends string,
  I extends number,
  O extends number,
  K,
  X,
  Transposed extends boolean,
> extends Conv {
  readonly name: Name;
  readonly inputs: I;
  readonly outputs: O;
  readonly kernel: K;
  readonly options: X;
  readonly transposed: Transposed;
}

/** `[N, I, L]` to `[N, O, Lout]`, or both without N; of an unknown rank only the last dimensions are known afterwards. */
export interface Conv1dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out1d<Layer<'Conv1d', I, O, K, X, false>, InputOf<this>>;
}

/** `[N, I, H, W]` to `[N, O, Hout, Wout]`, or both without N. */
export interface Conv2dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out2d<Layer<'Conv2d', I, O, K, X, false>, InputOf<this>>;
}

/** `[N, I, D, H, W]` to `[N, O, Dout, Hout, Wout]`, or both without N. */
export interface Conv3dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out3d<Layer<'Conv3d', I, O, K, X, false>, InputOf<this>>;
}

/** As `Conv1dFn`, for the transposed layer. */
export interface ConvTranspose1dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out1d<Layer<'ConvTranspose1d', I, O, K, X, true>, InputOf<this>>;
}

/** As `Conv2dFn`, for the transposed layer. */
export interface ConvTranspose2dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out2d<Layer<'ConvTranspose2d', I, O, K, X, true>, InputOf<this>>;
}

/** As `Conv3dFn`, for the transposed layer. */
export interface ConvTranspose3dFn<I extends number, O extends number, K, X> extends ShapeFn {
  readonly out: Out3d<Layer<'ConvTranspose3d', I, O, K, X, true>, InputOf<this>>;
}

// ---- Functions

/** The shape, where a type is either a shape or the reason why there is none. */
export type ShapeOf<Out> = Out extends Shape ? Out : Shape;

/** `unknown`, or the reason. */
export type CheckOf<Out> = Out extends ShapeMismatch<string> ? Out : unknown;

type OutOf<Spatial extends 1 | 2 | 3, C extends Conv, S extends Shape> = Spatial extends 1
  ? Out1d<C, S>
  : Spatial extends 2
    ? Out2d<C, S>
    : Out3d<C, S>;

// With groups, a weight does not tell all channels.
type Ungrouped<N extends number, X> = 'groups' extends keyof X ? number : N;

/**
 * What a convolution function gives for an input and weight `[O, I / groups, ...kernel]`, or `[I, O / groups, ...kernel]` of
 * a transposed one: a shape or a `ShapeMismatch`.
 */
export type ConvFunction<
  Name extends string,
  Spatial extends 1 | 2 | 3,
  S extends Shape,
  W extends Shape,
  X,
> = Name extends `convTranspose${string}`
  ? W extends readonly [infer I extends number, infer O extends number, ...infer K extends Shape]
    ? OutOf<Spatial, Layer<Name, I, Ungrouped<O, X>, K, X, true>, S>
    : OutOf<Spatial, Layer<Name, number, number, number, X, true>, S>
  : W extends readonly [infer O extends number, infer I extends number, ...infer K extends Shape]
    ? OutOf<Spatial, Layer<Name, Ungrouped<I, X>, O, K, X, false>, S>
    : OutOf<Spatial, Layer<Name, number, number, number, X, false>, S>;
