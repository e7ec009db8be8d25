import { checkSamples } from './check.js';
import { samples } from './indexing.js';

checkSamples('indexing', samples);
