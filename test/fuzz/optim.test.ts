import { defineFuzz } from './define.js';
import { optimFamily } from './families/optim.js';

defineFuzz(optimFamily);
