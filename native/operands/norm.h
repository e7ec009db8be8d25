// The operands of normalisations, checked.
#pragma once
#include "operands/images.h"

namespace THALWEG_KERNELS {
namespace {

inline void requireInput(const char* op, const TensorView& x) {
  if (!x.defined) fail(ErrorKind::Native, "%s: x is undefined", op);
  if (x.dtype != DType::Float32 && x.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: takes float32 or float64, not %s", op, dtypeName(x.dtype));
}

inline void requireType(const char* op, const TensorView& t, const char* name, const TensorView& x) {
  if (!t.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (t.dtype != x.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, x is %s", op, name, dtypeName(t.dtype), dtypeName(x.dtype));
}

inline void requireContiguous(const char* op, const TensorView& t, const char* name) {
  if (!t.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
}

inline void requireShape(const char* op, const TensorView& t, const char* name, const TensorView& x) {
  requireType(op, t, name, x);
  if (!sameShape(t, x))
    fail(ErrorKind::Shape, "%s: %s %s does not have the shape of x %s", op, name, shapeText(t).c_str(),
         shapeText(x).c_str());
}

inline void requireCount(const char* op, const TensorView& t, const char* name, const TensorView& x, int64_t count) {
  requireType(op, t, name, x);
  requireContiguous(op, t, name);
  if (t.numel() != count)
    fail(ErrorKind::Shape, "%s: %s %s does not have %lld elements", op, name, shapeText(t).c_str(),
         static_cast<long long>(count));
}

// True if x [n, c, ...] lies channels-last, false if it is contiguous.
inline bool requireImages(const char* op, const TensorView& x) {
  requireInput(op, x);
  if (x.ndim < 2)
    fail(ErrorKind::Shape, "%s: x must have at least 2 dimensions, not shape %s", op, shapeText(x).c_str());
  if (x.isContiguous()) return false;
  if (!isChannelsLast(x)) fail(ErrorKind::Native, "%s: x is neither contiguous nor channels-last", op);
  return true;
}

// Of x's shape and in its order.
inline void requireSameImages(const char* op, const TensorView& t, const char* name, const TensorView& x, bool last) {
  requireShape(op, t, name, x);
  if (last ? !isChannelsLast(t) : !t.isContiguous())
    fail(ErrorKind::Native, "%s: %s does not lie in memory as x does", op, name);
}

template <class T>
T* dataOf(const TensorView& t) {
  return t.defined ? t.as<T>() : nullptr;
}

// f of a float or a double, whichever x has.
template <class F>
void withFloat(const TensorView& x, F&& f) {
  if (x.dtype == DType::Float64)
    f(double());
  else
    f(float());
}

}  // namespace
}  // namespace THALWEG_KERNELS
