import { defineFuzz } from './define.js';
import { indexFamily } from './families/index.js';

defineFuzz(indexFamily);
