// bfloat16 on processors with AVX512-BF16: vdpbf16ps multiplies pairs of elements, adds both products to a float32 sum,
// and takes denormal numbers for 0. Only these functions are compiled for it; they are called after hasPairs().
#pragma once
#include "cpu/matmul_dot.h"

#if defined(THALWEG_BF16_PAIRS)
#define THALWEG_BF16_TARGET __attribute__((target("avx512bf16")))

namespace thalweg::cpu::THALWEG_ISA {
namespace {

THALWEG_BF16_TARGET THALWEG_INLINE void addProducts(Vec<float>& sum, Vec<uint32_t> x, Vec<uint32_t> y) {
  sum = reinterpret_cast<Vec<float>>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), (__m512bh)x, (__m512bh)y));
}

THALWEG_INLINE Vec<uint32_t> broadcastPair(const BFloat16* p) {
  uint32_t pair;
  std::memcpy(&pair, p, sizeof pair);
  return pair - Vec<uint32_t>{};
}

// The register tile of matmul_kernel.h. UnitRows: ars is 2.
template <int Rows, int Vectors, bool UnitRows>
THALWEG_BF16_TARGET __attribute__((noinline)) void pairKernel(int64_t steps, const BFloat16* __restrict a, int64_t ars,
                                                              int64_t acs, const BFloat16* __restrict b, int64_t ldb,
                                                              float* __restrict c, int64_t ldc, bool accumulate,
                                                              const void* next) {
  constexpr int L = 2 * lanes<float>;
  if constexpr (UnitRows) ars = 2;
  const int64_t ahead = steps < 8 * kPrefetchRows ? 0 : kPrefetchRows * ldb;
  Vec<float> sum[Rows][Vectors];
  THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) sum[i][j] = Vec<float>{};
  }
  Fetches<Rows, Vectors, float> fetches{c, ldc, next};
  for (int64_t k = 0; k < steps; k += kStepsOfFetch) {
    fetches.more();
    const int64_t count = least(kStepsOfFetch, steps - k);
    for (int64_t s = 0; s < count; s++) {
      Vec<uint32_t> row[Vectors];
      THALWEG_UNROLL for (int j = 0; j < Vectors; j++) row[j] = Pairs::alongK(b + j * L);
      THALWEG_UNROLL for (int line = 0; line < Vectors * kVectorBytes; line += 64) prefetch<0>(b, ahead, line);
      THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
        const Vec<uint32_t> x = broadcastPair(a + i * ars);
        THALWEG_UNROLL for (int j = 0; j < Vectors; j++) addProducts(sum[i][j], x, row[j]);
      }
      a += acs;
      b += ldb;
    }
  }
  storeSums<Rows, Vectors>(sum, c, ldc, accumulate);
}

template <int... I, int... J>
struct Kernels<Pairs, std::integer_sequence<int, I...>, std::integer_sequence<int, J...>> {
  static constexpr MicroKernel<Pairs> strided[] = {&pairKernel<I / NV + 1, I % NV + 1, false>...};
  static constexpr MicroKernel<Pairs> unit[] = {&pairKernel<MR, J + 1, true>...};
};

// Two vectors' worth of elements, the first n of them from memory.
THALWEG_INLINE Vec<uint32_t> firstPairs(const BFloat16* p, int n) {
  return reinterpret_cast<Vec<uint32_t>>(_mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << n) - 1), p));
}

// dotTile of matmul_dot.h.
template <>
struct DotTile<Pairs> {
  template <bool Fetch>
  THALWEG_BF16_TARGET __attribute__((noinline)) static void run(int64_t k, const BFloat16* const (&a)[DR],
                                                                const BFloat16* const (&b)[DC],
                                                                [[maybe_unused]] const BFloat16* const (&next)[DC],
                                                                float* sums) {
    constexpr int L = 2 * lanes<float>;
    Vec<float> sum[DR * DC];
    THALWEG_UNROLL for (int i = 0; i < DR * DC; i++) sum[i] = Vec<float>{};
    int64_t at = 0;
    for (; at < k; at += L) {
      Vec<uint32_t> x[DR], y[DC];
      if constexpr (Fetch) {
        THALWEG_UNROLL for (int j = 0; j < DC; j++) prefetchFar(next[j], at);
      }
      if (at + L <= k) {
        THALWEG_UNROLL for (int i = 0; i < DR; i++) x[i] = Pairs::alongK(a[i] + at);
        THALWEG_UNROLL for (int j = 0; j < DC; j++) y[j] = Pairs::alongK(b[j] + at);
      } else {
        const int rest = static_cast<int>(k - at);
        THALWEG_UNROLL for (int i = 0; i < DR; i++) x[i] = firstPairs(a[i] + at, rest);
        THALWEG_UNROLL for (int j = 0; j < DC; j++) y[j] = firstPairs(b[j] + at, rest);
      }
      THALWEG_UNROLL for (int i = 0; i < DR; i++) {
        THALWEG_UNROLL for (int j = 0; j < DC; j++) addProducts(sum[i * DC + j], x[i], y[j]);
      }
    }
    sumTile<float>(sum, sums);
  }
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
#endif
