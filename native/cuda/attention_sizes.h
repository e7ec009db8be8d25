// The sizes of attention's operands: queries [batch, heads, rows, width], keys [batch, keyHeads, keys, width], values
// [batch, keyHeads, keys, valueWidth].
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace thalweg::cuda {

struct AttentionSizes {
  int64_t batch, heads, keyHeads, rows, keys, width, valueWidth;
  // Heads that share one of keys.
  __host__ __device__ int64_t group() const { return heads / keyHeads; }
};

}  // namespace thalweg::cuda
