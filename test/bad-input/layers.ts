// Layers, losses and optimizers.
import { ones, tensor } from '../../src/index.js';
import { a, functional, modules, optimizers, type Rows } from './loose.js';

export const layers: Rows = [
  [
    'Linear of -1',
    () => new modules['Linear'](-1, 2),
    'ArgumentError: Linear: inFeatures must be an integer >= 0, got -1.',
  ],
  [
    'Linear of a string',
    () => new modules['Linear'](3, '2'),
    'ArgumentError: Linear: outFeatures must be an integer >= 0, got 2.',
  ],
  [
    'Linear fed too much',
    () => new modules['Linear'](3, 2)['forward'](ones([2, 4])),
    'ShapeError: linear(x [2,4], weight [2,3]): the last dimension of x is 4, but weight takes 3 features.',
  ],
  [
    'Linear fed nothing',
    () => new modules['Linear'](3, 2)['forward'](),
    'ArgumentError: linear: x is null, expected a Tensor.',
  ],
  ['Dropout of 2', () => new modules['Dropout'](2), 'ArgumentError: Dropout: p must be from 0 to 1, got 2.'],
  ['Dropout of NaN', () => new modules['Dropout'](NaN), 'ArgumentError: Dropout: p must be from 0 to 1, got NaN.'],
  [
    'Sequential of a number',
    () => new modules['Sequential'](5),
    'ArgumentError: Sequential: layer 0 is a number, expected a Module.',
  ],
  [
    'crossEntropy of other counts',
    () => functional['crossEntropy'](a, tensor([0n])),
    'ShapeError: crossEntropy(input [2,3], target [1]): target must have shape [2].',
  ],
  [
    'crossEntropy of float targets',
    () => functional['crossEntropy'](a, tensor([0, 1])),
    'DTypeError: crossEntropy: target must hold class indices as int64 or int32, got float32.',
  ],
  [
    'crossEntropy with an unknown reduction',
    () => functional['crossEntropy'](a, tensor([0n, 1n]), { reduction: 'avg' }),
    "ArgumentError: crossEntropy: unknown reduction \"avg\", expected 'none', 'mean' or 'sum'.",
  ],
  [
    'mseLoss that would broadcast',
    () => functional['mseLoss'](ones([2, 1]), ones([2])),
    'ShapeError: mseLoss(input [2,1], target [2]): the shapes must be equal.',
  ],
  [
    'SGD of nothing',
    () => new optimizers['SGD']([], { lr: 1 }),
    'ArgumentError: SGD: there are no parameters to optimize.',
  ],
  [
    'SGD of a number',
    () => new optimizers['SGD'](5, { lr: 1 }),
    'ArgumentError: SGD: expected a list of parameters, or of groups { params, ... }.',
  ],
  [
    'SGD of data',
    () => new optimizers['SGD']([ones([2, 3])], { lr: 1 }),
    'ArgumentError: SGD: params[0] of shape [2,3] does not require gradients; optimize leaves made with { requiresGrad: true }.',
  ],
  [
    'SGD of negative rate',
    () => new optimizers['SGD']([ones([1], { requiresGrad: true })], { lr: -1 }),
    'ArgumentError: SGD: lr must be a number >= 0, got -1.',
  ],
];
