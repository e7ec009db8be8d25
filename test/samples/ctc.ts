// The rows of connectionist temporal classification. See sample.ts.
import { logSoftmax, nn, type Tensor } from 'thalweg';
import { family, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const { ctcLoss } = nn.functional;
const ctc =
  (
    inputs: nn.functional.Lengths = [7, 5, 6],
    lengths: nn.functional.Lengths = [3, 2, 1],
    options: nn.functional.CTCLossOptions = {},
  ): Run =>
  ([x, y]) =>
    ctcLoss(logSoftmax(x, -1), y, inputs, lengths, options);
const none = { reduction: 'none' } as const;

rows(
  'ctcLoss',
  {
    none: ctc(undefined, undefined, none),
    mean: ctc(),
    sum: ctc(undefined, undefined, { reduction: 'sum' }),
    int32: ctc(),
    row: ctc(),
    tensors: ([x, y, inputs, lengths]) => ctcLoss(logSoftmax(x, -1), y, inputs, lengths),
    blank: ctc(undefined, undefined, { blank: 4, reduction: 'none' }),
    single: ctc(7, 3),
    singleNone: ctc([7], [3], none),
    noTargets: ctc(undefined, [0, 2, 0], none),
    noFrames: ctc([7, 0, 6], [3, 0, 1], none),
    manyClasses: ctc([4, 4], [1, 2], none),
    wide: ctc([30], [11]),
    kinkLogProbs: ([x, y]) => ctcLoss(x, y, [7, 5, 6], [3, 2, 1]),
    kinkInfinite: ctc([2, 5, 6], undefined, none),
    zeroInfinity: ctc([2, 5, 6], undefined, { reduction: 'none', zeroInfinity: true }),
    zeroInfinityMean: ctc([2, 5, 6], undefined, { zeroInfinity: true }),
  },
  { once: true },
);
rows(
  'nn.CTCLoss',
  {
    blank: ([x, y]): Tensor =>
      new nn.CTCLoss({ blank: 4, zeroInfinity: true }).forward(logSoftmax(x, -1), y, [7, 5, 6], [3, 2, 1]),
  },
  { once: true },
);
