// The least that can carry the shape types: what the snippets of compile.test.ts are written with.
import type {
  BroadcastCheck,
  Broadcast,
  DimCheck,
  ExpandCheck,
  ExpandShape,
  FlattenShape,
  LinearCheck,
  LinearShape,
  MatmulCheck,
  MatmulShape,
  PermuteCheck,
  PermuteShape,
  ReduceShape,
  ReshapeCheck,
  ReshapeShape,
  Shape,
  UnsqueezeCheck,
  UnsqueezeShape,
} from '../../src/types/shape.js';
import type {
  ApplyCheck,
  ApplyShape,
  ChainFn,
  CheckedLayers,
  FlattenFn,
  IdentityFn,
  LinearFn,
} from '../../src/types/sequential.js';

export declare class Tensor<S extends Shape = Shape> {
  readonly shape: S;
  sum<const D extends number | readonly number[] | undefined = undefined, K extends boolean = false>(
    dim?: D & DimCheck<S, D>,
    options?: { readonly keepDim?: K },
  ): Tensor<ReduceShape<S, D, K>>;
  reshape<const N extends Shape>(shape: N & ReshapeCheck<S, N>): Tensor<ReshapeShape<S, N>>;
  expand<const N extends Shape>(shape: N & ExpandCheck<S, N>): Tensor<ExpandShape<S, N>>;
  permute<const D extends readonly number[]>(dims: D & PermuteCheck<S, D>): Tensor<PermuteShape<S, D>>;
  unsqueeze<const D extends number>(dim: D & UnsqueezeCheck<S, D>): Tensor<UnsqueezeShape<S, D>>;
  flatten<Start extends number = 0, End extends number = -1>(
    start?: Start,
    end?: End,
  ): Tensor<FlattenShape<S, Start, End>>;
}

export declare function zeros<const S extends Shape>(shape: S): Tensor<S>;
export declare function add<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>>;
export declare function matmul<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & MatmulCheck<A, B>,
): Tensor<MatmulShape<A, B>>;
export declare function linear<S extends Shape, I extends number, O extends number>(
  x: Tensor<S> & LinearCheck<S, I>,
  weight: Tensor<readonly [O, I]>,
): Tensor<LinearShape<S, I, O>>;

export declare class Module {
  train(mode?: boolean): this;
}
export declare class Linear<const I extends number, const O extends number> extends Module {
  readonly _shapeFn?: LinearFn<I, O>;
  constructor(inFeatures: I, outFeatures: O);
  forward<S extends Shape>(x: Tensor<S> & ApplyCheck<LinearFn<I, O>, S>): Tensor<ApplyShape<LinearFn<I, O>, S>>;
}
export declare class ReLU extends Module {
  readonly _shapeFn?: IdentityFn;
}
export declare class Flatten extends Module {
  readonly _shapeFn?: FlattenFn;
}
/** A user's own module, which says nothing about shapes. */
export declare class Mystery extends Module {
  readonly size: number;
}
export declare class Sequential<const Layers extends readonly Module[]> extends Module {
  readonly _shapeFn?: ChainFn<Layers>;
  constructor(...layers: CheckedLayers<Layers>);
  forward<S extends Shape>(x: Tensor<S> & ApplyCheck<ChainFn<Layers>, S>): Tensor<ApplyShape<ChainFn<Layers>, S>>;
}
