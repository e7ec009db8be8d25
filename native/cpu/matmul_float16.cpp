#include "cpu/matmul_float.h"

namespace thalweg::cpu::THALWEG_ISA {

void multiplyBatch(ThreadPool& pool, const Problem<Half>& p, const Batch& batch) {
  multiplyBatchWith<Single<Half>>(pool, p, batch);
}

}  // namespace thalweg::cpu::THALWEG_ISA
