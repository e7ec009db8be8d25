// Dtypes and devices, in options and of operands.
import * as thalweg from '../../src/index.js';
import { ones, tensor, zeros } from '../../src/index.js';
import { a, api, loose, type Rows } from './loose.js';

export const dtypes: Rows = [
  [
    'an unknown dtype',
    () => api['zeros']([1], { dtype: 'float' }),
    "ArgumentError: zeros: unknown dtype 'float', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    'a name that every object has',
    () => api['zeros']([1], { dtype: 'constructor' }),
    "ArgumentError: zeros: unknown dtype 'constructor', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    '__proto__',
    () => api['tensor']([1], { dtype: '__proto__' }),
    "ArgumentError: tensor: unknown dtype '__proto__', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    'an unknown device',
    () => api['zeros']([1], { device: 'tpu' }),
    "ArgumentError: zeros: unknown device 'tpu', expected 'cpu', 'cuda' or 'cuda:N'.",
  ],
  [
    'options that are a string',
    () => api['zeros']([1], 'float64'),
    "ArgumentError: zeros: options must be an object such as { dtype: 'float64' }, got 'float64'.",
  ],
  [
    'options that are null',
    () => api['tensor']([1], null),
    "ArgumentError: tensor: options must be an object such as { dtype: 'float64' }, got null.",
  ],
  [
    'gradients of integers',
    () => zeros([1], { dtype: 'int32', requiresGrad: true }),
    'DTypeError: zeros: only float tensors can have gradients, this one is int32.',
  ],
  [
    'to an unknown dtype',
    () => a['to']('float33'),
    "ArgumentError: to: 'float33' is neither a dtype (float32, float64, float16, bfloat16, int32, int64, uint8, bool) nor a device ('cpu', 'cuda', 'cuda:N').",
  ],
  [
    'random integers of float',
    () => thalweg.randn([2], { dtype: 'int32' }),
    'DTypeError: randn: expected a float dtype, got int32; use randint() for integers.',
  ],
  [
    'softmax of integers',
    () => loose(tensor([1n]))['softmax'](0),
    "DTypeError: softmax: expected a float tensor, got int64; convert it with to('float32').",
  ],
  [
    'matmul of two dtypes',
    () => a['matmul'](ones([3, 2], { dtype: 'float64' })),
    "DTypeError: matmul(a float32[2,3], b float64[3,2]): the dtypes differ; convert one, e.g. b.to('float32').",
  ],
  ['where without a bool', () => api['where'](a, a, a), 'DTypeError: where: condition is float32, expected bool.'],
  [
    'an index of floats',
    () => a['gather'](0, ones([2, 3])),
    'DTypeError: gather: index must be int64 or int32, got float32.',
  ],
];

const noCuda =
  'is not available: the CUDA plugin was not found: THALWEG_CUDA_PLUGIN names nowhere.so, which does not exist; in a checkout, build it with: npm run build:cuda.';

/** Where there is no GPU, and no plugin. */
export const absent: Rows = [
  ['in options', () => zeros([1], { device: 'cuda' }), `DeviceError: zeros: device 'cuda' ${noCuda}`],
  ['with a number', () => zeros([1], { device: 'cuda:7' }), `DeviceError: zeros: device 'cuda:7' ${noCuda}`],
  ['to cuda', () => a['to']('cuda'), `DeviceError: to: device 'cuda' ${noCuda}`],
];
