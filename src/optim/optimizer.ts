// Base of optimizers: parameter groups, state, state dicts. An optimizer adds its defaults, its state tensors and its
// update, an elementwise program that runs over all parameters of a group in one native call.
import { withAutocast } from '../amp/state.js';
import { noGrad } from '../autograd/mode.js';
import { dynamicPart } from '../cuda/capture.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { copy_ } from '../ops/copy.js';
import { zerosLike } from '../ops/creation.js';
import { skipping, type Flags } from '../program/skip.js';
import { formatShape, shapesEqual } from '../shape.js';
import { Tensor } from '../tensor/tensor.js';
import {
  checkRegularization,
  regularizationOptions,
  regularizedGradients,
  regularizeParameters,
  type RegularizationOptions,
} from './regularization.js';
import { keptNumber } from './stepNumbers.js';

export { checkOption, stateTensor } from './common.js';

/** Parameters that share options. */
export type ParameterGroup<O extends object> = O & RegularizationOptions & { params: Tensor[] };

/** What optimizers take: tensors, or groups of them with options of their own. */
export type ParametersLike<O extends object> =
  Iterable<Tensor> | readonly (Partial<O> & RegularizationOptions & { readonly params: Iterable<Tensor> })[];

/** What constructors of optimizers take: its own options, and those of regularisation. */
export type OptimizerOptions<O extends object> = Partial<O> & RegularizationOptions;

/** What an optimizer remembers of a parameter: tensors and plain numbers by name. */
export type ParameterState = Record<string, Tensor | number>;

/** A copy-free snapshot: groups with parameters by position, state by position. */
export interface OptimizerStateDict {
  /** What is remembered of each parameter, by its position. */
  state: Record<number, ParameterState>;
  /** The options of each group, and the positions of its parameters. */
  paramGroups: (Record<string, unknown> & { params: number[] })[];
}

/**
 * Base class of optimizers.
 *
 * @typeParam O the options of a group
 */
export abstract class Optimizer<O extends object> {
  /** Change an option here, e.g. `optimizer.paramGroups[0].lr = 0.01`, at any time. */
  readonly paramGroups: ParameterGroup<O>[] = [];
  /**
   * Moments and the like, by parameter. Made at a parameter's first step. With an `amp.GradScaler` the device counts the
   * steps, in tensors of one float64.
   */
  readonly state = new Map<Tensor, ParameterState>();
  /** Options for groups that do not have their own. */
  readonly defaults: O;
  private readonly known: ReadonlySet<string>;

  /**
   * @param name for messages
   * @param params tensors that require gradients, or groups
   * @param defaults every option and its default
   * @param options those that the user has given; names that are not among the defaults are refused
   */
  constructor(
    private readonly name: string,
    params: ParametersLike<O>,
    defaults: O,
    options: OptimizerOptions<O> = {},
  ) {
    this.known = new Set([...Object.keys(defaults), ...regularizationOptions, 'params', 'initialLr']);
    this.checkNames(options);
    this.defaults = { ...defaults, ...options };
    if (typeof (params as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== 'function') {
      throw new ArgumentError(`${name}: expected a list of parameters, or of groups { params, ... }.`);
    }
    const items = [...(params as Iterable<Tensor | (Partial<O> & { params: Iterable<Tensor> })>)];
    if (items.length === 0) throw new ArgumentError(`${name}: there are no parameters to optimize.`);
    if (items[0] instanceof Tensor)
      this.addParamGroup({ params: items as Tensor[] } as Partial<O> & { params: Tensor[] });
    else for (const group of items as (Partial<O> & { params: Iterable<Tensor> })[]) this.addParamGroup(group);
  }

  /** Adds parameters, with options of their own where given. */
  addParamGroup(group: OptimizerOptions<O> & { readonly params: Iterable<Tensor> }): void {
    if (typeof group !== 'object' || group === null || typeof group.params?.[Symbol.iterator] !== 'function') {
      throw new ArgumentError(`${this.name}: a parameter group must be { params: tensors, ...options }.`);
    }
    const params = [...group.params];
    const known = new Set(this.paramGroups.flatMap((other) => other.params));
    params.forEach((p, i) => {
      if (!(p instanceof Tensor))
        throw new ArgumentError(
          `${this.name}: params[${i}] is ${p === null ? 'null' : `a ${typeof p}`}, expected a Tensor.`,
        );
      if (!p.isLeaf || !(p.requiresGrad || p._isParameter)) {
        throw new ArgumentError(
          `${this.name}: params[${i}] of shape ${formatShape(p.shape)} ${p.isLeaf ? 'does not require gradients' : 'was made by a recorded operation'}; optimize leaves made with { requiresGrad: true }.`,
        );
      }
      if (known.has(p))
        throw new ArgumentError(`${this.name}: params[${i}] of shape ${formatShape(p.shape)} is given twice.`);
      known.add(p);
    });
    this.checkNames(group);
    const full = { ...this.defaults, ...group, params };
    checkRegularization(this.name, full);
    this.checkOptions(full);
    this.paramGroups.push(full);
  }

  private checkNames(options: object): void {
    const unknown = Object.keys(options).filter((name) => !this.known.has(name));
    if (unknown.length > 0) {
      const names = [...this.known].filter((name) => name !== 'params' && name !== 'initialLr');
      throw new ArgumentError(
        `${this.name}: there is no option ${unknown.join(', ')}; the options are ${names.join(', ')}.`,
      );
    }
  }

  /**
   * Whether the device alone can leave out a step whose gradients have overflowed (`amp.GradScaler`): where `update` writes
   * parameters and state by programs only, and counts no steps in JavaScript. If not, a step with a scaler waits to know.
   */
  protected get canSkip(): boolean {
    return false;
  }

  /** Throws ArgumentError for options out of range. */
  protected abstract checkOptions(options: O): void;

  /** The tensors (shaped like the parameter, zero at first) and numbers that the update needs for a parameter. */
  protected abstract initialState(p: Tensor, group: O): ParameterState;

  /** Updates the parameters of a group. `grads` and `states` belong to `params` by position. */
  protected abstract update(group: O, params: Tensor[], grads: Tensor[], states: ParameterState[]): void;

  /**
   * Updates every parameter that has a gradient.
   *
   * @param closure computes the loss again and its gradients, for methods that need it; called once here
   * @returns what the closure returned
   */
  step<T>(closure?: () => T): T | undefined {
    const result = closure?.();
    dynamicPart(() => withAutocast(null, () => noGrad(() => this.updateAll())));
    return result;
  }

  /**
   * A step that each device leaves out where its flag is set; false, and nothing done, if only this side could.
   *
   * @internal
   */
  _stepUnless(flags: Flags): boolean {
    // A step of one's own may do anything.
    if (!this.canSkip || this.step !== Optimizer.prototype.step) return false;
    dynamicPart(() => withAutocast(null, () => noGrad(() => skipping(flags, () => this.updateAll()))));
    return true;
  }

  private updateAll(): void {
    for (const group of this.paramGroups) {
      const params = group.params.filter((p) => p.grad !== null);
      if (params.length === 0) continue;
      const grads = params.map((p) => p.grad!);
      const states = params.map((p) => this.stateOf(p, group));
      // Parameters of one dtype and, where it matters to the update, of one step count go together.
      for (const indices of groupBy(
        params,
        (p, i) => `${p.dtype} ${p.device} ${grads[i].dtype} ${stepOf(states[i])}`,
      )) {
        this.updateRegularized(
          group,
          indices.map((i) => params[i]),
          indices.map((i) => grads[i]),
          indices.map((i) => states[i]),
        );
      }
    }
  }

  private updateRegularized(
    group: ParameterGroup<O>,
    params: Tensor[],
    grads: Tensor[],
    states: ParameterState[],
  ): void {
    const { l1 = 0, gradientNoise = 0, maxNorm } = group;
    if (l1 === 0 && gradientNoise === 0 && maxNorm === undefined) {
      this.update(group, params, grads, states);
      return;
    }
    const changed = regularizedGradients(group, params, grads, states);
    this.update(group, params, changed.grads, states);
    for (const t of changed.made) t.dispose();
    regularizeParameters(group, params);
  }

  private stateOf(p: Tensor, group: O): ParameterState {
    let state = this.state.get(p);
    if (state === undefined) {
      state = untracked(() => this.initialState(p, group));
      this.state.set(p, state);
    }
    return state;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const group of this.paramGroups) {
      for (const p of group.params) {
        p.grad?.dispose();
        p.grad = null;
      }
    }
  }

  /**
   * State and options, for saving. Tensors are those in use, not copies; parameters are named by position. Step counts that
   * the device keeps, since a `GradScaler` leaves out steps there, are read, and waited for.
   */
  stateDict(): OptimizerStateDict {
    const all = this.paramGroups.flatMap((group) => group.params);
    const position = new Map(all.map((p, i) => [p, i]));
    const state: Record<number, ParameterState> = {};
    const numbers = new Map<Tensor, number | undefined>();
    const read = (value: Tensor | number): Tensor | number => {
      if (!(value instanceof Tensor)) return value;
      if (!numbers.has(value)) numbers.set(value, keptNumber(value));
      return numbers.get(value) ?? value;
    };
    for (const [p, values] of this.state) {
      state[position.get(p)!] = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, read(value)]));
    }
    return {
      state,
      paramGroups: this.paramGroups.map(({ params, ...options }) => ({
        ...(options as Record<string, unknown>),
        params: params.map((p) => position.get(p)!),
      })),
    };
  }

  /**
   * Restores what `stateDict()` gave, for the same parameters in the same order. Tensors are copied.
   *
   * @throws ArgumentError, ShapeError if the groups or shapes differ; nothing is changed then
   */
  loadStateDict(dict: OptimizerStateDict): void {
    const all = this.paramGroups.flatMap((group) => group.params);
    const sizes = (groups: readonly { params: readonly unknown[] }[]): string =>
      groups.map((group) => group.params.length).join(', ');
    if (sizes(dict.paramGroups) !== sizes(this.paramGroups)) {
      throw new ArgumentError(
        `${this.name}.loadStateDict: the groups hold ${sizes(dict.paramGroups)} parameters, this optimizer's ${sizes(this.paramGroups)}.`,
      );
    }
    const groupOf = new Map(this.paramGroups.flatMap((group) => group.params.map((p) => [p, group] as const)));
    const entries = Object.entries(dict.state).map(([key, values]) => {
      const p = all[Number(key)];
      if (p === undefined) throw new ArgumentError(`${this.name}.loadStateDict: there is no parameter ${key}.`);
      const fresh = untracked(() => noGrad(() => this.initialState(p, groupOf.get(p)!)));
      for (const [name, value] of Object.entries(values)) {
        const own = fresh[name];
        const expected = own instanceof Tensor ? own.shape : p.shape;
        if (value instanceof Tensor && value.shape.length > 0 && !shapesEqual(value.shape, expected)) {
          throw new ShapeError(
            `${this.name}.loadStateDict: '${name}' of parameter ${key} has shape ${formatShape(value.shape)}, ${shapesEqual(expected, p.shape) ? 'the parameter' : 'here it has'} ${formatShape(expected)}.`,
          );
        }
      }
      for (const value of Object.values(fresh)) if (value instanceof Tensor) value.dispose();
      return [p, values] as const;
    });
    const options = dict.paramGroups.map(({ params: _params, ...own }) => own as Partial<O>);
    options.forEach((own, i) => this.checkOptions({ ...this.paramGroups[i], ...own }));
    options.forEach((own, i) => Object.assign(this.paramGroups[i], own));
    untracked(() =>
      noGrad(() => {
        this.state.clear();
        for (const [p, values] of entries) {
          const own: ParameterState = {};
          for (const [name, value] of Object.entries(values)) {
            own[name] = value instanceof Tensor ? copy_(keep(zerosLike(value, { device: p.device })), value) : value;
          }
          this.state.set(p, own);
        }
      }),
    );
  }
}

function stepOf({ step }: ParameterState): string {
  if (step === undefined) return '';
  return typeof step === 'number' ? String(step) : `#${step._handle}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T, i: number) => string): number[][] {
  const groups = new Map<string, number[]>();
  items.forEach((item, i) => {
    const key = keyOf(item, i);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return [...groups.values()];
}
