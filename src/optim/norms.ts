// Norms that updates scale by, as tensors: nothing is read back, so the stream is not waited for.
import { launchReduce, reduceKinds } from '../ops/launch.js';
import { sqrt } from '../ops/math.js';
import { compile } from '../program/compile.js';
import { inputExpr, square } from '../program/expr.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';

let squares = -1;
function squaresProgram(): number {
  if (squares < 0) {
    const x = inputExpr('x');
    squares = compile('squares', [square(x)], [x], []);
  }
  return squares;
}

/**
 * L2 norms, shaped to broadcast to their tensors: of each tensor (`'whole'`), or of its slices along the first dimension
 * (`'units'`).
 */
export function l2Norms(tensors: readonly Tensor[], of: 'whole' | 'units'): Tensor[] {
  return tensors.map((t) => {
    const shape = t.shape.map((n, d) => (of === 'units' && d === 0 ? n : 1));
    const sums = emptyTensor('norm', shape, t.dtype, t.device);
    launchReduce(reduceKinds.sum, squaresProgram(), [sums], shape, [t], () => 0, 0);
    const norm = sqrt(sums);
    sums.dispose();
    return norm;
  });
}
