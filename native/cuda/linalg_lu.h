// LU with partial pivoting, triangular systems and Cholesky, on matrices by rows.
#pragma once
#include "cuda/linalg_block.h"

namespace thalweg::cuda {
namespace {

// a[m, n] = P L U in place, L with a diagonal of ones. pivots[j] is the row that was swapped with row j. Returns the
// number (from 1) of the first pivot that is 0, or 0. Waits for the block at its end, but not before.
template <class T>
__device__ int luFactor(const Team<T>& team, T* a, int64_t ld, int m, int n, int* pivots) {
  const int steps = m < n ? m : n;
  int zero = 0;
  for (int j = 0; j < steps; j++) {
    T* top = a + j * ld;
    Place<T> best{magnitude(top[j]), j};
    for (int i = j + 1 + team.thread; i < m; i += team.threads) {
      const T size = magnitude(a[i * ld + j]);
      if (size > best.value) best = {size, i};
    }
    best = team.best(best);
    if (team.thread == 0) pivots[j] = best.index;
    if (best.index != j) swapRows(team, top, a + best.index * ld, n);
    __syncthreads();
    const T diagonal = top[j];
    if (diagonal == 0) {
      if (zero == 0) zero = j + 1;
      continue;
    }
    for (int i0 = j + 1; i0 < m; i0 += team.groups) {
      const int i = i0 + team.group;
      T* row = a + i * ld;
      const T factor = i < m ? row[j] / diagonal : T(0);
      __syncwarp();
      if (i >= m) continue;
      if (team.lane == 0) row[j] = factor;
      if (factor != 0)
        for (int c = j + 1 + team.lane; c < n; c += team.lanes) row[c] -= factor * top[c];
    }
    __syncthreads();
  }
  return zero;
}

// b[n, k] = a^-1 b for a triangular a; the other triangle is not read. Waits for the block at its end.
template <class T>
__device__ void solveTriangular(const Team<T>& team, bool upper, bool unit, int n, int k, const T* a, int64_t lda, T* b,
                                int64_t ldb) {
  if (n == 0 || k == 0) return;
  const int width = k < team.threads ? k : team.threads, lines = team.threads / width;
  const int line = team.thread / width, column = team.thread % width;
  for (int s = 0; s < n; s++) {
    // Row i is done but for the division, which comes at the end: meanwhile all threads read it.
    const int i = upper ? n - 1 - s : s, first = upper ? 0 : i + 1, end = upper ? i : n;
    const T diagonal = unit ? T(1) : a[i * lda + i];
    for (int c = column; c < k && line < lines; c += width) {
      const T x = b[i * ldb + c] / diagonal;
      for (int r = first + line; r < end; r += lines) b[r * ldb + c] -= a[r * lda + i] * x;
    }
    __syncthreads();
  }
  if (unit) return;
  for (int i = team.group; i < n; i += team.groups)
    for (int c = team.lane; c < k; c += team.lanes) b[i * ldb + c] /= a[i * lda + i];
  __syncthreads();
}

// b[n, k] = a^-1 b from the factors of a. Waits for the block at its end.
template <class T>
__device__ void luSolve(const Team<T>& team, int n, int k, const T* lu, int64_t ld, const int* pivots, T* b,
                        int64_t ldb) {
  for (int c = team.thread; c < k; c += team.threads)
    for (int i = 0; i < n; i++) {
      const int pivot = pivots[i];
      if (pivot == i) continue;
      const T x = b[i * ldb + c];
      b[i * ldb + c] = b[pivot * ldb + c];
      b[pivot * ldb + c] = x;
    }
  __syncthreads();
  solveTriangular(team, false, true, n, k, lu, ld, b, ldb);
  solveTriangular(team, true, false, n, k, lu, ld, b, ldb);
}

// a = L L^T in place from its lower triangle; the upper one becomes 0. Returns the order of the first leading minor
// that is not positive, or 0. roots: n elements of working space. Waits for the block at its end.
template <class T>
__device__ int choleskyFactor(const Team<T>& team, T* a, int64_t ld, int n, T* roots) {
  // First a = L D L^T with what is below the diagonal not yet divided by it: one wait a column.
  for (int j = 0; j < n; j++) {
    const T diagonal = a[j * ld + j];
    if (!(diagonal > 0)) return j + 1;
    for (int i = j + 1 + team.group; i < n; i += team.groups) {
      T* row = a + i * ld;
      const T factor = row[j] / diagonal;
      for (int c = j + 1 + team.lane; c <= i; c += team.lanes) row[c] -= factor * a[c * ld + j];
    }
    __syncthreads();
  }
  for (int j = team.thread; j < n; j += team.threads) roots[j] = std::sqrt(a[j * ld + j]);
  __syncthreads();
  for (int i = team.group; i < n; i += team.groups)
    for (int c = team.lane; c < n; c += team.lanes) {
      T& element = a[i * ld + c];
      element = c < i ? element / roots[c] : c == i ? roots[i] : T(0);
    }
  __syncthreads();
  return 0;
}

// From the factors of a matrix, on one thread: the product of U's diagonal and the sign of the permutation; and the
// sign and the logarithm of the size.
template <class T>
__device__ void determinant(const T* lu, int64_t ld, const int* pivots, int n, T& det, T& sign, T& logabs) {
  T product = 1;
  for (int j = 0; j < n; j++)
    if (pivots[j] != j) product = -product;
  sign = product;
  logabs = 0;
  for (int i = 0; i < n; i++) {
    const T u = lu[i * ld + i];
    product *= u;
    sign *= u > 0 ? T(1) : u < 0 ? T(-1) : u;
    logabs += static_cast<T>(std::log(static_cast<double>(magnitude(u))));
  }
  det = product;
}

}  // namespace
}  // namespace thalweg::cuda
