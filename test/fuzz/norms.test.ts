import { defineFuzz } from './define.js';
import { normsFamily } from './families/norms.js';

defineFuzz(normsFamily);
