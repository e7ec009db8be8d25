// Numbers of an update that depend on how many steps there were: bias corrections, decaying rates. They are given by
// expressions, which are evaluated here as long as this side knows the count. Where the device decides whether a step is
// taken (a GradScaler's overflows), it keeps the count as well, and evaluates the same expressions.
import type { Device } from '../device.js';
import { noGrad } from '../autograd/mode.js';
import { keep, untracked } from '../memory.js';
import { clone } from '../ops/copy.js';
import { full } from '../ops/creation.js';
import { DeviceNumber, DeviceNumbers, KeptNumbers, type NumberRules } from '../program/deviceNumbers.js';
import { evaluators, type LeafValues } from '../program/evaluate.js';
import { inputExpr, scalarExpr, toExpr, type Expr, type ExprLike } from '../program/expr.js';
import { currentSkip } from '../program/skip.js';
import { Tensor } from '../tensor/tensor.js';
import type { ParameterState } from './optimizer.js';

/** What numbers of steps are made from. `K`: those kept in a parameter's state, `O`: those given, `R`: those that follow. */
export interface StepNumbersSpec<K extends string, O extends string, R extends string> {
  /** For messages. */
  readonly name: string;
  /** The names of what is kept, each 0 where a state has none yet. */
  readonly kept: readonly K[];
  readonly options?: readonly O[];
  /** Several programs are run with the numbers of a step. */
  readonly several?: boolean;
  /** From what is kept and given to what is kept next, and to the numbers of this step. */
  readonly update: (values: Readonly<Record<K | O, Expr>>) => Readonly<Record<K | R, ExprLike>>;
}

/** What states share whose parameters have taken the same steps. */
interface Shared {
  readonly numbers: KeptNumbers;
  readonly states: Set<ParameterState>;
}

// By the first of its tensors.
const sharedOf = new WeakMap<Tensor, Shared>();
const keptTensors = new WeakSet<Tensor>();

/** The number behind a value of a state, if it is one that the device keeps; this waits for it. */
export function keptNumber(value: Tensor | number): number | undefined {
  return value instanceof Tensor && keptTensors.has(value) ? Number(value.itemSync()) : undefined;
}

/** Numbers of steps: see `StepNumbersSpec`. */
export class StepNumbers<K extends string, O extends string, R extends string> {
  private readonly kept: readonly K[];
  private readonly results: readonly R[];
  private readonly rules: NumberRules;
  private readonly exprs: ReadonlyMap<R, Expr>;
  private readonly evaluateKept: readonly ((leaves: LeafValues) => number)[];
  private readonly evaluateResults: readonly ((leaves: LeafValues) => number)[];

  constructor(private readonly spec: StepNumbersSpec<K, O, R>) {
    const { name, kept, options = [] } = spec;
    const leaves = [...kept.map((item) => inputExpr(item)), ...options.map((item) => scalarExpr(item))];
    const made = spec.update(Object.fromEntries(leaves.map((e) => [e.label, e])) as Record<K | O, Expr>);
    this.kept = kept;
    this.results = Object.keys(made).filter((item) => !kept.includes(item as K)) as R[];
    const next = kept.map((item) => toExpr(made[item]));
    this.rules = { name, kept: leaves.slice(0, kept.length), options: leaves.slice(kept.length), next };
    this.exprs = new Map(this.results.map((item) => [item, toExpr(made[item])]));
    const functions = evaluators([...next, ...this.exprs.values()]);
    this.evaluateKept = functions.slice(0, kept.length);
    this.evaluateResults = functions.slice(kept.length);
  }

  /**
   * Runs programs with the numbers of the next step of parameters that go together, and counts it.
   *
   * @param states of the parameters, alike in what is kept
   * @param body given the numbers, to be passed to programs as scalars; not called again, and a step that it fails in does
   *   not count
   */
  run(
    states: readonly ParameterState[],
    device: Device,
    options: Readonly<Record<O, number>>,
    body: (numbers: Readonly<Record<R, number | DeviceNumber>>) => void,
  ): void {
    if (currentSkip(device) !== null || states[0][this.kept[0]] instanceof Tensor) {
      const numbers = new DeviceNumbers(this.rules, this.sharedBy(states, device), options, this.spec.several === true);
      body(
        Object.fromEntries(
          this.results.map((item) => [item, new DeviceNumber(numbers, this.exprs.get(item)!)]),
        ) as Record<R, DeviceNumber>,
      );
      numbers.finish();
      return;
    }
    const leaves: Record<string, number> = { ...options };
    for (const item of this.kept) leaves[item] = (states[0][item] as number | undefined) ?? 0;
    const results = {} as Record<R, number>;
    this.results.forEach((item, i) => (results[item] = this.evaluateResults[i](leaves)));
    body(results);
    this.kept.forEach((item, i) => {
      const value = this.evaluateKept[i](leaves);
      for (const state of states) state[item] = value;
    });
  }

  // Parameters mostly take their steps together, and keep one count then. One that goes on without the others gets its own.
  private sharedBy(states: readonly ParameterState[], device: Device): KeptNumbers {
    const [first] = states;
    const head = first[this.kept[0]];
    const known = head instanceof Tensor ? sharedOf.get(head) : undefined;
    if (known !== undefined && known.states.size === states.length && states.every((state) => known.states.has(state)))
      return known.numbers;
    const tensors = untracked(() =>
      noGrad(() =>
        this.kept.map((item) => {
          const value = first[item] ?? 0;
          return keep(value instanceof Tensor ? clone(value) : full([], value, { dtype: 'float64', device }));
        }),
      ),
    );
    const numbers = new KeptNumbers(tensors);
    sharedOf.set(tensors[0], { numbers, states: new Set(states) });
    for (const t of tensors) keptTensors.add(t);
    for (const state of states) {
      const before = state[this.kept[0]];
      if (before instanceof Tensor) sharedOf.get(before)?.states.delete(state);
      this.kept.forEach((item, i) => (state[item] = tensors[i]));
    }
    return numbers;
  }
}
