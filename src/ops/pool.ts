// All poolings, as nn.functional exports them.
export * from './avgPool.js';
export * from './maxPool.js';
export * from './maxUnpool.js';
export type { AdaptiveSizes, PoolOptions } from './poolWindow.js';
