import { defineFuzz } from './define.js';
import { copyFamily } from './families/copy.js';

defineFuzz(copyFamily);
