// What helps training and belongs to no layer.
export { checkpoint, checkpointSequential, type CheckpointOptions } from './checkpoint.js';
export { encodePng, savePng, type ImageLayout, type PngOptions } from '../io/png.js';
export { imageGrid, type ImageGridOptions } from './imageGrid.js';
export { summary, type Summary, type SummaryInput, type SummaryOptions, type SummaryRow } from './summary.js';
