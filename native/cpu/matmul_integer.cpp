// Integer products, modulo 2^bits: unsigned arithmetic, so that overflow wraps.
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
void integerBatch(ThreadPool& pool, const Problem<U>& p, const Batch& batch) {
  const double work = static_cast<double>(p.n) * static_cast<double>(p.k) + 1;
  const int64_t grain = work >= 1e5 ? 1 : static_cast<int64_t>(1e5 / work);
  // Rows of all products, one after the other.
  parallelFor(pool, batch.count() * p.m, grain, [&](int64_t begin, int64_t end) {
    batch.forEach(begin / p.m, (end - 1) / p.m + 1, [&, row = begin](int64_t atA, int64_t atB, int64_t atC) mutable {
      Problem<U> one = p;
      if (p.k > 0) {
        one.a += atA;
        one.b += atB;
      }
      one.c += atC;
      for (int64_t i = row % p.m; i < p.m && row < end; i++, row++) integerRow(one, i);
    });
  });
}

}  // namespace

void multiplyBatch(ThreadPool& pool, const Problem<uint8_t>& p, const Batch& batch) { integerBatch(pool, p, batch); }
void multiplyBatch(ThreadPool& pool, const Problem<uint32_t>& p, const Batch& batch) { integerBatch(pool, p, batch); }
void multiplyBatch(ThreadPool& pool, const Problem<uint64_t>& p, const Batch& batch) { integerBatch(pool, p, batch); }

}  // namespace thalweg::cpu::THALWEG_ISA
