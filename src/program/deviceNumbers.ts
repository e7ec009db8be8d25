// Scalars of a program that only the device knows: expressions of numbers that are kept in its memory. A small program
// computes all scalars of a run there, in float64 as they are computed here; the run reads them.
import { ArgumentError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { native, scratchHandles, scratchNumbers, type ProgramId } from '../native.js';
import { emptyTensor, viewTensor, type Tensor } from '../tensor/tensor.js';
import { compile } from './compile.js';
import { apply, scalarExpr, type Expr } from './expr.js';
import type { HoistedScalar } from './hoist.js';
import { currentSkip } from './skip.js';

/** Rules for numbers that are kept, and others that follow from them. @internal */
export interface NumberRules {
  readonly name: string;
  /** The leaves: numbers that are kept, and those that each step is given. */
  readonly kept: readonly Expr[];
  readonly options: readonly Expr[];
  /** What is kept next, in the order of `kept`. */
  readonly next: readonly Expr[];
}

/** A scalar of a run: an expression of what `source` keeps. @internal */
export class DeviceNumber {
  constructor(
    readonly source: DeviceNumbers,
    readonly expr: Expr,
  ) {}
}

/** The scalars of a run by name. @internal */
export type RunScalars = Readonly<Record<string, number | DeviceNumber>>;

/** A program whose scalars are wanted: their names, and those that follow from them. @internal */
export interface WithScalars {
  readonly scalars: readonly string[];
  readonly hoisted: readonly HoistedScalar[];
}

interface Composed {
  readonly id: ProgramId;
  /** Scalars that are given as numbers. */
  readonly given: readonly string[];
}

interface Vector {
  readonly all: Tensor;
  readonly elements: readonly Tensor[];
}

// By rules, by program, by which of its scalars are the device's.
const composed = new WeakMap<NumberRules, WeakMap<WithScalars, Map<string, Composed>>>();
const advances = new WeakMap<NumberRules, ProgramId>();

/** Numbers kept on a device: float64 scalars, and memory for the scalars that are computed from them. @internal */
export class KeptNumbers {
  readonly vectors = new Map<WithScalars, Vector>();
  constructor(readonly tensors: readonly Tensor[]) {}
}

function substituted(e: Expr, leaves: ReadonlyMap<string, Expr>): Expr {
  if (e.kind === 'scalar') return leaves.get(e.label)!;
  return e.kind === 'constant' || e.kind === 'input'
    ? e
    : apply(e.kind, ...e.args.map((arg) => substituted(arg, leaves)));
}

function compose(rules: NumberRules, advance: boolean, wanted: WithScalars, scalars: RunScalars): Composed {
  const given = wanted.scalars.filter((name) => typeof scalars[name] === 'number');
  const own = given.map((name) => scalarExpr(name));
  const leaves = new Map<string, Expr>(given.map((name, i) => [name, own[i]]));
  for (const name of wanted.scalars) {
    const value = scalars[name];
    if (value instanceof DeviceNumber) leaves.set(name, value.expr);
  }
  const roots = [
    ...(advance ? rules.next : []),
    ...wanted.scalars.map((name) => leaves.get(name)!),
    ...wanted.hoisted.map(({ expr }) => substituted(expr, leaves)),
  ];
  return { id: compile(rules.name, roots, rules.kept, [...rules.options, ...own]), given };
}

/** The numbers of one step. @internal */
export class DeviceNumbers {
  private advanced = false;

  /**
   * @param options the values of the rules' options
   * @param several whether more than one run takes its scalars from here: then what is kept moves on in `finish` only
   */
  constructor(
    private readonly rules: NumberRules,
    private readonly numbers: KeptNumbers,
    private readonly options: Readonly<Record<string, number>>,
    private readonly several: boolean,
  ) {}

  private launch(id: ProgramId, outputs: readonly Tensor[], given: readonly number[]): void {
    const { tensors } = this.numbers;
    const { options } = this.rules;
    [...outputs, ...tensors].forEach((t, i) => (scratchHandles[i] = t._handle));
    options.forEach((option, i) => (scratchNumbers[i] = this.options[option.label]));
    given.forEach((value, i) => (scratchNumbers[options.length + i] = value));
    const skip = currentSkip(tensors[0].device);
    native.mapUnless(id, outputs.length + tensors.length, options.length + given.length, skip?._handle ?? 0, 0);
  }

  /** All scalars of a run, as a vector on the device. */
  scalarsOf(wanted: WithScalars, scalars: RunScalars): Tensor {
    const { rules, numbers } = this;
    const advance = !this.several && !this.advanced;
    for (const value of Object.values(scalars)) {
      if (value instanceof DeviceNumber && value.source !== this)
        throw new ArgumentError(`${rules.name}: scalars of a run come from two sets of numbers.`);
    }
    const key = `${advance} ${wanted.scalars.map((name) => typeof scalars[name]).join()}`;
    let byProgram = composed.get(rules);
    if (byProgram === undefined) composed.set(rules, (byProgram = new WeakMap()));
    let byKind = byProgram.get(wanted);
    if (byKind === undefined) byProgram.set(wanted, (byKind = new Map<string, Composed>()));
    let program = byKind.get(key);
    if (program === undefined) byKind.set(key, (program = compose(rules, advance, wanted, scalars)));

    let vector = numbers.vectors.get(wanted);
    if (vector === undefined) numbers.vectors.set(wanted, (vector = this.newVector(wanted)));
    const outputs = advance ? [...numbers.tensors, ...vector.elements] : vector.elements;
    this.launch(
      program.id,
      outputs,
      program.given.map((name) => scalars[name] as number),
    );
    this.advanced ||= advance;
    return vector.all;
  }

  // The same memory for each step: a graph goes on reading it.
  private newVector({ scalars, hoisted }: WithScalars): Vector {
    const count = scalars.length + hoisted.length;
    return untracked(() => {
      const all = keep(emptyTensor(this.rules.name, [count], 'float64', this.numbers.tensors[0].device));
      return { all, elements: Array.from({ length: count }, (_, i) => keep(viewTensor(all, [], null, i))) };
    });
  }

  /** Moves on to what is kept next, if no run has done so. */
  finish(): void {
    const { rules, numbers } = this;
    if (this.advanced) return;
    let id = advances.get(rules);
    if (id === undefined) advances.set(rules, (id = compile(rules.name, rules.next, rules.kept, rules.options)));
    this.launch(id, numbers.tensors, []);
    this.advanced = true;
  }
}
