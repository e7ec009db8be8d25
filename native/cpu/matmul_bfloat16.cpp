#include "cpu/matmul_float.h"

namespace thalweg::cpu::THALWEG_ISA {

void multiplyBatch(ThreadPool& pool, const Problem<BFloat16>& p, const Batch& batch) {
#if defined(THALWEG_BF16_PAIRS)
  static const bool pairs = hasPairs();
  if (pairs) return multiplyBatchWith<Pairs>(pool, p, batch);
#endif
  multiplyBatchWith<Single<BFloat16>>(pool, p, batch);
}

}  // namespace thalweg::cpu::THALWEG_ISA
