#if defined(THALWEG_HAS_CUDNN)
#include "cuda/cudnn_conv_graph.h"

#include <algorithm>

namespace thalweg::cuda {
namespace {

// Strides of a tensor without gaps whose dimension 1 is the channels.
std::vector<int64_t> stridesOf(const std::vector<int64_t>& shape, bool channelsLast) {
  std::vector<int64_t> strides(shape.size());
  int64_t step = channelsLast ? shape[1] : 1;
  for (size_t d = shape.size() - 1; d > 1; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  strides[1] = channelsLast ? 1 : step;
  strides[0] = channelsLast ? step : step * shape[1];
  return strides;
}

// Zeros behind, so that the output has as many places as it has; as many as in front where that comes to the same,
// which engines like best. Null: no number of them does.
std::optional<int64_t> paddingBehind(int64_t in, int64_t out, int64_t before, int64_t kernel, int64_t stride,
                                     int64_t dilation) {
  const int64_t reach = dilation * (kernel - 1) + 1;
  const int64_t exact = (out - 1) * stride + reach - in - before;
  for (const int64_t after : {before, std::max<int64_t>(exact, 0)}) {
    const int64_t room = in + before + after - reach;
    if (room >= 0 && room / stride + 1 == out) return after;
  }
  return std::nullopt;
}

// The tensor between a convolution and the bias.
constexpr int64_t kSum = 5;

// How the three operations call what they have in common.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, x, weight, y, alpha, beta;
};
// In the order of ConvKind.
constexpr Names kNames[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

}  // namespace

std::optional<CudnnConvolution> cudnnConvolution(ConvKind kind, DType dtype, const ConvShape& s, bool winograd,
                                                 bool lastX, bool lastY) {
  CudnnConvolution c{kind, dtype, winograd, lastX, lastY, {}, {}, {}, {}, {}, {}, {}};
  c.x = {s.images, s.cin * s.groups};
  c.weight = {s.cout * s.groups, s.cin};
  c.y = {s.images, s.cout * s.groups};
  // A first dimension in which nothing happens is left out.
  const bool flat = s.in[0] == 1 && s.out[0] == 1 && s.kernel[0] == 1 && s.padding[0] == 0;
  for (int d = flat ? 1 : 0; d < 3; d++) {
    const auto after = paddingBehind(s.in[d], s.out[d], s.padding[d], s.kernel[d], s.stride[d], s.dilation[d]);
    if (!after) return std::nullopt;
    c.x.push_back(s.in[d]);
    c.weight.push_back(s.kernel[d]);
    c.y.push_back(s.out[d]);
    c.before.push_back(s.padding[d]);
    c.after.push_back(*after);
    c.stride.push_back(s.stride[d]);
    // Of a single tap it means nothing.
    c.dilation.push_back(s.kernel[d] == 1 ? 1 : s.dilation[d]);
  }
  // cuDNN's kernels count in 32 bits.
  for (const std::vector<int64_t>* shape : {&c.x, &c.weight, &c.y}) {
    int64_t count = 1;
    for (const int64_t size : *shape) {
      if (size > INT32_MAX / count) return std::nullopt;
      count *= size;
    }
  }
  return c;
}

CudnnRules CudnnConvolution::rules() const {
  CudnnRules rules = cudnnRules(dtype);
  // Thalweg's own kernels are no slower than engines of last resort.
  rules.lastResort = false;
  // An infinity or NaN would spoil whole images; and the transforms of large tiles, or in 16 bits, lose too much.
  rules.refusedNotes |= cudnnNote(CUDNN_NUMERICAL_NOTE_FFT) | cudnnNote(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13);
  if (!winograd || dtype != DType::Float32) rules.refusedNotes |= cudnnNote(CUDNN_NUMERICAL_NOTE_WINOGRAD);
  return rules;
}

CudnnKey CudnnConvolution::key() const {
  CudnnKey key = {static_cast<int64_t>(CudnnFamily::Convolution),
                  static_cast<int64_t>(kind),
                  static_cast<int64_t>(dtype),
                  lastX,
                  lastY,
                  bias,
                  resultAlignment,
                  static_cast<int64_t>(x.size())};
  for (const std::vector<int64_t>* numbers : {&x, &weight, &y, &before, &after, &stride, &dilation})
    key.insert(key.end(), numbers->begin(), numbers->end());
  return key;
}

void CudnnConvolution::describe(CudnnGraph& graph) const {
  const cudnnDataType_t data = cudnnTypeOf(dtype);
  const cudnnDataType_t sums = dtype == DType::Float64 ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT;
  const auto tensor = [&](int64_t id, const std::vector<int64_t>& shape, bool last,
                          ConvKind makes) -> CudnnDescriptor& {
    return graph.tensor({id, data, shape, stridesOf(shape, last), kind == makes ? resultAlignment : 16});
  };
  CudnnDescriptor& xOf = tensor(kCudnnX, x, lastX, ConvKind::BackwardData);
  CudnnDescriptor& weightOf = tensor(kCudnnWeight, weight, true, ConvKind::BackwardWeight);
  CudnnDescriptor& yOf = tensor(kCudnnY, y, lastY, ConvKind::Forward);
  // What the operation computes is a tensor of its own if the bias is still to be added.
  CudnnDescriptor* sum = nullptr;
  if (bias) sum = &graph.tensor({kSum, sums, y, stridesOf(y, lastY), 16, true});

  CudnnDescriptor& convolution = graph.descriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, sums)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<int64_t>(stride.size()))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride)
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilation)
      .finalize();
  const Names& names = kNames[static_cast<int>(kind)];
  CudnnDescriptor& operation = graph.operation(names.operation);
  operation.set(names.convolution, convolution)
      .set(names.x, xOf)
      .set(names.weight, weightOf)
      .set(names.y, sum ? *sum : yOf);
  if (dtype == DType::Float64) {
    operation.set(names.alpha, 1.0).set(names.beta, 0.0);
  } else {
    operation.set(names.alpha, 1.0f).set(names.beta, 0.0f);
  }
  operation.finalize();
  if (!sum) return;

  std::vector<int64_t> channels(y.size(), 1);
  channels[1] = y[1];
  CudnnDescriptor& biasOf = graph.tensor({kCudnnBias, data, channels, stridesOf(channels, true), 16});
  CudnnDescriptor& add = graph.descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  add.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD).set(CUDNN_ATTR_POINTWISE_MATH_PREC, sums).finalize();
  graph.operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *sum)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, biasOf)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, yOf)
      .finalize();
}

}  // namespace thalweg::cuda
#endif
