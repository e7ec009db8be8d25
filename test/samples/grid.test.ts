import { checkSamples } from './check.js';
import { samples } from './grid.js';

checkSamples('grid', samples);
