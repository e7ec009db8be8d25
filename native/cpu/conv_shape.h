// The sizes of a convolution, read from its operands and checked; and walks over its patches.
#pragma once
#include <algorithm>

#include "cpu/kernel.h"
#include "cpu/matmul_tile.h"
#include "cpu/shape_text.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Sizes, strides, paddings and dilations up to this: their products and sums fit into 64 bits.
constexpr int64_t kConvLimit = int64_t{1} << 30;
// Slots of threadScratch; see kScratchOfCallers.
constexpr int kSlotTile = 4, kSlotPlane = 5, kSlotTaps = 6, kSlotPartial = 7;
// Floating-point operations that are worth a task.
constexpr double kConvTask = 1e6;

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

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
  int64_t depth() const { return cin * taps; }
  // Patches are the input itself.
  bool pointwise() const {
    for (int d = 0; d < 3; d++)
      if (kernel[d] != 1 || stride[d] != 1 || padding[d] != 0 || in[d] != out[d]) return false;
    return true;
  }
  double flops() const {
    return 2.0 * static_cast<double>(images) * static_cast<double>(groups * cout) * static_cast<double>(depth()) *
           static_cast<double>(outSize);
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

inline void checkOperand(const char* op, const char* name, const TensorView& view, const TensorView& first) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (view.dtype != DType::Float32 && view.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: %s is %s, expected float32 or float64", op, name, dtypeName(view.dtype));
  if (view.dtype != first.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, the result %s", op, name, dtypeName(view.dtype), dtypeName(first.dtype));
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] > kConvLimit) fail(ErrorKind::Shape, "%s: %s has a size above 2^30", op, name);
  if (!view.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
}

inline void readSpatial(const TensorView& view, int64_t* sizes) {
  const int spatial = view.ndim - 2;
  for (int d = 0; d < spatial; d++) sizes[3 - spatial + d] = view.shape[2 + d];
}

// x, weight and y are the operands, whichever of them is the result.
inline ConvShape readConvShape(const char* op, const TensorView& x, const TensorView& weight, const TensorView& y,
                               Scalars geometry) {
  checkOperand(op, "y", y, y);
  checkOperand(op, "x", x, y);
  checkOperand(op, "weight", weight, y);
  ConvShape s;
  if (geometry.count != 10)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected 10", op, static_cast<long long>(geometry.count));
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

// Where the taps of a patch row lie: for each of `channels` channels and each tap a row, in it the positions [p0, p1)
// in runs along the last dimension. Calls run(row, column, n, begin, end, offset): of the n columns from `column`,
// those of [begin, end) are in x, the first of them at `offset`; the others are padding.
template <class Run>
THALWEG_INLINE void forPatchRuns(const ConvShape& s, int64_t channels, int64_t p0, int64_t p1, Run&& run) {
  const int64_t width = s.out[2], step = s.stride[2];
  const int64_t x0 = p0 % width, y0 = p0 / width % s.out[1], z0 = p0 / width / s.out[1];
  int64_t row = 0;
  for (int64_t c = 0; c < channels; c++)
    for (int64_t kz = 0; kz < s.kernel[0]; kz++)
      for (int64_t ky = 0; ky < s.kernel[1]; ky++)
        for (int64_t kx = 0; kx < s.kernel[2]; kx++, row++) {
          const int64_t base = kx * s.dilation[2] - s.padding[2];
          const int64_t low = base >= 0 ? 0 : divideUp(-base, step);
          const int64_t high = base >= s.in[2] ? 0 : divideUp(s.in[2] - base, step);
          int64_t ox = x0, oy = y0, oz = z0;
          for (int64_t at = p0; at < p1;) {
            const int64_t n = std::min(width - ox, p1 - at);
            const int64_t iz = oz * s.stride[0] - s.padding[0] + kz * s.dilation[0];
            const int64_t iy = oy * s.stride[1] - s.padding[1] + ky * s.dilation[1];
            int64_t begin = 0, end = 0, offset = 0;
            if (iz >= 0 && iz < s.in[0] && iy >= 0 && iy < s.in[1]) {
              begin = std::min(std::max(low - ox, int64_t{0}), n);
              end = std::max(begin, std::min(high - ox, n));
              offset = ((c * s.in[0] + iz) * s.in[1] + iy) * s.in[2] + (ox + begin) * step + base;
            }
            run(row, at - p0, n, begin, end, offset);
            at += n;
            ox = 0;
            if (++oy == s.out[1]) {
              oy = 0;
              oz++;
            }
          }
        }
}

// The patch matrix of `channels` channels from x on, positions [p0, p1): a row for each channel and tap.
template <class T>
__attribute__((noinline)) void gatherPatches(const ConvShape& s, const T* x, int64_t channels, int64_t p0, int64_t p1,
                                             T* tile, int64_t ld) {
  const int64_t step = s.stride[2];
  forPatchRuns(s, channels, p0, p1,
               [=](int64_t row, int64_t column, int64_t n, int64_t begin, int64_t end, int64_t offset) {
                 T* to = tile + row * ld + column;
                 for (int64_t i = 0; i < begin; i++) to[i] = 0;
                 if (begin < end) {
                   const T* from = x + offset;
                   if (step == 1) {
                     for (int64_t i = begin; i < end; i++) to[i] = from[i - begin];
                   } else {
                     for (int64_t i = begin; i < end; i++) to[i] = from[(i - begin) * step];
                   }
                 }
                 for (int64_t i = end; i < n; i++) to[i] = 0;
               });
}

// The reverse: adds the patch matrix to the places that its elements came from.
template <class T>
__attribute__((noinline)) void addPatches(const ConvShape& s, T* x, int64_t channels, int64_t p0, int64_t p1,
                                          const T* tile, int64_t ld) {
  const int64_t step = s.stride[2];
  forPatchRuns(s, channels, p0, p1,
               [=](int64_t row, int64_t column, int64_t, int64_t begin, int64_t end, int64_t offset) {
                 if (begin >= end) return;
                 const T* __restrict from = tile + row * ld + column + begin;
                 T* __restrict to = x + offset;
                 const int64_t n = end - begin;
                 if (step == 1) {
                   for (int64_t i = 0; i < n; i++) to[i] += from[i];
                 } else {
                   for (int64_t i = 0; i < n; i++) to[i * step] += from[i];
                 }
               });
}

template <class T>
T* convScratch(int slot, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
}

template <class T>
void fillRows(T* out, int64_t rows, int64_t n, int64_t stride, const T* bias) {
  for (int64_t r = 0; r < rows; r++) {
    const T value = bias != nullptr ? bias[r] : T(0);
    for (int64_t i = 0; i < n; i++) out[r * stride + i] = value;
  }
}

// How many tasks of a size are worth a chunk of parallelFor.
inline int64_t convGrain(const ConvShape& s, int64_t tasks) {
  return static_cast<int64_t>(kConvTask * static_cast<double>(tasks) / (s.flops() + 1)) + 1;
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
