import { defineFuzz } from './define.js';
import { softmaxFamily } from './families/softmax.js';

defineFuzz(softmaxFamily);
