// The operands of searchsorted, checked.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

struct SearchSizes {
  int64_t total, n;  // values, and places of a row to search
};
inline SearchSizes checkSearch(const char* op, const TensorView& out, const TensorView& sorted,
                               const TensorView& values, const OptionalTensor& sorter) {
  if (!sameShape(out, values))
    fail(ErrorKind::Shape, "%s: out %s does not have the shape of values %s", op, shapeText(out).c_str(),
         shapeText(values).c_str());
  bool fits = sorted.ndim == 1 || (sorted.ndim > 1 && sorted.ndim == values.ndim);
  for (int d = 0; fits && sorted.ndim > 1 && d < sorted.ndim - 1; d++) fits = sorted.shape[d] == values.shape[d];
  if (!fits)
    fail(ErrorKind::Shape, "%s: sorted %s must have 1 dimension, or those of values %s but for the last", op,
         shapeText(sorted).c_str(), shapeText(values).c_str());
  if (sorter.defined && (!sameShape(sorter, sorted) || sorter.dtype != DType::Int64))
    fail(ErrorKind::Shape, "%s: sorter must be int64 of shape %s", op, shapeText(sorted).c_str());
  if (!out.isContiguous() || !sorted.isContiguous() || !values.isContiguous() ||
      (sorter.defined && !sorter.isContiguous()))
    fail(ErrorKind::Native, "%s: the operands must be contiguous", op);
  if (sorted.dtype != values.dtype)
    fail(ErrorKind::DType, "%s: sorted is %s but values %s", op, dtypeName(sorted.dtype), dtypeName(values.dtype));
  if (out.dtype != DType::Int64 && out.dtype != DType::Int32)
    fail(ErrorKind::DType, "%s: out must be int64 or int32, not %s", op, dtypeName(out.dtype));
  const int64_t total = values.numel(), n = sorted.shape[sorted.ndim - 1];
  if (total > 0 && out.dtype == DType::Int32 && n > INT32_MAX)
    fail(ErrorKind::DType, "%s: positions among %lld do not fit int32", op, static_cast<long long>(n));
  checkMemory(op, "output", out);
  checkMemory(op, "row", sorted);
  checkMemory(op, "values", values);
  if (sorter.defined) checkMemory(op, "sorter", sorter);
  return {total, n};
}

}  // namespace
}  // namespace THALWEG_KERNELS
