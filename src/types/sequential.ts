// Functions from shapes to shapes, so that layers can be chained and the compiler knows what comes out.
//
// TypeScript has no type parameters that are functions themselves, so a shape function is an interface whose `out` is
// written in terms of `this['in']`; intersecting it with an actual `in` and reading `out` applies it. A layer names its
// function in the property `_shapeFn`, which exists only in the type:
//
//   class Linear<I extends number, O extends number> {
//     declare readonly _shapeFn?: LinearFn<I, O>;
//   }
import type {
  DimCheck,
  FlattenShape,
  HalveCheck,
  HalveDim,
  LinearCheck,
  LinearShape,
  Shape,
  ShapeMismatch,
} from './shape.js';

/** A function from an input shape to an output shape, or to the reason why there is none. */
export interface ShapeFn {
  readonly in: unknown;
  readonly out: Shape | ShapeMismatch<string>;
}

/** The input of a shape function, for use inside one: `InputOf<this>`. */
export type InputOf<F extends { readonly in: unknown }> = F['in'] extends Shape ? F['in'] : Shape;

/** What a shape function gives for a shape: a shape, or a `ShapeMismatch`. */
export type Apply<F extends ShapeFn, S extends Shape> = (F & { readonly in: S })['out'];

/** The output shape; `Shape`, that is unknown, if the input does not fit. */
export type ApplyShape<F extends ShapeFn, S extends Shape> = Apply<F, S> extends infer Out extends Shape ? Out : Shape;

/** `unknown` if the shape function takes this shape, else the `ShapeMismatch`. For the argument of `forward`. */
export type ApplyCheck<F extends ShapeFn, S extends Shape> =
  Apply<F, S> extends infer Out ? (Out extends ShapeMismatch<string> ? Out : unknown) : never;

// ---- The functions of common layers

/** Leaves the shape as it is: activations, dropout, normalisation. */
export interface IdentityFn extends ShapeFn {
  readonly out: InputOf<this>;
}

/** Any shape in, an unknown shape out. */
export interface UnknownFn extends ShapeFn {
  readonly out: Shape;
}

/** Any shape to `[..., E]`. */
export interface EmbeddingFn<E extends number> extends ShapeFn {
  readonly out: readonly [...InputOf<this>, E];
}

/** `[..., I]` to `[..., O]`. */
export interface LinearFn<I extends number, O extends number> extends ShapeFn {
  readonly out: LinearOut<InputOf<this>, I, O>;
}

type LinearOut<S extends Shape, I extends number, O extends number> =
  LinearCheck<S, I> extends ShapeMismatch<infer Why>
    ? ShapeMismatch<`Linear(${I}, ${O}): ${Why}`>
    : LinearShape<S, I, O>;

/** Dimensions `Start` to `End` become one; by default all but the first. */
export interface FlattenFn<Start extends number = 1, End extends number = -1> extends ShapeFn {
  readonly out: FlattenOut<InputOf<this>, Start, End>;
}

type FlattenOut<S extends Shape, Start extends number, End extends number> =
  DimCheck<S, readonly [Start, End]> extends ShapeMismatch<infer Why>
    ? ShapeMismatch<`Flatten: ${Why}`>
    : FlattenShape<S, Start, End>;

/** Dimension `Dim` becomes half as large. */
export interface GLUFn<Dim extends number = -1> extends ShapeFn {
  readonly out: GLUOut<InputOf<this>, Dim>;
}

type GLUOut<S extends Shape, Dim extends number> =
  DimCheck<S, Dim> & HalveCheck<S, Dim> extends ShapeMismatch<infer Why>
    ? ShapeMismatch<`GLU: ${Why}`>
    : HalveDim<S, Dim>;

// ---- Chains

/** The shape function that a layer names; a module that does not name one counts as `UnknownFn`. */
export type FnOf<L> = L extends { readonly _shapeFn?: infer F }
  ? NonNullable<F> extends infer G extends ShapeFn
    ? G
    : UnknownFn
  : UnknownFn;

type ChainOut<Layers extends readonly unknown[], S> = S extends Shape
  ? Layers extends readonly [infer Head, ...infer Tail]
    ? ChainOut<Tail, Apply<FnOf<Head>, S>>
    : number extends Layers['length']
      ? Shape
      : S
  : S;

/** The shape function of layers applied one after the other. */
export interface ChainFn<Layers extends readonly unknown[]> extends ShapeFn {
  readonly out: ChainOut<Layers, InputOf<this>> extends infer Out extends Shape | ShapeMismatch<string> ? Out : never;
}

type ChainErrors<
  Layers extends readonly unknown[],
  S extends Shape,
  Out extends readonly unknown[] = readonly [],
> = Layers extends readonly [infer Head, ...infer Tail]
  ? Apply<FnOf<Head>, S> extends infer Next
    ? Next extends Shape
      ? ChainErrors<Tail, Next, readonly [...Out, unknown]>
      : // Behind the first mistake nothing is known.
        readonly [...Out, Next, ...Unchecked<Tail>]
    : never
  : Out;

type Unchecked<Layers extends readonly unknown[]> = { readonly [I in keyof Layers]: unknown };

/**
 * For each layer `unknown`, or a `ShapeMismatch` at the first one that cannot take what the layers before it give.
 *
 * @typeParam S the shape that the first layer gets; not known when a chain is constructed
 */
export type CheckChain<Layers extends readonly unknown[], S extends Shape = Shape> = number extends Layers['length']
  ? Unchecked<Layers>
  : ChainErrors<Layers, S>;

type At<Errors, I> = I extends keyof Errors ? Errors[I] : unknown;

/**
 * The layers of a chain as the rest parameter of a constructor, so that the compiler marks the layer that does not fit:
 *
 *   constructor(...layers: CheckedLayers<Layers>)
 */
export type CheckedLayers<Layers extends readonly unknown[]> = {
  readonly [I in keyof Layers]: Layers[I] & At<CheckChain<Layers>, I>;
};

/** The layer of a chain at a position: known for literal positions from the front, else one of them. */
export type LayerAt<Layers extends readonly unknown[], I extends number> = `${I}` extends keyof Layers
  ? Layers[`${I}`]
  : Layers[number];
