import { checkSamples } from './check.js';
import { samples } from './classLoss.js';

checkSamples('classLoss', samples);
