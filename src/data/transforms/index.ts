// Preparing data: tables, text, and images in batches.
export * as functional from './image/functional.js';
export {
  type Fill,
  type ImageInterpolation,
  type ImageTransform,
  type PerSample,
  RandomTransform,
  type RandomTransformOptions,
  Transform,
} from './image/image.js';
export {
  CenterCrop,
  type ImagePadding,
  type PaddingMode,
  RandomCrop,
  type RandomCropOptions,
  RandomHorizontalFlip,
  RandomVerticalFlip,
} from './image/crop.js';
export { type ImageSize, RandomResizedCrop, type RandomResizedCropOptions, Resize } from './image/resize.js';
export {
  ColorJitter,
  type ColorJitterOptions,
  Grayscale,
  type JitterRange,
  Normalize,
  type OccasionalOptions,
  RandomAdjustSharpness,
  RandomAutocontrast,
  RandomEqualize,
  RandomGrayscale,
  RandomInvert,
  RandomPosterize,
  RandomSolarize,
} from './image/randomColor.js';
export {
  type Degrees,
  GaussianBlur,
  type GaussianBlurOptions,
  RandomAffine,
  type RandomAffineOptions,
  RandomErasing,
  type RandomErasingOptions,
  RandomPerspective,
  type RandomPerspectiveOptions,
  RandomRotation,
  type RandomRotationOptions,
} from './image/randomWarp.js';
export {
  AutoAugment,
  type AutoAugmentOptions,
  RandAugment,
  type RandAugmentOptions,
  TrivialAugmentWide,
  type TrivialAugmentWideOptions,
} from './image/auto.js';
export { type AutoAugmentPolicy } from './image/policies.js';
export { Compose, RandomApply, RandomChoice, type RandomChoiceOptions } from './image/compose.js';
export * from './scalers.js';
export * from './encoders.js';
export { TableTransform, type TableState } from './table.js';
export { padSequences, type PadSequencesOptions, type PaddedSequences } from './sequences.js';
export { cutmix, mixup, type Mixed, type MixingOptions } from '../mixing.js';
export * from './cleaning.js';
export * from './decomposition.js';
export {
  basicTokens,
  characterTokens,
  ngrams,
  type NgramsOptions,
  regexTokenizer,
  textToSequences,
  type TextToSequencesOptions,
} from './text.js';
export { Vocabulary, type VocabularyOptions, type VocabularyState } from './vocabulary.js';
export { BytePairTokenizer, type BytePairOptions, type BytePairState } from './bpe.js';
