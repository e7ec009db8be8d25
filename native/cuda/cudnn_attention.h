// Attention by cuDNN, the fast way in 16 bits where the library is there.
#pragma once
#include "cuda/queue.h"
#include "operands/attention.h"

namespace thalweg::cuda {

// Launch attention, or its gradients, without mask and dropout: operands were checked, those of the kernels. False if
// the library is not there, or has no engine for it; nothing has been launched then.
bool attentionByCudnn(Queue& queue, const AttentionSizes& sizes, const TensorView& out, const TensorView& logSums,
                      const TensorView& q, const TensorView& k, const TensorView& v, bool causal, double scale);
// Uses the queue's scratch slots 0 to 3 and 6.
bool attentionGradientsByCudnn(Queue& queue, const AttentionSizes& sizes, const OptionalTensor& gq,
                               const OptionalTensor& gk, const OptionalTensor& gv, const TensorView& g,
                               const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& out,
                               const TensorView& logSums, bool causal, double scale);

}  // namespace thalweg::cuda
