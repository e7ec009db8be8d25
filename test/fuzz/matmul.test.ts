import { defineFuzz } from './define.js';
import { matmulFamily } from './families/matmul.js';

defineFuzz(matmulFamily);
