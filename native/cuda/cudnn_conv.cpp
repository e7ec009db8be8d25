#include "cuda/cudnn_conv.h"

#if defined(THALWEG_HAS_CUDNN)
#include "cuda/cudnn_conv_graph.h"
#include "cuda/cudnn_queue.h"
#include "cuda/gemm.h"
#include "cuda/kernel.h"

namespace thalweg::cuda {
namespace {

constexpr int kScratchOfWeights = 0;

bool isAligned(const TensorView& view) { return cudnnAlignment(view.data) == 16; }

// Adds the bias to images that are channels-last.
template <class T>
void addBias(Queue& queue, const TensorView& images, const TensorView& bias) {
  Product<T> p{};
  p.n = images.shape[1];
  p.m = images.numel() / p.n;
  p.c = images.as<T>();
  p.crs = p.n;
  p.ccs = p.biasCs = 1;
  p.bias = bias.as<const T>();
  finishProduct(queue, p);
}
void addBias(Queue& queue, const TensorView& images, const TensorView& bias) {
  switch (images.dtype) {
    case DType::Float64: return addBias<double>(queue, images, bias);
    case DType::Float16: return addBias<Half>(queue, images, bias);
    case DType::BFloat16: return addBias<BFloat16>(queue, images, bias);
    default: return addBias<float>(queue, images, bias);
  }
}

// Weights in the order that cuDNN is told of: themselves, or in scratch memory.
TensorView weightsForCudnn(Queue& queue, const TensorView& weight) {
  if (isChannelsLast(weight) && isAligned(weight)) return weight;
  TensorView packed = weight;
  packed.data = static_cast<char*>(queue.scratch(kScratchOfWeights, weight.numel() * itemSize(weight.dtype)));
  int64_t step = weight.shape[1];
  for (int d = weight.ndim - 1; d > 1; d--) {
    packed.strides[d] = step;
    step *= weight.shape[d];
  }
  packed.strides[1] = 1;
  packed.strides[0] = step;
  return packed;
}

}  // namespace

bool convolveByCudnn(Context& context, const Convolution& c) {
  Queue& queue = queueOf(context);
  if (!usesCudnn(queue)) return false;
  auto problem =
      cudnnConvolution(c.kind, c.result().dtype, c.shape, c.shape.winograd, isChannelsLast(c.x), isChannelsLast(c.y));
  if (!problem) return false;
  const bool ofWeight = c.kind == ConvKind::BackwardWeight;
  if (!ofWeight) problem->resultAlignment = cudnnAlignment(c.result().data);
  for (const TensorView* image : {&c.x, &c.y})
    if (image != &c.result() && !isAligned(*image)) return false;

  const auto find = [&] {
    return cudnnPlan(queue, problem->key(), problem->rules(), [&](CudnnGraph& graph) { problem->describe(graph); });
  };
  // cuDNN adds a bias to what a convolution gives, but to no gradient.
  problem->bias = c.bias.defined && c.kind == ConvKind::Forward && isAligned(c.bias);
  KeptCudnnPlan* plan = find();
  if (!plan && problem->bias) {
    problem->bias = false;
    plan = find();
  }
  if (!plan) return false;

  const TensorView weight = weightsForCudnn(queue, c.weight);
  const bool packed = weight.data != c.weight.data;
  if (packed && !ofWeight) copy(context, weight, c.weight);
  const bool done =
      problem->bias
          ? executeCudnn(
                queue, *plan,
                {{kCudnnX, c.x.data}, {kCudnnWeight, weight.data}, {kCudnnY, c.y.data}, {kCudnnBias, c.bias.data}})
          : executeCudnn(queue, *plan, {{kCudnnX, c.x.data}, {kCudnnWeight, weight.data}, {kCudnnY, c.y.data}});
  if (!done) return false;
  if (packed && ofWeight) copy(context, c.weight, weight);
  if (c.bias.defined && !problem->bias) addBias(queue, c.result(), c.bias);
  return true;
}

}  // namespace thalweg::cuda

#else

namespace thalweg::cuda {
bool convolveByCudnn(Context&, const Convolution&) { return false; }
}  // namespace thalweg::cuda

#endif
