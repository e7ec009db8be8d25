// All ops. What has the tag @method is also a method of Tensor; scripts/methods.js writes src/tensor/methods.ts from it.
export * from './activation.js';
export { aminmax, countNonzero, logsumexp, nanmean, nansum, stdMean, type MinAndMax } from './aggregate.js';
export * from './arithmetic.js';
export * from './autograd.js';
export * from './bitwise.js';
export * from './choose.js';
export * from './close.js';
export * from './compare.js';
export { clone, contiguous, copy_, detach, fill_, to, zero_, type MoveOptions } from './copy.js';
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
export { embedding, embeddingBag, type EmbeddingBagOptions, type EmbeddingOptions } from './embedding.js';
export { gather, indexSelect, oneHot, scatterAdd } from './indexing.js';
export { cat, stack } from './join.js';
export * from './math.js';
export { linear, matmul, type LinearFunctionOptions } from './matmul.js';
export type { FusedActivation } from './fused.js';
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
  type ReduceToOptions,
  type ValuesAndIndices,
  type VarOptions,
} from './reduce.js';
export { norm, vectorNorm } from './norms.js';
export {
  cummax,
  cummin,
  cumprod,
  cumsum,
  cumulativeTrapezoid,
  diff,
  logcumsumexp,
  trapezoid,
  type DiffOptions,
  type ScanOptions,
  type TrapezoidOptions,
} from './scan.js';
export { logSoftmax, softmax } from './softmax.js';
export * from './special.js';
export * from './ternary.js';
export * from './trigonometry.js';
export {
  argsort,
  bucketize,
  kthvalue,
  msort,
  searchsorted,
  sort,
  topk,
  unique,
  uniqueConsecutive,
  type SearchOptions,
  type SearchSortedOptions,
  type SortOptions,
  type TopkOptions,
  type Unique,
  type UniqueConsecutiveOptions,
  type UniqueOptions,
} from './sort.js';
export * from './statistics.js';
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
export { index, indexPut, indexPut_, type IndexPart, type IndexPutOptions } from './advanced.js';
export * from './combine.js';
export * from './diagonal.js';
export {
  argwhere,
  maskedFill,
  maskedFill_,
  maskedScatter,
  maskedSelect,
  nonzero,
  type NonzeroOptions,
} from './mask.js';
export * from './rearrange.js';
export * from './reshape.js';
export {
  indexAdd,
  indexAdd_,
  indexCopy,
  indexCopy_,
  indexFill,
  indexFill_,
  put,
  put_,
  scatter,
  scatter_,
  scatterAdd_,
  scatterReduce,
  take,
  takeAlongDim,
  type IndexAddOptions,
  type IndexTensor,
  type PutOptions,
  type ScatterReduceOptions,
  type ScatterReduction,
} from './scatter.js';
export { diagonalScatter, selectScatter, sliceScatter, unfold } from './window.js';
export * from './conv.js';
export * from './shuffle.js';
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
export * from './aliases.js';
export * from './covariance.js';
export * from './inplace.js';
export * from './membership.js';
export { multinomial, normal, exponential_, bernoulli_, randLike, randnLike, randintLike } from './sampling.js';
export type { MultinomialOptions, SamplingOptions } from './sampling.js';
export * from './sequences.js';
export { dist, renorm } from './norms.js';
