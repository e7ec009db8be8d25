// The operands of cross entropy, checked: logits x [n, c, s].
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

inline void require(const char* op, const TensorView& t, const char* name, DType dtype, int64_t count) {
  if (!t.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (t.dtype != dtype) fail(ErrorKind::DType, "%s: %s is %s, not %s", op, name, dtypeName(t.dtype), dtypeName(dtype));
  if (!t.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
  if (t.numel() != count)
    fail(ErrorKind::Shape, "%s: %s %s does not have %lld elements", op, name, shapeText(t).c_str(),
         static_cast<long long>(count));
}

struct EntropySizes {
  int64_t n, c, s;
  bool soft, narrow;  // probabilities; classes as int32
};
inline EntropySizes checkEntropy(const char* op, const TensorView& x, const TensorView& target,
                                 const TensorView& weight) {
  if (!x.defined || !target.defined) fail(ErrorKind::Native, "%s: an operand is undefined", op);
  if (x.dtype != DType::Float32 && x.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: takes float32 or float64, not %s", op, dtypeName(x.dtype));
  if (x.ndim != 3) fail(ErrorKind::Shape, "%s: x must have 3 dimensions, not shape %s", op, shapeText(x).c_str());
  const EntropySizes p = {x.shape[0], x.shape[1], x.shape[2], target.dtype == x.dtype, target.dtype == DType::Int32};
  require(op, x, "x", x.dtype, p.n * p.c * p.s);
  const DType classes = p.narrow ? DType::Int32 : DType::Int64;
  require(op, target, "target", p.soft ? x.dtype : classes, p.soft ? p.n * p.c * p.s : p.n * p.s);
  if (weight.defined) require(op, weight, "weight", x.dtype, p.c);
  return p;
}

}  // namespace
}  // namespace THALWEG_KERNELS
