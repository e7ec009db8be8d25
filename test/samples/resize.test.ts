import { checkSamples } from './check.js';
import { samples } from './resize.js';

checkSamples('resize', samples);
