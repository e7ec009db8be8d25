// Factorisations and solvers of matrices.
import type { Makers, Operands } from './operands.js';

function factorisation({ random, base, operand }: Operands, name: string): unknown[] {
  const float = random(2);
  const batch = base.slice(0, random(2));
  const [m, n] = [random(9), random(9)];
  const k = Math.min(m, n);
  const matrix = (rows: number, columns: number): number => operand(true, float, [...batch, rows, columns]);
  const vector = (size: number, dtype = float): number => operand(true, dtype, [...batch, size]);
  const some = (handle: number): number => (random(3) === 0 ? 0 : handle);
  const flag = random(2) === 0;
  const lists: Readonly<Record<string, () => unknown[]>> = {
    linalgLu: () => [matrix(m, n), vector(k, 4), vector(m, 4), matrix(m, n), flag],
    linalgDet: () => [...[0, 1, 2].map(() => some(operand(true, float, batch))), matrix(n, n)],
    linalgCofactors: () => [matrix(n, n), matrix(n, n)],
    linalgSolve: () => [matrix(n, flag ? m : n), matrix(n, n), flag ? matrix(n, m) : 0],
    linalgSolveTriangular: () => [matrix(n, m), matrix(n, n), matrix(n, m), flag, random(2) === 0],
    linalgCholesky: () => [matrix(n, n), matrix(n, n)],
    linalgQr: () => [some(matrix(m, flag ? m : k)), matrix(flag ? m : k, n), matrix(m, n)],
    linalgSvd: () => {
      const x = matrix(m, n);
      const s = vector(k);
      return random(3) === 0 ? [0, s, 0, x] : [matrix(m, flag ? m : k), s, matrix(flag ? n : k, n), x];
    },
    linalgEigh: () => [vector(n), some(matrix(n, n)), matrix(n, n), flag],
  };
  return lists[name]();
}

export const linalg: Makers = {
  linalgLu: factorisation,
  linalgDet: factorisation,
  linalgCofactors: factorisation,
  linalgSolve: factorisation,
  linalgSolveTriangular: factorisation,
  linalgCholesky: factorisation,
  linalgQr: factorisation,
  linalgSvd: factorisation,
  linalgEigh: factorisation,
};
