import { defineFuzz } from './define.js';
import { poolFamily } from './families/pool.js';

defineFuzz(poolFamily);
