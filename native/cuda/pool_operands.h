// Operands of pooling and resampling, checked as the CPU's are.
#pragma once
#include "cuda/kernel.h"
#include "cuda/norm_operands.h"
#include "operands/check.h"

namespace thalweg::cuda {
namespace {

// Sizes, strides, paddings and dilations up to this: their products and sums fit into 64 bits.
constexpr int64_t kPoolLimit = int64_t{1} << 30;

inline void readNumbers(const char* op, Scalars geometry, int64_t from, int64_t* to, int64_t count, int64_t low) {
  for (int64_t i = 0; i < count; i++) {
    const double value = geometry[from + i];
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(kPoolLimit)) ||
        value != static_cast<double>(static_cast<int64_t>(value)))
      fail(ErrorKind::Native, "%s: number %lld of the geometry is %g, expected an integer from %lld to 2^30", op,
           static_cast<long long>(from + i), value, static_cast<long long>(low));
    to[i] = static_cast<int64_t>(value);
  }
}

inline void checkFloats(const char* op, const char* name, const TensorView& view, const TensorView& first) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (view.dtype != DType::Float32 && view.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: %s is %s, expected float32 or float64", op, name, dtypeName(view.dtype));
  if (view.dtype != first.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, the result %s", op, name, dtypeName(view.dtype), dtypeName(first.dtype));
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] > kPoolLimit) fail(ErrorKind::Shape, "%s: %s has a size above 2^30", op, name);
}

// What lies as x does: `last` channels-last, else contiguous.
inline void checkOrder(const char* op, const char* name, const TensorView& view, bool last) {
  if (emptyView(view) || (last ? isChannelsLast(view) : view.isContiguous())) return;
  fail(ErrorKind::Native, "%s: %s is not %s", op, name, last ? "channels-last" : "contiguous");
}

}  // namespace
}  // namespace thalweg::cuda
