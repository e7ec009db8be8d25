import { mlp } from './mlp.js';
import type { Model } from './model.js';

export const models: readonly Model[] = [mlp];
