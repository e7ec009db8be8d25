// Automatic mixed precision.
export { autocast, isAutocastEnabled, type AutocastOptions } from './autocast.js';
export { GradScaler, type GradScalerOptions, type GradScalerState } from './gradScaler.js';
export type { AutocastDType } from './state.js';
