// Images [n, c, spatial...] in memory, the numbers that say what is done to them, and the checks of both.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {

// Sizes, strides, paddings and dilations up to this: their products and sums fit into 64 bits.
constexpr int64_t kSizeLimit = int64_t{1} << 30;

inline bool emptyView(const TensorView& view) {
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] == 0) return true;
  return false;
}

// True if the channels of a position lie side by side and everything else follows without gaps; of a view of at least
// two dimensions.
inline bool isChannelsLast(const TensorView& view) {
  int64_t expected = view.shape[1];
  bool fits = view.shape[1] == 1 || view.strides[1] == 1;
  for (int d = view.ndim - 1; d > 1; d--) {
    fits = fits && (view.shape[d] == 1 || view.strides[d] == expected);
    expected *= view.shape[d];
  }
  return fits && (view.shape[0] == 1 || view.strides[0] == expected);
}

// A batch of images in memory: steps in elements to the next channel, position along each dimension, and image.
struct ImageLayout {
  int64_t channel = 1, at[3] = {0, 0, 0}, image = 0;
  bool channelsLast() const { return channel == 1; }
};

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

inline void readNumbers(const char* op, Scalars geometry, int64_t from, int64_t* to, int64_t count, int64_t low) {
  for (int64_t i = 0; i < count; i++) {
    const double value = geometry[from + i];
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(kSizeLimit)) ||
        value != static_cast<double>(static_cast<int64_t>(value)))
      fail(ErrorKind::Native, "%s: number %lld of the geometry is %g, expected an integer from %lld to 2^30", op,
           static_cast<long long>(from + i), value, static_cast<long long>(low));
    to[i] = static_cast<int64_t>(value);
  }
}

inline void checkFloats(const char* op, const char* name, const TensorView& view, const TensorView& first,
                        Floats takes = Floats::Wide) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (!takesFloat(takes, view.dtype))
    fail(ErrorKind::DType, "%s: %s is %s, expected %s", op, name, dtypeName(view.dtype),
         takes == Floats::All ? "a floating dtype" : "float32 or float64");
  if (view.dtype != first.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, the result %s", op, name, dtypeName(view.dtype), dtypeName(first.dtype));
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] > kSizeLimit) fail(ErrorKind::Shape, "%s: %s has a size above 2^30", op, name);
}

inline void checkContiguous(const char* op, const char* name, const TensorView& view) {
  if (!view.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
}

inline void checkOperand(const char* op, const char* name, const TensorView& view, const TensorView& first,
                         Floats takes = Floats::Wide) {
  checkFloats(op, name, view, first, takes);
  checkContiguous(op, name, view);
}

// What lies as x does: `last` channels-last, else contiguous.
inline void checkOrder(const char* op, const char* name, const TensorView& view, bool last) {
  if (emptyView(view) || (last ? isChannelsLast(view) : view.isContiguous())) return;
  fail(ErrorKind::Native, "%s: %s is not %s", op, name, last ? "channels-last" : "contiguous");
}

}  // namespace THALWEG_KERNELS
