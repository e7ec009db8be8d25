// Operands of ops: their kinds and shapes, and changes in place.
import * as thalweg from '../../src/index.js';
import { ones, Tensor, tensor } from '../../src/index.js';
import { a, api, b, loose, type Rows } from './loose.js';

export const operands: Rows = [
  [
    'shapes that do not broadcast',
    () => a['add'](b),
    'ShapeError: add(a [2,3], b [4,5]): cannot broadcast, a.shape[-1] = 3 but b.shape[-1] = 5.',
  ],
  [
    'inner dimensions',
    () => a['matmul'](b),
    'ShapeError: matmul(a [2,3], b [4,5]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4.',
  ],
  [
    'a scalar in matmul',
    () => a['matmul'](tensor(1)),
    'ShapeError: matmul(a [2,3], b []): both need at least 1 dimension, b has none.',
  ],
  [
    'a result beyond 2^53',
    () =>
      ones([1])
        .expand([2 ** 27, 1])
        .add(ones([1]).expand([1, 2 ** 27])),
    'ShapeError: add: shape [134217728,134217728] has 18014398509481984 elements, more than 2^53 - 1.',
  ],
  ['a string', () => a['add']('x'), 'ArgumentError: add: b is a string, expected a Tensor.'],
  ['an array', () => a['add']([1]), 'ArgumentError: add: b is an array, expected a Tensor; make one with tensor(...).'],
  ['null', () => a['add'](null), 'ArgumentError: add: b is null, expected a Tensor.'],
  ['nothing', () => a['add'](), 'ArgumentError: add: b is undefined, expected a Tensor.'],
  ['an object', () => a['add']({}), 'ArgumentError: add: b is an object, expected a Tensor.'],
  ['a bigint', () => a['add'](1n), 'ArgumentError: add: b is a bigint, expected a Tensor.'],
  [
    'a number for matmul',
    () => a['matmul'](3),
    'ArgumentError: matmul: b is a number, expected a Tensor; make one with tensor(...).',
  ],
  [
    'only numbers',
    () => api['add'](1, 2),
    'ArgumentError: add: at least one operand must be a Tensor; make one with tensor(...).',
  ],
  [
    'a tensor of another thread',
    () => a['add']({ ...ones([1]) }),
    'ArgumentError: add: b is an object, expected a Tensor; it looks like a tensor of another worker or copy of Thalweg: send its data() and make a new one.',
  ],
  [
    'a method on something else',
    () => Tensor.prototype.add.call({} as Tensor, 1),
    'ArgumentError: add: a is an object, expected a Tensor.',
  ],
  [
    'in place, the result is larger',
    () => loose(ones([1]))['add_'](a),
    'ShapeError: add_: the result has shape [2,3], which does not fit in place into [1].',
  ],
  [
    'in place, of another kind',
    () => tensor([1n]).add_(0.5),
    'DTypeError: add_: the result is float32, which cannot be stored in place in int64.',
  ],
  [
    'in place, expanded',
    () => ones([1]).expand([3]).add_(1),
    'ShapeError: add_: a tensor of shape [3] and strides [0] is an expanded view, several elements share memory; clone() it first.',
  ],
  [
    'copy_ that does not broadcast',
    () => a['copy_'](b),
    'ShapeError: copy_: source of shape [4,5] does not broadcast to [2,3].',
  ],
  ['cat of nothing', () => thalweg.cat([]), 'ArgumentError: cat: expected a list of at least one tensor.'],
  [
    'cat of other shapes',
    () => api['cat']([a, b]),
    'ShapeError: cat: tensors[1] has shape [4,5], tensors[0] [2,3]; they must agree but in dimension 0.',
  ],
  [
    'cat of scalars',
    () => thalweg.cat([tensor(1) as Tensor]),
    'ShapeError: cat: scalars have no dimension to join along; use stack().',
  ],
  [
    'stack of other shapes',
    () => api['stack']([a, b]),
    'ShapeError: stack: tensors[1] has shape [4,5], tensors[0] [2,3].',
  ],
  [
    'item of several',
    () => a['itemSync'](),
    'ShapeError: itemSync: the tensor of shape [2,3] has 6 elements, not one; use data() or array().',
  ],
];
