// Cross entropy of logits and its gradient. Logits are [n, c, s]: where s is 1 a row lies contiguously, else
// neighbouring positions share vectors. What is kept of the forward pass is one number for each position, the logarithm
// of the sum of exponentials, in float64: with large logits a float32 would not tell probabilities apart.
//
// With weights w (1 if not given), smoothing e and classes t the loss of a position is
//   (1 - e) w_t (lse - x_t) + e / c sum_j w_j (lse - x_j),
// with probabilities p' = (1 - e) p + e / c it is sum_j w_j p'_j (lse - x_j).
#include "operands/cross_entropy.h"
#include "cpu/kernel.h"
#include "cpu/reduce_softmax.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kUnit = 16384;  // logits that are worth a chunk of their own

struct Problem : EntropySizes {
  int64_t ignoreIndex;
  double smoothing;
  const char* op;
};

template <class T>
struct Tensors {
  const T *x, *weight, *g;
  const void* target;
  T *loss, *share, *gx;
  double* lse;
};

// The class at a position, or -1 where it is ignored.
template <class T>
THALWEG_INLINE int64_t classAt(const Problem& p, const Tensors<T>& t, int64_t at) {
  const int64_t label =
      p.narrow ? static_cast<const int32_t*>(t.target)[at] : static_cast<const int64_t*>(t.target)[at];
  if (label == p.ignoreIndex) return -1;
  if (label < 0 || label >= p.c)
    fail(ErrorKind::Index, "%s: target %lld is out of range for %lld classes", p.op, static_cast<long long>(label),
         static_cast<long long>(p.c));
  return label;
}

template <class T>
double totalWeight(const Problem& p, const Tensors<T>& t) {
  if (!t.weight) return static_cast<double>(p.c);
  double sum = 0;
  for (int64_t j = 0; j < p.c; j++) sum += static_cast<double>(t.weight[j]);
  return sum;
}

// What each class counts for: weights of uniform targets, or of probabilities.
template <class T>
struct Targets {
  const T* weight;
  const T* soft;
  T keep, uniform;  // 1 - e, e / c

  Targets(const Problem& p, const T* weight, const T* soft)
      : weight(weight),
        soft(soft),
        keep(static_cast<T>(1 - p.smoothing)),
        uniform(static_cast<T>(p.smoothing / static_cast<double>(p.c))) {}

  THALWEG_INLINE Vec<T> at(int64_t i, int m) const {
    Vec<T> v = soft ? loadLanes(soft + i, m, T(0)) * keep + uniform : broadcast(uniform);
    return weight ? v * loadLanes(weight + i, m, T(0)) : v;
  }
};

// -- rows -------------------------------------------------------------------------------------------------------------

template <class T>
THALWEG_NOINLINE void forwardRow(const Problem& p, const Tensors<T>& t, int64_t row, double total) {
  const T* x = t.x + row * p.c;
  const int64_t label = p.soft ? 0 : classAt(p, t, row);
  if (label < 0) {
    t.loss[row] = t.share[row] = 0;
    t.lse[row] = 0;
    return;
  }
  constexpr int L = lanes<T>;
  const T max = p.c < L ? joinLanes<T>(loadFilled(x, static_cast<int>(p.c), kMinusInfinity<T>),
                                       [](auto a, auto b) { return larger(b, a); })
                        : rowMaximum(x, p.c);
  const double logSum = std::log(
      sumVectors<T>(p.c, [&](int64_t i, int m) { return vectorExp<T>(loadLanes(x + i, m, kMinusInfinity<T>) - max); }));
  t.lse[row] = static_cast<double>(max) + logSum;
  double loss = 0, share = total;
  if (p.soft || p.smoothing > 0) {
    const Targets<T> targets(p, t.weight, p.soft ? static_cast<const T*>(t.target) + row * p.c : nullptr);
    const double lost = sumVectors<T>(p.c, [&](int64_t i, int m) {
      return targets.at(i, m) * (loadLanes(x + i, m, max) - max);  // 0 beyond the row
    });
    if (p.soft)
      share = sumVectors<T>(p.c, [&](int64_t i, int m) {
        const Vec<T> v = targets.at(i, m);
        return m == lanes<T> ? v : lanesBelow<T>(m) ? v : Vec<T>{};
      });
    else
      share = total * p.smoothing / static_cast<double>(p.c);
    loss = share * logSum - lost;
  }
  if (!p.soft) {
    share = t.weight ? static_cast<double>(t.weight[label]) : 1;
    loss += (1 - p.smoothing) * share * (logSum - (static_cast<double>(x[label]) - static_cast<double>(max)));
  }
  t.loss[row] = static_cast<T>(loss);
  t.share[row] = static_cast<T>(share);
}

template <class T>
THALWEG_NOINLINE void backwardRow(const Problem& p, const Tensors<T>& t, int64_t row, double total) {
  const T *x = t.x + row * p.c, g = t.g[row];
  T* gx = t.gx + row * p.c;
  const int64_t label = p.soft ? 0 : classAt(p, t, row);
  if (label < 0) {
    std::memset(gx, 0, static_cast<size_t>(p.c) * sizeof(T));
    return;
  }
  // x - lse in two steps: the second is what float32 loses of it.
  const T high = static_cast<T>(t.lse[row]), low = static_cast<T>(t.lse[row] - static_cast<double>(high));
  const auto probability = [&](int64_t i, int m) { return vectorExp<T>((loadLanes(x + i, m, T(0)) - high) - low); };
  const T share = t.share[row], keep = static_cast<T>(1 - p.smoothing) * share;
  if (!p.soft && p.smoothing == 0) {
    const T scale = g * share;
    mapVectors(p.c, gx, [&](int64_t i, int m) { return probability(i, m) * scale; });
  } else {
    const T scale = p.soft ? share : keep + static_cast<T>(p.smoothing * total / static_cast<double>(p.c));
    const Targets<T> targets(p, t.weight, p.soft ? static_cast<const T*>(t.target) + row * p.c : nullptr);
    mapVectors(p.c, gx, [&](int64_t i, int m) { return (probability(i, m) * scale - targets.at(i, m)) * g; });
  }
  if (!p.soft) gx[label] -= g * keep;
}

// -- positions side by side -------------------------------------------------------------------------------------------

template <class T>
struct Lanes {
  int64_t label[lanes<T>];
};

// The first logit of a tile of positions, and the tile's place among all positions.
struct Tile {
  int64_t logit, position;
  int m;
};

template <class T>
THALWEG_NOINLINE void forwardTile(const Problem& p, const Tensors<T>& t, const Tile& tile, double total) {
  constexpr int L = lanes<T>;
  const T* x = t.x + tile.logit;
  const auto at = [&](int64_t j) { return loadLanes(x + j * p.s, tile.m, T(0)); };
  Lanes<T> own{};
  if (!p.soft)
    for (int l = 0; l < tile.m; l++) own.label[l] = classAt(p, t, tile.position + l);
  Vec<T> max = at(0), lost = {}, counted = {};
  for (int64_t j = 1; j < p.c; j++) max = larger(at(j), max);
  alignas(kVectorBytes) double sum[L] = {};
  const bool mixed = p.soft || p.smoothing > 0;
  for (int64_t j = 0; j < p.c; j++) {
    const Vec<T> d = at(j) - max;
    addWidened<T>(sum, vectorExp<T>(d));
    if (!mixed) continue;
    const T* soft = p.soft ? static_cast<const T*>(t.target) + tile.logit + j * p.s : nullptr;
    Vec<T> target = Targets<T>(p, nullptr, soft).at(0, tile.m);
    if (t.weight) target *= t.weight[j];
    lost += target * d;
    counted += target;
  }
  for (int l = 0; l < tile.m; l++) {
    const int64_t to = tile.position + l, label = own.label[l];
    if (label < 0) {
      t.loss[to] = t.share[to] = 0;
      t.lse[to] = 0;
      continue;
    }
    const double logSum = std::log(sum[l]), top = static_cast<double>(max[l]);
    double loss = 0, share = static_cast<double>(counted[l]);
    if (mixed)
      loss = (p.soft ? share : total * p.smoothing / static_cast<double>(p.c)) * logSum - static_cast<double>(lost[l]);
    if (!p.soft) {
      share = t.weight ? static_cast<double>(t.weight[label]) : 1;
      loss += (1 - p.smoothing) * share * (logSum - (static_cast<double>(x[label * p.s + l]) - top));
    }
    t.lse[to] = top + logSum;
    t.loss[to] = static_cast<T>(loss);
    t.share[to] = static_cast<T>(share);
  }
}

template <class T>
THALWEG_NOINLINE void backwardTile(const Problem& p, const Tensors<T>& t, const Tile& tile, double total) {
  const T* x = t.x + tile.logit;
  T* gx = t.gx + tile.logit;
  const T keep = static_cast<T>(1 - p.smoothing);
  Lanes<T> own{};
  Vec<T> high = {}, low = {}, scale = {}, g = {};
  for (int l = 0; l < tile.m; l++) {
    const int64_t from = tile.position + l;
    if (!p.soft) own.label[l] = classAt(p, t, from);
    high[l] = static_cast<T>(t.lse[from]);
    low[l] = static_cast<T>(t.lse[from] - static_cast<double>(high[l]));
    const T share = t.share[from];
    scale[l] = p.soft ? share : keep * share + static_cast<T>(p.smoothing * total / static_cast<double>(p.c));
    g[l] = t.g[from];
  }
  Vec<MaskOf<T>> ignored = {};
  for (int l = 0; l < tile.m; l++) ignored[l] = own.label[l] < 0 ? -1 : 0;
  for (int64_t j = 0; j < p.c; j++) {
    const T* soft = p.soft ? static_cast<const T*>(t.target) + tile.logit + j * p.s : nullptr;
    Vec<T> target = Targets<T>(p, nullptr, soft).at(0, tile.m);
    if (t.weight) target *= t.weight[j];
    Vec<T> v = (vectorExp<T>((loadLanes(x + j * p.s, tile.m, T(0)) - high) - low) * scale - target) * g;
    v = ignored ? Vec<T>{} : v;
    if (tile.m == lanes<T>)
      store(gx + j * p.s, v);
    else
      storeFirst(gx + j * p.s, v, tile.m);
  }
  if (p.soft) return;
  for (int l = 0; l < tile.m; l++)
    if (own.label[l] >= 0) gx[own.label[l] * p.s + l] -= g[l] * (keep * t.share[tile.position + l]);
}

template <class T, class Row, class Side>
void forPositions(Context& ctx, const Problem& p, Row row, Side side) {
  if (p.s == 1) {
    parallelFor(ctx.pool, p.n, kUnit / p.c, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) row(i);
    });
    return;
  }
  constexpr int64_t L = lanes<T>;
  const int64_t tiles = (p.s + L - 1) / L;
  parallelFor(ctx.pool, p.n * tiles, kUnit / (p.c * L), [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t item = unit / tiles, at = unit % tiles * L;
      side(Tile{item * p.c * p.s + at, item * p.s + at, static_cast<int>(p.s - at < L ? p.s - at : L)});
    }
  });
}

template <class T>
T* dataOf(const TensorView& t) {
  return t.defined ? t.as<T>() : nullptr;
}

template <class T>
void forwardTyped(Context& ctx, const Problem& p, const Tensors<T>& t) {
  const double total = totalWeight(p, t);
  forPositions<T>(
      ctx, p, [&](int64_t row) { forwardRow(p, t, row, total); },
      [&](const Tile& tile) { forwardTile(p, t, tile, total); });
}

template <class T>
void backwardTyped(Context& ctx, const Problem& p, const Tensors<T>& t) {
  const double total = totalWeight(p, t);
  forPositions<T>(
      ctx, p, [&](int64_t row) { backwardRow(p, t, row, total); },
      [&](const Tile& tile) { backwardTile(p, t, tile, total); });
}

}  // namespace

void crossEntropy(Context& ctx, const TensorView& loss, const TensorView& lse, const TensorView& share,
                  const TensorView& x, const TensorView& target, const OptionalTensor& weight, int64_t ignoreIndex,
                  double smoothing) {
  const char* op = "crossEntropy";
  const Problem p = {checkEntropy(op, x, target, weight), ignoreIndex, smoothing, op};
  require(op, loss, "loss", x.dtype, p.n * p.s);
  require(op, lse, "lse", DType::Float64, p.n * p.s);
  require(op, share, "share", x.dtype, p.n * p.s);
  if (p.n * p.s == 0) return;
  if (p.c == 0) fail(ErrorKind::Shape, "%s: x %s has no classes", op, shapeText(x).c_str());
  if (x.dtype == DType::Float64)
    forwardTyped<double>(ctx, p,
                         {x.as<const double>(), dataOf<const double>(weight), nullptr, target.data, loss.as<double>(),
                          share.as<double>(), nullptr, lse.as<double>()});
  else
    forwardTyped<float>(ctx, p,
                        {x.as<const float>(), dataOf<const float>(weight), nullptr, target.data, loss.as<float>(),
                         share.as<float>(), nullptr, lse.as<double>()});
}

void crossEntropyBackward(Context& ctx, const TensorView& gx, const TensorView& g, const TensorView& x,
                          const TensorView& lse, const TensorView& share, const TensorView& target,
                          const OptionalTensor& weight, int64_t ignoreIndex, double smoothing) {
  const char* op = "crossEntropyBackward";
  const Problem p = {checkEntropy(op, x, target, weight), ignoreIndex, smoothing, op};
  require(op, gx, "gx", x.dtype, p.n * p.c * p.s);
  require(op, g, "g", x.dtype, p.n * p.s);
  require(op, lse, "lse", DType::Float64, p.n * p.s);
  require(op, share, "share", x.dtype, p.n * p.s);
  if (p.n * p.c * p.s == 0) return;
  if (x.dtype == DType::Float64)
    backwardTyped<double>(ctx, p,
                          {x.as<const double>(), dataOf<const double>(weight), g.as<const double>(), target.data,
                           nullptr, share.as<double>(), gx.as<double>(), lse.as<double>()});
  else
    backwardTyped<float>(ctx, p,
                         {x.as<const float>(), dataOf<const float>(weight), g.as<const float>(), target.data, nullptr,
                          share.as<float>(), gx.as<float>(), lse.as<double>()});
}

}  // namespace thalweg::cpu::THALWEG_ISA
