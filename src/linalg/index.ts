// The namespace `linalg`: matrix factorisations, systems of equations, norms. float32 and float64, batched over all dimensions
// but the last two.
export * from './solve.js';
export * from './cholesky.js';
export * from './qr.js';
export * from './svd.js';
export * from './least-squares.js';
export * from './norms.js';
export * from './products.js';
