import { defineFuzz } from './define.js';
import { rnnFamily } from './families/rnn.js';

defineFuzz(rnnFamily);
