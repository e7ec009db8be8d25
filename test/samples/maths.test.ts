import { checkSamples } from './check.js';
import { samples } from './maths.js';

checkSamples('maths', samples);
