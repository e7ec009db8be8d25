import { defineFuzz } from './define.js';
import { attentionFamily } from './families/attention.js';

defineFuzz(attentionFamily);
