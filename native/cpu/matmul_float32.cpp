#include "cpu/matmul_float.h"

namespace thalweg::cpu::THALWEG_ISA {

void multiplyBatch(ThreadPool& pool, const Problem<float>& p, const Batch& batch) {
  multiplyBatchWith<Single<float>>(pool, p, batch);
}

}  // namespace thalweg::cpu::THALWEG_ISA
