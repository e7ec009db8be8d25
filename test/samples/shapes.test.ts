import { checkSamples } from './check.js';
import { samples } from './shapes.js';

checkSamples('shapes', samples);
