// What helps training and belongs to no layer.
export { checkpoint, checkpointSequential, type CheckpointOptions } from './checkpoint.js';
