// The register tile: C[MR][NV vectors] (+)= A[MR][K] * B[K][NV vectors], with A's elements broadcast and B's rows
// loaded. Sums run over k in order, one accumulator an element, so a result depends on the blocking of K alone.
#pragma once
#include <utility>

#include "cpu/matmul_scheme.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// The panel of B is larger than the first-level cache: its rows are fetched this many steps ahead. With few
// steps that would mostly be past its end.
constexpr int64_t kPrefetchRows = 8;

// What is needed later is fetched into the caches while the sums are computed, a little in every kStepsOfFetch steps:
// a row of C, and a line of what the caller will read next.
constexpr int64_t kStepsOfFetch = 8;

// Unit (i, step) of A is at a[i * ars + step * acs]; row `step` of B starts at b + step * ldb. next: memory from which
// one line for each kStepsOfFetch steps is fetched.
template <class Scheme>
using MicroKernel = void (*)(int64_t steps, const typename Scheme::Packed* a, int64_t ars, int64_t acs,
                             const typename Scheme::Packed* b, int64_t ldb, typename Scheme::Sum* c, int64_t ldc,
                             bool accumulate, const void* next);

template <int Rows, int Vectors, class T>
struct Fetches {
  const T* c;
  int64_t ldc;
  const void* next;
  int64_t count = 0;

  THALWEG_INLINE void more() {
    constexpr int kBytes = Vectors * kVectorBytes;
    prefetchFar(static_cast<const char*>(next), count * 64);
    if (count < Rows) {
      THALWEG_UNROLL for (int at = 0; at < kBytes; at += 64) prefetch<1>(c, count * ldc, at);
      prefetch<1>(c, count * ldc, kBytes - 1);
    }
    count++;
  }
};

template <int Rows, int Vectors, class T>
THALWEG_INLINE void storeSums(const Vec<T> (&sum)[Rows][Vectors], T* c, int64_t ldc, bool accumulate) {
  THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) {
      T* p = c + i * ldc + j * lanes<T>;
      store(p, accumulate ? load(p) + sum[i][j] : sum[i][j]);
    }
  }
}

// UnitRows: ars is 1 (A packed, or transposed in memory), which saves address registers.
template <class T, int Rows, int Vectors, bool UnitRows>
__attribute__((noinline)) void microKernel(int64_t steps, const T* __restrict a, int64_t ars, int64_t acs,
                                           const T* __restrict b, int64_t ldb, T* __restrict c, int64_t ldc,
                                           bool accumulate, const void* next) {
  constexpr int L = lanes<T>;
  if constexpr (UnitRows) ars = 1;
  const int64_t ahead = steps < 8 * kPrefetchRows ? 0 : kPrefetchRows * ldb;
  Vec<T> sum[Rows][Vectors];
  THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) sum[i][j] = Vec<T>{};
  }
  Fetches<Rows, Vectors, T> fetches{c, ldc, next};
  for (int64_t k = 0; k < steps; k += kStepsOfFetch) {
    fetches.more();
    const int64_t count = least(kStepsOfFetch, steps - k);
    for (int64_t s = 0; s < count; s++) {
      Vec<T> row[Vectors];
      THALWEG_UNROLL for (int j = 0; j < Vectors; j++) row[j] = load(b + j * L);
      THALWEG_UNROLL for (int line = 0; line < Vectors * kVectorBytes; line += 64) prefetch<0>(b, ahead, line);
      THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
        const Vec<T> x = broadcast(a[i * ars]);
        THALWEG_UNROLL for (int j = 0; j < Vectors; j++) sum[i][j] += x * row[j];
      }
      a += acs;
      b += ldb;
    }
  }
  storeSums<Rows, Vectors>(sum, c, ldc, accumulate);
}

// Every size of tile; and full tiles of unit row stride, by the number of vectors.
template <class Scheme, class Tiles = std::make_integer_sequence<int, MR * NV>,
          class Widths = std::make_integer_sequence<int, NV>>
struct Kernels;
template <class S, int... I, int... J>
struct Kernels<Single<S>, std::integer_sequence<int, I...>, std::integer_sequence<int, J...>> {
  using T = Compute<S>;
  static constexpr MicroKernel<Single<S>> strided[] = {&microKernel<T, I / NV + 1, I % NV + 1, false>...};
  static constexpr MicroKernel<Single<S>> unit[] = {&microKernel<T, MR, J + 1, true>...};
};

// The kernel of a tile of 1 <= rows <= MR and 1 <= vectors <= NV. unitRows: the rows' units follow each other.
template <class Scheme>
THALWEG_INLINE MicroKernel<Scheme> kernelFor(int rows, int vectors, bool unitRows) {
  if (unitRows && rows == MR) return Kernels<Scheme>::unit[vectors - 1];
  return Kernels<Scheme>::strided[(rows - 1) * NV + vectors - 1];
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
