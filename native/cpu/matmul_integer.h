// Integer products, modulo 2^bits: unsigned arithmetic, so that overflow wraps.
#pragma once
#include "cpu/matmul_problem.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class U>
void integerRow(const Problem<U>& p, int64_t row) {
  using Wide = std::common_type_t<U, uint32_t>;  // uint8_t would be promoted to a signed int
  constexpr int64_t kColumns = 256;
  Wide sum[kColumns];
  const U* a = p.a + row * p.ars;
  for (int64_t j0 = 0; j0 < p.n; j0 += kColumns) {
    const int64_t n = p.n - j0 < kColumns ? p.n - j0 : kColumns;
    for (int64_t j = 0; j < n; j++) sum[j] = p.bias != nullptr ? p.bias[row * p.biasRs + (j0 + j) * p.biasCs] : 0;
    for (int64_t k = 0; k < p.k; k++) {
      const Wide x = a[k * p.acs];
      const U* b = p.b + k * p.brs + j0 * p.bcs;
      if (p.bcs == 1) {
        for (int64_t j = 0; j < n; j++) sum[j] += x * b[j];
      } else {
        for (int64_t j = 0; j < n; j++) sum[j] += x * b[j * p.bcs];
      }
    }
    U* c = p.c + row * p.crs + j0 * p.ccs;
    for (int64_t j = 0; j < n; j++) c[j * p.ccs] = static_cast<U>(sum[j]);
  }
}

template <class U>
void integerMatmul(ThreadPool& pool, const Problem<U>& p) {
  const double work = static_cast<double>(p.n) * static_cast<double>(p.k) + 1;
  const int64_t grain = work >= 1e5 ? 1 : static_cast<int64_t>(1e5 / work);
  parallelFor(pool, p.m, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) integerRow(p, row);
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
