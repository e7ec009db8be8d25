// The operands of the CTC loss that both directions share, checked but for the values of lengths and labels.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

inline void requireVector(const char* op, const char* name, const TensorView& view, DType dtype) {
  if (!view.defined || view.dtype != dtype) fail(ErrorKind::DType, "%s: %s must be %s", op, name, dtypeName(dtype));
  if (!view.isContiguous()) fail(ErrorKind::Shape, "%s: %s must be contiguous", op, name);
}

struct CtcSizes {
  int64_t frames, batch, classes;
  bool rows;  // targets are padded rows [N, S], not all in one row
};
inline CtcSizes checkCtc(const char* op, const TensorView& logProbs, const TensorView& targets,
                         const TensorView& inputLengths, const TensorView& targetLengths, const TensorView& alpha,
                         int64_t blank) {
  if (!logProbs.defined || !isFloating(logProbs.dtype))
    fail(ErrorKind::DType, "%s: logProbs must be a float tensor", op);
  if (logProbs.ndim != 3)
    fail(ErrorKind::Shape, "%s: logProbs must have 3 dimensions, got %s", op, shapeText(logProbs).c_str());
  const int64_t frames = logProbs.shape[0], batch = logProbs.shape[1], classes = logProbs.shape[2];
  requireVector(op, "targets", targets, DType::Int64);
  requireVector(op, "inputLengths", inputLengths, DType::Int64);
  requireVector(op, "targetLengths", targetLengths, DType::Int64);
  requireVector(op, "alpha", alpha, DType::Float64);
  for (const TensorView* lengths : {&inputLengths, &targetLengths})
    if (lengths->ndim != 1 || lengths->shape[0] != batch)
      fail(ErrorKind::Shape, "%s: lengths must have shape [%lld], got %s", op, static_cast<long long>(batch),
           shapeText(*lengths).c_str());
  const bool rows = targets.ndim == 2;
  if (targets.ndim != 1 && !(rows && targets.shape[0] == batch))
    fail(ErrorKind::Shape, "%s: targets have shape %s for a batch of %lld", op, shapeText(targets).c_str(),
         static_cast<long long>(batch));
  if (blank < 0 || blank >= classes)
    fail(ErrorKind::Index, "%s: blank is %lld, with %lld classes", op, static_cast<long long>(blank),
         static_cast<long long>(classes));
  const int64_t perFrame = 2 * targets.numel() + batch, states = alpha.numel();
  if (alpha.ndim != 1 || (perFrame > 0 && (states % perFrame != 0 || states / perFrame != frames)))
    fail(ErrorKind::Shape, "%s: alpha has shape %s for %lld frames of %lld states", op, shapeText(alpha).c_str(),
         static_cast<long long>(frames), static_cast<long long>(perFrame));
  return {frames, batch, classes, rows};
}

}  // namespace
}  // namespace THALWEG_KERNELS
