import { checkSamples } from './check.js';
import { samples } from './sorting.js';

checkSamples('sorting', samples);
