// The operands of resample, checked but for the values of the spans.
#pragma once
#include "operands/images.h"

namespace THALWEG_KERNELS {

// A matrix [to, from] with up to `taps` weights a row, applied along a dimension of [outer, from, inner].
struct Band {
  int64_t outer = 1, from = 0, to = 0, inner = 1, taps = 0;
};

inline Band readBand(const TensorView& out, const TensorView& x, int64_t dim, const TensorView& spans,
                     const TensorView& weights) {
  const char* op = "resample";
  checkFloats(op, "out", out, out);
  checkFloats(op, "x", x, out);
  checkOperand(op, "weights", weights, out);
  if (spans.dtype != DType::Int32)
    fail(ErrorKind::DType, "%s: spans are %s, expected int32", op, dtypeName(spans.dtype));
  if (!emptyView(spans) && !spans.isContiguous()) fail(ErrorKind::Native, "%s: spans are not contiguous", op);
  if (dim < 0 || dim >= out.ndim || x.ndim != out.ndim)
    fail(ErrorKind::Shape, "%s: out %s, x %s, dim %lld", op, shapeText(out).c_str(), shapeText(x).c_str(),
         static_cast<long long>(dim));
  Band band;
  const bool last = !(out.isContiguous() && x.isContiguous());
  if (last && (dim < 2 || !isChannelsLast(out) || !isChannelsLast(x)))
    fail(ErrorKind::Native, "%s: out and x are neither contiguous nor channels-last, or dim %lld is not spatial", op,
         static_cast<long long>(dim));
  bool fits = true;
  for (int d = 0; d < out.ndim; d++) {
    if (d == dim) continue;
    fits = fits && out.shape[d] == x.shape[d];
    // Channels-last: the channels come behind all other dimensions.
    (d < dim && !(last && d == 1) ? band.outer : band.inner) *= emptyView(out) ? 0 : out.shape[d];
  }
  band.from = x.shape[dim];
  band.to = out.shape[dim];
  if (!fits || spans.ndim != 2 || spans.shape[0] != band.to || spans.shape[1] != 2 || weights.ndim != 2 ||
      weights.shape[0] != band.to)
    fail(ErrorKind::Shape, "%s: out %s, x %s, spans %s and weights %s do not fit", op, shapeText(out).c_str(),
         shapeText(x).c_str(), shapeText(spans).c_str(), shapeText(weights).c_str());
  band.taps = weights.shape[1];
  return band;
}

}  // namespace THALWEG_KERNELS
