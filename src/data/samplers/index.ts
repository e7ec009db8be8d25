export { BatchSampler, type BatchPlan, type BatchSamplerOptions } from './batch.js';
export {
  RandomSampler,
  type RandomSamplerOptions,
  SequentialSampler,
  SubsetRandomSampler,
  type SubsetRandomSamplerOptions,
} from './basic.js';
export { DistributedSampler, type DistributedSamplerOptions } from './distributed.js';
export type { SampleCount, Sampler, SamplerFingerprint } from './sampler.js';
export { WeightedRandomSampler, type WeightedRandomSamplerOptions } from './weighted.js';
