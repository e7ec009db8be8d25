// Batch normalisation with statistics that are given, as in evaluation: one pass, out = (x - mean) scale + shift with
// coefficients of each channel.
#include "cpu/moments.h"
#include "cpu/norm_operands.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;  // elements that are worth a chunk of their own
constexpr int64_t kRow = 256;     // channels-last: elements that are mapped at once, at least

template <class T>
struct Coefficients {
  const T *mean, *scale, *shift;
};

// Those of c channels, `times` one after the other.
template <class T>
Coefficients<T> coefficientsOf(const T* mean, const T* variance, const T* weight, const T* bias, double eps, int64_t c,
                               int64_t times) {
  const int64_t n = c * times;
  T* to = normScratch<T>(kColumnSlot, 3 * n);
  for (int64_t i = 0; i < c; i++) {
    const double rstd = 1 / std::sqrt(static_cast<double>(variance[i]) + eps);
    to[i] = mean[i];
    to[n + i] = static_cast<T>(weight ? rstd * static_cast<double>(weight[i]) : rstd);
    to[2 * n + i] = bias ? bias[i] : T(0);
  }
  for (int64_t part = 0; part < 3; part++)
    for (int64_t i = c; i < n; i++) to[part * n + i] = to[part * n + i - c];
  return {to, to + n, to + 2 * n};
}

}  // namespace

void batchNormGiven(Context& ctx, const TensorView& out, const TensorView& x, const TensorView& mean,
                    const TensorView& variance, const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
  const char* op = "batchNormGiven";
  const bool last = requireImages(op, x);
  requireSameImages(op, out, "out", x, last);
  const int64_t c = x.shape[1], elements = x.numel();
  requireCount(op, mean, "mean", x, c);
  requireCount(op, variance, "variance", x, c);
  if (weight.defined) requireCount(op, weight, "weight", x, c);
  if (bias.defined) requireCount(op, bias, "bias", x, c);
  if (elements == 0) return;
  const int64_t size = elements / (x.shape[0] * c);  // positions of a channel of an image
  const bool rows = last || size == 1, stream = streamed(out);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    T* to = out.as<T>();
    const T* from = x.as<const T>();
    const int64_t times = rows ? divideUp(kRow, c) : 1;
    const Coefficients<T> of = coefficientsOf<T>(mean.as<const T>(), variance.as<const T>(), dataOf<const T>(weight),
                                                 dataOf<const T>(bias), eps, c, times);
    const int64_t run = rows ? c * times : size;
    parallelFor(ctx.pool, divideUp(elements, run), kUnit / run + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t at = i * run, n = std::min(run, elements - at), channel = i % c;
        if (rows) {
          affineColumns(to + at, from + at, n, of.mean, of.scale, of.shift, stream);
        } else {
          affineRun(to + at, from + at, n, of.mean[channel], of.scale[channel], of.shift[channel], stream);
        }
      }
      if (stream) streamFence();
    });
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
