import { defineFuzz } from './define.js';
import { convFamily } from './families/conv.js';

defineFuzz(convFamily);
