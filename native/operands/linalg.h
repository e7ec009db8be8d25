// The operands of the factorisations, checked: matrices of a batch, and what goes with them.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

inline int64_t rowsOf(const TensorView& view) { return view.shape[view.ndim - 2]; }
inline int64_t columnsOf(const TensorView& view) { return view.shape[view.ndim - 1]; }

inline void checkMatrix(const char* op, const char* name, const TensorView& x) {
  if (!x.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
  if (x.dtype != DType::Float32 && x.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: %s must be float32 or float64, not %s", op, name, dtypeName(x.dtype));
  if (x.ndim < 2) fail(ErrorKind::Shape, "%s: %s has %d dimensions, a matrix has 2", op, name, x.ndim);
}

inline void checkSquare(const char* op, const char* name, const TensorView& x) {
  checkMatrix(op, name, x);
  if (rowsOf(x) != columnsOf(x))
    fail(ErrorKind::Shape, "%s: the matrices are %s, not square", op, shapeText(x).c_str());
}

// A view whose last dimensions are `tail`, and whose others are those of the matrices x.
inline void checkLike(const char* op, const char* name, const TensorView& view, DType dtype, const TensorView& x,
                      const int64_t* tail, int count) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
  if (view.dtype != dtype)
    fail(ErrorKind::DType, "%s: %s must be %s, not %s", op, name, dtypeName(dtype), dtypeName(view.dtype));
  bool same = view.ndim == x.ndim - 2 + count;
  for (int d = 0; same && d < view.ndim; d++)
    same = view.shape[d] == (d < x.ndim - 2 ? x.shape[d] : tail[d - x.ndim + 2]);
  if (!same) {
    fail(ErrorKind::Shape, "%s: %s has shape %s, which does not go with matrices of shape %s", op, name,
         shapeText(view).c_str(), shapeText(x).c_str());
  }
}

inline void checkMatrixLike(const char* op, const char* name, const TensorView& view, const TensorView& x, int64_t m,
                            int64_t n) {
  const int64_t tail[2] = {m, n};
  checkLike(op, name, view, x.dtype, x, tail, 2);
}

inline void checkVectorLike(const char* op, const char* name, const TensorView& view, DType dtype, const TensorView& x,
                            int64_t n) {
  checkLike(op, name, view, dtype, x, &n, 1);
}

struct SvdSizes {
  int64_t m, n, k, l;  // k the smaller of m and n, l the larger
  bool vectors, wide;
  int64_t columns;  // of the factor on the longer side
};
inline SvdSizes checkSvd(const char* op, const OptionalTensor& u, const TensorView& s, const OptionalTensor& vh,
                         const TensorView& x) {
  checkMatrix(op, "x", x);
  const int64_t m = rowsOf(x), n = columnsOf(x), k = m < n ? m : n, l = m < n ? n : m;
  checkVectorLike(op, "s", s, x.dtype, x, k);
  const bool vectors = u.defined, wide = m < n;
  if (vectors != vh.defined) fail(ErrorKind::Native, "%s: u and vh must both be given or both be missing", op);
  int64_t columns = 0;
  if (vectors) {
    const bool full = wide ? vh.ndim >= 2 && rowsOf(vh) == l : u.ndim >= 2 && columnsOf(u) == l;
    columns = full ? l : k;
    checkMatrixLike(op, "u", u, x, m, wide ? k : columns);
    checkMatrixLike(op, "vh", vh, x, wide ? columns : k, n);
  }
  return {m, n, k, l, vectors, wide, columns};
}

}  // namespace
}  // namespace THALWEG_KERNELS
