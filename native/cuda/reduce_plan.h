// What a reduction is about, made ready for reduce_kernel.h.
#pragma once
#include <vector>

#include "../kernel.h"
#include "cuda/reduce_kernel.h"

namespace thalweg::cuda {

static_assert(kReduceInputs == kMaxProgramOperands);

struct ReducePlan {
  bool columns;  // the innermost dimension is kept
  ComputeType type;
  ReduceKind kind;
  double number;  // the divisor of sums, or the correction of variances
  ReduceArguments arguments;
  std::vector<int64_t> words;
  int64_t blocks;  // of the main launch

  // Checks the operands (with the messages of the CPU's kernel).
  ReducePlan(int64_t kind, const Program& prologue, TensorList outs, TensorList ins, Scalars scalars,
             double correction);
  // How the reduction is spread over blocks of that many threads (a power of two).
  void spread(int threads);
};

}  // namespace thalweg::cuda
