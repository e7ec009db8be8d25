import { defineFuzz } from './define.js';
import { orderFamily } from './families/order.js';

defineFuzz(orderFamily);
