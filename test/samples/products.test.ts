import { checkSamples } from './check.js';
import { samples } from './products.js';

checkSamples('products', samples);
