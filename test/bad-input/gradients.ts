// Backward passes that cannot be.
import { ones, tensor } from '../../src/index.js';
import { a, type Rows } from './loose.js';

export const gradients: Rows = [
  [
    'of nothing that needs them',
    () => a['backward'](),
    'GradError: backward: the tensor does not depend on anything that requires gradients; make parameters with { requiresGrad: true } and compute outside noGrad().',
  ],
  [
    'of several values',
    () => ones([2], { requiresGrad: true }).mul(2).backward(),
    'GradError: backward: the tensor of shape [2] is not a scalar; reduce it (mean(), sum()) or pass { gradient }.',
  ],
  [
    'twice',
    () => {
      const w = ones([2], { requiresGrad: true });
      const loss = w.mul(w).sum();
      loss.backward();
      loss.backward();
    },
    'GradError: backward: the values that sum saved were freed by an earlier backward(); pass { retainGraph: true } to the first one.',
  ],
  [
    'after a change in place',
    () => {
      const w = ones([2], { requiresGrad: true });
      const x = ones([2]);
      const loss = w.mul(x).sum();
      x.add_(1);
      loss.backward();
    },
    "GradError: backward: 'b' of mul, shape [2], was changed in place 1 time(s) after mul saved it; use the out-of-place form or a clone().",
  ],
  [
    'of a change in place',
    () => ones([2], { requiresGrad: true }).add_(1),
    'GradError: add_: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).',
  ],
  [
    'for integers',
    () => tensor([1n]).requiresGrad_(),
    'DTypeError: requiresGrad_: only float tensors can have gradients, this one is int64.',
  ],
];
