// All ops. What has the tag @method is also a method of Tensor; scripts/methods.js writes src/tensor/methods.ts from it.
export * from './arithmetic.js';
export * from './autograd.js';
export * from './compare.js';
export { clone, contiguous, copy_, detach, fill_, to, zero_ } from './copy.js';
export {
  arange,
  empty,
  emptyLike,
  eye,
  fromBytes,
  fromTypedArray,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
  type SourceArray,
  type TensorOptions,
} from './creation.js';
export { defineMultiOp, defineOp, type MultiOp, type Op, type OpDefinition, type OutputSpec } from './define.js';
export {
  defineElementwise,
  resultDType,
  type ElementwiseOp,
  type ElementwiseOptions,
  type Operand,
} from './elementwise.js';
export { embedding, gather, index, indexSelect, oneHot, scatterAdd, type IndexPart } from './indexing.js';
export { cat, stack } from './join.js';
export * from './math.js';
export { linear, matmul } from './matmul.js';
export * from './random.js';
export {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  max,
  mean,
  min,
  prod,
  std,
  sum,
  variance,
  varMean,
  type Dims,
  type MeanResult,
  type SumResult,
  type ReduceOptions,
  type ValuesAndIndices,
  type VarOptions,
} from './reduce.js';
export { logSoftmax, softmax } from './softmax.js';
export {
  broadcastTo,
  chunk,
  expand,
  flatten,
  movedim,
  mT,
  narrow,
  permute,
  reshape,
  select,
  slice,
  split,
  squeeze,
  t,
  transpose,
  unbind,
  unsqueeze,
  view,
} from './view.js';
export {
  addbmm,
  addmm,
  addmv,
  addr,
  baddbmm,
  bilinear,
  bmm,
  cross,
  dot,
  ger,
  inner,
  kron,
  matrixPower,
  mm,
  mv,
  outer,
  tensordot,
  trace,
  vander,
  vdot,
  type AddProductOptions,
  type VanderOptions,
} from './products.js';
export * from './einsum.js';
export * from './distance.js';
export * from '../linalg/top-level.js';
