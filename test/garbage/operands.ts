// Random operands of one call of a kernel: mostly what a kernel may want, now and then anything.
import type { RandomProgram } from './programs.js';
import { attempt, device, fillWith, newImage, newTensor, newView, type Random } from './tensors.js';

/** Makes the arguments of one call of a kernel. */
export type Maker = (operands: Operands, name: string) => unknown[];

/** The makers of a family of kernels, by the kernels' names. */
export type Makers = Readonly<Record<string, Maker>>;

/** Operands of a round are of one family of shapes and often of one dtype, else nothing would get past the first check. */
export interface Operands {
  readonly random: Random;
  /** About the largest size of a dimension. */
  readonly large: number;
  readonly programs: readonly RandomProgram[];
  /** The shape that most operands have. */
  readonly base: readonly number[];
  /** The dtype that most operands have. */
  readonly family: number;
  /** All that was made, to be disposed of. */
  readonly made: number[];
  readonly scalar: () => unknown;
  readonly dim: () => number;
  /** A shape that is the base, or near it. */
  readonly shapeOf: () => number[];
  /** Any tensor, of any strides; `exact`: mostly of the base's shape. */
  readonly operand: (exact: boolean, wantedDType?: number, wantedShape?: readonly number[]) => number;
  /** The same of a dtype of indices, mostly. */
  readonly index: (shape?: readonly number[]) => number;
  /** Contiguous, of this shape and dtype, always. */
  readonly filled: (shape: readonly number[], dtype: number) => number;
  /** Mostly contiguous and of the shape that fits, for kernels that take nothing else. */
  readonly plain: (shape: readonly number[], dtype: number) => number;
  readonly maybe: (shape: readonly number[], dtype: number) => number;
  /** Mostly in the one order of memory, channels first or last, that the round's images have. */
  readonly image: (shape: readonly number[], dtype: number) => number;
  readonly maybeImage: (shape: readonly number[], dtype: number) => number;
}

export function randomOperands(random: Random, large: number, programs: readonly RandomProgram[]): Operands {
  const made: number[] = [];
  const rank = random(10) === 0 ? random(9) : random(4);
  const base = Array.from({ length: rank }, () => (random(12) === 0 ? 0 : 1 + random(random(6) === 0 ? large : 5)));
  while (base.reduce((n, size) => n * size, 1) > 2500 * large) base[base.indexOf(Math.max(...base))] >>= 1;
  const family = [0, 1, 0, 5, 4, 2, 3, 6, 7][random(9)];
  const last = random(2) === 0;

  const scalar = (): unknown =>
    [0, 1, -1, random(5), 0.5, NaN, Infinity, 2 ** 40, BigInt(random(100)), -(2n ** 63n), true][random(11)];
  const dim = (): number => (random(12) === 0 ? [-1, 8, 2 ** 40, 1.5][random(4)] : random(3));

  const shapeOf = (): number[] => {
    const shape = base.slice();
    for (let d = 0; d < shape.length; d++) if (random(5) === 0) shape[d] = random(2) === 0 ? 1 : random(4);
    if (random(20) === 0) shape.pop();
    if (random(20) === 0 && shape.length < 8) shape.push(1 + random(4));
    return shape;
  };

  const operand = (exact: boolean, wantedDType = family, wantedShape?: readonly number[]): number => {
    const dtype = random(15) === 0 ? random(8) : wantedDType;
    const shape = wantedShape ?? (exact && random(4) !== 0 ? base : shapeOf());
    let handle: number;
    if (random(3) !== 0) {
      // Now and then on another device than the others.
      handle = newTensor(dtype, shape, device > 0 && random(60) === 0 ? 0 : device);
      fillWith(handle, dtype, random);
    } else {
      // A window on a larger tensor, perhaps transposed, expanded, overlapping.
      const storage = newTensor(dtype, [1 + random(75 * large)]);
      fillWith(storage, dtype, random);
      made.push(storage);
      const order = shape.map((_, d) => d).sort(() => random(3) - 1);
      const strides: number[] = [];
      let step = 1;
      for (const d of order) {
        strides[d] = random(8) === 0 ? 0 : step;
        step *= Math.max(1, shape[d] + random(2));
      }
      const view = attempt(() => newView(storage, shape, strides, random(5)), []);
      handle = typeof view === 'number' ? view : newTensor(dtype, [2]);
    }
    made.push(handle);
    return handle;
  };
  const index = (shape?: readonly number[]): number =>
    operand(true, random(10) === 0 ? random(8) : 4 + random(2), shape);

  const filled = (shape: readonly number[], dtype: number): number => {
    const handle = newTensor(dtype, shape);
    fillWith(handle, dtype, random);
    made.push(handle);
    return handle;
  };
  const plain = (shape: readonly number[], dtype: number): number =>
    random(40) === 0 ? operand(true, dtype, random(2) === 0 ? shape : undefined) : filled(shape, dtype);
  const maybe = (shape: readonly number[], dtype: number): number => (random(3) === 0 ? 0 : plain(shape, dtype));

  const image = (shape: readonly number[], dtype: number): number => {
    if (random(12) === 0) return operand(true, dtype, shape);
    const handle = newImage(dtype, shape, random(20) === 0 ? !last : last);
    fillWith(handle, dtype, random);
    made.push(handle);
    return handle;
  };
  const maybeImage = (shape: readonly number[], dtype: number): number => (random(3) === 0 ? 0 : image(shape, dtype));

  return {
    ...{ random, large, programs, base, family, made, scalar, dim, shapeOf, operand, index },
    ...{ filled, plain, maybe, image, maybeImage },
  };
}
