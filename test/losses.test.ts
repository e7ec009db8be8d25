// What rows cannot show of losses: messages, single passes, lazily checked lengths.
import { describe, expect, test } from 'vitest';
import { GradError, grad, logSoftmax, nn, ones, randn, rand, tensor, Generator, type Tensor } from 'thalweg';
import { errorOf } from './error-of.js';

const F = nn.functional;
const logProbs = (): Tensor => logSoftmax(randn([4, 2, 3], { generator: new Generator(1) }), -1);
const indices = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'int64' });

describe('messages', () => {
  test.each<[string, () => unknown, string]>([
    [
      'shapes that differ',
      () => F.l1Loss(ones([2, 3]), ones([3])),
      'ShapeError: l1Loss(input [2,3], target [3]): the shapes must be equal.',
    ],
    [
      'binary cross entropy that would broadcast',
      () => F.binaryCrossEntropy(ones([2, 1]), ones([2])),
      'ShapeError: binaryCrossEntropy(input [2,1], target [2]): the shapes must be equal.',
    ],
    [
      'integers',
      () => F.huberLoss(indices([1]), ones([1])),
      "DTypeError: huberLoss: input must be a float tensor, got int64; convert it with to('float32').",
    ],
    [
      'a reduction that is not known',
      () => F.klDiv(ones([1]), ones([1]), { reduction: 'avg' as 'mean' }),
      `ArgumentError: klDiv: unknown reduction "avg", expected 'none', 'mean' or 'sum'.`,
    ],
    [
      'batchmean of a number',
      () => F.klDiv(ones([]), ones([]), { reduction: 'batchmean' }),
      "ShapeError: klDiv: 'batchmean' divides by the first dimension, and the input has none; use 'sum'.",
    ],
    [
      'a negative beta',
      () => F.smoothL1Loss(ones([1]), ones([1]), { beta: -1 }),
      'ArgumentError: smoothL1Loss: beta must be at least 0, got -1.',
    ],
    [
      'delta 0',
      () => F.huberLoss(ones([1]), ones([1]), { delta: 0 }),
      'ArgumentError: huberLoss: delta must be above 0, got 0.',
    ],
    [
      'a weight that is too large',
      () => F.binaryCrossEntropyWithLogits(ones([3]), ones([3]), { weight: ones([2, 3]) }),
      'ShapeError: binaryCrossEntropyWithLogits(input [3], weight [2,3]): weight must broadcast to the input.',
    ],
    [
      'a variance of another shape',
      () => F.gaussianNllLoss(ones([2, 3]), ones([2, 3]), ones([3])),
      "ShapeError: gaussianNllLoss(input [2,3], variance [3]): variance must have the input's shape, with at most one dimension of size 1 in its place, or lack the last dimension.",
    ],
    [
      'a ranking of different ranks',
      () => F.marginRankingLoss(ones([2, 1]), ones([2, 1]), ones([2])),
      'ShapeError: marginRankingLoss(input1 [2,1], input2 [2,1], target [2]): the numbers of dimensions must be equal; unsqueeze() what lacks some.',
    ],
    [
      'a margin that is none',
      () => F.tripletMarginLoss(ones([2]), ones([2]), ones([2]), { margin: 0 }),
      'ArgumentError: tripletMarginLoss: margin must be above 0, got 0.',
    ],
    [
      'targets that are no indices',
      () => F.multiMarginLoss(ones([2, 3]), ones([2])),
      'DTypeError: multiMarginLoss: target must hold class indices as int64 or int32, got float32.',
    ],
    [
      'no parameters',
      () => F.l1Penalty([]),
      'ArgumentError: l1Penalty: params is empty; pass model.parameters() or a list of tensors.',
    ],
    [
      'ctc of one dimension',
      () => F.ctcLoss(ones([3]), indices([1]), 1, 1),
      'ShapeError: ctcLoss: logProbs must be [T, N, C] or [T, C], got [3].',
    ],
    [
      'ctc with a length beyond the input',
      () => F.ctcLoss(logProbs(), indices([[1], [2]]), [4, 5], [1, 1]),
      'ArgumentError: ctcLoss: inputLengths[1] must be an integer from 0 to 4, got 5.',
    ],
    [
      'ctc with targets left over',
      () => F.ctcLoss(logProbs(), indices([1, 2, 1]), [4, 4], [1, 1]),
      'ShapeError: ctcLoss: targetLengths add up to 2, and there are 3 targets in the row.',
    ],
    [
      'ctc with a blank that is no class',
      () => F.ctcLoss(logProbs(), indices([[1], [2]]), [4, 4], [1, 1], { blank: 3 }),
      'ArgumentError: ctcLoss: blank must be one of the 3 classes, got 3.',
    ],
    [
      'ctc with a target that is no class',
      () => F.ctcLoss(logProbs(), indices([[1], [3]]), [4, 4], [1, 1]).itemSync(),
      'IndexError: ctcLoss: target 1 is 3, with 3 classes',
    ],
    [
      'ctc with a length in a tensor that is out of range',
      () => F.ctcLoss(logProbs(), indices([[1], [2]]), indices([4, 9]), [1, 1]).itemSync(),
      'IndexError: ctcLoss: inputLengths[1] is 9, with 4 frames',
    ],
  ])('%s', (_, run, expected) => {
    expect(errorOf(run)).toContain(expected);
  });
});

describe('behaviour', () => {
  test('ctc has no second derivative, and says so', () => {
    const x = randn([4, 1, 3]).requiresGrad_();
    const loss = F.ctcLoss(logSoftmax(x, -1), indices([[1]]), [4], [1]);
    const [g] = grad([loss], [x], { createGraph: true });
    expect(() => grad([g.sum()], [x])).toThrow(GradError);
  });

  test('a mean of nothing is NaN, a sum 0', () => {
    expect(F.mseLoss(ones([0]), ones([0])).itemSync()).toBeNaN();
    expect(F.mseLoss(ones([0]), ones([0]), { reduction: 'sum' }).itemSync()).toBe(0);
  });

  test('dtypes are promoted', () => {
    expect(F.mseLoss(ones([2]), indices([1, 3])).itemSync()).toBe(2);
    expect(F.mseLoss(ones([2]), ones([2], { dtype: 'float64' })).dtype).toBe('float64');
  });

  test('a mean over many values is exact, and its gradient one value each', () => {
    const x = rand([300, 1000], { generator: new Generator(3), dtype: 'float64' }).requiresGrad_();
    const loss = F.l1Loss(x, ones([300, 1000], { dtype: 'float64' }));
    loss.backward();
    expect(loss.itemSync()).toBeCloseTo(0.5, 2);
    expect(x.grad!.sum().itemSync()).toBeCloseTo(-1, 10);
  });

  test('weights move with the layer', () => {
    const layer = new nn.BCEWithLogitsLoss({ posWeight: ones([3]) });
    layer.to('float64');
    expect(layer.posWeight!.dtype).toBe('float64');
    expect([...layer.stateDict().keys()]).toEqual(['posWeight']);
  });
});
