// What tests of optimizers share.
import { optim, type Tensor } from 'thalweg';

/** Whatever has the interface of an optimizer. */
export type Stepper = optim.AnyOptimizer;

/** The elements of all tensors. */
export const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap((t) => Array.from(t.dataSync(), Number));

/** An optimizer by the name of its class; in a wrapper, an SGD with `options.base`. */
export function make(name: string, params: optim.ParametersLike<object>, options: object = {}): Stepper {
  const { base, ...own } = options as { base?: object };
  if (name === 'SAM') return new optim.SAM(new optim.SGD(params, base), own);
  if (name === 'Lookahead') return new optim.Lookahead(new optim.SGD(params, base), own) as unknown as Stepper;
  const kinds = optim as unknown as Record<string, new (p: typeof params, o: object) => Stepper>;
  return new kinds[name](params, options);
}
