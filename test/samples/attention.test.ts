import { checkSamples } from './check.js';
import { samples } from './attention.js';

checkSamples('attention', samples);
