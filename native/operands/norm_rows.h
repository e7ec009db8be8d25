// The operands of normalisations of rows, checked.
#pragma once
#include "operands/norm.h"

namespace THALWEG_KERNELS {
namespace {

inline void requireSame(const char* op, const TensorView& t, const char* name, const TensorView& x) {
  requireShape(op, t, name, x);
  requireContiguous(op, t, name);
}

// Parameters go with runs of `inner` elements, `channels` of them in turn: a row has n / inner, starting anywhere.
struct Rows {
  int64_t rows, n, inner, channels;

  int64_t runs() const { return n / inner; }
  int64_t channelOf(int64_t row) const { return row * runs() % channels; }
};

inline void checkChannels(const char* op, Rows& s, const TensorView& t, const char* name, const TensorView& x) {
  if (!t.defined) return;
  if (s.channels < 0) s.channels = t.numel();
  requireCount(op, t, name, x, s.channels);
}

inline Rows rowsOf(const char* op, const TensorView& x, const TensorView& rstd, int64_t inner) {
  requireInput(op, x);
  requireContiguous(op, x, "x");
  if (x.ndim != 2) fail(ErrorKind::Shape, "%s: x must have 2 dimensions, not shape %s", op, shapeText(x).c_str());
  requireCount(op, rstd, "rstd", x, x.shape[0]);
  return {x.shape[0], x.shape[1], inner, -1};
}

// Without parameters a row is one run.
inline void finishRows(const char* op, Rows& s) {
  if (s.channels < 0) {
    s.channels = 1;
    s.inner = s.n;
  }
  if (s.rows == 0 || s.n == 0) return;
  const bool whole = s.inner >= 1 && s.n % s.inner == 0;
  if (!whole || s.channels < 1 || s.channels % s.runs() != 0 || s.rows * s.runs() % s.channels != 0)
    fail(ErrorKind::Shape, "%s: %lld channels of %lld elements do not fit into rows of %lld", op,
         static_cast<long long>(s.channels), static_cast<long long>(s.inner), static_cast<long long>(s.n));
}

}  // namespace
}  // namespace THALWEG_KERNELS
