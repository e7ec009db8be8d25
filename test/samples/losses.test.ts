import { checkSamples } from './check.js';
import { samples } from './losses.js';

checkSamples('losses', samples);
