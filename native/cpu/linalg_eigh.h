// Eigenvalues and eigenvectors of symmetric matrices: Householder reduction to tridiagonal form, then implicitly
// shifted QR steps (Golub and Van Loan, Matrix Computations, 8.3).
#pragma once
#include "cpu/linalg_qr.h"

namespace thalweg::cpu::THALWEG_ISA {

// a = Q T Q^T with T tridiagonal: diagonal d, off-diagonal e. Row k of a keeps reflector k from column k + 1 on.
template <class T>
void tridiagonalize(T* a, int64_t n, T* d, T* e, T* tau, T* v, T* w) {
  for (int64_t k = 0; k < n; k++) {
    d[k] = a[k * n + k];
    if (k + 1 == n) break;
    const int64_t size = n - k - 1;
    T* x = a + k * n + k + 1;
    tau[k] = reflector(x, size);
    e[k] = x[0];
    if (tau[k] == 0) continue;
    for (int64_t i = 0; i < size; i++) v[i] = i == 0 ? T(1) : x[i];
    // a -= v w^T + w v^T with w = p - tau/2 (p v) v and p = tau a v.
    T* rest = a + (k + 1) * n + k + 1;
    for (int64_t i = 0; i < size; i++) w[i] = tau[k] * dot(rest + i * n, v, size);
    addScaled(w, v, -tau[k] / 2 * dot(w, v, size), size);
    for (int64_t i = 0; i < size; i++) {
      T* __restrict row = rest + i * n;
      const T vi = v[i], wi = w[i];
      for (int64_t c = 0; c < size; c++) row[c] -= vi * w[c] + wi * v[c];
    }
  }
}

// The rows of z become the columns of Q.
template <class T>
void tridiagonalBasis(const T* a, int64_t n, const T* tau, T* z) {
  for (int64_t r = 0; r < n; r++) {
    T* x = z + r * n;
    for (int64_t c = 0; c < n; c++) x[c] = r == c;
    for (int64_t k = (r < n - 1 ? r : n - 1) - 1; k >= 0; k--) reflect(a + k * n + k + 1, tau[k], x + k + 1, n - k - 1);
  }
}

// Diagonalizes T; the rows of z (if not null) take part. Returns false if that does not come to an end.
template <class T>
bool diagonalize(T* d, T* e, int64_t n, T* z) {
  const auto negligible = [&](int64_t k) {
    const T size = magnitude(e[k]);
    return size <= kEpsilon<T> * (magnitude(d[k]) + magnitude(d[k + 1])) || size < kSmallest<T>;
  };
  int64_t left = 40 * n + 100;
  int64_t last = n - 1;
  while (last > 0) {
    if (negligible(last - 1)) {
      e[--last] = 0;
      continue;
    }
    if (left-- == 0) return false;
    int64_t first = last - 1;
    while (first > 0 && !negligible(first - 1)) first--;
    // Wilkinson's shift: the eigenvalue of the last 2 x 2 block that is nearer to its last element.
    const T half = (d[last - 1] - d[last]) / 2, f = e[last - 1];
    const T shift = d[last] - f / (half + withSign(hypotenuse(half, f), half)) * f;
    T x = d[first] - shift, bulge = e[first];
    for (int64_t k = first; k < last; k++) {
      const T r = hypotenuse(x, bulge);
      const T c = r == 0 ? T(1) : x / r, s = r == 0 ? T(0) : bulge / r;
      if (k > first) e[k - 1] = r;
      const T dk = d[k], dn = d[k + 1], ek = e[k];
      d[k] = c * c * dk + 2 * c * s * ek + s * s * dn;
      d[k + 1] = s * s * dk - 2 * c * s * ek + c * c * dn;
      e[k] = c * s * (dn - dk) + (c * c - s * s) * ek;
      if (k + 1 < last) {
        bulge = s * e[k + 1];
        e[k + 1] *= c;
        x = e[k];
      }
      if (z) rotate(z + k * n, z + (k + 1) * n, c, s, n);
    }
  }
  return true;
}

inline int64_t eighSpace(int64_t n, bool vectors) { return n * n * (vectors ? 2 : 1) + 6 * n; }

// Eigenvalues of the symmetric a[n, n] in ascending order; the rows of z (if not null) become the eigenvectors. Returns
// 0, or 1 if a is not finite, or 2 if the iteration does not end.
template <class T>
int64_t eigh(T* a, int64_t n, T* d, T* z, Buffers<T>& buffers) {
  T* e = buffers.take(n);
  T* tau = buffers.take(n);
  T* v = buffers.take(n);
  T* w = buffers.take(n);
  const T scale = scaleFor(a, n * n);
  if (scale == 0) return 1;
  if (scale != 1) scaleBy(a, scale, n * n);
  tridiagonalize(a, n, d, e, tau, v, w);
  if (z) tridiagonalBasis(a, n, tau, z);
  if (!diagonalize(d, e, n, z)) return 2;
  for (int64_t r = 0; r < n; r++) {
    int64_t best = r;
    for (int64_t i = r + 1; i < n; i++)
      if (d[i] < d[best]) best = i;
    if (best != r) {
      const T value = d[r];
      d[r] = d[best];
      d[best] = value;
      if (z) swapRows(z + r * n, z + best * n, n);
    }
    d[r] /= scale;
  }
  return 0;
}

}  // namespace thalweg::cpu::THALWEG_ISA
