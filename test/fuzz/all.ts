// Every family, for runners that take them all.
import type { Family } from './fuzz.js';
import { attentionFamily } from './families/attention.js';
import { convFamily } from './families/conv.js';
import { copyFamily } from './families/copy.js';
import { indexFamily } from './families/index.js';
import { mapFamily } from './families/map.js';
import { matmulFamily } from './families/matmul.js';
import { normsFamily } from './families/norms.js';
import { optimFamily } from './families/optim.js';
import { orderFamily } from './families/order.js';
import { poolFamily } from './families/pool.js';
import { randomFamily } from './families/random.js';
import { reduceFamily } from './families/reduce.js';
import { resampleFamily } from './families/resample.js';
import { rnnFamily } from './families/rnn.js';
import { softmaxFamily } from './families/softmax.js';

export const families: readonly Family[] = [
  attentionFamily,
  convFamily,
  copyFamily,
  indexFamily,
  mapFamily,
  matmulFamily,
  normsFamily,
  optimFamily,
  orderFamily,
  poolFamily,
  randomFamily,
  reduceFamily,
  resampleFamily,
  rnnFamily,
  softmaxFamily,
];
