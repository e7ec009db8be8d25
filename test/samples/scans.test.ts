import { checkSamples } from './check.js';
import { samples } from './scans.js';

checkSamples('scans', samples);
