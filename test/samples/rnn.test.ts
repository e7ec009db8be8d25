import { checkSamples } from './check.js';
import { samples } from './rnn.js';

checkSamples('rnn', samples);
