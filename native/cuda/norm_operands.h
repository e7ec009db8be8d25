// What the kernels of normalisation share.
#pragma once
#include "cuda/kernel.h"
#include "operands/norm.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

inline void clear(Queue& queue, const TensorView& t) {
  if (!t.defined || t.numel() == 0) return;
  checkCuda(cudaMemsetAsync(t.data, 0, static_cast<size_t>(t.numel() * itemSize(t.dtype)), queue.stream), "clearing");
}

}  // namespace
}  // namespace thalweg::cuda
