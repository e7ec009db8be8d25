// What a row of the sample table is. One row per public op and case: what to run, and what is particular about it. The
// inputs, results and gradients are in golden/ops/<family>.json under `op/case`. check.ts drives every row through all
// checks, and guard.test.ts fails for an op without a row. The name of a case says what it is about: `special` has NaN and
// infinities (results only, compared bit for bit where they are not finite), `kink` sits where no derivative exists (its
// gradient is compared with PyTorch's, but not with differences).
import { noGrad, type nn, type Tensor } from 'thalweg';

/** What a row computes from the golden's inputs. */
export type Run = (inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

/** What is particular about a row. */
export interface Flags {
  /** Each element of the result depends on its own elements of the operands: then long inputs are tried too. */
  readonly elementwise?: boolean;
  /** The gradient is not compared with differences. */
  readonly kink?: boolean;
  /** The gradient of the gradient is not compared with differences. */
  readonly once?: boolean;
  /** Only in float64: the golden's values or dtypes have no meaning in smaller ones. */
  readonly only64?: boolean;
  /** The inputs' memory layout cannot be varied. */
  readonly fixedLayout?: boolean;
  /** Relative to the size of a value, and a hundredth of that to the largest; float64. Default 1e-12. */
  readonly tolerance?: number;
  /** The same for float32. Default 1e-5. */
  readonly tolerance32?: number;
  /** No float16 and bfloat16 trial, where elementwise and matmul have one. */
  readonly noHalf?: boolean;
}

/** A row of the table. */
export interface Sample extends Flags {
  readonly op: string;
  /** `op/case`, the key in golden/ops/<family>.json. */
  readonly key: string;
  readonly run: Run;
}

/** Adds the rows of an op: what each case runs, flags of all cases, and flags of one. */
export type Rows = (
  op: string,
  runs: Readonly<Record<string, Run>>,
  flags?: Flags,
  own?: Readonly<Record<string, Flags>>,
) => void;

/** The rows of a family of ops, in a list that `rows` fills. */
export function family(): { readonly samples: readonly Sample[]; readonly rows: Rows } {
  const samples: Sample[] = [];
  return {
    samples,
    rows: (op, runs, flags = {}, own = {}) => {
      for (const [name, run] of Object.entries(runs)) {
        const kink = name.startsWith('kink');
        samples.push({ op, key: `${op}/${name}`, run, ...(kink ? { kink } : {}), ...flags, ...own[name] });
      }
    },
  };
}

/** The same run for several cases. */
export const each = (names: readonly string[], run: Run): Record<string, Run> =>
  Object.fromEntries(names.map((name) => [name, run]));

/**
 * A module in float64 (or the values' float dtype) with its parameters and buffers set to the given values, in the order
 * of its state dict: a golden's inputs behind x. Gradients of parameters are the business of the functional form's rows.
 */
export function withState<M extends nn.AnyModule>(module: M, values: readonly Tensor[]): M {
  const state = [...module.stateDict().keys()];
  if (state.length !== values.length) {
    throw new Error(
      `the module has ${state.length} parameters and buffers (${state.join(', ')}), given: ${values.length}`,
    );
  }
  const float = values.find(({ dtype }) => dtype.includes('float'));
  if (float !== undefined) module.to(float.dtype);
  noGrad(() => module.loadStateDict(new Map(state.map((name, i) => [name, values[i].detach()]))));
  return module;
}
