// Attention and its gradients as graphs of cuDNN, which has kernels for exactly these graphs. Only for files that were
// compiled with cuDNN's header.
#pragma once
#include <array>

#include "cuda/cudnn.h"

namespace thalweg::cuda {

// The numbers of the tensors of attention. Scale, one and least are by value: float32 numbers of the host; deltas is
// float32 memory for a number for each row.
constexpr int64_t kCudnnQ = 1, kCudnnK = 2, kCudnnV = 3, kCudnnOut = 4, kCudnnLogSums = 5, kCudnnScale = 6;
constexpr int64_t kCudnnG = 7, kCudnnGq = 8, kCudnnGk = 9, kCudnnGv = 10, kCudnnOne = 11, kCudnnDeltas = 12,
                  kCudnnLeast = 13;

// Of batch, head, row and column, in elements.
using HeadStrides = std::array<int64_t, 4>;

// softmax(scale q k^T) v of 16-bit numbers, and the logarithms of the softmax's denominators, packed. Query head h goes
// with key head h / (heads / keyHeads). Causal: row i sees the keys up to i.
struct CudnnAttention {
  DType dtype;
  bool backward;  // the gradients, from logSums and out
  bool causal;
  int64_t batch, heads, keyHeads, rows, keys, width, valueWidth;
  HeadStrides q, k, v, out;
  HeadStrides g, gq, gk, gv;  // backward

  CudnnRules rules() const;
  CudnnKey key() const;
  void describe(CudnnGraph& graph) const;
  // What a plan of gradients needs, about: it holds those of the scores.
  int64_t workspace() const;
  // As much of it as is to be computed at once: whole batches, or else the heads of one that share some of the keys'.
  CudnnAttention part() const;
};

// cuDNN compiles a kernel for each shape, which takes it half a second or more: programs whose lengths never repeat
// would spend their time on that.
constexpr int64_t kMostAttentionPlans = 64;
// Of one call that cannot be divided further.
constexpr int64_t kMostAttentionWorkspace = int64_t{1} << 30;

}  // namespace thalweg::cuda
