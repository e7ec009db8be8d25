// The operands of pooling, checked.
#pragma once
#include "operands/images.h"

namespace THALWEG_KERNELS {

// Everything has three spatial dimensions here; those that a tensor lacks come first and have size 1.
struct PoolGeometry {
  int64_t images = 0, channels = 0;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  int64_t kernel[3], stride[3], padding[3], dilation[3] = {1, 1, 1};
  bool adaptive = false, countPadding = false;
  bool last = false;  // x and y are channels-last, else contiguous
  double divisor = 0;

  bool empty() const { return images * channels == 0; }
  constexpr int64_t inSize() const { return in[0] * in[1] * in[2]; }
  constexpr int64_t outSize() const { return out[0] * out[1] * out[2]; }

  // Taps of the largest window along `d`.
  int64_t mostTaps(int d) const {
    if (!adaptive) return kernel[d];
    return out[d] == 0 ? 0 : (in[d] + out[d] - 1) / out[d] + (in[d] % out[d] != 0 ? 1 : 0);
  }
  // Numbers of taps of a window are below this.
  double numbers() const {
    return static_cast<double>(mostTaps(0)) * static_cast<double>(mostTaps(1)) * static_cast<double>(mostTaps(2));
  }
};

inline PoolGeometry readPool(const char* op, const TensorView& x, const TensorView& y, Scalars geometry,
                             int64_t numbers) {
  checkFloats(op, "y", y, y);
  checkFloats(op, "x", x, y);
  PoolGeometry s;
  if (geometry.count != numbers)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected %lld", op, static_cast<long long>(geometry.count),
         static_cast<long long>(numbers));
  readNumbers(op, geometry, 0, s.kernel, 3, 0);
  readNumbers(op, geometry, 3, s.stride, 3, 1);
  readNumbers(op, geometry, 6, s.padding, 3, 0);
  s.adaptive = s.kernel[0] == 0 && s.kernel[1] == 0 && s.kernel[2] == 0;
  if (!s.adaptive && (s.kernel[0] == 0 || s.kernel[1] == 0 || s.kernel[2] == 0))
    fail(ErrorKind::Native, "%s: a kernel of size 0", op);
  if (x.ndim < 3 || x.ndim > 5 || y.ndim != x.ndim || x.shape[0] != y.shape[0] || x.shape[1] != y.shape[1])
    fail(ErrorKind::Shape, "%s: x %s and y %s must have 3 to 5 dimensions and the same planes", op,
         shapeText(x).c_str(), shapeText(y).c_str());
  s.last = !(x.isContiguous() && y.isContiguous());
  checkOrder(op, "x", x, s.last);
  checkOrder(op, "y", y, s.last);
  readSpatial(x, s.in);
  readSpatial(y, s.out);
  if (emptyView(y)) return s;
  if (s.in[0] == 0 || s.in[1] == 0 || s.in[2] == 0)
    fail(ErrorKind::Shape, "%s: x %s has no elements", op, shapeText(x).c_str());
  s.images = x.shape[0];
  s.channels = x.shape[1];
  return s;
}

// What max pooling has besides: dilation, and no window without taps. Shape: with the taps of a window.
template <class Shape>
void readMaxPool(const char* op, Shape& s, const TensorView& x, Scalars geometry) {
  readNumbers(op, geometry, 9, s.dilation, 3, 1);
  if (s.adaptive && (s.dilation[0] != 1 || s.dilation[1] != 1 || s.dilation[2] != 1))
    fail(ErrorKind::Native, "%s: adaptive windows have no dilation", op);
  if (s.empty()) return;
  for (int d = 0; d < 3; d++)
    for (int64_t o = 0; o < s.out[d]; o++)
      if (s.taps(d, o).count == 0) fail(ErrorKind::Shape, "%s: a window of x %s is empty", op, shapeText(x).c_str());
}

inline void checkTaps(const char* op, const PoolGeometry& s, const TensorView& taps, const TensorView& y) {
  if (!taps.defined) fail(ErrorKind::Native, "%s: taps is undefined", op);
  if (taps.dtype != DType::UInt8 && taps.dtype != DType::Int32)
    fail(ErrorKind::DType, "%s: taps are %s, expected uint8 or int32", op, dtypeName(taps.dtype));
  if (!sameShape(taps, y))
    fail(ErrorKind::Shape, "%s: taps %s do not have the shape of the values %s", op, shapeText(taps).c_str(),
         shapeText(y).c_str());
  checkOrder(op, "taps", taps, s.last);
  if (s.numbers() > (taps.dtype == DType::UInt8 ? 256.0 : 2147483647.0))
    fail(ErrorKind::Shape, "%s: %s cannot number the taps of a window", op, dtypeName(taps.dtype));
}

}  // namespace THALWEG_KERNELS
