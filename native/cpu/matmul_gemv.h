// One row times a matrix: c[n] = activation(x[k] * B[k, n] + bias). Bound by reading B, which is read once, in the
// order in which it lies in memory.
#pragma once
#include "cpu/matmul_gemm.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kGemvColumns = 512;     // sums of a task: they stay in the first-level cache
constexpr int64_t kGemvRowLength = 4096;  // as many
constexpr int64_t kTaskElements = 1 << 16, kGemvParts = 64;

template <class T>
THALWEG_INLINE T sumOfLanes(Vec<T> v) {
  T sum = 0;
  for (int i = 0; i < lanes<T>; i++) sum += v[i];
  return sum;
}

// B's rows are contiguous: adds multiples of eight rows at a time to the sums. n is the number of columns.
template <class S, class T>
void gemvRows(int64_t n, int64_t k, const T* x, const S* b, int64_t brs, T* y) {
  constexpr int L = lanes<T>, U = 8;
  for (int64_t j = 0; j < n; j++) y[j] = 0;
  int64_t i = 0;
  for (; i + U <= k; i += U, b += U * brs) {
    Vec<T> xs[U];
    THALWEG_UNROLL for (int u = 0; u < U; u++) xs[u] = broadcast(x[i + u]);
    int64_t j = 0;
    for (; j + L <= n; j += L) {
      Vec<T> even = load(y + j), odd{};
      THALWEG_UNROLL for (int u = 0; u < U; u += 2) {
        even += xs[u] * loadWide(b + u * brs + j);
        odd += xs[u + 1] * loadWide(b + (u + 1) * brs + j);
      }
      store(y + j, even + odd);
    }
    for (; j < n; j++) {
      T sum = y[j];
      for (int u = 0; u < U; u++) sum += x[i + u] * widen(b[u * brs + j]);
      y[j] = sum;
    }
  }
  for (; i < k; i++, b += brs) {
    const Vec<T> xs = broadcast(x[i]);
    int64_t j = 0;
    for (; j + L <= n; j += L) store(y + j, load(y + j) + xs * loadWide(b + j));
    for (; j < n; j++) y[j] += x[i] * widen(b[j]);
  }
}

// B's columns are contiguous: Columns dot products at a time.
template <int Columns, class S, class T>
void dotProducts(int64_t k, const T* x, const S* b, int64_t bcs, T* y) {
  constexpr int L = lanes<T>, U = 8 / Columns;  // eight sums hide the latency of an addition
  Vec<T> sum[Columns][U];
  THALWEG_UNROLL for (int c = 0; c < Columns; c++) THALWEG_UNROLL for (int u = 0; u < U; u++) sum[c][u] = Vec<T>{};
  int64_t i = 0;
  for (; i + U * L <= k; i += U * L) {
    THALWEG_UNROLL for (int u = 0; u < U; u++) {
      const Vec<T> xs = load(x + i + u * L);
      THALWEG_UNROLL for (int c = 0; c < Columns; c++) sum[c][u] += xs * loadWide(b + c * bcs + i + u * L);
    }
  }
  for (; i + L <= k; i += L) {
    const Vec<T> xs = load(x + i);
    THALWEG_UNROLL for (int c = 0; c < Columns; c++) sum[c][0] += xs * loadWide(b + c * bcs + i);
  }
  THALWEG_UNROLL for (int c = 0; c < Columns; c++) {
    THALWEG_UNROLL for (int u = 1; u < U; u++) sum[c][0] += sum[c][u];
    T total = sumOfLanes<T>(sum[c][0]);
    for (int64_t rest = i; rest < k; rest++) total += x[rest] * widen(b[c * bcs + rest]);
    y[c] = total;
  }
}

template <class S, class T>
void gemvColumns(int64_t n, int64_t k, const T* x, const S* b, int64_t bcs, T* y) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) dotProducts<4>(k, x, b + j * bcs, bcs, y + j);
  for (; j < n; j++) dotProducts<1>(k, x, b + j * bcs, bcs, y + j);
}

template <class S>
bool isGemv(const Problem<S>& p) {
  return p.m == 1 && (p.bcs == 1 || p.brs == 1);
}

// y[0, n) becomes the row of out from column j on.
template <class S, class T>
void finishRow(const Problem<S>& p, int64_t j, int64_t n, T* y) {
  for (int64_t i = 0; i < n; i += NR<T>) {
    const int columns = static_cast<int>(least(n - i, NR<T>));
    if (p.hasEpilogue())
      finishTile(p, 0, j + i, 1, columns, static_cast<int>(ceilDiv(columns, lanes<T>)), y + i, NR<T>);
    storeTile(p, 0, j + i, 1, columns, y + i, NR<T>);
  }
}

// Columns of B are contiguous, or its rows are and they are long: each task computes some columns.
template <class S, class T>
void gemvByColumns(ThreadPool& pool, const Problem<S>& p, const T* x) {
  constexpr int L = lanes<T>;
  // A task reads 64K elements of B or more.
  const int64_t grain = p.bcs == 1 ? kGemvColumns : least(kGemvColumns, ceilDiv(ceilDiv(kTaskElements, p.k), L) * L);
  parallelFor(pool, p.n, grain, [&](int64_t begin, int64_t end) {
    alignas(64) T y[kGemvColumns] = {};
    // A product too small to cut comes as one piece of any length.
    for (int64_t j = begin; j < end; j += kGemvColumns) {
      const int64_t n = least(end - j, kGemvColumns);
      if (p.bcs == 1) {
        gemvRows(n, p.k, x, p.b + j, p.brs, y);
      } else {
        gemvColumns(n, p.k, x, p.b + j * p.bcs, p.bcs, y);
      }
      finishRow(p, j, n, y);
    }
  });
}

// Rows of B are contiguous but short: each task adds up some of them, and the tasks' sums are added up in order.
template <class S, class T>
void gemvByRows(ThreadPool& pool, const Problem<S>& p, const T* x) {
  const int64_t ld = ceilDiv(p.n, lanes<T>) * lanes<T>;
  const int64_t depth = most(ceilDiv(kTaskElements, p.n), ceilDiv(p.k, kGemvParts)), parts = ceilDiv(p.k, depth);
  T* sums = scratchOf<T>(kSlotC, parts * ld);
  parallelFor(pool, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++) {
      const int64_t k0 = part * depth;
      gemvRows(p.n, least(depth, p.k - k0), x + k0, p.b + k0 * p.brs, p.brs, sums + part * ld);
    }
  });
  for (int64_t part = 1; part < parts; part++)
    for (int64_t j = 0; j < p.n; j++) sums[j] += sums[part * ld + j];
  finishRow(p, 0, p.n, sums);
}

template <class S>
void gemv(ThreadPool& pool, const Problem<S>& p) {
  using T = Compute<S>;
  const T* x = nullptr;
  if constexpr (std::is_same_v<S, T>) {
    if (p.acs == 1) x = p.a;
  }
  if (x == nullptr) {
    T* copy = scratchOf<T>(kSlotVector, p.k);
    for (int64_t i = 0; i < p.k; i++) copy[i] = widen(p.a[i * p.acs]);
    x = copy;
  }
  if (p.bcs == 1 && p.n <= kGemvRowLength && p.k >= 2 * ceilDiv(kTaskElements, p.n)) {
    gemvByRows(pool, p, x);
  } else {
    gemvByColumns(pool, p, x);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
