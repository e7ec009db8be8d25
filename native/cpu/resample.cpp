// A banded matrix applied along a dimension: interpolation, adaptive averages, and their gradients.
#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kResampleGrain = 32768;  // products worth a chunk

struct Band {
  int64_t outer = 1, from = 0, to = 0, inner = 1, taps = 0;
  const int32_t* spans = nullptr;
  bool uniform = true;  // all rows have `taps` taps
};

Band readBand(const TensorView& out, const TensorView& x, int64_t dim, const TensorView& spans,
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
__attribute__((noinline)) void resampleLine(const Band& band, T* __restrict out, const T* __restrict x,
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
void resampleOf(Context& ctx, const Band& band, const TensorView& outView, const TensorView& xView,
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
  const Band band = readBand(out, x, dim, spans, weights);
  if (emptyView(out)) return;
  out.dtype == DType::Float64 ? resampleOf<double>(ctx, band, out, x, weights)
                              : resampleOf<float>(ctx, band, out, x, weights);
}

}  // namespace thalweg::cpu::THALWEG_ISA
