// Checks that several families of ops share: dtypes that an op has no meaning for, and static numbers.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './define.js';
import type { Operand } from './launch.js';

/** Fails for a bool tensor: the op is not defined on truth values. */
export function refuseBool(op: string, x: Tensor, hint = "convert it with to('int64')"): void {
  checkTensor(op, 'x', x);
  if (x.dtype === 'bool') throw new DTypeError(`${op}: x is bool, on which ${op} is not defined; ${hint}.`);
}

/** Fails when the dtype that the operands have together is one of those refused. */
export function refuseDType(op: string, dtype: DType, refused: (dtype: DType) => boolean, hint: string): void {
  if (refused(dtype))
    throw new DTypeError(`${op}: the operands are ${dtype} together, on which ${op} is not defined; ${hint}.`);
}

/** Fails unless the tensor is of a float dtype. */
export function requireFloat(op: string, label: string, x: Tensor): void {
  checkTensor(op, label, x);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: ${label} must be a float tensor, got ${x.dtype}; convert it with to('float32').`);
  }
}

/** Fails unless the value is a number; NaN is none. */
export function requireNumber(op: string, label: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new ArgumentError(
      `${op}: ${label} must be a number, got ${typeof value === 'number' ? 'NaN' : typeof value}.`,
    );
  }
}

/** Fails for a factor with a fraction when the result is of integers: it would have to be rounded. */
export function requireWholeFor(op: string, label: string, value: number, dtype: DType): void {
  requireNumber(op, label, value);
  if (!isFloating(dtype) && !Number.isInteger(value)) {
    throw new ArgumentError(`${op}: ${label} must be an integer for ${dtype} results, got ${value}.`);
  }
}

/** Whether an operand is a tensor. */
export const isTensorOperand = (operand: Operand): operand is Tensor => typeof operand === 'object';
