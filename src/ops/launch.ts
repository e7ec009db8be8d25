// How the map and reduce kernels are called: staging of scalars and handles, and windows of equal rank.
import { native, scratchHandles, scratchNumbers, strideBase, type Handle, type ProgramId } from '../native.js';
import { compile } from '../program/compile.js';
import { inputExpr } from '../program/expr.js';
import { contiguousStrides, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** What an elementwise op takes: tensors, broadcast together, and numbers. */
export type Operand = Tensor | number | boolean;

/** Stages the values of scalar operands, then the op's own scalars. @internal */
export function stageNumbers(
  operands: readonly Operand[],
  mask: number,
  scalarCount: number,
  numbers: readonly number[],
  own: number,
): number {
  let n = 0;
  if (scalarCount > 0) {
    for (let i = 0; i < operands.length; i++) if ((mask & (1 << i)) !== 0) scratchNumbers[n++] = Number(operands[i]);
  }
  for (let i = 0; i < own; i++) scratchNumbers[n++] = numbers[i]!;
  return n;
}

/** ReduceKind of native/reduce_kind.h. */
export const reduceKinds = {
  sum: 0,
  mean: 1,
  prod: 2,
  max: 3,
  min: 4,
  argmax: 5,
  argmin: 6,
  maxIndex: 7,
  minIndex: 8,
  all: 9,
  any: 10,
  var: 11,
} as const;

let identity = -1;
export function identityProgram(): ProgramId {
  if (identity < 0) {
    const x = inputExpr('x');
    identity = compile('identity', [x], [x], []);
  }
  return identity;
}

// The kernel wants one rank for all operands. A handle of its own for another shape of the same memory.
function windowHandle(t: Tensor, shape: Shape, strides: readonly number[]): Handle {
  for (let d = 0; d < shape.length; d++) {
    scratchNumbers[d] = shape[d]!;
    scratchNumbers[strideBase + d] = strides[d]!;
  }
  return native.view(t._handle, shape.length, t._offset, undefined);
}

function alignedHandle(t: Tensor, rank: number, temporary: Handle[]): Handle {
  const missing = rank - t.shape.length;
  if (missing === 0) return t._handle;
  const ones = new Array<number>(missing).fill(1);
  const handle = windowHandle(t, [...ones, ...t.shape], [...ones, ...t.strides]);
  temporary.push(handle);
  return handle;
}

export function launchReduce(
  kind: number,
  program: ProgramId,
  outs: readonly Tensor[],
  keptShape: Shape,
  ins: readonly Tensor[],
  stage: () => number,
  correction: number,
): void {
  const rank = keptShape.length;
  const temporary: Handle[] = [];
  const handles: Handle[] = [];
  for (const out of outs) {
    if (out.shape.length === rank) handles.push(out._handle);
    else {
      const handle = windowHandle(out, keptShape, contiguousStrides(keptShape));
      temporary.push(handle);
      handles.push(handle);
    }
  }
  for (const t of ins) handles.push(alignedHandle(t, rank, temporary));
  for (let i = 0; i < handles.length; i++) scratchHandles[i] = handles[i]!;
  try {
    native.reduce(kind, program, outs.length, ins.length, stage(), correction);
  } finally {
    for (const handle of temporary) native.dispose(handle);
  }
}
