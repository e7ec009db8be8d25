// A banded matrix applied along a dimension: interpolation, adaptive averages, and their gradients.
#include "operands/resample.h"
#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kResampleGrain = 32768;  // products worth a chunk

struct CheckedBand : Band {
  const int32_t* spans = nullptr;
  bool uniform = true;  // all rows have `taps` taps
};

CheckedBand checkedBand(const char* op, const Band& given, const TensorView& spans) {
  CheckedBand band{given};
  band.spans = spans.as<const int32_t>();
  for (int64_t i = 0; i < band.to; i++) {
    const int64_t first = band.spans[2 * i], count = band.spans[2 * i + 1];
    if (first < 0 || count < 0 || count > band.taps || first + count > band.from)
      fail(ErrorKind::Index, "%s: row %lld has %lld taps from %lld, of %lld positions and %lld weights", op,
           static_cast<long long>(i), static_cast<long long>(count), static_cast<long long>(first),
           static_cast<long long>(band.from), static_cast<long long>(band.taps));
    band.uniform = band.uniform && count == band.taps;
  }
  return band;
}

// Along the last dimension; K: the number of taps, 0 if it varies.
template <int K, class T>
__attribute__((noinline)) void resampleLine(const CheckedBand& band, T* __restrict out, const T* __restrict x,
                                            const T* __restrict weights) {
  const int32_t* __restrict spans = band.spans;
  for (int64_t i = 0; i < band.to; i++) {
    const T* from = x + spans[2 * i];
    const int64_t count = K != 0 ? K : spans[2 * i + 1];
    const T* w = weights + i * (K != 0 ? K : band.taps);
    T sum = 0;
    for (int64_t k = 0; k < count; k++) sum += w[k] * from[k];
    out[i] = sum;
  }
}

// Rows of `inner` neighbours; two taps at once, so that the result is written seldom.
template <class T>
__attribute__((noinline)) void resampleRows(int64_t inner, int64_t count, T* __restrict out, const T* __restrict x,
                                            const T* __restrict w) {
  if (count == 0) {
    std::fill(out, out + inner, T(0));
    return;
  }
  int64_t k = 0;
  if (count >= 2) {
    const T a = w[0], b = w[1];
    for (int64_t i = 0; i < inner; i++) out[i] = a * x[i] + b * x[inner + i];
    k = 2;
  } else {
    for (int64_t i = 0; i < inner; i++) out[i] = w[0] * x[i];
    k = 1;
  }
  for (; k + 2 <= count; k += 2) {
    const T a = w[k], b = w[k + 1];
    const T* __restrict from = x + k * inner;
    for (int64_t i = 0; i < inner; i++) out[i] += a * from[i] + b * from[inner + i];
  }
  for (; k < count; k++)
    for (int64_t i = 0; i < inner; i++) out[i] += w[k] * x[k * inner + i];
}

template <class T>
void resampleOf(Context& ctx, const CheckedBand& band, const TensorView& outView, const TensorView& xView,
                const TensorView& weightsView) {
  T* out = outView.as<T>();
  const T* x = xView.as<const T>();
  const T* weights = weightsView.as<const T>();
  const int64_t taps = std::max(band.taps, int64_t{1});
  if (band.inner == 1) {
    const int fixed = band.uniform && band.taps <= 4 ? static_cast<int>(band.taps) : 0;
    parallelFor(ctx.pool, band.outer, kResampleGrain / (band.to * taps) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; o++) {
        T* to = out + o * band.to;
        const T* from = x + o * band.from;
        switch (fixed) {
          case 1: resampleLine<1>(band, to, from, weights); break;
          case 2: resampleLine<2>(band, to, from, weights); break;
          case 4: resampleLine<4>(band, to, from, weights); break;
          default: resampleLine<0>(band, to, from, weights);
        }
      }
    });
    return;
  }
  parallelFor(ctx.pool, band.outer * band.to, kResampleGrain / (band.inner * taps) + 1,
              [&](int64_t begin, int64_t end) {
                for (int64_t r = begin; r < end; r++) {
                  const int64_t o = r / band.to, i = r % band.to;
                  resampleRows(band.inner, band.spans[2 * i + 1], out + r * band.inner,
                               x + (o * band.from + band.spans[2 * i]) * band.inner, weights + i * band.taps);
                }
              });
}

}  // namespace

void resample(Context& ctx, const TensorView& out, const TensorView& x, int64_t dim, const TensorView& spans,
              const TensorView& weights) {
  const CheckedBand band = checkedBand("resample", readBand(out, x, dim, spans, weights), spans);
  if (emptyView(out)) return;
  out.dtype == DType::Float64 ? resampleOf<double>(ctx, band, out, x, weights)
                              : resampleOf<float>(ctx, band, out, x, weights);
}

}  // namespace thalweg::cpu::THALWEG_ISA
