// The transforms with fixed parameters, as functions.
export { centerCrop, crop, horizontalFlip, verticalFlip, type CropOptions } from './crop.js';
export { resize, resizedCrop, type ResizeImagesOptions, type ResizeOptions } from './resize.js';
export {
  affine,
  perspective,
  rotate,
  type AffineOptions,
  type Corners,
  type RotateOptions,
  type WarpOptions,
} from './warp.js';
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  normalize,
  rgbToGrayscale,
  toDtype,
  type ToDtypeOptions,
} from './color.js';
export { autocontrast, equalize, invert, posterize, solarize } from './tone.js';
export { adjustSharpness, erase, gaussianBlur } from './filter.js';
