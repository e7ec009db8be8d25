import { checkSamples } from './check.js';
import { samples } from './ctc.js';

checkSamples('ctc', samples);
