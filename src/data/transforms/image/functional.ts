// The transforms with fixed parameters, as functions.
export { centerCrop, crop, horizontalFlip, verticalFlip, type CropOptions } from './crop.js';
