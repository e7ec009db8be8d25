import { checkSamples } from './check.js';
import { samples } from './conv.js';

checkSamples('conv', samples);
