#include "cpu/matmul_float.h"

namespace thalweg::cpu::THALWEG_ISA {

void multiplyBatch(ThreadPool& pool, const Problem<double>& p, const Batch& batch) {
  multiplyBatchWith<Single<double>>(pool, p, batch);
}

}  // namespace thalweg::cpu::THALWEG_ISA
