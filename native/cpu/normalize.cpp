// Normalisation: rows (layer, group, instance, RMS) and channels of a batch, with their gradients. All tensors lie
// contiguously, statistics are those of the compute type. Moments are taken block by block, each around its own mean
// while it is in the cache, and joined in float64 (Chan et al. 1979), so that a large mean does not spoil the variance.
#include "cpu/kernel.h"
#include "cpu/reduce_softmax.h"
#include "cpu/shape_text.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;        // elements that are worth a chunk of their own
constexpr int64_t kMomentBlock = 4096;  // elements that stay in the first-level cache
constexpr int64_t kMaxPartials = 32;    // chunks that add up gradients of parameters on their own
constexpr int64_t kRunChannels = 32;    // a channel's run in one item that is long enough for vectors
constexpr int64_t kManyChannels = 16;   // enough for a chunk each
constexpr int64_t kColumnRows = 64;     // of a unit of columns
constexpr int64_t kColumnTile = 256;
constexpr int kPartialSlot = 4;  // of threadScratch
constexpr int kColumnSlot = 5;

template <class T>
T* scratch(int slot, int64_t count) {
  return reinterpret_cast<T*>(threadScratch(slot, count * static_cast<int64_t>(sizeof(T))));
}

// -- checks -----------------------------------------------------------------------------------------------------------

void requireLike(const char* op, const TensorView& t, const char* name, const TensorView& x) {
  if (!t.defined) fail(ErrorKind::Native, "%s: %s is undefined", op, name);
  if (t.dtype != x.dtype)
    fail(ErrorKind::DType, "%s: %s is %s, x is %s", op, name, dtypeName(t.dtype), dtypeName(x.dtype));
  if (!t.isContiguous()) fail(ErrorKind::Native, "%s: %s is not contiguous", op, name);
}

void requireInput(const char* op, const TensorView& x) {
  if (!x.defined) fail(ErrorKind::Native, "%s: x is undefined", op);
  if (x.dtype != DType::Float32 && x.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: takes float32 or float64, not %s", op, dtypeName(x.dtype));
  if (!x.isContiguous()) fail(ErrorKind::Native, "%s: x is not contiguous", op);
}

void requireSame(const char* op, const TensorView& t, const char* name, const TensorView& x) {
  requireLike(op, t, name, x);
  if (!sameShape(t, x))
    fail(ErrorKind::Shape, "%s: %s %s does not have the shape of x %s", op, name, shapeText(t).c_str(),
         shapeText(x).c_str());
}

void requireCount(const char* op, const TensorView& t, const char* name, const TensorView& x, int64_t count) {
  requireLike(op, t, name, x);
  if (t.numel() != count)
    fail(ErrorKind::Shape, "%s: %s %s does not have %lld elements", op, name, shapeText(t).c_str(),
         static_cast<long long>(count));
}

// -- moments ----------------------------------------------------------------------------------------------------------

struct Moments {
  double mean = 0, m2 = 0;
  int64_t count = 0;

  THALWEG_INLINE void join(double mean2, double more, int64_t n) {
    if (n == 0) return;
    const double share = static_cast<double>(n) / static_cast<double>(count + n), delta = mean2 - mean;
    m2 += more + delta * delta * share * static_cast<double>(count);
    mean += delta * share;
    count += n;
  }
  double variance() const { return m2 / static_cast<double>(count); }
};

template <class T>
THALWEG_NOINLINE void addRun(Moments& moments, const T* x, int64_t n) {
  for (int64_t i = 0; i < n; i += kMomentBlock) {
    const int64_t count = n - i < kMomentBlock ? n - i : kMomentBlock;
    const T* p = x + i;
    const double mean =
        sumVectors<T>(count, [&](int64_t j, int m) { return loadLanes(p + j, m, T(0)); }) / static_cast<double>(count);
    const T around = static_cast<T>(mean);
    const double m2 = sumVectors<T>(count, [&](int64_t j, int m) {
      const Vec<T> d = loadLanes(p + j, m, around) - around;
      return d * d;
    });
    // m2 is around the rounded mean.
    const double rounding = mean - static_cast<double>(around);
    moments.join(mean, m2 - static_cast<double>(count) * rounding * rounding, count);
  }
}

template <class T>
double meanSquare(const T* x, int64_t n) {
  const double sum = sumVectors<T>(n, [&](int64_t j, int m) {
    const Vec<T> v = loadLanes(x + j, m, T(0));
    return v * v;
  });
  return sum / static_cast<double>(n);
}

struct Sums {
  double first = 0, second = 0;
};

// Two sums in one pass: term(i, lanes, a, b) gives two vectors.
template <class T, class F>
THALWEG_INLINE Sums sumPairs(int64_t n, F term) {
  constexpr int L = lanes<T>;
  Sums sums;
  Vec<T> x, y;
  int64_t i = 0;
  while (i + L <= n) {
    const int64_t end = n - i < 64 * L ? n : i + 64 * L;
    Vec<T> a = {}, b = {};
    for (; i + L <= end; i += L) {
      term(i, L, x, y);
      a += x;
      b += y;
    }
    sums.first += joinSum<T>(a);
    sums.second += joinSum<T>(b);
  }
  if (i < n) {
    term(i, static_cast<int>(n - i), x, y);
    sums.first += joinSum<T>(x);
    sums.second += joinSum<T>(y);
  }
  return sums;
}

// sum g and sum g (x - mean)
template <class T>
THALWEG_NOINLINE Sums gradientSums(const T* g, const T* x, int64_t n, T mean) {
  return sumPairs<T>(n, [&](int64_t i, int m, Vec<T>& a, Vec<T>& b) {
    a = loadLanes(g + i, m, T(0));
    b = a * (loadLanes(x + i, m, mean) - mean);
  });
}

// out = (x - mean) scale + shift
template <class T>
THALWEG_NOINLINE void affineRun(T* out, const T* x, int64_t n, T mean, T scale, T shift) {
  mapVectors(n, out, [&](int64_t i, int m) { return (loadLanes(x + i, m, T(0)) - mean) * scale + shift; });
}

// gx = a g - b - d (x - mean)
template <class T>
THALWEG_NOINLINE void gradientRun(T* gx, const T* g, const T* x, int64_t n, T mean, T a, T b, T d) {
  mapVectors(n, gx, [&](int64_t i, int m) {
    return (loadLanes(g + i, m, T(0)) * a - b) - (loadLanes(x + i, m, T(0)) - mean) * d;
  });
}

// -- rows -------------------------------------------------------------------------------------------------------------

// Parameters go with runs of `inner` elements, `channels` of them in turn: a row has n / inner, starting anywhere.
struct Rows {
  int64_t rows, n, inner, channels;

  int64_t runs() const { return n / inner; }
  int64_t channelOf(int64_t row) const { return row * runs() % channels; }
};

void checkChannels(const char* op, Rows& s, const TensorView& t, const char* name, const TensorView& x) {
  if (!t.defined) return;
  if (s.channels < 0) s.channels = t.numel();
  requireCount(op, t, name, x, s.channels);
}

Rows rowsOf(const char* op, const TensorView& x, const TensorView& rstd, int64_t inner) {
  requireInput(op, x);
  if (x.ndim != 2) fail(ErrorKind::Shape, "%s: x must have 2 dimensions, not shape %s", op, shapeText(x).c_str());
  requireCount(op, rstd, "rstd", x, x.shape[0]);
  return {x.shape[0], x.shape[1], inner, -1};
}

// Without parameters a row is one run.
void finishRows(const char* op, Rows& s) {
  if (s.channels < 0) {
    s.channels = 1;
    s.inner = s.n;
  }
  if (s.rows == 0 || s.n == 0) return;
  const bool whole = s.inner >= 1 && s.n % s.inner == 0;
  if (!whole || s.channels < 1 || s.channels % s.runs() != 0 || s.rows * s.runs() % s.channels != 0)
    fail(ErrorKind::Shape, "%s: %lld channels of %lld elements do not fit into rows of %lld", op,
         static_cast<long long>(s.channels), static_cast<long long>(s.inner), static_cast<long long>(s.n));
}

template <class T>
struct RowTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *rstd, *gWeight, *gBias;
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
                    bias ? bias[k] : T(0));
      } else if (weight && bias) {
        mapVectors(s.n, out, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd * loadLanes(weight + i, m, T(0)) +
                 loadLanes(bias + i, m, T(0));
        });
      } else if (weight) {
        mapVectors(s.n, out, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd * loadLanes(weight + i, m, T(0));
        });
      } else {
        mapVectors(s.n, out, [&](int64_t i, int m) {
          return (loadLanes(x + i, m, T(0)) - mean) * rstd + loadLanes(bias + i, m, T(0));
        });
      }
    }
  });
}

// One row whose elements have a parameter each; gw and gb (or null) get their shares.
template <class T>
THALWEG_NOINLINE void backwardElements(const RowTensors<T>& t, T* gx, const T* g, const T* x, const T* weight,
                                       int64_t n, T mean, T rstd, bool centred, T* gw, T* gb) {
  const auto weighted = [&](int64_t i, int m) {
    const Vec<T> v = loadLanes(g + i, m, T(0));
    return weight ? v * loadLanes(weight + i, m, T(0)) : v;
  };
  if (t.out) {
    const Sums sums = sumPairs<T>(n, [&](int64_t i, int m, Vec<T>& a, Vec<T>& b) {
      a = weighted(i, m);
      b = a * (loadLanes(x + i, m, mean) - mean);
    });
    const T b = centred ? static_cast<T>(sums.first / static_cast<double>(n)) : T(0);
    const T d = static_cast<T>(sums.second / static_cast<double>(n)) * rstd * rstd;
    mapVectors(n, gx, [&](int64_t i, int m) {
      return ((weighted(i, m) - b) - (loadLanes(x + i, m, T(0)) - mean) * d) * rstd;
    });
  }
  if (gw) {
    mapVectors(n, gw, [&](int64_t i, int m) {
      return loadLanes(gw + i, m, T(0)) + loadLanes(g + i, m, T(0)) * ((loadLanes(x + i, m, T(0)) - mean) * rstd);
    });
  }
  if (gb) mapVectors(n, gb, [&](int64_t i, int m) { return loadLanes(gb + i, m, T(0)) + loadLanes(g + i, m, T(0)); });
}

// One row of runs.
template <class T>
THALWEG_NOINLINE void backwardRuns(const RowTensors<T>& t, const Rows& s, T* gx, const T* g, const T* x,
                                   const T* weight, T mean, T rstd, bool centred, T* gw, T* gb) {
  double first = 0, second = 0;
  for (int64_t k = 0; k < s.runs(); k++) {
    const Sums sums = gradientSums(g + k * s.inner, x + k * s.inner, s.inner, mean);
    if (gw) gw[k] += static_cast<T>(sums.second * static_cast<double>(rstd));
    if (gb) gb[k] += static_cast<T>(sums.first);
    const double w = weight ? static_cast<double>(weight[k]) : 1;
    first += w * sums.first;
    second += w * sums.second;
  }
  if (!t.out) return;
  const T b = centred ? static_cast<T>(first / static_cast<double>(s.n)) * rstd : T(0);
  const T d = static_cast<T>(second / static_cast<double>(s.n)) * rstd * rstd * rstd;
  for (int64_t k = 0; k < s.runs(); k++)
    gradientRun(gx + k * s.inner, g + k * s.inner, x + k * s.inner, s.inner, mean, weight ? rstd * weight[k] : rstd, b,
                d);
}

template <class T>
void normalizeBackwardTyped(Context& ctx, const Rows& s, const RowTensors<T>& t) {
  int64_t grain = kUnit / s.n;
  if (grain < 1) grain = 1;
  const bool parameters = t.gWeight || t.gBias;
  if (parameters && grain < (s.rows + kMaxPartials - 1) / kMaxPartials)
    grain = (s.rows + kMaxPartials - 1) / kMaxPartials;
  const int64_t chunks = (s.rows + grain - 1) / grain, width = 2 * s.channels;
  T* partials = parameters ? scratch<T>(kPartialSlot, chunks * width) : nullptr;
  parallelFor(ctx.pool, s.rows, grain, [&](int64_t begin, int64_t end) {
    T* own = parameters ? partials + begin / grain * width : nullptr;
    if (own) std::memset(own, 0, static_cast<size_t>(width) * sizeof(T));
    for (int64_t r = begin; r < end; r++) {
      const int64_t channel = s.channelOf(r), at = r * s.n;
      const T* weight = t.weight ? t.weight + channel : nullptr;
      T* gw = t.gWeight ? own + channel : nullptr;
      T* gb = t.gBias ? own + s.channels + channel : nullptr;
      const bool centred = t.mean != nullptr;
      const T mean = centred ? t.mean[r] : T(0);
      T* gx = t.out ? t.out + at : nullptr;
      if (s.inner == 1)
        backwardElements(t, gx, t.g + at, t.x + at, weight, s.n, mean, t.rstd[r], centred, gw, gb);
      else
        backwardRuns(t, s, gx, t.g + at, t.x + at, weight, mean, t.rstd[r], centred, gw, gb);
    }
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

template <class T>
void clear(const TensorView& t) {
  if (t.defined) std::memset(t.data, 0, static_cast<size_t>(t.numel()) * sizeof(T));
}

template <class T>
T* dataOf(const TensorView& t) {
  return t.defined ? t.as<T>() : nullptr;
}

// -- channels ---------------------------------------------------------------------------------------------------------

// [n, c, s]: the statistics are those of a channel c.
struct Channels {
  int64_t n, c, s;

  int64_t elements() const { return n * s; }
  int64_t columns() const { return c * s; }
};

template <class T>
struct ChannelTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *variance, *gWeight, *gBias;
};

Channels channelsOf(const char* op, const TensorView& x) {
  requireInput(op, x);
  if (x.ndim != 3) fail(ErrorKind::Shape, "%s: x must have 3 dimensions, not shape %s", op, shapeText(x).c_str());
  return {x.shape[0], x.shape[1], x.shape[2]};
}

// Measures channels and maps them, where a channel's runs are long. measure(state, offset, n) adds a run; finish(c,
// state) says what mapping needs, and map(coefficients, offset, n) maps a run. Few channels are cut up along the batch.
template <class State, class Measure, class Join, class Finish, class Map>
void forChannels(Context& ctx, const Channels& ch, Measure measure, Join join, Finish finish, Map map) {
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
    });
    return;
  }
  const int64_t blocks = (ch.n + least - 1) / least;
  State* states = scratch<State>(kPartialSlot, ch.c * blocks);
  const auto inBlock = [&](int64_t unit, auto f) {
    const int64_t begin = unit % blocks * least, end = begin + least < ch.n ? begin + least : ch.n;
    eachRun(unit / blocks, begin, end, f);
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
    for (int64_t b = 0; b < blocks; b++) join(state, states[c * blocks + b]);
    coefficients[c] = finish(c, state);
  }
  parallelFor(ctx.pool, ch.c * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++)
      inBlock(unit, [&](int64_t at) { map(coefficients[unit / blocks], at); });
  });
}

// The same where runs are short: a block of items is worked on column by column, a column being an element of an item.
// measure(i0, rows, k0, width, a, b) gives two numbers for each column of a unit; join adds those of a unit to the
// state of their channel; mapRow(columns, row) maps an item with the coefficients expanded to columns, kCount arrays of
// them.
template <class T, class State, int kCount, class Measure, class Join, class Finish, class MapRow>
void forColumns(Context& ctx, const Channels& ch, Measure measure, Join join, Finish finish, MapRow mapRow) {
  const int64_t columns = ch.columns(), blocks = (ch.n + kColumnRows - 1) / kColumnRows;
  const int64_t tiles = (columns + kColumnTile - 1) / kColumnTile;
  double* partials = scratch<double>(kPartialSlot, 2 * blocks * columns);
  T* expanded = scratch<T>(kColumnSlot, kCount * columns);
  const auto rowsOfBlock = [&](int64_t b) {
    return ch.n - b * kColumnRows < kColumnRows ? ch.n - b * kColumnRows : kColumnRows;
  };
  const int64_t perUnit = (ch.n < kColumnRows ? ch.n : kColumnRows) * (columns < kColumnTile ? columns : kColumnTile);
  parallelFor(ctx.pool, blocks * tiles, kUnit / perUnit, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t b = unit / tiles, k0 = unit % tiles * kColumnTile;
      const int64_t width = columns - k0 < kColumnTile ? columns - k0 : kColumnTile;
      double* a = partials + 2 * b * columns + k0;
      measure(b * kColumnRows, rowsOfBlock(b), k0, width, a, a + columns);
    }
  });
  parallelFor(ctx.pool, ch.c, kUnit / (8 * blocks * ch.s), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; c++) {
      State state;
      for (int64_t b = 0; b < blocks; b++) {
        const double* a = partials + 2 * b * columns;
        for (int64_t k = c * ch.s; k < (c + 1) * ch.s; k++) join(state, a[k], a[columns + k], rowsOfBlock(b));
      }
      T values[kCount];
      finish(c, state, values);
      for (int i = 0; i < kCount; i++)
        for (int64_t k = c * ch.s; k < (c + 1) * ch.s; k++) expanded[i * columns + k] = values[i];
    }
  });
  parallelFor(ctx.pool, ch.n, kUnit / columns, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) mapRow(expanded, i);
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
        ctx, ch, [&](Moments& m, int64_t, int64_t at) { addRun(m, t.x + at, ch.s); },
        [](Moments& m, const Moments& more) { m.join(more.mean, more.m2, more.count); }, finish,
        [&](const Affine<T>& f, int64_t at) { affineRun(t.out + at, t.x + at, ch.s, f.mean, f.scale, f.shift); });
    return;
  }
  const int64_t columns = ch.columns();
  forColumns<T, Moments, 3>(
      ctx, ch,
      [&](int64_t i0, int64_t rows, int64_t k0, int64_t width, double* means, double* m2) {
        const T* x = t.x + i0 * columns + k0;
        T mean[kColumnTile] = {}, squares[kColumnTile] = {};
        for (int64_t i = 0; i < rows; i++)
          for (int64_t k = 0; k < width; k++) mean[k] += x[i * columns + k];
        for (int64_t k = 0; k < width; k++) mean[k] /= static_cast<T>(rows);
        // Around a rounded mean, so that the sum of differences is what is missing from it.
        T rest[kColumnTile] = {};
        for (int64_t i = 0; i < rows; i++) {
          for (int64_t k = 0; k < width; k++) {
            const T d = x[i * columns + k] - mean[k];
            squares[k] += d * d;
            rest[k] += d;
          }
        }
        for (int64_t k = 0; k < width; k++) {
          const double r = static_cast<double>(rest[k]), off = r / static_cast<double>(rows);
          means[k] = static_cast<double>(mean[k]) + off;
          m2[k] = static_cast<double>(squares[k]) - r * off;
        }
      },
      [](Moments& m, double mean, double m2, int64_t rows) { m.join(mean, m2, rows); },
      [&](int64_t c, const Moments& m, T* values) {
        const Affine<T> f = finish(c, m);
        values[0] = f.mean;
        values[1] = f.scale;
        values[2] = f.shift;
      },
      [&](const T* f, int64_t i) {
        const T *mean = f, *scale = f + columns, *shift = f + 2 * columns, *x = t.x + i * columns;
        T* out = t.out + i * columns;
        mapVectors(columns, out, [&](int64_t k, int m) {
          return (loadLanes(x + k, m, T(0)) - loadLanes(mean + k, m, T(0))) * loadLanes(scale + k, m, T(0)) +
                 loadLanes(shift + k, m, T(0));
        });
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
  const auto join = [](Sums& sums, double first, double second) {
    sums.first += first;
    sums.second += second;
  };
  if (ch.s >= kRunChannels) {
    forChannels<Sums>(
        ctx, ch,
        [&](Sums& sums, int64_t c, int64_t at) {
          const Sums more = gradientSums(t.g + at, t.x + at, ch.s, t.mean[c]);
          join(sums, more.first, more.second);
        },
        [&](Sums& sums, const Sums& more) { join(sums, more.first, more.second); }, finish,
        [&](const Slopes<T>& f, int64_t at) {
          if (t.out) gradientRun(t.out + at, t.g + at, t.x + at, ch.s, f.mean, f.a, f.b, f.d);
        });
    return;
  }
  const int64_t columns = ch.columns();
  forColumns<T, Sums, 4>(
      ctx, ch,
      [&](int64_t i0, int64_t rows, int64_t k0, int64_t width, double* first, double* second) {
        T mean[kColumnTile], a[kColumnTile] = {}, b[kColumnTile] = {};
        for (int64_t k = 0; k < width; k++) mean[k] = t.mean[(k0 + k) / ch.s];
        for (int64_t i = i0; i < i0 + rows; i++) {
          const T *g = t.g + i * columns + k0, *x = t.x + i * columns + k0;
          for (int64_t k = 0; k < width; k++) {
            a[k] += g[k];
            b[k] += g[k] * (x[k] - mean[k]);
          }
        }
        for (int64_t k = 0; k < width; k++) {
          first[k] = static_cast<double>(a[k]);
          second[k] = static_cast<double>(b[k]);
        }
      },
      [&](Sums& sums, double first, double second, int64_t) { join(sums, first, second); },
      [&](int64_t c, const Sums& sums, T* values) {
        const Slopes<T> f = finish(c, sums);
        values[0] = f.mean;
        values[1] = f.a;
        values[2] = f.b;
        values[3] = f.d;
      },
      [&](const T* f, int64_t i) {
        if (!t.out) return;
        const T *mean = f, *a = f + columns, *b = f + 2 * columns, *d = f + 3 * columns;
        const T *g = t.g + i * columns, *x = t.x + i * columns;
        mapVectors(columns, t.out + i * columns, [&](int64_t k, int m) {
          const Vec<T> centred = loadLanes(x + k, m, T(0)) - loadLanes(mean + k, m, T(0));
          return (loadLanes(g + k, m, T(0)) * loadLanes(a + k, m, T(0)) - loadLanes(b + k, m, T(0))) -
                 centred * loadLanes(d + k, m, T(0));
        });
      });
}

template <class F>
void withFloat(const TensorView& x, F&& f) {
  if (x.dtype == DType::Float64)
    f(double());
  else
    f(float());
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
                       dataOf<T>(mean), rstd.as<T>(), nullptr, nullptr},
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
                               dataOf<T>(mean), rstd.as<T>(), dataOf<T>(gWeight), dataOf<T>(gBias)});
  });
}

void batchNorm(Context& ctx, const TensorView& out, const TensorView& mean, const TensorView& variance,
               const TensorView& x, const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
  const char* op = "batchNorm";
  const Channels ch = channelsOf(op, x);
  requireSame(op, out, "out", x);
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
  const Channels ch = channelsOf(op, x);
  requireSame(op, g, "g", x);
  if (gx.defined) requireSame(op, gx, "gx", x);
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
