// Dimensions, views and indices.
import * as thalweg from '../../src/index.js';
import { ones, tensor, zeros } from '../../src/index.js';
import { a, api, functional, loose, type Rows } from './loose.js';

export const dimensions: Rows = [
  ['out of range', () => a['sum'](5), 'IndexError: sum: dim 5 is out of range for 2 dimensions, expected -2 to 1.'],
  ['NaN', () => a['sum'](NaN), 'ArgumentError: sum: dim must be an integer, got NaN.'],
  ['twice', () => a['sum']([0, -2]), 'ArgumentError: sum: dimension 0 appears twice in dims [0,-2].'],
  ['a string', () => a['sum']('0'), "ArgumentError: sum: dims must be an array of integers, got '0'."],
  [
    'of softmax',
    () => a['softmax'](2),
    'IndexError: softmax: dim 2 is out of range for 2 dimensions, expected -2 to 1.',
  ],
  [
    'the largest of nothing',
    () => zeros([0, 3]).amax(0),
    'ShapeError: amax: the tensor of shape [0,3] has no elements to reduce, and amax of nothing has no value.',
  ],
  ['reshape', () => a['reshape']([4]), 'ShapeError: reshape(a [2,3], [4]): 6 elements do not fit a shape of 4.'],
  [
    'reshape to two unknowns',
    () => a['reshape']([-1, -1]),
    'ShapeError: reshape(a [2,3], [-1,-1]): only one dimension can be -1.',
  ],
  ['reshape to NaN', () => a['reshape']([NaN]), 'ArgumentError: reshape: shape[0] must be an integer, got NaN.'],
  [
    'reshape to anything',
    () => api['reshape'](zeros([0]), [0, -1]),
    'ShapeError: reshape(a [0], [0,-1]): the dimension -1 could be anything beside a dimension of 0.',
  ],
  [
    'view that needs a copy',
    () => loose(a['t']())['view']([6]),
    'ShapeError: view(x [3,2], [6]): strides [1,3] do not allow a view; use reshape(), which copies.',
  ],
  [
    'permute twice the same',
    () => a['permute']([0, 0]),
    'ArgumentError: permute: dimension 0 appears twice in dims [0,0].',
  ],
  [
    'permute too few',
    () => a['permute']([0]),
    'ArgumentError: permute: dims [0] must name each of the 2 dimensions once.',
  ],
  [
    'transpose',
    () => a['transpose'](0, 2),
    'IndexError: transpose: dim1 2 is out of range for 2 dimensions, expected -2 to 1.',
  ],
  [
    't of three',
    () => loose(ones([1, 1, 1]))['t'](),
    'ShapeError: t: expected at most 2 dimensions, got shape [1,1,1]; use mT() or transpose().',
  ],
  ['mT of one', () => loose(ones([3]))['mT'](), 'ShapeError: mT: expected at least 2 dimensions, got shape [3].'],
  [
    'expand',
    () => a['expand']([3, 3]),
    'ShapeError: expand(a [2,3], [3,3]): only dimensions of 1 can expand, a.shape[-2] = 2 but 3 was asked.',
  ],
  [
    'expand beyond 2^53',
    () => ones([1]).expand([2 ** 60]),
    'ShapeError: expand: shape[0] is 1152921504606847000, more than 2^53 - 1.',
  ],
  ['broadcastTo', () => a['broadcastTo']([3, 2]), 'ShapeError: broadcastTo: shape [2,3] does not broadcast to [3,2].'],
  [
    'unsqueeze to nine',
    () => zeros([1, 1, 1, 1, 1, 1, 1, 1]).unsqueeze(0),
    'ShapeError: unsqueeze: x of shape [1,1,1,1,1,1,1,1] has 8 dimensions already, the most a tensor can have.',
  ],
  ['slice from NaN', () => a['slice'](0, NaN), 'ArgumentError: slice: start must be an integer, got NaN.'],
  ['slice in no steps', () => a['slice'](0, 0, 1, 0), 'ArgumentError: slice: step must be an integer above 0, got 0.'],
  ['slice of a scalar', () => loose(tensor(1))['slice'](0), 'ShapeError: slice: a scalar has no dimensions.'],
  [
    'narrow too far',
    () => a['narrow'](0, 1, 2),
    'IndexError: narrow: 2 elements from 1 are outside dimension 0 of size 2.',
  ],
  ['select', () => a['select'](0, 2), 'IndexError: select: index 2 is out of range for dimension 0 of size 2.'],
  [
    'split that does not add up',
    () => a['split']([1, 1], 1),
    'ArgumentError: split: sizes [1,1] do not add up to 3, the size of dimension 1.',
  ],
  ['split into nothing', () => a['split'](0), 'ArgumentError: split: size must be an integer above 0, got 0.'],
  ['chunk into half', () => a['chunk'](0.5), 'ArgumentError: chunk: count must be an integer above 0, got 0.5.'],
];

export const indices: Rows = [
  ['too many', () => a['index'](0, 0, 0), 'IndexError: index: 3 indices for a tensor of shape [2,3].'],
  [
    'no slice',
    () => a['index']('a'),
    "ArgumentError: index: 'a' is no slice; write it as 'start:end' or 'start:end:step'.",
  ],
  ['two ellipses', () => a['index']('...', '...'), "ArgumentError: index: '...' can stand only once."],
  ['a fraction', () => a['index'](1.5), 'ArgumentError: select: index must be an integer, got 1.5.'],
  ['NaN', () => a['index'](NaN), 'ArgumentError: select: index must be an integer, got NaN.'],
  ['outside', () => a['index'](-3), 'IndexError: select: index -3 is out of range for dimension 0 of size 2.'],
  ['nothing', () => a['index'](undefined), 'ArgumentError: index: index is undefined, expected a Tensor.'],
  [
    'floats',
    () => a['index'](ones([1])),
    'DTypeError: index: index tensors must be int64, int32 or bool, got float32.',
  ],
  [
    'gather of another rank',
    () => a['gather'](0, tensor([0n])),
    'ShapeError: gather: index [1] and x [2,3] must have the same rank.',
  ],
  [
    'gather larger than x',
    () => a['gather'](0, zeros([1, 4], { dtype: 'int64' })),
    'ShapeError: gather: index [1,4] is larger than x [2,3] in dimension 1.',
  ],
  [
    'scatterAdd of another dtype',
    () => a['scatterAdd'](0, zeros([1, 3], { dtype: 'int64' }), zeros([1, 3], { dtype: 'float64' })),
    'DTypeError: scatterAdd: x is float32 and src float64; convert one.',
  ],
  [
    'embedding in a vector',
    () => functional['embedding'](ones([3]), tensor([0n])),
    'ShapeError: embedding: weight must be [rows, features], got shape [3].',
  ],
  [
    'oneHot of no classes',
    () => thalweg.oneHot(tensor([0n]), 0),
    'ArgumentError: oneHot: classes must be an integer above 0, got 0.',
  ],
  [
    'oneHot of a class outside',
    () => thalweg.oneHot(tensor([5n]), 3).dataSync(),
    'IndexError: scatterAdd: index 5 is out of range for dimension 1 of size 3',
  ],
];
