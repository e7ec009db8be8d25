// Householder QR of a matrix whose columns are contiguous (Golub and Van Loan, Matrix Computations, 5.1 and 5.2). The
// signs are those of LAPACK: a column that is already zero below the diagonal is left as it is.
#pragma once
#include "cuda/linalg_block.h"

namespace thalweg::cuda {
namespace {

// Makes H = 1 - tau v v^T, v[0] = 1, with H x = (beta, 0, ...). x becomes (beta, v[1], ...); returns tau. By the block,
// which it waits for at its end.
template <class T>
__device__ T reflector(const Team<T>& team, T* x, int n) {
  if (n <= 1) return 0;
  const T head = x[0], tail = norm(team, x + 1, n - 1);
  if (tail == 0) return 0;
  const T beta = -std::copysign(std::hypot(head, tail), head), apart = head - beta;
  // Of columns so small that their inverse overflows.
  const bool tiny = magnitude(apart) < kSmallest<T>;
  const T inverse = tiny ? T(1) : 1 / apart;
  for (int i = 1 + team.thread; i < n; i += team.threads) x[i] = tiny ? x[i] / apart : x[i] * inverse;
  if (team.thread == 0) x[0] = beta;
  __syncthreads();
  return (beta - head) / beta;
}

// x = (1 - tau v v^T) x by a group, or idly; v is 1 at `first`, 0 before, and stored behind. A lane has the same
// elements of x whatever `first` is, so that one reflection may follow another.
template <class T>
__device__ inline void reflect(const Team<T>& team, bool active, const T* v, int first, T tau, T* x, int m) {
  int begin = first - first % team.lanes + team.lane;
  if (begin < first) begin += team.lanes;
  T s = 0;
  if (active)
    for (int r = begin; r < m; r += team.lanes) s += (r == first ? T(1) : v[r]) * x[r];
  s = tau * team.sumOfGroup(s);
  if (!active || tau == 0) return;
  for (int r = begin; r < m; r += team.lanes) x[r] -= s * (r == first ? T(1) : v[r]);
}

// The upper triangle of a[m, n] becomes R, below it are the reflectors; tau has min(m, n) entries. Waits for the block
// at its end.
template <class T>
__device__ void qrFactor(const Team<T>& team, T* a, int64_t ld, int m, int n, T* tau) {
  const int steps = m < n ? m : n;
  for (int k = 0; k < steps; k++) {
    const T* column = a + k * ld;
    const T scale = reflector(team, a + k * ld + k, m - k);
    if (team.thread == 0) tau[k] = scale;
    for (int j0 = k + 1; j0 < n; j0 += team.groups) {
      const int j = j0 + team.group;
      reflect(team, j < n, column, k, scale, a + j * ld, m);
    }
    __syncthreads();
  }
}

// Rows [c0, c1) of `out` become those columns of Q, of m elements each; `steps` reflectors. Does not wait.
template <class T>
__device__ void columnsOfQ(const Team<T>& team, const T* a, int64_t lda, const T* tau, int m, int steps, T* out,
                           int64_t ldo, int c0, int c1) {
  for (int i0 = c0; i0 < c1; i0 += team.groups) {
    const int i = i0 + team.group;
    T* x = out + i * ldo;
    if (i < c1)
      for (int r = team.lane; r < m; r += team.lanes) x[r] = r == i ? T(1) : T(0);
    for (int k = steps - 1; k >= 0; k--) reflect(team, i < c1 && k <= i, a + k * lda, k, tau[k], x, m);
  }
}

}  // namespace
}  // namespace thalweg::cuda
