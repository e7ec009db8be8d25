import { checkSamples } from './check.js';
import { samples } from './transformer.js';

checkSamples('transformer', samples);
