// A banded matrix applied along a dimension: interpolation, adaptive averages, and their gradients. A thread has an
// element of the result, or, behind the dimension, some neighbours.
#include "cuda/pool_shape.h"

namespace thalweg::cuda {
namespace {

struct Band {
  int64_t outer = 1, from = 0, to = 0, inner = 1, taps = 0;
};

Band readBand(const TensorView& out, const TensorView& x, int64_t dim, const TensorView& spans,
              const TensorView& weights) {
  const char* op = "resample";
  checkFloats(op, "out", out, out);
  checkFloats(op, "x", x, out);
  checkFloats(op, "weights", weights, out);
  if (!weights.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, "weights");
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

// [outer, to, inner / kRun] threads.
template <class T, int kRun>
__global__ void __launch_bounds__(kPoolThreads)
    resampleKernel(T* out, const T* x, const int32_t* spans, const T* weights, Band band, int64_t count, bool narrow,
                   FaultSite fault) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, runs = band.inner / kRun;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t line = quotient(i, runs, narrow), outer = quotient(line, band.to, narrow);
    const int64_t row = line - outer * band.to, first = spans[2 * row], taps = spans[2 * row + 1];
    Run<T, kRun> sum = {};
    if (first < 0 || taps < 0 || taps > band.taps || first + taps > band.from) {
      fault.report(row, taps, first, band.from, band.taps);
    } else {
      const T* from = x + (outer * band.from + first) * band.inner + (i - line * runs) * kRun;
      const T* w = weights + row * band.taps;
      for (int64_t k = 0; k < taps; k++, from += band.inner) {
        const Run<T, kRun> v = loadRun<kRun>(from);
        for (int c = 0; c < kRun; c++) sum.at[c] += w[k] * v.at[c];
      }
    }
    storeRun(out + i * kRun, sum);
  }
}

}  // namespace

void resample(Context& context, const TensorView& out, const TensorView& x, int64_t dim, const TensorView& spans,
              const TensorView& weights) {
  const Band band = readBand(out, x, dim, spans, weights);
  if (emptyView(out)) return;
  Queue& queue = queueOf(context);
  const FaultSite fault = queue.faultSite(
      ErrorKind::Index, "resample: row %lld has %lld taps from %lld, of %lld positions and %lld weights");
  withFloat(out, [&](auto type) {
    using T = decltype(type);
    const bool vectors = band.inner % Pack<T>::kCount == 0 && isAligned(out.data) && isAligned(x.data);
    const int64_t count = out.numel() / (vectors ? Pack<T>::kCount : 1);
    const unsigned grid = gridFor(queue, count, kPoolThreads);
    const bool narrow = count <= INT32_MAX;
    if (vectors)
      LAUNCH((resampleKernel<T, Pack<T>::kCount>), grid, kPoolThreads, 0, queue, out.as<T>(), x.as<const T>(),
             spans.as<const int32_t>(), weights.as<const T>(), band, count, narrow, fault);
    else
      LAUNCH((resampleKernel<T, 1>), grid, kPoolThreads, 0, queue, out.as<T>(), x.as<const T>(),
             spans.as<const int32_t>(), weights.as<const T>(), band, count, narrow, fault);
  });
}

}  // namespace thalweg::cuda
