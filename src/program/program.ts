// Programs over lists of tensors: what optimizers are made of. One native call updates every parameter.
import { debugLevel, traceOp } from '../debug.js';
import { ArgumentError, DeviceError, ShapeError } from '../errors.js';
import { native, scratchHandles, scratchNumbers, type ProgramId } from '../native.js';
import { checkTensor, checkWritable } from '../ops/define.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { compile } from './compile.js';
import { DeviceNumber } from './deviceNumbers.js';
import { inputExpr, scalarExpr, toExpr, type Expr, type ExprLike } from './expr.js';
import { hoistScalars, type HoistedScalar } from './hoist.js';
import { checkSkip, currentSkip } from './skip.js';

/** What a program is made from. `I`: names of tensors, `S`: names of run-time scalars. */
export interface ProgramSpec<I extends string, S extends string> {
  /** Used in messages and traces. */
  readonly name: string;
  /** Names of the lists of tensors. */
  readonly tensors: readonly I[];
  /** Names of the numbers that are given at each run. */
  readonly scalars?: readonly S[];
  /**
   * Values that scalars mostly have. When all of these do, a version of the program runs in which they are constants, and
   * which is shorter for it: `update` is called a second time with them.
   */
  readonly usual?: { readonly [K in S]?: number };
  /** From symbolic values to the new values of some of the tensors, which are updated in place. */
  readonly update: (values: { readonly [K in I | S]: Expr }) => { readonly [K in I]?: ExprLike };
}

/** Options of a run of a program. */
export interface RunOptions {
  /**
   * A float32 tensor of one element on the device of the others: if it is not 0 when the run's turn comes there, nothing is
   * changed. Nobody waits for it.
   */
  readonly skip?: Tensor;
}

interface Compiled {
  readonly id: ProgramId;
  readonly scalars: readonly string[];
  readonly hoisted: readonly HoistedScalar[];
}

/** A compiled update of lists of tensors. */
export class Program<I extends string, S extends string> {
  private readonly written: readonly I[];
  private readonly scalars: readonly S[];
  private readonly general: Compiled;
  private usual: Compiled | null = null; // compiled at its first use

  constructor(private readonly spec: ProgramSpec<I, S>) {
    this.scalars = spec.scalars ?? [];
    const results = spec.update(this.parameters({}).values);
    const unknown = Object.keys(results).filter((name) => !spec.tensors.includes(name as I));
    if (unknown.length > 0) {
      throw new ArgumentError(
        `program '${spec.name}': it updates '${unknown[0]}', which is not one of its tensors (${spec.tensors.join(', ')}).`,
      );
    }
    this.written = spec.tensors.filter((name) => results[name] !== undefined);
    if (this.written.length === 0) throw new ArgumentError(`program '${spec.name}': it updates none of its tensors.`);
    this.general = this.compile({});
  }

  private parameters(constants: { readonly [K in S]?: number }): {
    inputs: Expr[];
    scalars: Expr[];
    values: Record<I | S, Expr>;
  } {
    const inputs = this.spec.tensors.map((name) => inputExpr(name));
    const scalars = this.scalars.map((name) => scalarExpr(name));
    const values = Object.fromEntries([...inputs, ...scalars].map((e) => [e.label, e])) as Record<I | S, Expr>;
    for (const [name, value] of Object.entries(constants)) values[name as S] = toExpr(value as number);
    return { inputs, scalars, values };
  }

  private compile(constants: { readonly [K in S]?: number }): Compiled {
    const { spec } = this;
    const { inputs, scalars, values } = this.parameters(constants);
    const results = spec.update(values);
    const { roots, hoisted } = hoistScalars(this.written.map((name) => toExpr(results[name]!)));
    const id = compile(spec.name, roots, inputs, [...scalars, ...hoisted.map(({ scalar }) => scalar)]);
    return { id, scalars: this.scalars, hoisted };
  }

  private versionFor(scalars: { readonly [K in S]: number | DeviceNumber }): Compiled {
    const { usual } = this.spec;
    if (usual === undefined) return this.general;
    for (const name in usual) if (!Object.is(scalars[name], usual[name])) return this.general;
    return (this.usual ??= this.compile(usual));
  }

  /**
   * Runs the update over lists of tensors, all in one native call. The k-th tensors of all lists have one shape; one that
   * is only read may have size 1 where the others have more.
   *
   * @param lists one list per tensor name, equally long
   * @param scalars one number per scalar name; they may change from call to call at no cost
   * @throws ShapeError, DTypeError, DeviceError, ArgumentError before anything is changed
   */
  run(
    lists: { readonly [K in I]: readonly Tensor[] },
    scalars: { readonly [K in S]: number },
    options?: RunOptions,
  ): void;
  /** @internal */
  run(
    lists: { readonly [K in I]: readonly Tensor[] },
    scalars: { readonly [K in S]: number | DeviceNumber },
    options?: RunOptions,
  ): void;
  run(
    lists: { readonly [K in I]: readonly Tensor[] },
    scalars: { readonly [K in S]: number | DeviceNumber },
    options: RunOptions = {},
  ): void {
    const { spec, written } = this;
    const count = lists[spec.tensors[0]].length;
    const device = lists[spec.tensors[0]][0]?.device;
    for (const name of spec.tensors) {
      const list = lists[name];
      if (list.length !== count) {
        throw new ArgumentError(
          `${spec.name}: ${list.length} tensors for '${name}', ${count} for '${spec.tensors[0]}'.`,
        );
      }
      for (let k = 0; k < count; k++) {
        const t = list[k];
        checkTensor(spec.name, `${name}[${k}]`, t);
        if (t.device !== device)
          throw new DeviceError(
            `${spec.name}: ${name}[${k}] is on ${t.device}, others on ${device}; move them to one with to().`,
          );
        const shape = lists[spec.tensors[0]][k].shape;
        const fits = written.includes(name) ? shapesEqual(t.shape, shape) : repeats(t.shape, shape);
        if (!fits) {
          throw new ShapeError(
            `${spec.name}: ${name}[${k}] has shape ${formatShape(t.shape)}, ${spec.tensors[0]}[${k}] ${formatShape(shape)}.`,
          );
        }
      }
    }
    for (const name of written) for (const t of lists[name]) checkWritable(spec.name, t);
    let source: DeviceNumber['source'] | undefined;
    for (const name of this.scalars) {
      const value: unknown = scalars[name];
      if (value instanceof DeviceNumber) source = value.source;
      else if (typeof value !== 'number')
        throw new ArgumentError(`${spec.name}: the scalar '${name}' is not a number.`);
    }
    if (options.skip !== undefined) checkSkip(spec.name, options.skip, device);
    const skip = options.skip ?? (device === undefined ? null : currentSkip(device));
    const version = this.versionFor(scalars);
    const { id, hoisted } = version;
    const given = count > 0 ? source?.scalarsOf(version, scalars) : undefined;
    const perGroup = written.length + spec.tensors.length;
    const groupsAtOnce = Math.floor(scratchHandles.length / perGroup);
    for (let from = 0; from < count; from += groupsAtOnce) {
      const to = Math.min(count, from + groupsAtOnce);
      const launch = (): void => {
        let n = 0;
        for (let k = from; k < to; k++) {
          for (const name of written) scratchHandles[n++] = lists[name][k]._handle;
          for (const name of spec.tensors) scratchHandles[n++] = lists[name][k]._handle;
        }
        if (given !== undefined) {
          native.mapUnless(id, n, 0, skip?._handle ?? 0, given._handle);
          return;
        }
        const numbers = scalars as Readonly<Record<S, number>>;
        const own = this.scalars.length;
        this.scalars.forEach((name, i) => {
          scratchNumbers[i] = numbers[name];
        });
        hoisted.forEach(({ evaluate }, i) => {
          scratchNumbers[own + i] = evaluate(numbers);
        });
        if (skip === null) native.map(id, n, own + hoisted.length);
        else native.mapUnless(id, n, own + hoisted.length, skip._handle, 0);
      };
      if (debugLevel > 0) traceOp(spec.name, lists[spec.tensors[0]].slice(from, to), [], launch);
      else launch();
    }
    for (const name of written) for (const t of lists[name]) t._version.count++;
  }
}

function repeats(shape: Shape, target: Shape): boolean {
  return shape.length === target.length && shape.every((n, d) => n === target[d] || n === 1);
}

/**
 * Compiles an in-place update of lists of tensors to one fused kernel.
 *
 * @example
 * const sgd = program({
 *   name: 'sgd',
 *   tensors: ['p', 'g'],
 *   scalars: ['lr'],
 *   update: ({ p, g, lr }) => ({ p: expr.sub(p, expr.mul(lr, g)) }),
 * });
 * noGrad(() => sgd.run({ p: params, g: grads }, { lr: 0.1 }));
 */
export function program<const I extends string, const S extends string = never>(
  spec: ProgramSpec<I, S>,
): Program<I, S> {
  return new Program(spec);
}
