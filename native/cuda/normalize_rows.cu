// Normalisation of rows: layer, RMS, group and instance normalisation, with their gradients. A row that fits is held in
// registers by a warp or by a block, and read once; longer rows are cut into pieces.
#include "cuda/norm_finish.h"
#include "operands/norm_rows.h"

namespace thalweg::cuda {
namespace {

constexpr int kRowThreads = 512;                  // of a block that holds a row
constexpr int64_t kMostTeams = int64_t{1} << 17;  // threads that add up gradients of parameters on their own

template <class T>
struct RowTensors {
  const T *g, *x, *weight, *bias;
  T *out, *mean, *rstd, *gWeight, *gBias;
};

// Two sums that are joined at once.
template <class T>
struct Two {
  T a, b;
};
template <class T>
__device__ inline Two<T> shuffleXor(Two<T> t, int lanes) {
  return {cuda::shuffleXor(t.a, lanes), cuda::shuffleXor(t.b, lanes)};
}
struct JoinTwo {
  template <class T>
  __device__ Two<T> operator()(Two<T> x, Two<T> y) const {
    return {x.a + y.a, x.b + y.b};
  }
};

// -- forward, in registers
// -----------------------------------------------------------------------------------------------

// parameterVectors: weight and bias, too, can be moved 16 bytes at a time, one element for each of the row's.
template <class T, int kLanes, int kPer>
__global__ void __launch_bounds__(kLanes == kWholeBlock ? kRowThreads : kNormThreads)
    normalizeHeldKernel(RowTensors<T> t, Rows s, bool vectors, bool parameterVectors, T eps) {
  using Data = TypedData<T>;
  __shared__ Two<T> shared[kMostWarps];
  const Team<kLanes> team;
  const Share<kPer> share = {0, s.n, team.lane(), team.size(), vectors};
  const T n = static_cast<T>(s.n);
  const int64_t runs = s.inner == 1 ? s.n : s.n / s.inner;
  for (int64_t first = team.first(); first < s.rows; first += team.step()) {
    const int64_t wanted = first + team.own(), row = wanted < s.rows ? wanted : s.rows - 1;
    T values[kPer];
    share.load(values, TypedData<const T>{t.x}, row * s.n, 1, T(0));
    T mean = 0, square = 0;
    if (t.mean) {
      T sum = 0;
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) sum += values[k];
      mean = team.join(Two<T>{sum, T(0)}, JoinTwo(), shared).a / n;
      // Around a rounded mean: the sum of differences is what it lacks.
      Two<T> around = {0, 0};
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) {
        const T d = share.template has<Data>(k) ? values[k] - mean : T(0);
        around.a += d;
        around.b += d * d;
      }
      around = team.join(around, JoinTwo(), shared);
      const T off = around.a / n;
      square = (around.b - around.a * off) / n;
      mean += off;
    } else {
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) square += values[k] * values[k];
      square = team.join(Two<T>{square, T(0)}, JoinTwo(), shared).a / n;
    }
    const T rstd = 1 / std::sqrt(square + eps);
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) values[k] = (values[k] - mean) * rstd;
    const int64_t channel = row * runs % s.channels;
    const auto apply = [&](const T* parameter, auto&& f) {
      T p[kPer];
      if (s.inner == 1) {
        const Share<kPer> own = {0, s.n, team.lane(), team.size(), vectors && parameterVectors};
        if (vectors == own.vectors) {
          own.load(p, TypedData<const T>{parameter}, channel, 1, T(0));
        } else {
          THALWEG_UNROLL
          for (int k = 0; k < kPer; k++)
            p[k] = share.template has<Data>(k) ? parameter[channel + share.template position<Data>(k)] : T(0);
        }
      } else {
        THALWEG_UNROLL
        for (int k = 0; k < kPer; k++)
          p[k] = share.template has<Data>(k)
                     ? parameter[channel + quotient(share.template position<Data>(k), s.inner, true)]
                     : T(0);
      }
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) values[k] = f(values[k], p[k]);
    };
    if (t.weight) apply(t.weight, [](T value, T weight) { return value * weight; });
    if (t.bias) apply(t.bias, [](T value, T bias) { return value + bias; });
    if (wanted >= s.rows) continue;
    share.store(values, Data{t.out}, row * s.n, 1);
    if (team.lane() != 0) continue;
    if (t.mean) t.mean[row] = mean;
    t.rstd[row] = rstd;
  }
}

template <class T, int kLanes, int kPer>
void launchHeld(Queue& queue, const RowTensors<T>& t, const Rows& s, double eps) {
  const bool vectors = aligned<T>(s.n, {t.x, t.out}), parameters = aligned<T>(s.channels, {t.weight, t.bias});
  int threads = kNormThreads;
  if (kLanes == kWholeBlock) threads = static_cast<int>(divideUp(s.n, kPer * kWarp)) * kWarp;
  const unsigned grid = gridFor(queue, s.rows * (kLanes == kWholeBlock ? threads : kLanes), threads);
  LAUNCH((normalizeHeldKernel<T, kLanes, kPer>), grid, threads, 0, queue, t, s, vectors, parameters,
         static_cast<T>(eps));
}

template <class T>
void normalizeTyped(Queue& queue, const Rows& s, const RowTensors<T>& t, double eps) {
  if (s.n <= 64) return launchHeld<T, 8, 8>(queue, t, s, eps);
  if (s.n <= 256) return launchHeld<T, kWarp, 8>(queue, t, s, eps);
  if (s.n <= 8 * kRowThreads) return launchHeld<T, kWholeBlock, 8>(queue, t, s, eps);
  if (s.n <= 16 * kRowThreads) return launchHeld<T, kWholeBlock, 16>(queue, t, s, eps);
  const Runs runs(1, s.rows, s.n);
  const Moments* partials = momentsOfRuns(queue, t.x, runs);
  finishMoments<T>(queue, {t.mean, nullptr, t.rstd, t.mean != nullptr, eps}, partials, runs.partials());
  normalizeAll<T>(queue, t.out, t.x, {t.mean, t.rstd, t.weight, t.bias},
                  Places(s.rows * s.n, s.inner, s.channels, Places::Row, s.n));
}

// -- backward, in registers: rows whose elements have a parameter each, the same ones in every row
// -----------------------

// With kShares, each block leaves its shares of the parameters' gradients: [blocks, 2, n], those of the weight first.
template <class T, int kLanes, int kPer, bool kShares>
__global__ void __launch_bounds__(kLanes == kWholeBlock ? kRowThreads : kNormThreads)
    normalizeBackwardHeldKernel(RowTensors<T> t, Rows s, T* shares, bool vectors, bool parameterVectors) {
  using Data = TypedData<T>;
  __shared__ Two<T> shared[kMostWarps];
  const Team<kLanes> team;
  const Share<kPer> share = {0, s.n, team.lane(), team.size(), vectors};
  const T n = static_cast<T>(s.n);
  T gw[kShares ? kPer : 1] = {}, gb[kShares ? kPer : 1] = {};
  for (int64_t first = team.first(); first < s.rows; first += team.step()) {
    const int64_t wanted = first + team.own(), row = wanted < s.rows ? wanted : s.rows - 1;
    const T mean = t.mean ? t.mean[row] : T(0), rstd = t.rstd[row];
    T gs[kPer], xs[kPer];
    share.load(gs, TypedData<const T>{t.g}, row * s.n, 1, T(0));
    share.load(xs, TypedData<const T>{t.x}, row * s.n, 1, mean);
    Two<T> sums = {0, 0};
    if (t.weight) {
      const Share<kPer> own = {0, s.n, team.lane(), team.size(), vectors && parameterVectors};
      T ws[kPer];
      if (vectors == own.vectors) {
        own.load(ws, TypedData<const T>{t.weight}, 0, 1, T(0));
      } else {
        THALWEG_UNROLL
        for (int k = 0; k < kPer; k++)
          ws[k] = share.template has<Data>(k) ? t.weight[share.template position<Data>(k)] : T(0);
      }
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) {
        xs[k] -= mean;
        if constexpr (kShares) {
          gw[k] += gs[k] * (xs[k] * rstd);
          gb[k] += gs[k];
        }
        gs[k] *= ws[k];
      }
    } else {
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) {
        xs[k] -= mean;
        if constexpr (kShares) {
          gw[k] += gs[k] * (xs[k] * rstd);
          gb[k] += gs[k];
        }
      }
    }
    if (!t.out) continue;
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) {
      sums.a += gs[k];
      sums.b += gs[k] * xs[k];
    }
    sums = team.join(sums, JoinTwo(), shared);
    const T offset = t.mean ? sums.a / n : T(0), slope = sums.b / n * rstd * rstd;
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) gs[k] = ((gs[k] - offset) - xs[k] * slope) * rstd;
    if (wanted < s.rows) share.store(gs, Data{t.out}, row * s.n, 1);
  }
  if constexpr (kShares) {
    T* to = shares + static_cast<int64_t>(blockIdx.x) * 2 * s.n;
    if constexpr (kLanes == kWholeBlock) {
      share.store(gw, Data{to}, 0, 1);
      share.store(gb, Data{to + s.n}, 0, 1);
    } else {
      // The block's warps, one after the other.
      static_assert(kLanes == kWarp);
      DYNAMIC_SHARED(T, sums);
      for (int warp = 0; warp < kNormThreads / kWarp; warp++) {
        if (static_cast<int>(threadIdx.x) / kWarp == warp) {
          THALWEG_UNROLL
          for (int k = 0; k < kPer; k++) {
            if (!share.template has<Data>(k)) continue;
            const int64_t i = share.template position<Data>(k);
            sums[i] = warp == 0 ? gw[k] : sums[i] + gw[k];
            sums[s.n + i] = warp == 0 ? gb[k] : sums[s.n + i] + gb[k];
          }
        }
        __syncthreads();
      }
      for (int64_t i = threadIdx.x; i < 2 * s.n; i += blockDim.x) to[i] = sums[i];
    }
  }
}

// Adds up shares [blocks, 2, n].
template <class T>
__global__ void __launch_bounds__(1024)
    addSharesKernel(T* gWeight, T* gBias, const T* shares, int64_t blocks, int64_t n) {
  __shared__ double shared[1024];
  for (int64_t i0 = static_cast<int64_t>(blockIdx.x) * kWarp; i0 < 2 * n;
       i0 += static_cast<int64_t>(gridDim.x) * kWarp) {
    const int64_t i = i0 + threadIdx.x;
    double sum = 0;
    if (i < 2 * n)
      for (int64_t b = threadIdx.y; b < blocks; b += blockDim.y) sum += static_cast<double>(shares[b * 2 * n + i]);
    sum = joinColumn(sum, AddUp(), shared);
    if (threadIdx.y != 0 || i >= 2 * n) continue;
    T* const to = i < n ? gWeight : gBias;
    if (to) to[i < n ? i : i - n] = static_cast<T>(sum);
  }
}

template <class T, int kLanes, int kPer>
void launchBackwardHeld(Queue& queue, const RowTensors<T>& t, const Rows& s) {
  constexpr bool block = kLanes == kWholeBlock;
  const bool vectors = aligned<T>(s.n, {t.g, t.x, t.out}), parameters = aligned<T>(s.n, {t.weight});
  const int threads = block ? static_cast<int>(divideUp(s.n, kPer * kWarp)) * kWarp : kNormThreads;
  if (kPer > 8 || (!t.gWeight && !t.gBias)) {  // longer rows leave no registers for shares
    const unsigned grid = gridFor(queue, s.rows * (block ? threads : kLanes), threads);
    LAUNCH((normalizeBackwardHeldKernel<T, kLanes, kPer, false>), grid, threads, 0, queue, t, s,
           static_cast<T*>(nullptr), vectors, parameters);
    return;
  }
  if constexpr (kPer <= 8) {
    // Eight rows are worth a share. How many there are depends on sizes only: so do the results.
    const int64_t perBlock = block ? 1 : kNormThreads / kWarp;
    const int64_t blocks = std::min(divideUp(s.rows, 8 * perBlock), kMostTeams / threads);
    T* shares = queue.scratch<T>(kPartialSlot, blocks * 2 * s.n);
    LAUNCH((normalizeBackwardHeldKernel<T, kLanes, kPer, true>), static_cast<unsigned>(blocks), threads,
           block ? 0 : static_cast<size_t>(2 * s.n) * sizeof(T), queue, t, s, shares, vectors, parameters);
    LAUNCH((addSharesKernel<T>), static_cast<unsigned>(divideUp(2 * s.n, kWarp)), dim3(kWarp, kWarp), 0, queue,
           t.gWeight, t.gBias, shares, blocks, s.n);
  }
}

// -- backward, in pieces
// -------------------------------------------------------------------------------------------------

// Gradients of parameters of which each element of a row has its own.
template <class T>
void elementParameters(Queue& queue, const Rows& s, const RowTensors<T>& t) {
  if (!t.gWeight && !t.gBias) return;
  const Columns columns(1, s.rows * s.n / s.channels, s.channels);
  const Sums* sums = sumsOfColumns<T>(queue, {t.g, t.x, t.mean, t.rstd, 1, 1, s.n}, columns);
  finishParameters<T>(queue, {t.gWeight, t.gBias, nullptr, columns.pieces, s.channels, 1, 1, 1, 1, 0}, sums);
}

template <class T>
void backwardInPieces(Queue& queue, const Rows& s, const RowTensors<T>& t) {
  const bool centred = t.mean != nullptr, elements = s.inner == 1;
  const int64_t runs = elements ? 1 : s.runs();
  // Elements with parameters of their own are weighted on the way, runs afterwards.
  const Runs pieces(1, s.rows * runs, elements ? s.n : s.inner);
  const Partials p = {s.rows, 1, runs * pieces.pieces, 1};
  T* offset = queue.scratch<T>(kSlopeSlot, 2 * s.rows);
  T* slope = offset + s.rows;
  if (t.out || !elements) {
    const Sums* sums =
        sumsOfRuns<T>(queue, {t.g, t.x, t.mean, elements ? t.weight : nullptr, runs, s.channels}, pieces);
    if (t.out) {
      finishSlopes<T>(queue,
                      {offset, slope, t.rstd, elements ? nullptr : t.weight, static_cast<double>(s.n), centred,
                       pieces.pieces, s.channels},
                      sums, p);
      applySlopes<T>(queue, t.out, t.g, t.x, {t.mean, t.rstd, t.weight, nullptr}, offset, slope,
                     Places(s.rows * s.n, s.inner, s.channels, Places::Row, s.n));
    }
    if (!elements)
      finishParameters<T>(queue,
                          {t.gWeight, t.gBias, t.rstd, s.rows * runs / s.channels, s.channels, pieces.pieces, 1, 1, 1,
                           runs * pieces.pieces},
                          sums);
  }
  if (elements) elementParameters(queue, s, t);
}

template <class T>
void normalizeBackwardTyped(Queue& queue, const Rows& s, const RowTensors<T>& t) {
  const bool parameters = t.weight || t.gWeight || t.gBias;
  if (!parameters || (s.inner == 1 && s.channels == s.n)) {
    if (s.n <= 256) return launchBackwardHeld<T, kWarp, 8>(queue, t, s);
    if (s.n <= 8 * kRowThreads) return launchBackwardHeld<T, kWholeBlock, 8>(queue, t, s);
    if (s.n <= 16 * kRowThreads) {
      // The shares of so long a row do not fit into registers as well.
      RowTensors<T> without = t;
      without.gWeight = without.gBias = nullptr;
      if (t.out) launchBackwardHeld<T, kWholeBlock, 16>(queue, without, s);
      return elementParameters(queue, s, t);
    }
  }
  backwardInPieces(queue, s, t);
}

}  // namespace

void normalizeRows(Context& context, const TensorView& out, const OptionalTensor& mean, const TensorView& rstd,
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
    normalizeTyped<T>(queueOf(context), s,
                      {nullptr, x.as<const T>(), dataOf<const T>(weight), dataOf<const T>(bias), out.as<T>(),
                       dataOf<T>(mean), rstd.as<T>(), nullptr, nullptr},
                      eps);
  });
}

void normalizeRowsBackward(Context& context, const OptionalTensor& gx, const OptionalTensor& gWeight,
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
  Queue& queue = queueOf(context);
  if (s.rows == 0 || s.n == 0) {
    clear(queue, gWeight);
    clear(queue, gBias);
    return;
  }
  withFloat(x, [&](auto type) {
    using T = decltype(type);
    normalizeBackwardTyped<T>(queue, s,
                              {g.as<const T>(), x.as<const T>(), dataOf<const T>(weight), nullptr, dataOf<T>(gx),
                               dataOf<T>(mean), rstd.as<T>(), dataOf<T>(gWeight), dataOf<T>(gBias)});
  });
}

}  // namespace thalweg::cuda
