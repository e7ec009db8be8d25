import { checkSamples } from './check.js';
import { samples } from './pool.js';

checkSamples('pool', samples);
