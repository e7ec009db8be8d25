// Batch normalisation: the moments of each channel over a batch, the map that they give, and its gradient. One pass
// measures, one maps; channels that fit into the cache are mapped from there.
#include "cpu/moments.h"
#include "cpu/norm_operands.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;       // elements that are worth a chunk of their own
constexpr int64_t kRunChannels = 32;   // a channel's run in one item that is long enough for vectors
constexpr int64_t kManyChannels = 16;  // enough for a chunk each
constexpr int64_t kColumnRows = 256;   // of a unit of columns

// [n, c, s]: the statistics are those of a channel c. Channels-last is the same with n s items and runs of 1; then
// `fold` items at a time count as one, so that there are enough columns for vectors.
struct Channels {
  int64_t n, c, s, fold = 1;
  bool stream = false;

  int64_t elements() const { return n * s; }
  int64_t rows() const { return n / fold; }
  int64_t columns() const { return c * s * fold; }
  int64_t columnsOfEach() const { return s * fold; }
  int64_t column(int64_t channel, int64_t i) const { return fold > 1 ? i * c + channel : channel * s + i; }
  int64_t channelOf(int64_t column) const { return s > 1 ? column / s : column % c; }
};

template <class T>
struct ChannelTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *variance, *gWeight, *gBias;
};

Channels channelsOf(const TensorView& x, bool last, bool stream) {
  int64_t s = 1;
  for (int d = 2; d < x.ndim; d++) s *= x.shape[d];
  Channels ch = {x.shape[0], x.shape[1], s, 1, stream};
  if (last) {
    ch.n *= ch.s;
    ch.s = 1;
  }
  if (ch.s > 1 || ch.c == 0 || ch.n == 0) return ch;
  for (int64_t fold = kColumnTile / ch.c; fold > 1 && ch.fold == 1; fold--)
    if (ch.n % fold == 0) ch.fold = fold;
  return ch;
}

// Measures channels and maps them, where a channel's runs are long. measure(state, c, offset) adds a run; finish(c,
// state) says what mapping needs, and map(coefficients, offset) maps a run. Few channels are cut up along the batch.
template <class State, class Measure, class Finish, class Map>
void forChannels(Context& ctx, const Channels& ch, Measure measure, Finish finish, Map map) {
  const auto eachRun = [&](int64_t c, int64_t begin, int64_t end, auto f) {
    for (int64_t i = begin; i < end; i++) f((i * ch.c + c) * ch.s);
  };
  const int64_t least = (kUnit + ch.s - 1) / ch.s;  // items of a block
  if (ch.c >= kManyChannels || ch.n <= least) {
    parallelFor(ctx.pool, ch.c, kUnit / ch.elements(), [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; c++) {
        State state;
        eachRun(c, 0, ch.n, [&](int64_t at) { measure(state, c, at); });
        const auto coefficients = finish(c, state);
        eachRun(c, 0, ch.n, [&](int64_t at) { map(coefficients, at); });
      }
      streamFence();
    });
    return;
  }
  const int64_t blocks = (ch.n + least - 1) / least;
  State* states = normScratch<State>(kPartialSlot, ch.c * blocks);
  const auto inBlock = [&](int64_t unit, auto f) {
    const int64_t begin = unit % blocks * least;
    eachRun(unit / blocks, begin, std::min(begin + least, ch.n), f);
  };
  parallelFor(ctx.pool, ch.c * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      State state;
      inBlock(unit, [&](int64_t at) { measure(state, unit / blocks, at); });
      states[unit] = state;
    }
  });
  using Coefficients = decltype(finish(0, *states));
  Coefficients coefficients[kManyChannels];
  for (int64_t c = 0; c < ch.c; c++) {
    State state;
    for (int64_t b = 0; b < blocks; b++) state.join(states[c * blocks + b]);
    coefficients[c] = finish(c, state);
  }
  parallelFor(ctx.pool, ch.c * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++)
      inBlock(unit, [&](int64_t at) { map(coefficients[unit / blocks], at); });
    streamFence();
  });
}

// The same where runs are short: a unit is a block of items of some columns, a column being an element of an item.
// measure(i0, rows, k0, width, a, b) gives two numbers for each column of a unit; join adds those of a unit to the
// state of their channel; mapRow(columns, row) maps an item with the coefficients expanded to columns, kCount arrays of
// them.
template <class T, class State, int kCount, class Measure, class Join, class Finish, class MapRow>
void forColumns(Context& ctx, const Channels& ch, Measure measure, Join join, Finish finish, MapRow mapRow) {
  const int64_t items = ch.rows(), columns = ch.columns(), blocks = divideUp(items, kColumnRows);
  const int64_t tiles = divideUp(columns, kColumnTile);
  double* partials = normScratch<double>(kPartialSlot, 2 * blocks * columns);
  T* expanded = normScratch<T>(kColumnSlot, kCount * columns);
  const auto rowsOfBlock = [&](int64_t b) { return std::min(items - b * kColumnRows, kColumnRows); };
  const int64_t perUnit = std::min(items, kColumnRows) * std::min(columns, kColumnTile);
  parallelFor(ctx.pool, blocks * tiles, kUnit / perUnit, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t b = unit / tiles, k0 = unit % tiles * kColumnTile, width = std::min(columns - k0, kColumnTile);
      double *first = partials + 2 * b * columns + k0, *second = first + columns;
      std::fill(first, first + width, 0.0);
      std::fill(second, second + width, 0.0);
      measure(b * kColumnRows, rowsOfBlock(b), k0, width, first, second);
    }
  });
  const int64_t each = ch.columnsOfEach();
  parallelFor(ctx.pool, ch.c, kUnit / (8 * blocks * each), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      State state;
      for (int64_t b = 0; b < blocks; b++) {
        const double* a = partials + 2 * b * columns;
        for (int64_t i = 0; i < each; i++) {
          const int64_t k = ch.column(c, i);
          join(state, a[k], a[columns + k], rowsOfBlock(b));
        }
      }
      T values[kCount];
      finish(c, state, values);
      for (int v = 0; v < kCount; v++)
        for (int64_t i = 0; i < each; i++) expanded[v * columns + ch.column(c, i)] = values[v];
    }
  });
  parallelFor(ctx.pool, items, kUnit / columns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) mapRow(expanded, i);
    streamFence();
  });
}

template <class T>
struct Affine {
  T mean, scale, shift;
};

template <class T>
void batchNormTyped(Context& ctx, const Channels& ch, const ChannelTensors<T>& t, double eps) {
  const auto finish = [&](int64_t c, const Moments& m) -> Affine<T> {
    t.mean[c] = static_cast<T>(m.mean);
    t.variance[c] = static_cast<T>(m.variance());
    const double scale = 1 / std::sqrt(m.variance() + eps) * (t.weight ? static_cast<double>(t.weight[c]) : 1);
    return {t.mean[c], static_cast<T>(scale), t.bias ? t.bias[c] : T(0)};
  };
  if (ch.s >= kRunChannels) {
    forChannels<Moments>(
        ctx, ch, [&](Moments& m, int64_t, int64_t at) { addRun(m, t.x + at, ch.s); }, finish,
        [&](const Affine<T>& f, int64_t at) {
          affineRun(t.out + at, t.x + at, ch.s, f.mean, f.scale, f.shift, ch.stream);
        });
    return;
  }
  const int64_t columns = ch.columns();
  forColumns<T, Moments, 3>(
      ctx, ch,
      [&](int64_t i0, int64_t rows, int64_t k0, int64_t width, double* mean, double* m2) {
        addColumns(t.x + i0 * columns + k0, rows, columns, width, mean, m2, 0);
      },
      [](Moments& m, double mean, double m2, int64_t rows) { m.join(mean, m2, rows); },
      [&](int64_t c, const Moments& m, T* values) {
        const Affine<T> f = finish(c, m);
        values[0] = f.mean;
        values[1] = f.scale;
        values[2] = f.shift;
      },
      [&](const T* f, int64_t i) {
        affineColumns(t.out + i * columns, t.x + i * columns, columns, f, f + columns, f + 2 * columns, ch.stream);
      });
}

template <class T>
struct Slopes {
  T mean, a, b, d;
};

template <class T>
void batchNormBackwardTyped(Context& ctx, const Channels& ch, const ChannelTensors<T>& t, double eps) {
  const auto finish = [&](int64_t c, const Sums& sums) -> Slopes<T> {
    const double rstd = 1 / std::sqrt(static_cast<double>(t.variance[c]) + eps);
    const double count = static_cast<double>(ch.elements());
    if (t.gWeight) t.gWeight[c] = static_cast<T>(sums.second * rstd);
    if (t.gBias) t.gBias[c] = static_cast<T>(sums.first);
    const double a = rstd * (t.weight ? static_cast<double>(t.weight[c]) : 1);
    return {t.mean[c], static_cast<T>(a), static_cast<T>(a * sums.first / count),
            static_cast<T>(a * rstd * rstd * sums.second / count)};
  };
  if (ch.s >= kRunChannels) {
    forChannels<Sums>(
        ctx, ch,
        [&](Sums& sums, int64_t c, int64_t at) { sums.join(gradientSums(t.g + at, t.x + at, ch.s, t.mean[c])); },
        finish,
        [&](const Slopes<T>& f, int64_t at) {
          if (t.out) gradientRun(t.out + at, t.g + at, t.x + at, ch.s, f.mean, f.a, f.b, f.d, ch.stream);
        });
    return;
  }
  const int64_t columns = ch.columns();
  forColumns<T, Sums, 4>(
      ctx, ch,
      [&](int64_t i0, int64_t rows, int64_t k0, int64_t width, double* first, double* second) {
        T mean[kColumnTile];
        for (int64_t k = 0; k < width; k++) mean[k] = t.mean[ch.channelOf(k0 + k)];
        const int64_t at = i0 * columns + k0;
        addColumnSums(t.g + at, t.x + at, rows, columns, width, mean, first, second);
      },
      [&](Sums& sums, double first, double second, int64_t) {
        sums.join({first, second});
      },
      [&](int64_t c, const Sums& sums, T* values) {
        const Slopes<T> f = finish(c, sums);
        values[0] = f.mean;
        values[1] = f.a;
        values[2] = f.b;
        values[3] = f.d;
      },
      [&](const T* f, int64_t i) {
        if (!t.out) return;
        const int64_t at = i * columns;
        gradientColumns(t.out + at, t.g + at, t.x + at, columns, f, f + columns, f + 2 * columns, f + 3 * columns,
                        ch.stream);
      });
}

}  // namespace

void batchNorm(Context& ctx, const TensorView& out, const TensorView& mean, const TensorView& variance,
               const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
  const char* op = "batchNorm";
  const bool last = requireImages(op, x);
  requireSameImages(op, out, "out", x, last);
  const Channels ch = channelsOf(x, last, streamed(out));
  requireCount(op, mean, "mean", x, ch.c);
  requireCount(op, variance, "variance", x, ch.c);
  if (weight.defined) requireCount(op, weight, "weight", x, ch.c);
  if (bias.defined) requireCount(op, bias, "bias", x, ch.c);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    if (x.numel() == 0) {
      clear<T>(mean);
      clear<T>(variance);
      return;
    }
    batchNormTyped<T>(ctx, ch,
                      {nullptr, x.as<const T>(), dataOf<const T>(weight), dataOf<const T>(bias), out.as<T>(),
                       mean.as<T>(), variance.as<T>(), nullptr, nullptr},
                      eps);
  });
}

void batchNormBackward(Context& ctx, const OptionalTensor& gx, const OptionalTensor& gWeight,
                       const OptionalTensor& gBias, const TensorView& g, const TensorView& x, const TensorView& mean,
                       const TensorView& variance, const OptionalTensor& weight, double eps) {
  const char* op = "batchNormBackward";
  const bool last = requireImages(op, x);
  requireSameImages(op, g, "g", x, last);
  if (gx.defined) requireSameImages(op, gx, "gx", x, last);
  const Channels ch = channelsOf(x, last, streamed(x));
  requireCount(op, mean, "mean", x, ch.c);
  requireCount(op, variance, "variance", x, ch.c);
  if (weight.defined) requireCount(op, weight, "weight", x, ch.c);
  if (gWeight.defined) requireCount(op, gWeight, "gWeight", x, ch.c);
  if (gBias.defined) requireCount(op, gBias, "gBias", x, ch.c);
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    if (x.numel() == 0) {
      clear<T>(gWeight);
      clear<T>(gBias);
      return;
    }
    batchNormBackwardTyped<T>(ctx, ch,
                              {g.as<const T>(), x.as<const T>(), dataOf<const T>(weight), nullptr, dataOf<T>(gx),
                               mean.as<T>(), variance.as<T>(), dataOf<T>(gWeight), dataOf<T>(gBias)},
                              eps);
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
