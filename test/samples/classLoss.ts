// Losses over classes: weights, several dimensions, probabilities. Their first rows are in core.ts.
import { nn, tensor, type Tensor } from 'thalweg';
import { each, family } from './sample.js';

const { samples, rows } = family();
export { samples };

const { crossEntropy, nllLoss } = nn.functional;
// Constants, for there are no gradients of weights.
const five = (x: Tensor): Tensor => tensor([0.5, 2, 1, 0.25, 3], { dtype: x.dtype });
const three = (x: Tensor): Tensor => tensor([0.5, 2, 1.25], { dtype: x.dtype });

for (const reduction of ['none', 'mean', 'sum'] as const) {
  rows('crossEntropy', {
    [`${reduction}Weighted`]: ([x, t]) => crossEntropy(x, t, { reduction, weight: five(x) }),
    [`${reduction}WeightedIgnored`]: ([x, t]) =>
      crossEntropy(x, t, { reduction, weight: five(x), ignoreIndex: 3, labelSmoothing: 0.25 }),
    [`${reduction}Images`]: ([x, t]) => crossEntropy(x, t, { reduction }),
    [`${reduction}ImagesWeighted`]: ([x, t]) =>
      crossEntropy(x, t, { reduction, weight: three(x), labelSmoothing: 0.25 }),
    [`${reduction}Soft`]: ([x, t]) => crossEntropy(x, t, { reduction }),
    [`${reduction}SoftWeighted`]: ([x, t]) => crossEntropy(x, t, { reduction, weight: five(x), labelSmoothing: 0.25 }),
    [`${reduction}SoftImages`]: ([x, t]) => crossEntropy(x, t, { reduction, weight: three(x), labelSmoothing: 0.25 }),
  });
  rows('nllLoss', {
    [`${reduction}Weighted`]: ([x, t]) => nllLoss(x, t, { reduction, weight: five(x), ignoreIndex: 3 }),
    [`${reduction}Images`]: ([x, t]) => nllLoss(x, t, { reduction, weight: three(x) }),
  });
}
rows('crossEntropy', {
  ...each(['softOne', 'wide', 'long', 'longSoft', 'int32Images', 'noItemsMean', 'largeImages'], ([x, t]) =>
    crossEntropy(x, t),
  ),
  smoothedOne: ([x, t]) => crossEntropy(x, t, { labelSmoothing: 0.5 }),
  wideSmoothed: ([x, t]) => crossEntropy(x, t, { labelSmoothing: 0.1 }),
  noItems: ([x, t]) => crossEntropy(x, t, { reduction: 'sum' }),
  ...each(['noPositions', 'infinite'], ([x, t]) => crossEntropy(x, t, { reduction: 'none' })),
  allIgnoredWeighted: ([x, t]) => crossEntropy(x, t, { ignoreIndex: 1, weight: three(x) }),
});
rows('nllLoss', { noItems: ([x, t]) => nllLoss(x, t, { reduction: 'sum' }) });
rows('nn.CrossEntropyLoss', {
  plain: ([x, t]) => new nn.CrossEntropyLoss().forward(x, t),
  options: ([x, t]) =>
    new nn.CrossEntropyLoss({ weight: five(x), ignoreIndex: 3, reduction: 'sum', labelSmoothing: 0.25 }).forward(x, t),
});
rows('nn.NLLLoss', {
  plain: ([x, t]) => new nn.NLLLoss().forward(x, t),
  options: ([x, t]) => new nn.NLLLoss({ weight: five(x), ignoreIndex: 3, reduction: 'sum' }).forward(x, t),
});
