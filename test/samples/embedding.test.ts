import { checkSamples } from './check.js';
import { samples } from './embedding.js';

checkSamples('embedding', samples);
