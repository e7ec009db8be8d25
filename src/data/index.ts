export {
  cache,
  CachedDataset,
  type CacheOptions,
  type CachePolicy,
  type CacheStats,
  type DiskCacheOptions,
  type DiskCacheStats,
} from './cache/index.js';
export { collate, type Collated } from './collate.js';
export { ConcatDataset, MapDataset, mapDataset, Subset } from './combine.js';
export { type BatchOf, type Dataset, type Indices, type SampleOf, TensorDataset } from './dataset.js';
export { cacheFolder, download, type DownloadOptions, type DownloadProgress, sha256OfFile } from './download.js';
export {
  type Fold,
  type FoldOptions,
  type GroupFoldOptions,
  groupKFold,
  kFold,
  stratifiedKFold,
  timeSeriesSplit,
  type TimeSeriesSplitOptions,
} from './folds.js';
export { type IdxContent, type IdxDType, parseIdx, readIdx } from './idx.js';
export type { Labels } from './labels.js';
export { DataLoader, type DataLoaderOptions } from './loader.js';
export type { DataLoaderState } from './loaderState.js';
export { sequentialIndices, shuffledIndices } from './sampler.js';
export { cutmix, mixup, type Mixed, type MixingOptions } from './mixing.js';
export {
  type BatchPlan,
  BatchSampler,
  type BatchSamplerOptions,
  DistributedSampler,
  type DistributedSamplerOptions,
  RandomSampler,
  type RandomSamplerOptions,
  type SampleCount,
  type Sampler,
  type SamplerFingerprint,
  SequentialSampler,
  SubsetRandomSampler,
  type SubsetRandomSamplerOptions,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './samplers/index.js';
export { type NpyReadOptions, parseNpy, parseNpyLists, readNpy, saveNpy } from './npy.js';
export { type NpzReadOptions, parseNpz, readNpz, saveNpz, type SaveNpzOptions } from './npz.js';
export * as transforms from './transforms/index.js';
export type { SeedOptions } from './seed.js';
export { randomSplit, stratifiedSplit, trainTestSplit, type TrainTestSplitOptions } from './split.js';
export { extractArchive, type ExtractOptions } from './archive.js';
export {
  type BatchMadeBy,
  type DatasetFactory,
  type SampleMadeBy,
  WorkerDataset,
  workerDataset,
  type WorkerDatasetSettings,
} from './workers/dataset.js';
export { cifar10, cifar100, type Cifar100Options, type CifarDataset, type CifarSet } from './sets/cifar.js';
export { type DigitsDataset, type DigitsSet, type ImageSetOptions } from './sets/digits.js';
export { fashionMnist } from './sets/fashionMnist.js';
export { imdb, type ImdbOptions, type ImdbSet, ImdbWordIndex, imdbWordIndex, SequenceDataset } from './sets/imdb.js';
export { type SetOptions } from './sets/locate.js';
export { mnist, type MnistDataset, type MnistOptions } from './sets/mnist.js';
export { type CsvOptions, type CsvStreamOptions, readCsv, streamCsv } from './csv.js';
export { type Categories, type Column, type NumberColumn, type StringColumn, Table } from './table.js';
export {
  type LabelledTextOptions,
  readLabelledText,
  readLines,
  readTextClasses,
  TextDataset,
  type TextOptions,
} from './text.js';
export { type ImageOptions, readImage } from './image.js';
export { imageFolder, ImageFolderDataset, type ImageFolderOptions, type SkippedImage } from './sets/imageFolder.js';
