// How the arguments of every kernel of native/kernels.def are made.
import { attentions } from './attention.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { linalg } from './linalg.js';
import { losses } from './losses.js';
import { norms } from './norms.js';
import type { Makers } from './operands.js';
import { order } from './order.js';
import { pools } from './pool.js';
import { probes } from './probe.js';
import { products } from './products.js';
import { randomNumbers } from './random.js';
import { recurrent } from './rnn.js';

export const makers: Makers = {
  ...{ ...elementwise, ...randomNumbers, ...products, ...pools, ...norms, ...losses, ...indexing, ...order },
  ...{ ...recurrent, ...linalg, ...attentions, ...probes },
};
