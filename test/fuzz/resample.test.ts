import { defineFuzz } from './define.js';
import { resampleFamily } from './families/resample.js';

defineFuzz(resampleFamily);
