import { defineFuzz } from './define.js';
import { reduceFamily } from './families/reduce.js';

defineFuzz(reduceFamily);
