import { defineFuzz } from './define.js';
import { mapFamily } from './families/map.js';

defineFuzz(mapFamily);
