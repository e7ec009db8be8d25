// The operands of the kernels that move elements whatever they are, checked.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

// Calls f with a null pointer to the unsigned integer that has an element's size.
template <class F>
void withBits(DType dtype, F&& f) {
  switch (itemSize(dtype)) {
    case 1: return f(static_cast<uint8_t*>(nullptr));
    case 2: return f(static_cast<uint16_t*>(nullptr));
    case 4: return f(static_cast<uint32_t*>(nullptr));
    default: return f(static_cast<uint64_t*>(nullptr));
  }
}

inline void checkAlike(const char* op, const TensorView& out, const TensorView& x) {
  if (out.dtype != x.dtype)
    fail(ErrorKind::DType, "%s: out is %s but x is %s", op, dtypeName(out.dtype), dtypeName(x.dtype));
  if (!sameShape(out, x))
    fail(ErrorKind::Shape, "%s: out %s and x %s differ in shape", op, shapeText(out).c_str(), shapeText(x).c_str());
  checkMemory(op, "output", out);
  checkMemory(op, "input", x);
}

}  // namespace
}  // namespace THALWEG_KERNELS
