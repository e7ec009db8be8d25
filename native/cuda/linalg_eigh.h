// Eigenvalues and eigenvectors of symmetric matrices: Householder reduction to tridiagonal form, then implicitly
// shifted QR steps (Golub and Van Loan, Matrix Computations, 8.3).
#pragma once
#include "cuda/linalg_qr.h"
#include "cuda/linalg_svd.h"

namespace thalweg::cuda {
namespace {

template <class T>
struct EighSpace {
  T *e, *tau, *v, *w;

  static double elements(double n) { return 4 * n; }
  __device__ EighSpace(Space<T>& space, int n) {
    e = space.take(n);
    tau = space.take(n);
    v = space.take(n);
    w = space.take(n);
  }
};

// a = Q T Q^T with T tridiagonal: diagonal d, off-diagonal e. Row k of a keeps reflector k from column k + 1 on. Waits
// for the block at its end.
template <class T>
__device__ void tridiagonalize(const Team<T>& team, T* a, int64_t ld, int n, T* d, const EighSpace<T>& space) {
  T *const v = space.v, *const w = space.w;
  for (int k = 0; k < n; k++) {
    if (team.thread == 0) d[k] = a[k * ld + k];
    if (k + 1 == n) break;
    const int size = n - k - 1;
    T* x = a + k * ld + k + 1;
    const T tau = reflector(team, x, size);
    if (team.thread == 0) {
      space.tau[k] = tau;
      space.e[k] = x[0];
    }
    if (tau == 0) continue;
    for (int i = team.thread; i < size; i += team.threads) v[i] = i == 0 ? T(1) : x[i];
    __syncthreads();
    // a -= v w^T + w v^T with w = p - tau/2 (p v) v and p = tau a v.
    T* rest = a + (k + 1) * ld + k + 1;
    for (int i0 = 0; i0 < size; i0 += team.groups) {
      const int i = i0 + team.group;
      T p = 0;
      if (i < size)
        for (int c = team.lane; c < size; c += team.lanes) p += rest[i * ld + c] * v[c];
      p = tau * team.sumOfGroup(p);
      if (i < size && team.lane == 0) w[i] = p;
    }
    __syncthreads();
    T product = 0;
    for (int i = team.thread; i < size; i += team.threads) product += w[i] * v[i];
    const T factor = -tau / 2 * team.sum(product);
    for (int i = team.thread; i < size; i += team.threads) w[i] += factor * v[i];
    __syncthreads();
    for (int i = team.group; i < size; i += team.groups)
      for (int c = team.lane; c < size; c += team.lanes) rest[i * ld + c] -= v[i] * w[c] + w[i] * v[c];
    __syncthreads();
  }
  __syncthreads();
}

// The rows of z become the columns of Q. Does not wait.
template <class T>
__device__ void tridiagonalBasis(const Team<T>& team, const T* a, int64_t ld, int n, const T* tau, T* z) {
  for (int r0 = 0; r0 < n; r0 += team.groups) {
    const int r = r0 + team.group;
    T* x = z + r * ld;
    if (r < n)
      for (int c = team.lane; c < n; c += team.lanes) x[c] = r == c ? T(1) : T(0);
    for (int k = n - 2; k >= 0; k--) reflect(team, r < n && k < r, a + k * ld, k + 1, tau[k], x, n);
  }
}

// One thread's part of `diagonalize`: finds the part of T that is not yet diagonal, from `first` to `last`, and makes
// one QR step on it, whose rotations are left in c and s. Returns false when there is no such part.
template <class T>
__device__ bool qrStep(T* d, T* e, T* c, T* s, int& first, int& last) {
  const auto negligible = [&](int k) {
    const T size = magnitude(e[k]);
    return size <= kEpsilon<T> * (magnitude(d[k]) + magnitude(d[k + 1])) || size < kSmallest<T>;
  };
  while (last > 0 && negligible(last - 1)) e[--last] = 0;
  if (last == 0) return false;
  first = last - 1;
  while (first > 0 && !negligible(first - 1)) first--;
  // Wilkinson's shift: the eigenvalue of the last 2 x 2 block that is nearer to its last element.
  const T half = (d[last - 1] - d[last]) / 2, f = e[last - 1];
  const T shift = d[last] - f / (half + std::copysign(std::hypot(half, f), half)) * f;
  T x = d[first] - shift, bulge = e[first];
  for (int k = first; k < last; k++) {
    const T r = std::hypot(x, bulge), cosine = r == 0 ? T(1) : x / r, sine = r == 0 ? T(0) : bulge / r;
    if (k > first) e[k - 1] = r;
    const T dk = d[k], dn = d[k + 1], ek = e[k];
    d[k] = cosine * cosine * dk + 2 * cosine * sine * ek + sine * sine * dn;
    d[k + 1] = sine * sine * dk - 2 * cosine * sine * ek + cosine * cosine * dn;
    e[k] = cosine * sine * (dn - dk) + (cosine * cosine - sine * sine) * ek;
    if (k + 1 < last) {
      bulge = sine * e[k + 1];
      e[k + 1] *= cosine;
      x = e[k];
    }
    c[k] = cosine;
    s[k] = sine;
  }
  return true;
}

// Diagonalizes T; the rows of z (if not null) take part. c, s: n elements of working space each. Returns false if that
// does not come to an end. Waits for the block at its end.
template <class T>
__device__ bool diagonalize(const Team<T>& team, T* d, T* e, int n, T* z, int64_t ld, T* c, T* s) {
  int last = n - 1;  // of thread 0
  int* const numbers = team.shared.numbers;
  for (int64_t left = 40 * static_cast<int64_t>(n) + 100;; left--) {
    if (team.thread == 0) {
      int first = 0;
      const bool more = qrStep(d, e, c, s, first, last);
      numbers[0] = more ? first : -1;
      numbers[1] = last;
    }
    __syncthreads();
    const int begin = numbers[0], end = numbers[1];
    if (begin < 0) return true;
    if (left == 0) return false;
    // A thread has some columns of z, and takes them through all rotations.
    if (z)
      for (int column = team.thread; column < n; column += team.threads) {
        T x = z[begin * ld + column];
        for (int k = begin; k < end; k++) {
          const T y = z[(k + 1) * ld + column], cosine = c[k], sine = s[k];
          z[k * ld + column] = cosine * x + sine * y;
          x = cosine * y - sine * x;
        }
        z[end * ld + column] = x;
      }
    __syncthreads();
  }
}

// Eigenvalues of the symmetric a[n, n] in ascending order; the rows of z (if not null) become the eigenvectors. Returns
// 0, or 1 if a is not finite, or 2 if the iteration does not end. Waits for the block at its end.
template <class T>
__device__ int eigh(const Team<T>& team, T* a, int64_t ld, int n, T* d, T* z, const EighSpace<T>& space) {
  const T scale = scaleFor(largestOfRows(team, a, ld, n, n));
  if (scale == 0) return 1;
  if (scale != 1)
    for (int i = team.group; i < n; i += team.groups)
      for (int c = team.lane; c < n; c += team.lanes) a[i * ld + c] *= scale;
  __syncthreads();
  tridiagonalize(team, a, ld, n, d, space);
  if (z) tridiagonalBasis(team, a, ld, n, space.tau, z);
  __syncthreads();
  if (!diagonalize(team, d, space.e, n, z, ld, space.v, space.w)) return 2;
  // Ascending is descending of the negative.
  for (int i = team.thread; i < n; i += team.threads) d[i] = -d[i];
  __syncthreads();
  sortRows(team, d, z, static_cast<T*>(nullptr), ld, n);
  for (int i = team.thread; i < n; i += team.threads) d[i] = -d[i] / scale;
  __syncthreads();
  return 0;
}

}  // namespace
}  // namespace thalweg::cuda
