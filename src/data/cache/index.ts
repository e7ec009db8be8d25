export { cache, CachedDataset, type CacheOptions, type CacheStats } from './cache.js';
export type { DiskCacheOptions, DiskCacheStats } from './disk.js';
export type { CachePolicy } from './store.js';
