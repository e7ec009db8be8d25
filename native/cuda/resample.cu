// A banded matrix applied along a dimension: interpolation, adaptive averages, and their gradients. A thread has an
// element of the result, or, behind the dimension, some neighbours.
#include "cuda/pool_shape.h"
#include "operands/resample.h"

namespace thalweg::cuda {
namespace {

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
