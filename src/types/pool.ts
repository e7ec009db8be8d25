// The sizes of pooling, for the compiler.
import type { OptionAt, SizeAt, WindowCount } from './conv.js';
import type { InputOf, ShapeFn } from './sequential.js';
import type { Shape, ShapeMismatch, ShowShape } from './shape.js';

// All that a pooling layer's shape function knows.
interface Pool {
  readonly name: string;
  readonly kernel: unknown;
  readonly options: unknown;
}

// With ceilMode sizes are not computed here.
type Ceils<Options> = 'ceilMode' extends keyof Options ? (Options['ceilMode'] extends false ? false : true) : false;

type PooledSize<P extends Pool, S extends Shape, Size extends number, At extends number> =
  Ceils<P['options']> extends true
    ? number
    : WindowCount<
          Size,
          SizeAt<P['kernel'], At>,
          OptionAt<P['options'], 'stride', At, SizeAt<P['kernel'], At>>,
          OptionAt<P['options'], 'padding', At, 0>,
          OptionAt<P['options'], 'dilation', At, 1>
        > extends infer N
      ? N extends 'less'
        ? ShapeMismatch<`${P['name']}: the window is larger than the padded input ${ShowShape<S>}`>
        : N
      : never;

// Sizes of a result, or the first reason among them.
type Sized<Out extends readonly unknown[], Lead extends Shape> = Out extends Shape
  ? readonly [...Lead, ...Out]
  : Extract<Out[number], ShapeMismatch<string>>;

// [C] or [N, C]; or not known.
type IsLead<Lead extends Shape> = number extends Lead['length'] ? true : Lead['length'] extends 1 | 2 ? true : false;

type WrongRank<
  Name extends string,
  S extends Shape,
  Names extends string,
> = ShapeMismatch<`${Name}: expected [N,C,${Names}] or [C,${Names}], got ${ShowShape<S>}`>;

/** `[N, C, L]` to `[N, C, Lout]`, or both without N. */
export interface Pool1dFn<Name extends string, K, X> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [...infer Lead extends Shape, infer L extends number]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'L'>
        : Sized<[PooledSize<{ name: Name; kernel: K; options: X }, S, L, 0>], Lead>
      : number extends S['length']
        ? readonly [...number[], number]
        : WrongRank<Name, S, 'L'>
    : never;
}

/** `[N, C, H, W]` to `[N, C, Hout, Wout]`, or both without N. */
export interface Pool2dFn<Name extends string, K, X> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [...infer Lead extends Shape, infer H extends number, infer W extends number]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'H,W'>
        : Sized<
            [
              PooledSize<{ name: Name; kernel: K; options: X }, S, H, 0>,
              PooledSize<{ name: Name; kernel: K; options: X }, S, W, 1>,
            ],
            Lead
          >
      : number extends S['length']
        ? readonly [...number[], number, number]
        : WrongRank<Name, S, 'H,W'>
    : never;
}

/** `[N, C, D, H, W]` to `[N, C, Dout, Hout, Wout]`, or both without N. */
export interface Pool3dFn<Name extends string, K, X> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [
        ...infer Lead extends Shape,
        infer D extends number,
        infer H extends number,
        infer W extends number,
      ]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'D,H,W'>
        : Sized<
            [
              PooledSize<{ name: Name; kernel: K; options: X }, S, D, 0>,
              PooledSize<{ name: Name; kernel: K; options: X }, S, H, 1>,
              PooledSize<{ name: Name; kernel: K; options: X }, S, W, 2>,
            ],
            Lead
          >
      : number extends S['length']
        ? readonly [...number[], number, number, number]
        : WrongRank<Name, S, 'D,H,W'>
    : never;
}

type Adapted<Sizes, Size extends number, At extends number> = Sizes extends null
  ? Size
  : Sizes extends number
    ? Sizes
    : Sizes extends readonly unknown[]
      ? number extends Sizes['length']
        ? number
        : Sizes[At] extends null
          ? Size
          : Sizes[At] extends number
            ? Sizes[At]
            : number
      : number;

/** `[N, C, L]` to `[N, C, size]`, or both without N. */
export interface AdaptivePool1dFn<Name extends string, Sizes> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [...infer Lead extends Shape, infer L extends number]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'L'>
        : readonly [...Lead, Adapted<Sizes, L, 0>]
      : number extends S['length']
        ? readonly [...number[], Adapted<Sizes, number, 0>]
        : WrongRank<Name, S, 'L'>
    : never;
}

/** `[N, C, H, W]` to `[N, C, ...sizes]`, or both without N. */
export interface AdaptivePool2dFn<Name extends string, Sizes> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [...infer Lead extends Shape, infer H extends number, infer W extends number]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'H,W'>
        : readonly [...Lead, Adapted<Sizes, H, 0>, Adapted<Sizes, W, 1>]
      : number extends S['length']
        ? readonly [...number[], Adapted<Sizes, number, 0>, Adapted<Sizes, number, 1>]
        : WrongRank<Name, S, 'H,W'>
    : never;
}

/** `[N, C, D, H, W]` to `[N, C, ...sizes]`, or both without N. */
export interface AdaptivePool3dFn<Name extends string, Sizes> extends ShapeFn {
  readonly out: InputOf<this> extends infer S extends Shape
    ? S extends readonly [
        ...infer Lead extends Shape,
        infer D extends number,
        infer H extends number,
        infer W extends number,
      ]
      ? IsLead<Lead> extends false
        ? WrongRank<Name, S, 'D,H,W'>
        : readonly [...Lead, Adapted<Sizes, D, 0>, Adapted<Sizes, H, 1>, Adapted<Sizes, W, 2>]
      : number extends S['length']
        ? readonly [...number[], Adapted<Sizes, number, 0>, Adapted<Sizes, number, 1>, Adapted<Sizes, number, 2>]
        : WrongRank<Name, S, 'D,H,W'>
    : never;
}
