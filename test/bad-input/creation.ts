// Shapes, ranges and seeds of new tensors.
import * as thalweg from '../../src/index.js';
import { ones, zeros } from '../../src/index.js';
import { api, loose, type Rows } from './loose.js';

export const shapes: Rows = [
  ['negative', () => zeros([-1]), 'ShapeError: zeros: shape[0] is -1, dimensions cannot be negative.'],
  ['NaN', () => zeros([2, NaN]), 'ArgumentError: zeros: shape[1] must be an integer, got NaN.'],
  ['a fraction', () => zeros([1.5]), 'ArgumentError: zeros: shape[0] must be an integer, got 1.5.'],
  ['infinite', () => zeros([Infinity]), 'ArgumentError: zeros: shape[0] must be an integer, got Infinity.'],
  ['a bigint', () => api['zeros']([3n]), 'ArgumentError: zeros: shape[0] must be an integer, got 3n.'],
  ['a string', () => api['zeros'](['3']), "ArgumentError: zeros: shape[0] must be an integer, got '3'."],
  ['null', () => api['zeros']([null]), 'ArgumentError: zeros: shape[0] must be an integer, got null.'],
  ['not an array', () => api['zeros'](3), 'ArgumentError: zeros: shape must be an array of integers, got 3.'],
  ['nothing', () => api['zeros'](), 'ArgumentError: zeros: shape must be an array of integers, got undefined.'],
  [
    'a typed array',
    () => api['zeros'](new Int32Array(2)),
    'ArgumentError: zeros: shape must be an array of integers, got an object.',
  ],
  [
    'nine dimensions',
    () => zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]),
    'ShapeError: zeros: shape has 9 dimensions, at most 8 are supported.',
  ],
  [
    'a size beyond 2^53',
    () => zeros([2 ** 53]),
    'ShapeError: zeros: shape[0] is 9007199254740992, more than 2^53 - 1.',
  ],
  [
    'a product beyond 2^53',
    () => zeros([2 ** 30, 2 ** 30]),
    'ShapeError: zeros: shape [1073741824,1073741824] has 1152921504606846976 elements, more than 2^53 - 1.',
  ],
  [
    'no elements, but sizes that no kernel could multiply',
    () => zeros([0, 2 ** 40, 2 ** 40]),
    'ShapeError: empty: the sizes multiply to more than 2^53',
  ],
  ['of eye', () => api['eye'](-1), 'ShapeError: eye: shape[0] is -1, dimensions cannot be negative.'],
  ['of randn', () => thalweg.randn([2, -3]), 'ShapeError: randn: shape[1] is -3, dimensions cannot be negative.'],
  ['of randperm', () => thalweg.randperm(-1), 'ShapeError: randperm: shape[0] is -1, dimensions cannot be negative.'],
];

export const ranges: Rows = [
  ['arange to NaN', () => thalweg.arange(NaN), 'ArgumentError: arange: end must be a finite number, got NaN.'],
  [
    'arange to infinity',
    () => thalweg.arange(0, Infinity),
    'ArgumentError: arange: end must be a finite number, got Infinity.',
  ],
  ['arange of bigints', () => api['arange'](5n), 'ArgumentError: arange: end must be a finite number, got 5.'],
  ['arange in no steps', () => thalweg.arange(0, 1, 0), 'ArgumentError: arange: step must not be 0.'],
  ['arange the wrong way', () => thalweg.arange(5, 0), 'ArgumentError: arange: a step of 1 does not lead from 5 to 0.'],
  [
    'arange of too many',
    () => thalweg.arange(0, 1, 1e-300),
    'ShapeError: arange: shape[0] is 9.999999999999999e+299, more than 2^53 - 1.',
  ],
  [
    'arange of halves as integers',
    () => thalweg.arange(0, 2, 0.5, { dtype: 'int64' }),
    'DTypeError: arange: start 0 and step 0.5 are not integers, as int64 needs.',
  ],
  [
    'linspace of -1',
    () => thalweg.linspace(0, 1, -1),
    'ArgumentError: linspace: steps must be an integer >= 0, got -1.',
  ],
  [
    'linspace from NaN',
    () => thalweg.linspace(NaN, 1, 3),
    'ArgumentError: linspace: start and end must be finite numbers.',
  ],
  [
    'an empty range of integers',
    () => thalweg.randint(5, 5, [2]),
    'ArgumentError: randint: low 5 must be below high 5.',
  ],
  [
    'integers from a fraction',
    () => thalweg.randint(0.5, 5, [2]),
    'ArgumentError: randint: low must be an integer, got 0.5.',
  ],
  [
    'a probability above 1',
    () => thalweg.bernoulli([2], 1.5),
    'ArgumentError: bernoulli: the probability must be from 0 to 1, got 1.5.',
  ],
  [
    'uniform the wrong way',
    () => loose(ones([2]))['uniform_'](2, 1),
    'ArgumentError: uniform_: low 2 is above high 1.',
  ],
  [
    'normal of negative width',
    () => loose(ones([2]))['normal_'](0, -1),
    'ArgumentError: normal_: std must not be negative, got -1.',
  ],
  [
    'a seed that is no integer',
    () => thalweg.manualSeed(1.5),
    'ArgumentError: manualSeed: the seed must be an integer, got 1.5.',
  ],
  [
    'a seed that is a string',
    () => api['manualSeed']('1'),
    'ArgumentError: manualSeed: the seed must be an integer, got 1.',
  ],
  [
    'no threads',
    () => thalweg.setNumThreads(0),
    'ArgumentError: setNumThreads: expected an integer from 1 to 1024, got 0.',
  ],
];
