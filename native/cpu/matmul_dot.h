// Products whose operands both have K contiguous, with few rows or few columns (x * W^T in a narrow layer, or a small
// batch): both are read where they lie, by dot products along K. Packing would cost more than the product.
#pragma once
#include "cpu/matmul_epilogue.h"
#include "cpu/matmul_pack.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Dot products are computed DR rows by DC columns at a time; a block of them is finished while in cache.
constexpr int DR = MR >= 8 ? 4 : 2, DC = 4;
constexpr int64_t kDotBlockRows = 64;

// The sum of each of a vector's worth of vectors, in the lane of its index.
template <class T, int Step = 1>
THALWEG_INLINE Vec<T> sumEach(Vec<T>* v) {
  if constexpr (Step == lanes<T>) {
    return v[0];
  } else {
    THALWEG_UNROLL for (int i = 0; i < lanes<T>; i += 2 * Step) {
      exchange<Step>(v[i], v[i + Step], std::make_integer_sequence<int, lanes<T>>());
      v[i] += v[i + Step];
    }
    return sumEach<T, Step * 2>(v);
  }
}

template <class T>
THALWEG_INLINE void sumTile(Vec<T> (&sum)[DR * DC], T* sums) {
  THALWEG_UNROLL for (int i = 0; i < DR * DC; i += lanes<T>) store(sums + i, sumEach<T>(sum + i));
}

// sums[i * DC + j] = a[i] . b[j]
template <class Scheme>
struct DotTile {
  using S = typename Scheme::Storage;
  using T = typename Scheme::Sum;
  __attribute__((noinline)) static void run(int64_t k, const S* const (&a)[DR], const S* const (&b)[DC], T* sums) {
    constexpr int L = lanes<T>;
    Vec<T> sum[DR * DC];
    THALWEG_UNROLL for (int i = 0; i < DR * DC; i++) sum[i] = Vec<T>{};
    const auto step = [&](auto&& loader, int64_t at) __attribute__((always_inline)) {
      Vec<T> x[DR], y[DC];
      THALWEG_UNROLL for (int i = 0; i < DR; i++) x[i] = loader(a[i] + at);
      THALWEG_UNROLL for (int j = 0; j < DC; j++) y[j] = loader(b[j] + at);
      THALWEG_UNROLL for (int i = 0; i < DR; i++) {
        THALWEG_UNROLL for (int j = 0; j < DC; j++) sum[i * DC + j] += x[i] * y[j];
      }
    };
    int64_t at = 0;
    for (; at + L <= k; at += L) step([](const S* p) { return loadWide(p); }, at);
    if (at < k) {
      const int rest = static_cast<int>(k - at);
      step([rest](const S* p) { return loadWideFirst(p, rest); }, at);
    }
    sumTile<T>(sum, sums);
  }
};

// Rows past the given counts repeat the last one.
template <class Scheme, class S = typename Scheme::Storage>
void dotTile(int64_t k, const S* a, int64_t ars, int64_t rows, const S* b, int64_t brs, int64_t columns,
             typename Scheme::Sum* sums) {
  const S *pa[DR], *pb[DC];
  for (int i = 0; i < DR; i++) pa[i] = a + (i < rows ? i : rows - 1) * ars;
  for (int j = 0; j < DC; j++) pb[j] = b + (j < columns ? j : columns - 1) * brs;
  DotTile<Scheme>::run(k, pa, pb, sums);
}

template <class S>
bool suitsDot(const Problem<S>& p) {
  // With few rows packing B is what takes the time; with few columns A need not be packed.
  constexpr int64_t kRows = MR >= 8 ? 48 : 24, kColumns = 24;
  return p.acs == 1 && p.brs == 1 && (p.m <= kRows || p.n <= kColumns) && p.k >= 2 * lanes<Compute<S>>;
}

template <class Scheme, class S = typename Scheme::Storage>
void dotSerial(const Problem<S>& p) {
  using T = typename Scheme::Sum;
  constexpr int L = lanes<T>, NRT = NR<T>;
  static_assert(DR * DC % L == 0 && NRT % DC == 0);
  alignas(64) T block[kDotBlockRows * NRT], sums[DR * DC];
  for (int64_t m0 = 0; m0 < p.m; m0 += kDotBlockRows) {
    const int64_t rows = p.m - m0 < kDotBlockRows ? p.m - m0 : kDotBlockRows;
    for (int64_t n0 = 0; n0 < p.n; n0 += NRT) {
      const int64_t columns = p.n - n0 < NRT ? p.n - n0 : NRT, padded = (columns + L - 1) / L * L;
      for (int64_t j = 0; j < columns; j += DC) {
        for (int64_t i = 0; i < rows; i += DR) {
          dotTile<Scheme>(p.k, p.a + (m0 + i) * p.ars, p.ars, rows - i, p.b + (n0 + j) * p.bcs, p.bcs, columns - j,
                          sums);
          for (int r = 0; r < DR && i + r < rows; r++)
            std::memcpy(block + (i + r) * NRT + j, sums + r * DC, sizeof(T) * DC);
        }
      }
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = columns; j < padded; j++) block[i * NRT + j] = 0;
      if (p.hasEpilogue())
        finishTile(p, m0, n0, rows, static_cast<int>(columns), static_cast<int>(padded / L), block, NRT);
      storeTile(p, m0, n0, rows, static_cast<int>(columns), block, NRT);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
