// The operands of convolutions and their gradients, and of the patches of images, checked.
#pragma once
#include <algorithm>

#include "operands/images.h"

namespace THALWEG_KERNELS {

// Everything has three spatial dimensions here; those that a tensor lacks come first and have size 1.
struct ConvShape {
  int64_t images = 0, groups = 1, cin = 0, cout = 0;  // channels of a group
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int64_t stride[3], padding[3], dilation[3];
  bool winograd = false;  // may be used
  // Products; set when no operand is empty.
  int64_t inSize = 0, outSize = 0, taps = 0;

  void multiply() {
    inSize = in[0] * in[1] * in[2];
    outSize = out[0] * out[1] * out[2];
    taps = kernel[0] * kernel[1] * kernel[2];
  }
};

// x, weight and y are the operands, whichever of them is the result.
inline ConvShape readConvShape(const char* op, const TensorView& x, const TensorView& weight, const TensorView& y,
                               Scalars geometry, Floats takes = Floats::Wide) {
  checkFloats(op, "y", y, y, takes);
  checkFloats(op, "x", x, y, takes);
  checkOperand(op, "weight", weight, y, takes);
  ConvShape s;
  if (geometry.count != 11)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected 11", op, static_cast<long long>(geometry.count));
  readNumbers(op, geometry, 0, s.stride, 3, 1);
  readNumbers(op, geometry, 3, s.padding, 3, 0);
  readNumbers(op, geometry, 6, s.dilation, 3, 1);
  readNumbers(op, geometry, 9, &s.groups, 1, 1);
  s.winograd = geometry[10] != 0;
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

inline void checkConvBias(const char* op, const OptionalTensor& bias, const TensorView& out,
                          Floats takes = Floats::Wide) {
  if (!bias.defined) return;
  checkOperand(op, "bias", bias, out, takes);
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

  const TensorView& result() const {
    return kind == ConvKind::Forward ? y : kind == ConvKind::BackwardData ? x : weight;
  }
};

// The checks of all three.
inline Convolution readConvolution(const char* op, ConvKind kind, const TensorView& x, const TensorView& weight,
                                   const TensorView& y, const OptionalTensor& bias, Scalars geometry, Floats takes) {
  Convolution c{op, kind, readConvShape(op, x, weight, y, geometry, takes), x, weight, y, bias};
  checkConvBias(op, bias, c.result(), takes);
  return c;
}

inline ConvShape readFoldShape(const char* op, const TensorView& x, const TensorView& columns, Scalars geometry) {
  checkOperand(op, "x", x, x);
  checkOperand(op, "columns", columns, x);
  ConvShape s;
  if (geometry.count != 15)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected 15", op, static_cast<long long>(geometry.count));
  readNumbers(op, geometry, 0, s.out, 3, 1);
  readNumbers(op, geometry, 3, s.kernel, 3, 1);
  readNumbers(op, geometry, 6, s.stride, 3, 1);
  readNumbers(op, geometry, 9, s.padding, 3, 0);
  readNumbers(op, geometry, 12, s.dilation, 3, 1);
  if (x.ndim < 3 || x.ndim > 5 || columns.ndim != 3)
    fail(ErrorKind::Shape, "%s: x %s must have 3 to 5 dimensions and columns %s 3", op, shapeText(x).c_str(),
         shapeText(columns).c_str());
  s.images = x.shape[0];
  s.cin = x.shape[1];
  readSpatial(x, s.in);
  // Compared by dividing: products of three sizes may not fit 64 bits.
  const auto isProduct = [](int64_t n, int64_t a, const int64_t* factors) {
    if (a == 0) return n == 0;
    if (n % a != 0) return false;
    n /= a;
    for (int d = 0; d < 3; d++) {
      if (n % factors[d] != 0) return false;
      n /= factors[d];
    }
    return n == 1;
  };
  if (columns.shape[0] != s.images || !isProduct(columns.shape[1], s.cin, s.kernel) ||
      !isProduct(columns.shape[2], 1, s.out))
    fail(ErrorKind::Shape, "%s: x %s and columns %s do not fit the geometry", op, shapeText(x).c_str(),
         shapeText(columns).c_str());
  if (!emptyView(columns)) s.multiply();
  return s;
}

}  // namespace THALWEG_KERNELS
