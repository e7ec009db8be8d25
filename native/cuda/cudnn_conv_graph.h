// Convolutions and their gradients as graphs of cuDNN. Only for files that were compiled with cuDNN's header.
#pragma once
#include <optional>

#include "cuda/cudnn.h"
#include "operands/conv.h"

namespace thalweg::cuda {

// The numbers of a convolution's tensors: the input's side, the weights, the output's side, and what is added to the
// result (of x's or y's channels).
constexpr int64_t kCudnnX = 1, kCudnnWeight = 2, kCudnnY = 3, kCudnnBias = 4;

// A convolution in cuDNN's terms: two or three spatial dimensions, zeros on both sides. Weights are channels-last, too:
// with images that are, that is what engines take without converting in workspace.
struct CudnnConvolution {
  ConvKind kind;
  DType dtype;
  bool winograd;      // may be used
  bool lastX, lastY;  // images that are channels-last; else contiguous
  std::vector<int64_t> x, weight, y;
  std::vector<int64_t> before, after, stride, dilation;
  bool bias = false;             // added by cuDNN
  int64_t resultAlignment = 16;  // of its memory; operands are aligned to 16 bytes

  CudnnRules rules() const;
  CudnnKey key() const;
  void describe(CudnnGraph& graph) const;
};

// Null where cuDNN has no words for it, or numbers that are too small.
std::optional<CudnnConvolution> cudnnConvolution(ConvKind kind, DType dtype, const ConvShape& shape, bool winograd,
                                                 bool lastX, bool lastY);

}  // namespace thalweg::cuda
