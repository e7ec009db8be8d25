// Limits on gradients. One kernel for each gradient's share of the norm, one for all that scales them; nothing is read back,
// so the stream is not waited for.
import { noGrad } from '../../autograd/mode.js';
import { byDevice } from '../../device.js';
import { isFloating, type DType } from '../../dtype.js';
import { ArgumentError, DTypeError, GradError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { scratchNumbers } from '../../native.js';
import { lazyProgram, wideDType } from '../../ops/aggregate.js';
import { cast, to } from '../../ops/copy.js';
import { zeros } from '../../ops/creation.js';
import { checkTensor } from '../../ops/define.js';
import { cat } from '../../ops/join.js';
import { launchReduce, reduceKinds } from '../../ops/launch.js';
import { pow } from '../../ops/arithmetic.js';
import { sqrt } from '../../ops/math.js';
import { amax, amin, sum } from '../../ops/reduce.js';
import * as e from '../../program/expr.js';
import { program } from '../../program/program.js';
import { emptyTensor, isTensor, viewTensor, type Tensor } from '../../tensor/tensor.js';
import type { Shape } from '../../shape.js';

/** Options of norms over several tensors. */
export interface NormOptions {
  /** The order: any number, Infinity for the largest magnitude. Default 2. */
  normType?: number;
  /** Throw if the norm is NaN or infinite; this reads it, and so waits for queued work. Default false. */
  errorIfNonfinite?: boolean;
}

const absolute = lazyProgram('getTotalNorm', ['x'], (x) => e.abs(x));
const squared = lazyProgram('getTotalNorm', ['x'], (x) => e.square(x));
const notZero = lazyProgram('getTotalNorm', ['x'], (x) => e.ne(x, 0));
const power = lazyProgram('getTotalNorm', ['x'], (x, p) => e.pow(e.abs(x), p), ['p']);

// What is reduced over the elements of each tensor.
function shareOf(ord: number): { kind: number; program: number; scalars: number } {
  if (ord === 2) return { kind: reduceKinds.sum, program: squared(), scalars: 0 };
  if (ord === 1) return { kind: reduceKinds.sum, program: absolute(), scalars: 0 };
  if (ord === 0) return { kind: reduceKinds.sum, program: notZero(), scalars: 0 };
  if (ord === Infinity) return { kind: reduceKinds.max, program: absolute(), scalars: 0 };
  if (ord === -Infinity) return { kind: reduceKinds.min, program: absolute(), scalars: 0 };
  return { kind: reduceKinds.sum, program: power(), scalars: 1 };
}

// The shares of tensors of one dtype on one device, in a vector.
function shares(tensors: readonly Tensor[], dtype: DType, ord: number): Tensor {
  const out = emptyTensor('getTotalNorm', [tensors.length], dtype, tensors[0].device);
  const { kind, program: prologue, scalars } = shareOf(ord);
  tensors.forEach((t, k) => {
    const ones = t.shape.map(() => 1);
    const share = viewTensor(out, ones, null, k);
    const stage = (): number => {
      scratchNumbers[0] = ord;
      return scalars;
    };
    launchReduce(kind, prologue, [share], ones, [t], stage, 0);
  });
  return out;
}

function totalNorm(tensors: readonly Tensor[], ord: number): Tensor {
  const filled = tensors.filter((t) => t.numel > 0);
  if (filled.length === 0) return zeros([], { device: tensors[0]?.device });
  const { device } = filled[0];
  const wide: DType[] = ['float32', 'float64'];
  const widest: DType = filled.some((t) => wideDType(t.dtype) === 'float64') ? 'float64' : 'float32';
  const vectors = byDevice(filled).flatMap((there) =>
    wide.flatMap((dtype) => {
      const list = there.filter((t) => wideDType(t.dtype) === dtype);
      return list.length === 0 ? [] : [to(cast(shares(list, dtype, ord), widest), device)];
    }),
  );
  const all = (vectors.length === 1 ? vectors[0] : cat(vectors, 0)) as Tensor<Shape, 'float64'>;
  if (ord === Infinity) return amax(all);
  if (ord === -Infinity) return amin(all);
  const total = sum(all);
  return ord === 2 ? sqrt(total) : ord === 1 || ord === 0 ? total : pow(total, 1 / ord);
}

function checkList(op: string, tensors: Iterable<Tensor> | Tensor): Tensor[] {
  const list = isTensor(tensors) ? [tensors] : [...tensors];
  list.forEach((t, i) => checkTensor(op, `tensors[${i}]`, t));
  return [...new Set(list)];
}

function gradientsOf(op: string, parameters: Iterable<Tensor> | Tensor): Tensor[] {
  const grads = checkList(op, parameters).flatMap(({ grad }) => (grad === null || grad.isDisposed ? [] : [grad]));
  return [...new Set(grads)];
}

function checkedNorm(op: string, tensors: readonly Tensor[], options: NormOptions): Tensor<readonly []> {
  const { normType = 2, errorIfNonfinite = false } = options;
  if (typeof normType !== 'number' || Number.isNaN(normType))
    throw new ArgumentError(`${op}: normType must be a number, got ${String(normType)}.`);
  tensors.forEach((t, i) => {
    if (!isFloating(t.dtype)) throw new DTypeError(`${op}: tensors[${i}] must be a float tensor, got ${t.dtype}.`);
  });
  const norm = noGrad(() => tidy(() => totalNorm(tensors, normType)));
  if (errorIfNonfinite && !Number.isFinite(Number(norm.itemSync()))) {
    throw new GradError(
      `${op}: the norm of order ${normType} is ${String(norm.itemSync())}; without errorIfNonfinite it would be used as it is.`,
    );
  }
  return norm as Tensor<readonly []>;
}

/**
 * The norm of all elements of several tensors, as if they were one vector: `sum(|x|^p)^(1/p)`, for infinite orders the
 * largest and smallest magnitude, for 0 the number of elements that are not 0 (in PyTorch the number of tensors with one).
 *
 * @returns a scalar, float64 if any of the tensors is, else float32
 * @throws DTypeError for other than float tensors; GradError for `errorIfNonfinite`
 */
export function getTotalNorm(tensors: Iterable<Tensor> | Tensor, options: NormOptions = {}): Tensor<readonly []> {
  return checkedNorm('getTotalNorm', checkList('getTotalNorm', tensors), options);
}

const factorOf = program({
  name: 'clipGradNorm',
  tensors: ['factor', 'norm'],
  scalars: ['maxNorm'],
  update: ({ norm, maxNorm }) => ({ factor: e.minimum(e.div(maxNorm, e.add(norm, 1e-6)), 1) }),
});
const scaled = program({
  name: 'clipGradNorm',
  tensors: ['g', 'factor'],
  update: ({ g, factor }) => ({ g: e.mul(g, factor) }),
});

function scaleAll(grads: readonly Tensor[], maxNorm: number, norm: Tensor): void {
  const list = grads.filter((g) => g.numel > 0);
  if (list.length === 0) return;
  noGrad(() =>
    tidy(() => {
      const dtype = isFloating(norm.dtype) ? wideDType(norm.dtype) : 'float32';
      const factor = emptyTensor('clipGradNorm', norm.shape, dtype, norm.device);
      factorOf.run({ factor: [factor], norm: [norm] }, { maxNorm });
      for (const there of byDevice(list)) {
        const own = to(factor, there[0].device);
        // One view for all gradients of a rank.
        const views: Tensor[] = [];
        const viewFor = ({ shape }: Tensor): Tensor =>
          (views[shape.length] ??= viewTensor(
            own,
            shape.map(() => 1),
            null,
            0,
          ));
        scaled.run({ g: there, factor: there.map(viewFor) }, {});
      }
    }),
  );
}

function checkMaxNorm(op: string, maxNorm: number): void {
  if (typeof maxNorm !== 'number' || !(maxNorm >= 0))
    throw new ArgumentError(`${op}: maxNorm must be a number >= 0, got ${String(maxNorm)}.`);
}

/**
 * Scales the gradients of parameters in place so that the norm of all of them together is at most `maxNorm` (Pascanu et al.
 * 2013): by `maxNorm / (norm + 1e-6)` where that is below 1. Parameters without a gradient are passed over.
 *
 * @returns the norm before, a scalar that has not been read
 * @throws GradError for `errorIfNonfinite`; the gradients are unchanged then
 * @example
 * loss.backward();
 * const norm = nn.utils.clipGradNorm(model.parameters(), 1);
 * optimizer.step();
 */
export function clipGradNorm(
  parameters: Iterable<Tensor> | Tensor,
  maxNorm: number,
  options: NormOptions = {},
): Tensor<readonly []> {
  checkMaxNorm('clipGradNorm', maxNorm);
  const grads = gradientsOf('clipGradNorm', parameters);
  const norm = checkedNorm('clipGradNorm', grads, options);
  scaleAll(grads, maxNorm, norm);
  return norm;
}

/**
 * As `clipGradNorm`, with a norm that is known already.
 *
 * @param totalNorm a scalar, as `getTotalNorm` gives it
 */
export function clipGradsWithNorm(parameters: Iterable<Tensor> | Tensor, maxNorm: number, totalNorm: Tensor): void {
  checkMaxNorm('clipGradsWithNorm', maxNorm);
  checkTensor('clipGradsWithNorm', 'totalNorm', totalNorm);
  if (totalNorm.numel !== 1)
    throw new ArgumentError(`clipGradsWithNorm: totalNorm must have one element, it has ${totalNorm.numel}.`);
  scaleAll(gradientsOf('clipGradsWithNorm', parameters), maxNorm, totalNorm);
}

const clamped = program({
  name: 'clipGradValue',
  tensors: ['g'],
  scalars: ['limit'],
  update: ({ g, limit }) => ({ g: e.minimum(e.maximum(g, e.neg(limit)), limit) }),
});

/**
 * Limits each element of the gradients of parameters, in place, to [-clipValue, clipValue].
 *
 * @throws ArgumentError unless clipValue is a number >= 0
 */
export function clipGradValue(parameters: Iterable<Tensor> | Tensor, clipValue: number): void {
  if (typeof clipValue !== 'number' || !(clipValue >= 0))
    throw new ArgumentError(`clipGradValue: clipValue must be a number >= 0, got ${String(clipValue)}.`);
  const grads = gradientsOf('clipGradValue', parameters).filter((g) => g.numel > 0);
  for (const there of byDevice(grads)) noGrad(() => clamped.run({ g: there }, { limit: clipValue }));
}
