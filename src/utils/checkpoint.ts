// Less memory for more time: the values that backward needs are computed again when it needs them (Chen et al. 2016,
// Training Deep Nets with Sublinear Memory Cost).
import { autocastState, withAutocast } from '../amp/state.js';
import { isGradEnabled, withGrad } from '../autograd/mode.js';
import { PinnedTensor, pinnedTwin, unpin, withSavedHook, type SavedValue } from '../autograd/node.js';
import { ArgumentError, GradError } from '../errors.js';
import { tidy, untracked } from '../memory.js';
import { defaultGenerator, type Generator } from '../ops/random.js';
import { formatShape, shapesEqual } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /**
   * The sources of random numbers that the function draws from: the second run draws what the first one drew. Default: the
   * generator that `manualSeed` seeds.
   */
  generators?: readonly Generator[];
}

type State = ReturnType<Generator['getState']>;

// Runs fn with the generators as they were, and puts them back to where they are.
function withStates<T>(generators: readonly Generator[], states: readonly State[], fn: () => T): T {
  const now = generators.map((generator) => generator.getState());
  generators.forEach((generator, i) => generator.setState(states[i]));
  try {
    return fn();
  } finally {
    generators.forEach((generator, i) => generator.setState(now[i]));
  }
}

const nothing: SavedValue = {
  unpack: () => {
    throw new GradError('checkpoint: the graph of the second run is never used.');
  },
  release: () => undefined,
};

/** One call of `checkpoint`. */
class Segment<A extends readonly unknown[]> {
  private readonly later: Later[] = [];
  private readonly pinned: readonly (PinnedTensor | null)[];
  private readonly states: readonly State[];
  private readonly autocast = autocastState();
  private recomputed = false;
  private unreleased = 0;

  constructor(
    private readonly fn: (...args: A) => unknown,
    private readonly args: A,
    private readonly generators: readonly Generator[],
  ) {
    this.states = generators.map((generator) => generator.getState());
    this.pinned = args.map((arg, i) => (isTensor(arg) ? new PinnedTensor(`argument ${i}`, arg) : null));
  }

  // Arguments and parameters are there anyway.
  private isAtHand(tensor: Tensor, args: readonly unknown[]): boolean {
    return (tensor._node === null && (tensor._requiresGrad || tensor._isParameter)) || args.includes(tensor);
  }

  run<R>(): R {
    const result = withSavedHook(
      (tensor) => {
        if (this.isAtHand(tensor, this.args)) return null;
        const value = new Later(this, tensor);
        this.later.push(value);
        this.unreleased++;
        return value;
      },
      () => this.fn(...this.args) as R,
    );
    if (this.unreleased === 0) this.releaseArguments();
    return result;
  }

  recompute(): void {
    if (this.recomputed) return;
    this.recomputed = true;
    const args = this.args.map((arg, i) => this.pinned[i]?.unpack('checkpoint') ?? arg) as unknown as A;
    let count = 0;
    const hook = (tensor: Tensor): SavedValue => {
      if (!this.isAtHand(tensor, args)) {
        const value = this.later[count++];
        if (value === undefined) throw differs(`saved more than ${this.later.length} values`);
        value.fill(tensor, count - 1);
      }
      return nothing;
    };
    withStates(this.generators, this.states, () =>
      tidy(() => {
        withAutocast(this.autocast && { ...this.autocast, cache: null }, () =>
          withGrad(true, () => withSavedHook(hook, () => this.fn(...args))),
        );
      }),
    );
    if (count < this.later.length) throw differs(`saved ${count} values, not ${this.later.length}`);
  }

  released(): void {
    if (--this.unreleased === 0) this.releaseArguments();
  }

  private releaseArguments(): void {
    for (const pinned of this.pinned) pinned?.release();
  }
}

const differs = (what: string): GradError =>
  new GradError(
    `checkpoint: the second run of the function ${what}; it must do the same each time, with the same arguments.`,
  );

/** A value that is computed when it is asked for. */
class Later implements SavedValue {
  private value: Tensor | null = null;
  private readonly shape: Tensor['shape'];
  private readonly dtype: Tensor['dtype'];
  private readonly place: Pick<Tensor, '_node' | '_nodeOutput' | '_requiresGrad'>;

  constructor(
    private readonly segment: { recompute(): void; released(): void },
    { shape, dtype, _node, _nodeOutput, _requiresGrad }: Tensor,
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.place = { _node, _nodeOutput, _requiresGrad };
  }

  fill(tensor: Tensor, index: number): void {
    if (!shapesEqual(tensor.shape, this.shape) || tensor.dtype !== this.dtype) {
      throw differs(
        `gave ${tensor.dtype}${formatShape(tensor.shape)} as saved value ${index}, ` +
          `not ${this.dtype}${formatShape(this.shape)}`,
      );
    }
    // In the place of the first run's value, so that second derivatives find their way.
    this.value = untracked(() => pinnedTwin(tensor, this.place));
  }

  unpack(): Tensor {
    this.segment.recompute();
    return this.value!;
  }

  release(): void {
    if (this.value !== null) {
      this.value.dispose();
      unpin(this.value);
      this.value = null;
    }
    this.segment.released();
  }
}

/**
 * Runs `fn(...args)` without keeping what backward needs of it: backward runs `fn` a second time, with the same arguments and
 * random numbers, and frees that again. Of a deep model cut into pieces, only what passes between them is kept, for a third
 * more time.
 *
 * `fn` must do the same both times. What it changes beside its result, such as the running statistics of a batch norm, it
 * changes twice.
 *
 * @param fn gives a tensor, or anything made of tensors; not a promise
 * @param args tensors or anything else, handed to `fn`; tensors that it takes from its surroundings must not be disposed of
 *   before backward
 * @throws GradError, from backward, when the second run is not like the first or an argument was changed in place
 * @example
 * for (const block of this.blocks) x = utils.checkpoint((h) => block.forward(h), [x]);
 */
export function checkpoint<const A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  args: A,
  options: CheckpointOptions = {},
): R {
  if (typeof fn !== 'function') throw new ArgumentError(`checkpoint: fn is a ${typeof fn}, expected a function.`);
  const given: unknown = args;
  if (!Array.isArray(given)) {
    throw new ArgumentError(`checkpoint: args must be an array of the arguments of fn, such as [x].`);
  }
  const { generators = [defaultGenerator] } = options;
  const result = isGradEnabled() ? new Segment(fn, args, generators).run<R>() : fn(...args);
  if (result instanceof Promise) {
    throw new TypeError(
      'checkpoint(fn, args): fn returned a promise; what it does after its first await would be kept.',
    );
  }
  return result;
}

/**
 * A chain of layers in `segments` checkpointed pieces of about the same number of layers; the last piece, whose backward
 * comes first, keeps its values.
 *
 * @param layers modules or functions
 * @throws ArgumentError unless segments is an integer from 1 to the number of layers
 * @example
 * utils.checkpointSequential(model.layers, 4, x);
 */
export function checkpointSequential(
  layers: readonly (((x: Tensor) => Tensor) | { forward(x: Tensor): unknown })[],
  segments: number,
  x: Tensor,
  options: CheckpointOptions = {},
): Tensor {
  if (!Number.isInteger(segments) || segments < 1 || segments > layers.length) {
    throw new ArgumentError(
      `checkpointSequential: segments must be an integer from 1 to the number of layers, ${layers.length}; got ${String(segments)}.`,
    );
  }
  const apply =
    (begin: number, end: number) =>
    (input: Tensor): Tensor => {
      let result = input;
      for (const layer of layers.slice(begin, end)) {
        result = typeof layer === 'function' ? layer(result) : (layer.forward(result) as Tensor);
      }
      return result;
    };
  const size = Math.floor(layers.length / segments);
  let result = x;
  for (let i = 0; i < segments - 1; i++) {
    result = checkpoint(apply(i * size, (i + 1) * size), [result], options);
  }
  return apply((segments - 1) * size, layers.length)(result);
}
