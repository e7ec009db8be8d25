// Singular values by one-sided Jacobi rotations after a QR factorisation (Demmel and Veselic 1992; Drmac and Veselic
// 2008): accurate to the last digits also for small singular values, and sure to end.
#pragma once
#include "cuda/linalg_qr.h"

namespace thalweg::cuda {
namespace {

// Rotates the n rows of b until they are orthogonal; the same rotations are applied to the rows of j, unless it is
// null. squares: n elements of working space. Waits for the block at its end.
//
// Pairs (p, q), p < q, with the same p + q share no row, and pairs that share one come in the same order by p + q as in
// the cyclic order by rows: so the groups take those of one sum at a time, with the result of the one-by-one sweep.
template <class T>
__device__ void orthogonalizeRows(const Team<T>& team, T* b, T* j, int64_t ld, int n, T* squares) {
  // Below this a square has no digits left; such rows count as zero.
  const T vanished = kSmallest<T> / kEpsilon<T>;
  T tolerance = kEpsilon<T> * std::sqrt(static_cast<T>(n));
  for (int sweep = 0; sweep < 60; sweep++) {
    // Rounding errors of nearly parallel rows could in principle keep the rotations going.
    if (sweep >= 30) tolerance *= 2;
    for (int p0 = 0; p0 < n; p0 += team.groups) {
      const int p = p0 + team.group;
      T square = 0;
      if (p < n)
        for (int i = team.lane; i < n; i += team.lanes) square += b[p * ld + i] * b[p * ld + i];
      square = team.sumOfGroup(square);
      if (p < n && team.lane == 0) squares[p] = square;
    }
    __syncthreads();
    bool rotated = false;
    for (int sum = 1; sum <= 2 * n - 3; sum++) {
      const int begin = sum < n ? 0 : sum - n + 1, end = (sum + 1) / 2;
      for (int p0 = begin; p0 < end; p0 += team.groups) {
        const int p = p0 + team.group, q = sum - p;
        const bool there = p < end;
        const T alpha = there ? squares[p] : T(0), beta = there ? squares[q] : T(0);
        const bool active = alpha > vanished && beta > vanished;
        T *bp = b + p * ld, *bq = b + q * ld;
        T gamma = 0;
        if (active)
          for (int i = team.lane; i < n; i += team.lanes) gamma += bp[i] * bq[i];
        gamma = team.sumOfGroup(gamma);
        if (!active || !(magnitude(gamma) > tolerance * std::sqrt(alpha) * std::sqrt(beta))) continue;
        rotated = true;
        const T zeta = (beta - alpha) / (2 * gamma);
        const T t = std::copysign(T(1), zeta) / (magnitude(zeta) + std::hypot(T(1), zeta));
        const T c = 1 / std::sqrt(1 + t * t), s = c * t;
        for (int i = team.lane; i < n; i += team.lanes) {
          const T x = bp[i], y = bq[i];
          bp[i] = c * x - s * y;
          bq[i] = c * y + s * x;
        }
        if (j) {
          T *jp = j + p * ld, *jq = j + q * ld;
          for (int i = team.lane; i < n; i += team.lanes) {
            const T x = jp[i], y = jq[i];
            jp[i] = c * x - s * y;
            jq[i] = c * y + s * x;
          }
        }
        if (team.lane == 0) {
          squares[p] = alpha - t * gamma;
          squares[q] = beta + t * gamma;
        }
      }
      __syncthreads();
    }
    if (!__syncthreads_or(rotated)) return;
  }
}

// Brings the n values into descending order, and the rows of b and j (unless it is null) with them.
template <class T>
__device__ void sortRows(const Team<T>& team, T* values, T* b, T* j, int64_t ld, int n) {
  for (int r = 0; r < n; r++) {
    Place<T> best{values[r], r};
    for (int i = r + 1 + team.thread; i < n; i += team.threads)
      if (values[i] > best.value) best = {values[i], i};
    const T value = values[r];
    best = team.best(best);
    if (best.index == r) continue;
    if (team.thread == 0) {
      values[best.index] = value;
      values[r] = best.value;
    }
    if (b) swapRows(team, b + r * ld, b + best.index * ld, n);
    if (j) swapRows(team, j + r * ld, j + best.index * ld, n);
    __syncthreads();
  }
}

// Working space of svd for m >= n.
template <class T>
struct SvdSpace {
  T *tau, *b, *j, *squares;
  int64_t ld;

  static double elements(double n, bool vectors) { return 2 * n + (vectors ? 2 : 1) * n * (n + 1); }
  __device__ SvdSpace(Space<T>& space, int n, bool vectors) : ld(paddedRow(n)) {
    tau = space.take(n);
    squares = space.take(n);
    b = space.take(n * ld);
    j = vectors ? space.take(n * ld) : nullptr;
  }
};

// The singular value decomposition of a[m, n], m >= n, columns contiguous and lda apart. left: `columns` (n or m) left
// singular vectors of m elements each, lda apart, right: n right ones of n elements each, space.ld apart; both null for
// the values alone. Returns false if a is not finite. Waits for the block at its end.
template <class T>
__device__ bool svd(const Team<T>& team, T* a, int64_t lda, int m, int n, T* left, int columns, T* values, T* right,
                    const SvdSpace<T>& space) {
  T *const tau = space.tau, *const b = space.b, *const j = space.j, *const squares = space.squares;
  const int64_t ld = space.ld;
  const T scale = scaleFor(largestOfRows(team, a, lda, n, m));
  if (scale == 0) return false;
  if (scale != 1)
    for (int c = team.group; c < n; c += team.groups)
      for (int r = team.lane; r < m; r += team.lanes) a[c * lda + r] *= scale;
  __syncthreads();
  // a = Q R, and b = R by rows. Rotations make its rows orthogonal: J R = S Y^T, so a = (Q J^T) S Y^T.
  qrFactor(team, a, lda, m, n, tau);
  for (int r = team.group; r < n; r += team.groups)
    for (int c = team.lane; c < n; c += team.lanes) {
      b[r * ld + c] = c < r ? T(0) : a[c * lda + r];
      if (j) j[r * ld + c] = r == c ? T(1) : T(0);
    }
  __syncthreads();
  orthogonalizeRows(team, b, j, ld, n, squares);
  for (int r0 = 0; r0 < n; r0 += team.groups) {
    const int r = r0 + team.group;
    const T length = normOfGroup(team, r < n, b + r * ld, n);
    if (r < n && team.lane == 0) squares[r] = length;
  }
  __syncthreads();
  sortRows(team, squares, b, j, ld, n);
  for (int r = team.thread; r < n; r += team.threads) values[r] = squares[r] / scale;
  if (!left) return true;

  for (int c0 = 0; c0 < columns; c0 += team.groups) {
    const int c = c0 + team.group;
    T* x = left + c * lda;
    if (c < columns)
      for (int r = team.lane; r < m; r += team.lanes)
        x[r] = c >= n ? (r == c ? T(1) : T(0)) : r < n ? j[c * ld + r] : T(0);
    for (int k = n - 1; k >= 0; k--) reflect(team, c < columns, a + k * lda, k, tau[k], x, m);
  }
  // Rows with a direction; for the others any orthonormal completion will do.
  const T vanished = std::sqrt(kSmallest<T> / kEpsilon<T>);
  int rank = 0;
  while (rank < n && squares[rank] > vanished) rank++;
  for (int r = team.group; r < rank; r += team.groups)
    for (int c = team.lane; c < n; c += team.lanes) {
      const T x = b[r * ld + c] / squares[r];
      right[r * ld + c] = x;
      b[r * ld + c] = x;
    }
  __syncthreads();
  if (rank < n) {
    qrFactor(team, b, ld, n, rank, tau);
    columnsOfQ(team, b, ld, tau, n, rank, right, ld, rank, n);
    __syncthreads();
  }
  return true;
}

}  // namespace
}  // namespace thalweg::cuda
