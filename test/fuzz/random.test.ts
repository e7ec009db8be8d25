import { defineFuzz } from './define.js';
import { randomFamily } from './families/random.js';

defineFuzz(randomFamily);
