// LU with partial pivoting, triangular systems and Cholesky, on dense matrices by rows. In blocks: what is outside the
// diagonal blocks is done by matrix products.
#pragma once
#include "cpu/linalg.h"

namespace thalweg::cpu::THALWEG_ISA {

constexpr int64_t kBlock = 48;
// A matrix no larger than this is one block.
constexpr int64_t kOneBlock = 80;

inline int64_t blockOf(int64_t n) { return n <= kOneBlock ? n : kBlock; }

// Elements of working space for the functions below, for matrices of up to n columns.
inline int64_t blockSpace(int64_t m, int64_t n) { return kOneBlock * (m > n ? m : n); }

// c[m, n] -= a[m, k] * b[k, n]; a is copied with its sign changed.
template <class T>
inline void subtractProduct(ThreadPool& pool, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b,
                            int64_t brs, int64_t bcs, T* c, int64_t ldc, T* space) {
  if (m == 0 || n == 0 || k == 0) return;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < k; j++) space[i * k + j] = -a[i * lda + j];
  gemm(pool, Product<T>{m, n, k, space, k, 1, b, brs, bcs, c, ldc, true});
}

// a = P L U in place, L with a diagonal of ones. pivots[j] is the row that was swapped with row j. Returns the number
// (from 1) of the first pivot that is 0, or 0.
template <class T>
int64_t luFactor(ThreadPool& pool, T* a, int64_t m, int64_t n, int64_t* pivots, T* space) {
  const int64_t steps = m < n ? m : n, block = blockOf(steps);
  int64_t zero = 0;
  for (int64_t j0 = 0; j0 < steps; j0 += block) {
    const int64_t j1 = j0 + block < steps ? j0 + block : steps;
    for (int64_t j = j0; j < j1; j++) {
      int64_t pivot = j;
      for (int64_t i = j + 1; i < m; i++)
        if (magnitude(a[i * n + j]) > magnitude(a[pivot * n + j])) pivot = i;
      pivots[j] = pivot;
      if (pivot != j) swapRows(a + j * n, a + pivot * n, n);
      const T diagonal = a[j * n + j];
      if (diagonal == 0) {
        if (zero == 0) zero = j + 1;
        continue;
      }
      for (int64_t i = j + 1; i < m; i++) {
        T* row = a + i * n;
        const T factor = row[j] / diagonal;
        row[j] = factor;
        if (factor != 0) addScaled(row + j + 1, a + j * n + j + 1, -factor, j1 - j - 1);
      }
    }
    if (j1 == n) break;
    for (int64_t i = j0 + 1; i < j1; i++)
      for (int64_t j = j0; j < i; j++) addScaled(a + i * n + j1, a + j * n + j1, -a[i * n + j], n - j1);
    subtractProduct(pool, m - j1, n - j1, j1 - j0, a + j1 * n + j0, n, a + j0 * n + j1, n, int64_t{1}, a + j1 * n + j1,
                    n, space);
  }
  return zero;
}

// The sign of the permutation that the swaps make.
inline int64_t permutationSign(const int64_t* pivots, int64_t count) {
  int64_t sign = 1;
  for (int64_t j = 0; j < count; j++)
    if (pivots[j] != j) sign = -sign;
  return sign;
}

// b[n, k] = a^-1 b for a triangular a; the other triangle is not read.
template <class T>
void solveTriangular(ThreadPool& pool, bool upper, bool unit, int64_t n, int64_t k, const T* a, T* b, T* space) {
  if (k == 0) return;
  const int64_t block = blockOf(n);
  const auto row = [&](int64_t i, int64_t begin, int64_t end) {
    const T* ai = a + i * n;
    T* bi = b + i * k;
    if (k == 1) {
      if (end > begin) bi[0] -= dot(ai + begin, b + begin, end - begin);
    } else {
      for (int64_t j = begin; j < end; j++) addScaled(bi, b + j * k, -ai[j], k);
    }
    if (unit) return;
    const T diagonal = ai[i];
    for (int64_t c = 0; c < k; c++) bi[c] /= diagonal;
  };
  if (upper) {
    for (int64_t i1 = n; i1 > 0; i1 -= block) {
      const int64_t i0 = i1 > block ? i1 - block : 0;
      subtractProduct(pool, i1 - i0, k, n - i1, a + i0 * n + i1, n, b + i1 * k, k, int64_t{1}, b + i0 * k, k, space);
      for (int64_t i = i1 - 1; i >= i0; i--) row(i, i + 1, i1);
    }
  } else {
    for (int64_t i0 = 0; i0 < n; i0 += block) {
      const int64_t i1 = i0 + block < n ? i0 + block : n;
      subtractProduct(pool, i1 - i0, k, i0, a + i0 * n, n, b, k, int64_t{1}, b + i0 * k, k, space);
      for (int64_t i = i0; i < i1; i++) row(i, i0, i);
    }
  }
}

// b[n, k] = a^-1 b from the factors of a.
template <class T>
void luSolve(ThreadPool& pool, int64_t n, int64_t k, const T* lu, const int64_t* pivots, T* b, T* space) {
  for (int64_t i = 0; i < n; i++)
    if (pivots[i] != i) swapRows(b + i * k, b + pivots[i] * k, k);
  solveTriangular(pool, false, true, n, k, lu, b, space);
  solveTriangular(pool, true, false, n, k, lu, b, space);
}

// a = L L^T in place from its lower triangle; the upper one becomes 0. Returns the order of the first leading minor
// that is not positive, or 0.
template <class T>
int64_t choleskyFactor(ThreadPool& pool, T* a, int64_t n, T* space) {
  const int64_t block = blockOf(n);
  for (int64_t j0 = 0; j0 < n; j0 += block) {
    const int64_t j1 = j0 + block < n ? j0 + block : n;
    for (int64_t i = j0; i < n; i++) {
      T* row = a + i * n;
      for (int64_t j = j0; j < j1 && j < i; j++)
        row[j] = (row[j] - dot(row + j0, a + j * n + j0, j - j0)) / a[j * n + j];
      if (i >= j1) continue;
      const T square = row[i] - dot(row + j0, row + j0, i - j0);
      if (!(square > 0)) return i + 1;
      row[i] = root(square);
    }
    // What is right of the block and on or below the diagonal, a column of blocks at a time.
    for (int64_t c0 = j1; c0 < n; c0 += block) {
      const int64_t c1 = c0 + block < n ? c0 + block : n;
      subtractProduct(pool, n - c0, c1 - c0, j1 - j0, a + c0 * n + j0, n, a + c0 * n + j0, int64_t{1}, n,
                      a + c0 * n + c0, n, space);
    }
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = i + 1; j < n; j++) a[i * n + j] = 0;
  return 0;
}

}  // namespace thalweg::cpu::THALWEG_ISA
