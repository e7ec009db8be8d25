// What losses share: checks of their operands, and the reduction in the same pass.
import { isFloating, type FloatDType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { checkTensor } from '../ops/define.js';
import type { ElementwiseOp } from '../ops/elementwise.js';
import type { Operand } from '../ops/launch.js';
import { reduceElementwise } from '../ops/reduceMap.js';
import { requireFloat } from '../ops/require.js';
import { broadcastsTo, formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Reduction } from './reduction.js';

/** What a loss gives: a scalar, or with `reduction: 'none'` one value for each element or sample. */
export type Loss = Tensor<Shape, FloatDType>;

/** @internal */
export function checkInput(op: string, input: Tensor, target: Tensor): void {
  requireFloat(op, 'input', input);
  checkTensor(op, 'target', target);
}

/** Refuses shapes that differ: broadcasting is nearly always a mistake there. @internal */
export function checkAlike(op: string, input: Tensor, target: Tensor): void {
  checkInput(op, input, target);
  if (!shapesEqual(input.shape, target.shape)) {
    throw new ShapeError(
      `${op}(input ${formatShape(input.shape)}, target ${formatShape(target.shape)}): the shapes must be equal.`,
    );
  }
}

/** A weight must be a float tensor that broadcasts to the input. @internal */
export function checkWeight(op: string, name: string, weight: Tensor, shape: Shape): void {
  checkTensor(op, name, weight);
  if (!isFloating(weight.dtype)) throw new DTypeError(`${op}: ${name} must be a float tensor, got ${weight.dtype}.`);
  if (!broadcastsTo(weight.shape, shape)) {
    throw new ShapeError(
      `${op}(input ${formatShape(shape)}, ${name} ${formatShape(weight.shape)}): ${name} must broadcast to the input.`,
    );
  }
}

/** An elementwise loss, summed up as asked. @internal */
export function reduceLoss(
  op: ElementwiseOp,
  reduction: Reduction,
  operands: readonly Operand[],
  numbers: readonly number[] = [],
): Loss {
  const result =
    reduction === 'none' ? op.apply(operands, numbers) : reduceElementwise(op, reduction, operands, numbers);
  return result as Loss;
}
