import { checkSamples } from './check.js';
import { samples } from './further.js';

checkSamples('further', samples);
