// What optimizers refuse, with the whole message.
import { describe, expect, test } from 'vitest';
import { ArgumentError, optim, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { flat } from './optimizers.js';

describe('errors', () => {
  const good = tensor([1], { requiresGrad: true });
  const cases: [string, () => unknown, string][] = [
    ['no parameters', () => new optim.SGD([]), 'ArgumentError: SGD: there are no parameters to optimize.'],
    [
      'no tensor',
      () => new optim.SGD([good, 3 as unknown as Tensor]),
      'ArgumentError: SGD: params[1] is a number, expected a Tensor.',
    ],
    [
      'no group',
      () => new optim.SGD([3] as unknown as Tensor[]),
      'ArgumentError: SGD: a parameter group must be { params: tensors, ...options }.',
    ],
    [
      'no gradient',
      () => new optim.Adam([zeros([2, 3])]),
      'ArgumentError: Adam: params[0] of shape [2,3] does not require gradients; optimize leaves made with { requiresGrad: true }.',
    ],
    [
      'no leaf',
      () => new optim.Adam([good.mul(2)]),
      'ArgumentError: Adam: params[0] of shape [1] was made by a recorded operation; optimize leaves made with { requiresGrad: true }.',
    ],
    ['twice', () => new optim.Adam([good, good]), 'ArgumentError: Adam: params[1] of shape [1] is given twice.'],
    [
      'twice in groups',
      () => new optim.Adam([{ params: [good] }, { params: [good] }]),
      'ArgumentError: Adam: params[0] of shape [1] is given twice.',
    ],
    ['lr', () => new optim.SGD([good], { lr: -0.1 }), 'ArgumentError: SGD: lr must be a number >= 0, got -0.1.'],
    ['lr NaN', () => new optim.SGD([good], { lr: NaN }), 'ArgumentError: SGD: lr must be a number >= 0, got NaN.'],
    [
      'lr text',
      () => new optim.SGD([good], { lr: '0.1' as unknown as number }),
      'ArgumentError: SGD: lr must be a number >= 0, got 0.1.',
    ],
    [
      'momentum',
      () => new optim.SGD([good], { momentum: -1 }),
      'ArgumentError: SGD: momentum must be a number >= 0, got -1.',
    ],
    [
      'nesterov',
      () => new optim.SGD([good], { nesterov: true }),
      'ArgumentError: SGD: nesterov needs momentum above 0 and dampening 0.',
    ],
    [
      'betas',
      () => new optim.Adam([good], { betas: [0.9, 1] }),
      'ArgumentError: Adam: betas[1] must be from 0 to below 1, got 1.',
    ],
    [
      'one beta',
      () => new optim.Adam([good], { betas: [0.9] as unknown as [number, number] }),
      'ArgumentError: Adam: betas must be two numbers.',
    ],
    [
      'unknown',
      () => new optim.SGD([good], { learningRate: 1 } as object),
      'ArgumentError: SGD: there is no option learningRate; the options are lr, momentum, dampening, nesterov, weightDecay, decoupledWeightDecay, maximize, l1, l1Mode, maxNorm, gradientNoise, gradientNoiseDecay.',
    ],
    [
      'unknown in a group',
      () => new optim.SGD([{ params: [good], rate: 1 } as object as { params: Tensor[] }]),
      'ArgumentError: SGD: there is no option rate; the options are lr, momentum, dampening, nesterov, weightDecay, decoupledWeightDecay, maximize, l1, l1Mode, maxNorm, gradientNoise, gradientNoiseDecay.',
    ],
    [
      'l1Mode',
      () => new optim.SGD([good], { l1Mode: 'soft' as 'loss' }),
      "ArgumentError: SGD: l1Mode must be 'loss', 'decoupled' or 'proximal', got \"soft\".",
    ],
    [
      'maxNorm',
      () => new optim.SGD([good], { maxNorm: 0 }),
      'ArgumentError: SGD: maxNorm must be a number > 0, got 0.',
    ],
    [
      'muon',
      () => new optim.Muon([good]),
      'ArgumentError: Muon: params[0] has shape [1]; Muon takes matrices only, give the others to AdamW.',
    ],
    [
      'lbfgs without closure',
      () => new optim.LBFGS([good]).step(),
      'ArgumentError: LBFGS: step needs a closure that computes the loss and its gradients and returns the loss.',
    ],
    [
      'lbfgs without loss',
      () => new optim.LBFGS([good]).step(() => 'loss'),
      'ArgumentError: LBFGS: the closure must return the loss, a scalar.',
    ],
    [
      'lbfgs groups',
      () => new optim.LBFGS([{ params: [good] }, { params: [tensor([1], { requiresGrad: true })] }]),
      'ArgumentError: LBFGS: takes one group of parameters; it has no options per parameter.',
    ],
    ['sam', () => new optim.SAM({} as optim.SGD), 'ArgumentError: SAM: expected an optimizer as the first argument.'],
    [
      'sam without closure',
      () => new optim.SAM(new optim.SGD([good])).step(),
      'ArgumentError: SAM: step needs a closure that clears, computes and returns the loss.',
    ],
    [
      'lookahead',
      () => new optim.Lookahead(new optim.SGD([good]), { k: 0 }),
      'ArgumentError: Lookahead: k must be an integer >= 1, got 0.',
    ],
    [
      'rprop',
      () => new optim.Rprop([good], { etas: [1.5, 2] }),
      'ArgumentError: Rprop: etas[0] must be from 0 to below 1, got 1.5.',
    ],
    ['nothing to average', () => new optim.EMA([]), 'ArgumentError: EMA: there is nothing to average.'],
    ['eps', () => new optim.Adam([good], { eps: -1 }), 'ArgumentError: Adam: eps must be a number >= 0, got -1.'],
  ];
  test.each(cases)('%s', (_, fn, message) => {
    expect(errorOf(fn)).toBe(message);
    expect(fn).toThrow(ArgumentError);
  });

  test('a gradient that was disposed of, or of another shape', () => {
    const p = tensor([1, 2], { requiresGrad: true });
    const optimizer = new optim.SGD([p]);
    p.sum().backward();
    p.grad!.dispose();
    expect(errorOf(() => optimizer.step())).toBe('DisposedError: SGD: g[0] of shape [2] was disposed.');
    p.grad = zeros([3]) as unknown as typeof p.grad;
    expect(errorOf(() => optimizer.step())).toBe('ShapeError: SGD: g[0] has shape [3], p[0] [2].');
    expect(flat([p])).toEqual([1, 2]);
  });
});
