// Checks that kernels make before they launch.
#pragma once
#include "operands/check.h"
#include "runtime/error.h"
#include "runtime/tensor.h"

namespace thalweg::cuda {

inline void checkInput(const char* op, const TensorView& x) {
  if (!x.defined || x.ndim > kMaxDims || static_cast<int>(x.dtype) >= kDTypeCount)
    fail(ErrorKind::Native, "%s: bad input (ndim %d, dtype %d)", op, x.ndim, static_cast<int>(x.dtype));
}

// An output has memory of its own for every element.
inline void checkOutput(const char* op, const TensorView& out) {
  if (!out.defined || out.ndim > kMaxDims || static_cast<int>(out.dtype) >= kDTypeCount)
    fail(ErrorKind::Native, "%s: bad output (ndim %d, dtype %d)", op, out.ndim, static_cast<int>(out.dtype));
  const int64_t numel = out.numel();
  for (int d = 0; numel > 0 && d < out.ndim; d++)
    if (out.shape[d] > 1 && out.strides[d] == 0)
      fail(ErrorKind::Shape, "%s: the output, shape %s, is expanded along dimension %d", op, shapeText(out).c_str(), d);
  checkMemory(op, "output", out);
}

}  // namespace thalweg::cuda
