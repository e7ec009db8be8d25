// Singular values by one-sided Jacobi rotations after a QR factorisation (Demmel and Veselic 1992; Drmac and Veselic
// 2008): accurate to the last digits also for small singular values, and sure to end.
#pragma once
#include "cpu/linalg_qr.h"

namespace thalweg::cpu::THALWEG_ISA {

// Rotates the n rows of b (n elements each) until they are orthogonal; the same rotations are applied to the rows of j,
// unless it is null. squares: n elements of working space.
template <class T>
void orthogonalizeRows(T* b, T* j, int64_t n, T* squares) {
  // Below this a square has no digits left; such rows count as zero.
  const T vanished = kSmallest<T> / kEpsilon<T>;
  T tolerance = kEpsilon<T> * root(static_cast<T>(n));
  for (int sweep = 0; sweep < 60; sweep++) {
    // Rounding errors of nearly parallel rows could in principle keep the rotations going.
    if (sweep >= 30) tolerance *= 2;
    for (int64_t p = 0; p < n; p++) squares[p] = dot(b + p * n, b + p * n, n);
    bool rotated = false;
    for (int64_t p = 0; p + 1 < n; p++) {
      for (int64_t q = p + 1; q < n; q++) {
        const T alpha = squares[p], beta = squares[q];
        if (!(alpha > vanished) || !(beta > vanished)) continue;
        T* bp = b + p * n;
        T* bq = b + q * n;
        const T gamma = dot(bp, bq, n);
        if (!(magnitude(gamma) > tolerance * root(alpha) * root(beta))) continue;
        rotated = true;
        const T zeta = (beta - alpha) / (2 * gamma);
        const T t = withSign(T(1), zeta) / (magnitude(zeta) + hypotenuse(T(1), zeta));
        const T c = 1 / root(1 + t * t), s = c * t;
        rotate(bp, bq, c, -s, n);
        if (j) rotate(j + p * n, j + q * n, c, -s, n);
        squares[p] = alpha - t * gamma;
        squares[q] = beta + t * gamma;
      }
    }
    if (!rotated) return;
  }
}

// The working space of svd below, in elements, for m >= n.
inline int64_t svdSpace(int64_t m, int64_t n, int64_t columns) { return m * n + 4 * n * n + 6 * n + columns * m; }

// The singular value decomposition of a[m, n], m >= n, columns contiguous. left: `columns` (n or m) left singular
// vectors of m elements each, right: n right ones of n elements each; both null for the values alone. Returns false if
// a is not finite.
template <class T>
bool svd(T* a, int64_t m, int64_t n, T* left, int64_t columns, T* values, T* right, Buffers<T>& buffers) {
  T* tau = buffers.take(n);
  T* b = buffers.take(n * n);
  T* j = left ? buffers.take(n * n) : nullptr;
  T* squares = buffers.take(n);
  const T scale = scaleFor(a, m * n);
  if (scale == 0) return false;
  if (scale != 1) scaleBy(a, scale, m * n);
  // a = Q R, and b = R by rows. Rotations make its rows orthogonal: J R = S Y^T, so a = (Q J^T) S Y^T.
  qrFactor(a, m, n, tau);
  for (int64_t r = 0; r < n; r++)
    for (int64_t c = 0; c < n; c++) {
      b[r * n + c] = c < r ? T(0) : a[c * m + r];
      if (j) j[r * n + c] = r == c;
    }
  orthogonalizeRows(b, j, n, squares);
  // Largest first.
  for (int64_t r = 0; r < n; r++) squares[r] = norm(b + r * n, n);
  for (int64_t r = 0; r < n; r++) {
    int64_t best = r;
    for (int64_t i = r + 1; i < n; i++)
      if (squares[i] > squares[best]) best = i;
    values[r] = squares[best] / scale;
    if (best == r) continue;
    const T value = squares[r];
    squares[r] = squares[best];
    squares[best] = value;
    swapRows(b + r * n, b + best * n, n);
    if (j) swapRows(j + r * n, j + best * n, n);
  }
  if (!left) return true;

  for (int64_t c = 0; c < columns; c++) {
    T* x = left + c * m;
    if (c < n) {
      for (int64_t r = 0; r < m; r++) x[r] = r < n ? j[c * n + r] : T(0);
      applyQ(a, tau, m, n, x, n);
    } else {
      columnOfQ(a, tau, m, n, c, x);
    }
  }
  // Rows with a direction; for the others any orthonormal completion will do.
  const T vanished = root(kSmallest<T> / kEpsilon<T>);
  int64_t rank = 0;
  while (rank < n && squares[rank] > vanished) rank++;
  for (int64_t r = 0; r < rank; r++)
    for (int64_t c = 0; c < n; c++) right[r * n + c] = b[r * n + c] / squares[r];
  if (rank < n) {
    for (int64_t i = 0; i < rank * n; i++) b[i] = right[i];
    qrFactor(b, n, rank, tau);
    for (int64_t r = rank; r < n; r++) columnOfQ(b, tau, n, rank, r, right + r * n);
  }
  return true;
}

}  // namespace thalweg::cpu::THALWEG_ISA
