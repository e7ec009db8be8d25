// Batch normalisation: the moments of each channel over a batch, the map that they give, and its gradient; and the map
// by statistics that are given, as in evaluation.
#include "cuda/norm_finish.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t kRunChannels = 32;  // a channel's run in one item that is long enough for a warp

// [n, c, s]: the statistics are those of a channel c. Channels-last is the same with n s items and runs of 1. Where
// runs are short, the elements of an item are columns, s of them of each channel.
struct Channels {
  int64_t n, c, s;

  int64_t elements() const { return n * s; }
  bool inRuns() const { return s >= kRunChannels; }
  Runs runs() const { return Runs(n, c, s); }
  Columns columns() const { return Columns(1, n, c * s); }
  Places places() const { return Places(n * c * s, s, c, Places::Channel); }
};

Channels channelsOf(const TensorView& x, bool last) {
  int64_t s = 1;
  for (int d = 2; d < x.ndim; d++) s *= x.shape[d];
  Channels ch = {x.shape[0], x.shape[1], s};
  if (last) {
    ch.n *= ch.s;
    ch.s = 1;
  }
  return ch;
}

// 1 / sqrt(variance + eps) of each channel.
template <class T>
const T* rstdOf(Queue& queue, const TensorView& variance, int64_t c, double eps) {
  T* rstd = queue.scratch<T>(kStatSlot, c);
  LAUNCH((rstdKernel<T>), gridFor(queue, c, kNormThreads), kNormThreads, 0, queue, rstd, variance.as<const T>(), c,
         eps);
  return rstd;
}

}  // namespace

void batchNorm(Context& context, const TensorView& out, const TensorView& mean, const TensorView& variance,
               const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
  const char* op = "batchNorm";
  const bool last = requireImages(op, x);
  requireSameImages(op, out, "out", x, last);
  const Channels ch = channelsOf(x, last);
  requireCount(op, mean, "mean", x, ch.c);
  requireCount(op, variance, "variance", x, ch.c);
  if (weight.defined) requireCount(op, weight, "weight", x, ch.c);
  if (bias.defined) requireCount(op, bias, "bias", x, ch.c);
  Queue& queue = queueOf(context);
  if (x.numel() == 0) {
    clear(queue, mean);
    clear(queue, variance);
    return;
  }
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    T* rstd = queue.scratch<T>(kStatSlot, ch.c);
    const Statistics<T> statistics = {mean.as<T>(), variance.as<T>(), rstd, true, eps};
    if (ch.inRuns()) {
      const Runs runs = ch.runs();
      finishMoments(queue, statistics, momentsOfRuns(queue, x.as<const T>(), runs), runs.partials());
    } else {
      const Columns columns = ch.columns();
      finishMoments(queue, statistics, momentsOfColumns(queue, x.as<const T>(), columns), columns.partials(ch.c));
    }
    normalizeAll<T>(queue, out.as<T>(), x.as<const T>(),
                    {mean.as<const T>(), rstd, dataOf<const T>(weight), dataOf<const T>(bias)}, ch.places());
  });
}

void batchNormGiven(Context& context, const TensorView& out, const TensorView& x, const TensorView& mean,
                    const TensorView& variance, const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
  const char* op = "batchNormGiven";
  const bool last = requireImages(op, x);
  requireSameImages(op, out, "out", x, last);
  const Channels ch = channelsOf(x, last);
  requireCount(op, mean, "mean", x, ch.c);
  requireCount(op, variance, "variance", x, ch.c);
  if (weight.defined) requireCount(op, weight, "weight", x, ch.c);
  if (bias.defined) requireCount(op, bias, "bias", x, ch.c);
  if (x.numel() == 0) return;
  Queue& queue = queueOf(context);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    normalizeAll<T>(
        queue, out.as<T>(), x.as<const T>(),
        {mean.as<const T>(), rstdOf<T>(queue, variance, ch.c, eps), dataOf<const T>(weight), dataOf<const T>(bias)},
        ch.places());
  });
}

void batchNormBackward(Context& context, const OptionalTensor& gx, const OptionalTensor& gWeight,
                       const OptionalTensor& gBias, const TensorView& g, const TensorView& x, const TensorView& mean,
                       const TensorView& variance, const OptionalTensor& weight, double eps) {
  const char* op = "batchNormBackward";
  const bool last = requireImages(op, x);
  requireSameImages(op, g, "g", x, last);
  if (gx.defined) requireSameImages(op, gx, "gx", x, last);
  const Channels ch = channelsOf(x, last);
  requireCount(op, mean, "mean", x, ch.c);
  requireCount(op, variance, "variance", x, ch.c);
  if (weight.defined) requireCount(op, weight, "weight", x, ch.c);
  if (gWeight.defined) requireCount(op, gWeight, "gWeight", x, ch.c);
  if (gBias.defined) requireCount(op, gBias, "gBias", x, ch.c);
  Queue& queue = queueOf(context);
  if (x.numel() == 0) {
    clear(queue, gWeight);
    clear(queue, gBias);
    return;
  }
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    const T *gs = g.as<const T>(), *xs = x.as<const T>(), *means = mean.as<const T>();
    const T* weights = dataOf<const T>(weight);
    const T* rstd = rstdOf<T>(queue, variance, ch.c, eps);
    T* offset = queue.scratch<T>(kSlopeSlot, 2 * ch.c);
    T* slope = offset + ch.c;
    const double count = static_cast<double>(ch.elements());
    const auto finish = [&](const Sums* sums, const Partials& p, int64_t outer, int64_t fold) {
      if (gx.defined)
        finishSlopes<T>(queue, {offset, slope, rstd, weights, count, true, p.columns == 1 ? 1 : fold, ch.c}, sums, p);
      finishParameters<T>(queue, {dataOf<T>(gWeight), dataOf<T>(gBias), rstd, outer, ch.c, fold, outer, ch.c, 1, 0},
                          sums);
    };
    if (ch.inRuns()) {
      const Runs runs = ch.runs();
      finish(sumsOfRuns<T>(queue, {gs, xs, means, nullptr, 1, ch.c}, runs), runs.partials(), 1, runs.pieces);
    } else {
      const Columns columns = ch.columns();
      finish(sumsOfColumns<T>(queue, {gs, xs, means, nullptr, ch.c, ch.s, 0}, columns), columns.partials(ch.c),
             columns.pieces, ch.s);
    }
    if (gx.defined)
      applySlopes<T>(queue, gx.as<T>(), gs, xs, {means, rstd, weights, nullptr}, offset, slope, ch.places());
  });
}

}  // namespace thalweg::cuda
