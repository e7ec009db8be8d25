import { checkSamples } from './check.js';
import { samples } from './reductions.js';

checkSamples('reductions', samples);
