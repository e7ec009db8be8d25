// What PyTorch has at the top level too: functions of `linalg` by their older names.
export { cholesky, choleskySolve } from './cholesky.js';
export { pinv as pinverse } from './least-squares.js';
export { qr } from './qr.js';
export { det, inv as inverse, slogdet } from './solve.js';
export { logdet } from './products.js';
