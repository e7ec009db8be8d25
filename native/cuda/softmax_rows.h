// The rows of a softmax: along any dimension of operands of one shape and any strides.
#pragma once
#include "cuda/kernel.h"
#include "cuda/row_access.h"
#include "cuda/walk.h"

namespace thalweg::cuda {

// Operand 0 is written, the others are read. The dimension of the rows, and the others merged where all operands allow
// it, the one with the smallest stride of operand 1 last.
template <int N>
struct SoftmaxRows {
  int64_t n = 1;
  int64_t strides[N];
  Walk<N> rows;
  bool anyDouble = false, oneType = true;

  SoftmaxRows(const char* op, const TensorView* const (&views)[N], int64_t dim) {
    const TensorView& first = *views[0];
    for (int i = 0; i < N; i++) {
      const TensorView& view = *views[i];
      if (!view.defined) fail(ErrorKind::Native, "%s: operand %d is undefined", op, i);
      if (!isFloating(view.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", op, dtypeName(view.dtype));
      if (!sameShape(view, first)) fail(ErrorKind::Shape, "%s: operands 0 and %d differ in shape", op, i);
      strides[i] = 1;
      anyDouble = anyDouble || view.dtype == DType::Float64;
      oneType = oneType && view.dtype == first.dtype;
    }
    if (dim < 0 || dim >= (first.ndim == 0 ? 1 : first.ndim))
      fail(ErrorKind::Shape, "%s: dim %lld of a tensor of %d dimensions", op, static_cast<long long>(dim), first.ndim);
    int last = -1;
    for (int d = 0; d < first.ndim; d++) {
      if (d == dim || first.shape[d] == 1) continue;
      if (last < 0 || views[1]->strides[d] <= views[1]->strides[last]) last = d;
    }
    const auto add = [&](int d) {
      if constexpr (N == 2)
        rows.add(first.shape[d], views[0]->strides[d], views[1]->strides[d]);
      else
        rows.add(first.shape[d], views[0]->strides[d], views[1]->strides[d], views[2]->strides[d]);
    };
    for (int d = 0; d < first.ndim; d++)
      if (d != dim && d != last) add(d);
    if (last >= 0) add(last);
    if (first.ndim > 0) {
      n = first.shape[dim];
      for (int i = 0; i < N; i++) strides[i] = views[i]->strides[dim];
    }
  }

  bool empty() const { return n == 0 || rows.count == 0; }
  // Whether neighbours of a row's element belong to other rows: threads side by side then take a row each.
  bool sideBySide() const {
    const int64_t side = rows.ndim == 0 ? 1 : rows.shape[rows.ndim - 1];
    const bool short_ = n <= 8 && strides[1] == 1;
    return side >= kWarp / 2 && (short_ || (n > 1 && rows.strides[rows.ndim - 1][1] < strides[1]));
  }
  // Whether operands can be moved 16 bytes, `count` elements, at a time.
  bool vectors(const TensorView* const (&views)[N], int count) const {
    bool fits = count > 1 && n % count == 0;
    for (int i = 0; i < N; i++) {
      fits = fits && strides[i] == 1 && isAligned(views[i]->data);
      for (int d = 0; d < rows.ndim; d++) fits = fits && rows.strides[d][i] % count == 0;
    }
    return fits;
  }
};

}  // namespace thalweg::cuda
