// Whether elements are among given ones.
import { promoteTypes, type DType } from '../dtype.js';
import { tidy } from '../memory.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { eq, logicalNot } from './compare.js';
import { cast, contiguous, detach } from './copy.js';
import { checkSameDevice, checkTensor, filledTensor } from './define.js';
import { refuseBool } from './require.js';
import { take } from './scatter.js';
import { searchsorted, sort } from './sort.js';
import { clampMax } from './math.js';
import { reshape } from './view.js';

/** Options of `isin`. */
export interface IsinOptions {
  /** True where the element is not among them. Default false. */
  invert?: boolean;
}

/**
 * True where an element of x is among the test elements, of whatever shape. NaN is never.
 *
 * @throws DTypeError for bools; DeviceError for tensors on different devices
 * @example
 * isin(tensor([1, 2, 3]), tensor([3, 1])); // [true, false, true]
 */
export function isin<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  testElements: Tensor,
  options: IsinOptions = {},
): Tensor<S, 'bool'> {
  checkTensor('isin', 'x', x);
  checkTensor('isin', 'testElements', testElements);
  checkSameDevice('isin', 'x', x, 'testElements', testElements);
  refuseBool('isin', x);
  refuseBool('isin', testElements);
  const { invert = false } = options;
  return tidy(() => {
    const count = testElements.numel;
    if (count === 0) return filledTensor('isin', x.shape, 'bool', x.device, invert);
    const common = promoteTypes(x.dtype, testElements.dtype);
    const own = contiguous(cast(detach(x) as Tensor, common));
    const { values } = sort(reshape(cast(detach(testElements), common), [count]));
    const place = clampMax(searchsorted(values, own), count - 1) as Tensor<Shape, 'int64'>;
    const found = eq(take(values, place) as Tensor, own);
    return invert ? logicalNot(found) : found;
  }) as Tensor<S, 'bool'>;
}
