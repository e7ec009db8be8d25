// The sizes of a convolution and the places of its operands in memory, read and checked on the host.
#pragma once
#include <algorithm>

#include "cuda/kernel.h"
#include "cuda/shape_text.h"

namespace thalweg::cuda {

// Sizes, strides, paddings and dilations up to this: their products and sums fit into 64 bits.
constexpr int64_t kConvLimit = int64_t{1} << 30;

// Everything has three spatial dimensions here; those that a tensor lacks come first and have size 1.
struct ConvShape {
  int64_t images = 0, groups = 1, cin = 0, cout = 0;  // channels of a group
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3], padding[3], dilation[3];
  // Products; set when no operand is empty.
  int64_t inSize = 0, outSize = 0, taps = 0;

  void multiply() {
    inSize = in[0] * in[1] * in[2];
    outSize = out[0] * out[1] * out[2];
    taps = kernel[0] * kernel[1] * kernel[2];
  }
};

inline void readNumbers(const char* op, Scalars geometry, int64_t from, int64_t* to, int64_t count, int64_t low) {
  for (int64_t i = 0; i < count; i++) {
    const double value = geometry[from + i];
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(kConvLimit)) ||
        value != static_cast<double>(static_cast<int64_t>(value)))
      fail(ErrorKind::Native, "%s: number %lld of the geometry is %g, expected an integer from %lld to 2^30", op,
           static_cast<long long>(from + i), value, static_cast<long long>(low));
    to[i] = static_cast<int64_t>(value);
  }
}

inline bool emptyView(const TensorView& view) {
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] == 0) return true;
  return false;
}

inline void checkFloats(const char* op, const char* name, const TensorView& view, const TensorView& first) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (!isFloating(view.dtype))
    fail(ErrorKind::DType, "%s: %s is %s, expected a floating dtype", op, name, dtypeName(view.dtype));
  if (view.dtype != first.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, the result %s", op, name, dtypeName(view.dtype), dtypeName(first.dtype));
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] > kConvLimit) fail(ErrorKind::Shape, "%s: %s has a size above 2^30", op, name);
}

inline void checkOperand(const char* op, const char* name, const TensorView& view, const TensorView& first) {
  checkFloats(op, name, view, first);
  if (!view.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
}

// A batch of images in memory: steps in elements to the next channel, position along each dimension, and image.
struct ImageLayout {
  int64_t channel = 1, at[3] = {0, 0, 0}, image = 0;
  bool channelsLast() const { return channel == 1; }
};

// True if the channels of a position lie side by side and everything else follows without gaps.
inline bool isChannelsLast(const TensorView& view) {
  int64_t expected = view.shape[1];
  bool fits = view.shape[1] == 1 || view.strides[1] == 1;
  for (int d = view.ndim - 1; d > 1; d--) {
    fits = fits && (view.shape[d] == 1 || view.strides[d] == expected);
    expected *= view.shape[d];
  }
  return fits && (view.shape[0] == 1 || view.strides[0] == expected);
}

// Of a tensor without empty dimensions; one that has both orders counts as channels-last.
inline ImageLayout readImages(const char* op, const char* name, const TensorView& view, bool onlyChannelsLast) {
  ImageLayout layout;
  int64_t step = 1;
  const bool last = isChannelsLast(view);
  if (last) {
    step = view.shape[1];
  } else if (onlyChannelsLast) {
    fail(ErrorKind::Native, "%s: %s is not channels-last", op, name);
  } else if (!view.isContiguous()) {
    fail(ErrorKind::Native, "%s: %s is neither contiguous nor channels-last", op, name);
  }
  for (int d = view.ndim - 1; d > 1; d--) {
    layout.at[d - view.ndim + 3] = step;
    step *= view.shape[d];
  }
  if (!last) {
    layout.channel = step;
    step *= view.shape[1];
  }
  layout.image = step;
  return layout;
}

inline void readSpatial(const TensorView& view, int64_t* sizes) {
  const int spatial = view.ndim - 2;
  for (int d = 0; d < spatial; d++) sizes[3 - spatial + d] = view.shape[2 + d];
}

// x, weight and y are the operands, whichever of them is the result.
inline ConvShape readConvShape(const char* op, const TensorView& x, const TensorView& weight, const TensorView& y,
                               Scalars geometry) {
  checkFloats(op, "y", y, y);
  checkFloats(op, "x", x, y);
  checkOperand(op, "weight", weight, y);
  ConvShape s;
  if (geometry.count != 11)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected 11", op, static_cast<long long>(geometry.count));
  readNumbers(op, geometry, 0, s.stride, 3, 1);
  readNumbers(op, geometry, 3, s.padding, 3, 0);
  readNumbers(op, geometry, 6, s.dilation, 3, 1);
  readNumbers(op, geometry, 9, &s.groups, 1, 1);
  if (x.ndim < 3 || x.ndim > 5 || weight.ndim != x.ndim || y.ndim != x.ndim)
    fail(ErrorKind::Shape, "%s: x %s, weight %s and y %s must have 3, 4 or 5 dimensions", op, shapeText(x).c_str(),
         shapeText(weight).c_str(), shapeText(y).c_str());
  s.images = x.shape[0];
  s.cin = weight.shape[1];
  s.cout = weight.shape[0] / s.groups;
  if (y.shape[0] != x.shape[0] || x.shape[1] != s.cin * s.groups || weight.shape[0] != s.cout * s.groups ||
      y.shape[1] != weight.shape[0])
    fail(ErrorKind::Shape, "%s: x %s, weight %s and y %s do not fit with %lld groups", op, shapeText(x).c_str(),
         shapeText(weight).c_str(), shapeText(y).c_str(), static_cast<long long>(s.groups));
  readSpatial(x, s.in);
  readSpatial(weight, s.kernel);
  readSpatial(y, s.out);
  if (!emptyView(x) && !emptyView(weight) && !emptyView(y)) s.multiply();
  return s;
}

inline void checkConvBias(const char* op, const OptionalTensor& bias, const TensorView& out) {
  if (!bias.defined) return;
  checkOperand(op, "bias", bias, out);
  if (bias.ndim != 1 || bias.shape[0] != out.shape[1])
    fail(ErrorKind::Shape, "%s: bias %s does not fit the result %s", op, shapeText(bias).c_str(),
         shapeText(out).c_str());
}

// A convolution or one of its gradients: x, weight and y, one of which is the result.
enum class ConvKind : int64_t { Forward, BackwardData, BackwardWeight };

struct Convolution {
  const char* op;
  ConvKind kind;
  ConvShape shape;
  TensorView x, weight, y;
  OptionalTensor bias;  // of the result's channels; never with a gradient of the weight
  bool winograd;        // may be used

  const TensorView& result() const {
    return kind == ConvKind::Forward ? y : kind == ConvKind::BackwardData ? x : weight;
  }
};

// The checks of all three.
inline Convolution readConvolution(const char* op, ConvKind kind, const TensorView& x, const TensorView& weight,
                                   const TensorView& y, const OptionalTensor& bias, Scalars geometry) {
  Convolution c{op, kind, readConvShape(op, x, weight, y, geometry), x, weight, y, bias, geometry[10] != 0};
  checkConvBias(op, bias, c.result());
  return c;
}

}  // namespace thalweg::cuda
