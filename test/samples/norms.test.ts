import { checkSamples } from './check.js';
import { samples } from './norms.js';

checkSamples('norms', samples);
