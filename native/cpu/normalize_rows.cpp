// Normalisation of rows: layer, RMS, group and instance normalisation, with their gradients. A row is read from memory
// once: what maps it finds it in the cache.
#include "cpu/moments.h"
#include "cpu/norm_operands.h"
#include "operands/norm_rows.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;      // elements that are worth a chunk of their own
constexpr int64_t kMaxPartials = 32;  // chunks that add up gradients of parameters on their own

template <class T>
double meanSquare(const T* x, int64_t n) {
  const double sum = sumVectors<T>(n, [&](int64_t j, int m) {
    const Vec<T> v = loadLanes(x + j, m, T(0));
    return v * v;
  });
  return sum / static_cast<double>(n);
}

template <class T>
struct RowTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *rstd, *gWeight, *gBias;
  bool stream;
};

template <class T>
void normalizeTyped(Context& ctx, const Rows& s, const RowTensors<T>& t, double eps) {
  parallelFor(ctx.pool, s.rows, kUnit / s.n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const T* x = t.x + r * s.n;
      T* out = t.out + r * s.n;
      T mean = 0, rstd;
      if (t.mean) {
        Moments moments;
        addRun(moments, x, s.n);
        t.mean[r] = mean = static_cast<T>(moments.mean);
        rstd = static_cast<T>(1 / std::sqrt(moments.variance() + eps));
      } else {
        rstd = static_cast<T>(1 / std::sqrt(meanSquare(x, s.n) + eps));
      }
      t.rstd[r] = rstd;
      const int64_t channel = s.channelOf(r);
      const T* weight = t.weight ? t.weight + channel : nullptr;
      const T* bias = t.bias ? t.bias + channel : nullptr;
      if (s.inner > 1 || (!weight && !bias)) {
        for (int64_t k = 0; k < s.runs(); k++)
          affineRun(out + k * s.inner, x + k * s.inner, s.inner, mean, weight ? rstd * weight[k] : rstd,
                    bias ? bias[k] : T(0), t.stream);
      } else if (weight && bias) {
        mapVectors(s.n, out, t.stream, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd * loadLanes(weight + i, m, T(0)) +
                 loadLanes(bias + i, m, T(0));
        });
      } else if (weight) {
        mapVectors(s.n, out, t.stream, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd * loadLanes(weight + i, m, T(0));
        });
      } else {
        mapVectors(s.n, out, t.stream, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd + loadLanes(bias + i, m, T(0));
        });
      }
    }
    streamFence();
  });
}

// One row whose elements have a parameter each. With shares, those of the parameters' gradients are added to gw and gb
// on the way.
template <class T, bool kWeighted, bool kShares>
THALWEG_NOINLINE void backwardElements(T* gx, const T* g, const T* x, const T* weight, int64_t n, T mean, T rstd,
                                       bool centred, T* gw, T* gb, bool stream) {
  const auto weighted = [&](Vec<T> v, int64_t i, int m) { return kWeighted ? v * loadLanes(weight + i, m, T(0)) : v; };
  const auto keep = [](T* to, Vec<T> v, int m) { m == lanes<T> ? store(to, v) : storeFirst(to, v, m); };
  const Sums sums = sumPairs<T>(n, [&](int64_t i, int m, Vec<T>& a, Vec<T>& b) {
    const Vec<T> v = loadLanes(g + i, m, T(0)), d = loadLanes(x + i, m, mean) - mean;
    a = weighted(v, i, m);
    b = a * d;
    if constexpr (kShares) {
      keep(gw + i, loadLanes(gw + i, m, T(0)) + v * (d * rstd), m);
      keep(gb + i, loadLanes(gb + i, m, T(0)) + v, m);
    }
  });
  if (!gx) return;
  const T b = centred ? static_cast<T>(sums.first / static_cast<double>(n)) : T(0);
  const T d = static_cast<T>(sums.second / static_cast<double>(n)) * rstd * rstd;
  mapVectors(n, gx, stream, [&](int64_t i, int m) {
    return ((weighted(loadLanes(g + i, m, T(0)), i, m) - b) - (loadLanes(x + i, m, T(0)) - mean) * d) * rstd;
  });
}

// One row of runs.
template <class T>
THALWEG_NOINLINE void backwardRuns(const Rows& s, T* gx, const T* g, const T* x, const T* weight, T mean, T rstd,
                                   bool centred, T* gw, T* gb, bool stream) {
  double first = 0, second = 0;
  for (int64_t k = 0; k < s.runs(); k++) {
    const Sums sums = gradientSums(g + k * s.inner, x + k * s.inner, s.inner, mean);
    if (gw) gw[k] += static_cast<T>(sums.second * static_cast<double>(rstd));
    if (gb) gb[k] += static_cast<T>(sums.first);
    const double w = weight ? static_cast<double>(weight[k]) : 1;
    first += w * sums.first;
    second += w * sums.second;
  }
  if (!gx) return;
  const T b = centred ? static_cast<T>(first / static_cast<double>(s.n)) * rstd : T(0);
  const T d = static_cast<T>(second / static_cast<double>(s.n)) * rstd * rstd * rstd;
  for (int64_t k = 0; k < s.runs(); k++)
    gradientRun(gx + k * s.inner, g + k * s.inner, x + k * s.inner, s.inner, mean, weight ? rstd * weight[k] : rstd, b,
                d, stream);
}

template <class T>
void normalizeBackwardTyped(Context& ctx, const Rows& s, const RowTensors<T>& t) {
  int64_t grain = kUnit / s.n;
  if (grain < 1) grain = 1;
  const bool parameters = t.gWeight || t.gBias;
  if (parameters && grain < (s.rows + kMaxPartials - 1) / kMaxPartials)
    grain = (s.rows + kMaxPartials - 1) / kMaxPartials;
  const int64_t chunks = (s.rows + grain - 1) / grain, width = 2 * s.channels;
  T* partials = parameters ? normScratch<T>(kPartialSlot, chunks * width) : nullptr;
  parallelFor(ctx.pool, s.rows, grain, [&](int64_t begin, int64_t end) {
    T* own = parameters ? partials + begin / grain * width : nullptr;
    if (own) std::memset(own, 0, static_cast<size_t>(width) * sizeof(T));
    for (int64_t r = begin; r < end; r++) {
      const int64_t channel = s.channelOf(r), at = r * s.n;
      const T* weight = t.weight ? t.weight + channel : nullptr;
      T* gw = own ? own + channel : nullptr;
      T* gb = own ? own + s.channels + channel : nullptr;
      const bool centred = t.mean != nullptr;
      const T mean = centred ? t.mean[r] : T(0);
      T* gx = t.out ? t.out + at : nullptr;
      if (s.inner == 1) {
        const auto row = weight ? own ? backwardElements<T, true, true> : backwardElements<T, true, false>
                         : own ? backwardElements<T, false, true>
                                : backwardElements<T, false, false>;
        row(gx, t.g + at, t.x + at, weight, s.n, mean, t.rstd[r], centred, gw, gb, t.stream);
      } else {
        backwardRuns(s, gx, t.g + at, t.x + at, weight, mean, t.rstd[r], centred, gw, gb, t.stream);
      }
    }
    streamFence();
  });
  const auto finish = [&](T* out, int64_t offset) {
    if (!out) return;
    parallelFor(ctx.pool, s.channels, kUnit / chunks, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; c++) {
        double sum = 0;
        for (int64_t k = 0; k < chunks; k++) sum += static_cast<double>(partials[k * width + offset + c]);
        out[c] = static_cast<T>(sum);
      }
    });
  };
  finish(t.gWeight, 0);
  finish(t.gBias, s.channels);
}

}  // namespace

void normalizeRows(Context& ctx, const TensorView& out, const OptionalTensor& mean, const TensorView& rstd,
                   const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, int64_t inner,
                   double eps) {
  const char* op = "normalizeRows";
  Rows s = rowsOf(op, x, rstd, inner);
  requireSame(op, out, "out", x);
  if (mean.defined) requireCount(op, mean, "mean", x, s.rows);
  checkChannels(op, s, weight, "weight", x);
  checkChannels(op, s, bias, "bias", x);
  finishRows(op, s);
  if (s.rows == 0 || s.n == 0) return;
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    normalizeTyped<T>(ctx, s,
                      {nullptr, x.as<const T>(), dataOf<const T>(weight), dataOf<const T>(bias), out.as<T>(),
                       dataOf<T>(mean), rstd.as<T>(), nullptr, nullptr, streamed(x)},
                      eps);
  });
}

void normalizeRowsBackward(Context& ctx, const OptionalTensor& gx, const OptionalTensor& gWeight,
                           const OptionalTensor& gBias, const TensorView& g, const TensorView& x,
                           const OptionalTensor& mean, const TensorView& rstd, const OptionalTensor& weight,
                           int64_t inner) {
  const char* op = "normalizeRowsBackward";
  Rows s = rowsOf(op, x, rstd, inner);
  requireSame(op, g, "g", x);
  if (gx.defined) requireSame(op, gx, "gx", x);
  if (mean.defined) requireCount(op, mean, "mean", x, s.rows);
  checkChannels(op, s, weight, "weight", x);
  checkChannels(op, s, gWeight, "gWeight", x);
  checkChannels(op, s, gBias, "gBias", x);
  finishRows(op, s);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    if (s.rows == 0 || s.n == 0) {
      clear<T>(gWeight);
      clear<T>(gBias);
      return;
    }
    normalizeBackwardTyped<T>(ctx, s,
                              {g.as<const T>(), x.as<const T>(), dataOf<const T>(weight), nullptr, dataOf<T>(gx),
                               dataOf<T>(mean), rstd.as<T>(), dataOf<T>(gWeight), dataOf<T>(gBias), streamed(x)});
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
