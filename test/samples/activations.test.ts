import { checkSamples } from './check.js';
import { samples } from './activations.js';

checkSamples('activations', samples);
