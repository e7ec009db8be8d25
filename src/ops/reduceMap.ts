// An elementwise op and the sum or mean of its result in one pass, without the result itself: losses and penalties.
import { autocastTo } from '../amp/policy.js';
import { debugLevel, traceOp } from '../debug.js';
import { isFloating } from '../dtype.js';
import { numel } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { div } from './arithmetic.js';
import { needsRecord } from './define.js';
import type { ElementwiseOp } from './elementwise.js';
import { launchReduce, reduceKinds, stageNumbers, type Operand } from './launch.js';
import { expand } from './view.js';

/**
 * The sum or the mean of all elements of an elementwise op's result, in one pass forward, and one for each gradient: the
 * gradient of the loss enters the op's gradient as an expanded number.
 *
 * @param op its result must be of a float dtype
 * @param numbers values of the op's own scalars
 */
export function reduceElementwise(
  op: ElementwiseOp,
  kind: 'sum' | 'mean',
  operands: readonly Operand[],
  numbers: readonly number[] = [],
): Tensor {
  return autocastTo(op.name, operands, (cast) => reduceOperands(op, kind, cast, numbers));
}

function reduceOperands(
  op: ElementwiseOp,
  kind: 'sum' | 'mean',
  operands: readonly Operand[],
  numbers: readonly number[],
): Tensor {
  const { shape, dtype, device, tensors, mask, scalarCount } = op.prepare(operands, numbers);
  const out = emptyTensor(op.name, [], dtype, device);
  const ones = shape.map(() => 1);
  const stage = (): number => stageNumbers(operands, mask, scalarCount, numbers, op.scalars.length);
  const run = (): void => launchReduce(reduceKinds[kind], op.program(mask), [out], ones, tensors, stage, 0);
  if (debugLevel > 0) traceOp(`${op.name}+${kind}`, tensors, [out], run);
  else run();
  if (isFloating(dtype) && needsRecord(tensors)) {
    const count = numel(shape);
    op.record(out, operands, numbers, (g) => expand(kind === 'mean' ? div(g, count) : g, shape));
  }
  return out;
}
