import { checkSamples } from './check.js';
import { samples } from './linalg.js';

checkSamples('linalg', samples);
