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
export { padSequences, type PadSequencesOptions, type PaddedSequences } from './sequences.js';
export * from './scalers.js';
export * from './encoders.js';
export { TableTransform, type TableState } from './table.js';
export { cutmix, mixup, type Mixed, type MixingOptions } from '../mixing.js';
