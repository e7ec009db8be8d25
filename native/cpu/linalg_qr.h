// Householder QR of a matrix whose columns are contiguous (Golub and Van Loan, Matrix Computations, 5.1 and 5.2). The
// signs are those of LAPACK: a column that is already zero below the diagonal is left as it is.
#pragma once
#include "cpu/linalg.h"

namespace thalweg::cpu::THALWEG_ISA {

// Makes H = 1 - tau v v^T, v[0] = 1, with H x = (beta, 0, ...). x becomes (beta, v[1], ...); returns tau.
template <class T>
T reflector(T* x, int64_t n) {
  if (n <= 1) return 0;
  const T tail = norm(x + 1, n - 1);
  if (tail == 0) return 0;
  const T head = x[0];
  const T beta = -withSign(hypotenuse(head, tail), head);
  // Of columns so small that their inverse overflows.
  if (magnitude(head - beta) < kSmallest<T>) {
    for (int64_t i = 1; i < n; i++) x[i] /= head - beta;
  } else {
    scaleBy(x + 1, 1 / (head - beta), n - 1);
  }
  x[0] = beta;
  return (beta - head) / beta;
}

// c = (1 - tau v v^T) c with v[0] = 1 understood.
template <class T>
inline void reflect(const T* v, T tau, T* c, int64_t n) {
  if (tau == 0) return;
  const T s = tau * (c[0] + dot(v + 1, c + 1, n - 1));
  c[0] -= s;
  addScaled(c + 1, v + 1, -s, n - 1);
}

// The upper triangle of a[m, n] becomes R, below it are the reflectors; tau has min(m, n) entries.
template <class T>
void qrFactor(T* a, int64_t m, int64_t n, T* tau) {
  const int64_t steps = m < n ? m : n;
  for (int64_t k = 0; k < steps; k++) {
    T* column = a + k * m + k;
    tau[k] = reflector(column, m - k);
    for (int64_t j = k + 1; j < n; j++) reflect(column, tau[k], a + j * m + k, m - k);
  }
}

// x = Q x for one vector of m elements that is zero from `support` on; `steps` reflectors.
template <class T>
void applyQ(const T* a, const T* tau, int64_t m, int64_t steps, T* x, int64_t support) {
  for (int64_t k = (support < steps ? support : steps) - 1; k >= 0; k--) reflect(a + k * m + k, tau[k], x + k, m - k);
}

// Column i of Q.
template <class T>
void columnOfQ(const T* a, const T* tau, int64_t m, int64_t steps, int64_t i, T* x) {
  for (int64_t r = 0; r < m; r++) x[r] = 0;
  x[i] = 1;
  applyQ(a, tau, m, steps, x, i + 1);
}

}  // namespace thalweg::cpu::THALWEG_ISA
