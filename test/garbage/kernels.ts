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

const families = [
  ...[elementwise, randomNumbers, products, pools, norms, losses, indexing, order],
  ...[recurrent, linalg, attentions, probes],
];

export const makers: Makers = Object.fromEntries(families.flatMap((family) => Object.entries(family)));

// Of two makers one would be forgotten.
const count = families.reduce((sum, family) => sum + Object.keys(family).length, 0);
if (count !== Object.keys(makers).length) throw new Error('a kernel has makers in two families');
