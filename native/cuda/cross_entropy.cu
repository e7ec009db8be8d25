// Cross entropy of logits and its gradient. Logits are [n, c, s]: where s is 1 a row lies contiguously and is read by a
// warp or a block, else neighbouring positions are read side by side. What is kept of the forward pass is one number
// for each position, the logarithm of the sum of exponentials, in float64: with large logits a float32 would not tell
// probabilities apart.
//
// With weights w (1 if not given), smoothing e and classes t the loss of a position is
//   (1 - e) w_t (lse - x_t) + e / c sum_j w_j (lse - x_j),
// with probabilities p' = (1 - e) p + e / c it is sum_j w_j p'_j (lse - x_j).
#include "cuda/kernel.h"
#include "cuda/peak.h"
#include "cuda/row_access.h"
#include "operands/cross_entropy.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 8;  // logits of a thread at a time

template <class T>
struct Problem {
  int64_t n, c, s;
  bool soft, narrow;  // probabilities; classes as int32
  int64_t ignoreIndex;
  double smoothing;
  FaultSite fault;
  const T *x, *weight, *g;
  const void* target;
  T *loss, *share, *gx;
  double* lse;
  const double* total;  // of the weights; without it there are c of 1

  bool mixed() const { return soft || smoothing > 0; }
  // The class at a position, or -1 where it is ignored, or is none.
  __device__ int64_t classAt(int64_t at, bool reports) const {
    const int64_t label = narrow ? static_cast<const int32_t*>(target)[at] : static_cast<const int64_t*>(target)[at];
    if (label == ignoreIndex) return -1;
    if (label >= 0 && label < c) return label;
    if (reports) fault.report(label, c);
    return -1;
  }
  // What class j, of weight `weight`, counts for: with probability p, or with uniform ones.
  __device__ T counts(T p, int64_t j) const {
    const T uniform = static_cast<T>(smoothing / static_cast<double>(c));
    const T v = soft ? p * static_cast<T>(1 - smoothing) + uniform : uniform;
    return weight ? v * weight[j] : v;
  }
  __device__ double smoothed() const {
    return (total ? *total : static_cast<double>(c)) * smoothing / static_cast<double>(c);
  }
  // xLabel: the logit of the class, if there are classes; lost, counted: sums over classes, if mixed.
  __device__ void finish(int64_t at, int64_t label, T xLabel, Peak<T> peak, double lost, double counted,
                         bool mixed) const {
    const double largest = static_cast<double>(peak.largest);
    // Of nothing but -inf the sum is no number.
    const double logSum = peak.largest == minusInfinity<T>() ? largest - largest : std::log(peak.sum);
    double value = 0, part = counted;
    if (mixed) value = (soft ? counted : smoothed()) * logSum - lost;
    if (!soft) {
      part = weight ? static_cast<double>(weight[label]) : 1;
      value += (1 - smoothing) * part * (logSum - (static_cast<double>(xLabel) - largest));
    }
    lse[at] = largest + logSum;
    loss[at] = static_cast<T>(value);
    share[at] = static_cast<T>(part);
  }
  __device__ void ignore(int64_t at) const {
    loss[at] = share[at] = 0;
    lse[at] = 0;
  }
};

// What a position's gradient is made with.
template <class T>
struct Slope {
  T high, low, scale, g, correction;
  int64_t label;
  bool ignored;

  __device__ Slope(const Problem<T>& p, int64_t at, bool reports) {
    label = p.soft ? -1 : p.classAt(at, reports);
    ignored = !p.soft && label < 0;
    // x - lse in two steps: the second is what float32 loses of it.
    high = static_cast<T>(p.lse[at]);
    low = static_cast<T>(p.lse[at] - static_cast<double>(high));
    g = p.g[at];
    const T share = p.share[at], keep = static_cast<T>(1 - p.smoothing) * share;
    scale = p.soft ? share : keep;
    if (!p.soft && p.smoothing > 0) scale += static_cast<T>(p.smoothed());
    correction = p.soft ? T(0) : g * keep;
  }
  __device__ T of(T x, T target, int64_t j) const {
    if (ignored) return 0;
    const T v = (std::exp((x - high) - low) * scale - target) * g;
    return j == label ? v - correction : v;
  }
};

struct LossSums {
  double lost, counted;
};
__device__ inline LossSums shuffleXor(LossSums s, int lanes) {
  return {cuda::shuffleXor(s.lost, lanes), cuda::shuffleXor(s.counted, lanes)};
}
struct JoinLossSums {
  __device__ LossSums operator()(LossSums a, LossSums b) const { return {a.lost + b.lost, a.counted + b.counted}; }
};

template <class T>
__global__ void __launch_bounds__(kThreads) addWeightsKernel(double* total, const T* weight, int64_t c) {
  __shared__ double shared[kMostWarps];
  double sum = 0;
  for (int64_t j = threadIdx.x; j < c; j += blockDim.x) sum += static_cast<double>(weight[j]);
  sum = joinBlock(sum, AddUp(), shared);
  if (threadIdx.x == 0) *total = sum;
}

// -- rows
// ---------------------------------------------------------------------------------------------------------------

template <class T, int kLanes>
__global__ void __launch_bounds__(kThreads) entropyRowsKernel(Problem<T> p, bool mixed, bool vectors) {
  __shared__ Peak<T> shared[kMostWarps];
  __shared__ LossSums sharedSums[kMostWarps];
  using Data = TypedData<const T>;
  const Team<kLanes> team;
  const Data x = {p.x}, soft = {static_cast<const T*>(p.target)};
  const int64_t piece = static_cast<int64_t>(kPer) * team.size();
  for (int64_t row = team.first(); row < p.n; row += team.step()) {
    const int64_t label = p.soft ? 0 : p.classAt(row, team.lane() == 0);
    if (label < 0) {
      if (team.lane() == 0) p.ignore(row);
      continue;
    }
    Peak<T> peak = noPeak<T>();
    T values[kPer];
    for (int64_t begin = 0; begin < p.c; begin += piece) {
      const Share<kPer> share = {begin, p.c, team.lane(), team.size(), vectors};
      share.load(values, x, row * p.c, 1, minusInfinity<T>());
      peak.add(values);
    }
    peak = team.join(peak, JoinPeaks(), shared);
    LossSums sums = {0, 0};
    if (mixed) {
      for (int64_t begin = 0; begin < p.c; begin += piece) {
        const Share<kPer> share = {begin, p.c, team.lane(), team.size(), vectors};
        T targets[kPer] = {}, lost = 0, counted = 0;
        share.load(values, x, row * p.c, 1, peak.largest);
        if (p.soft) share.load(targets, soft, row * p.c, 1, T(0));
        THALWEG_UNROLL
        for (int k = 0; k < kPer; k++) {
          if (!share.template has<Data>(k)) continue;
          const T target = p.counts(targets[k], share.template position<Data>(k));
          lost += target * (values[k] - peak.largest);
          counted += target;
        }
        sums = JoinLossSums()(sums, LossSums{static_cast<double>(lost), static_cast<double>(counted)});
      }
      sums = team.join(sums, JoinLossSums(), sharedSums);
    }
    if (team.lane() == 0)
      p.finish(row, label, p.soft ? T(0) : p.x[row * p.c + label], peak, sums.lost, sums.counted, mixed);
  }
}

template <class T, int kLanes>
__global__ void __launch_bounds__(kThreads) entropyRowsBackwardKernel(Problem<T> p, bool mixed, bool vectors) {
  using Data = TypedData<const T>;
  const Team<kLanes> team;
  const Data x = {p.x}, soft = {static_cast<const T*>(p.target)};
  const TypedData<T> gx = {p.gx};
  const int64_t piece = static_cast<int64_t>(kPer) * team.size();
  for (int64_t row = team.first(); row < p.n; row += team.step()) {
    const Slope<T> slope(p, row, team.lane() == 0);
    for (int64_t begin = 0; begin < p.c; begin += piece) {
      const Share<kPer> share = {begin, p.c, team.lane(), team.size(), vectors};
      T values[kPer], targets[kPer] = {};
      share.load(values, x, row * p.c, 1, T(0));
      if (p.soft) share.load(targets, soft, row * p.c, 1, T(0));
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) {
        if (!share.template has<Data>(k)) continue;
        const int64_t j = share.template position<Data>(k);
        values[k] = slope.of(values[k], mixed ? p.counts(targets[k], j) : T(0), j);
      }
      share.store(values, gx, row * p.c, 1);
    }
  }
}

// -- positions side by side: a thread, or a column of a block's threads, each
// --------------------------------------------

template <class T>
__global__ void __launch_bounds__(kThreads) entropySidesKernel(Problem<T> p, bool mixed) {
  __shared__ Peak<T> shared[kThreads];
  __shared__ LossSums sharedSums[kThreads];
  const int64_t positions = p.n * p.s, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x; first < positions; first += step) {
    const bool mine = first + threadIdx.x < positions;
    const int64_t at = mine ? first + threadIdx.x : positions - 1;
    const int64_t item = at / p.s, start = item * p.c * p.s + (at - item * p.s);
    const T* x = p.x + start;
    const T* soft = static_cast<const T*>(p.target) + (p.soft ? start : 0);
    const int64_t label = p.soft ? 0 : p.classAt(at, mine && threadIdx.y == 0);
    Peak<T> peak = noPeak<T>();
    for (int64_t j = threadIdx.y; j < p.c; j += blockDim.y) peak.add(x[j * p.s]);
    peak = joinColumn(peak, JoinPeaks(), shared);
    LossSums sums = {0, 0};
    if (mixed) {
      for (int64_t j = threadIdx.y; j < p.c; j += blockDim.y) {
        const T target = p.counts(p.soft ? soft[j * p.s] : T(0), j);
        sums.lost += static_cast<double>(target * (x[j * p.s] - peak.largest));
        sums.counted += static_cast<double>(target);
      }
      sums = joinColumn(sums, JoinLossSums(), sharedSums);
    }
    if (!mine || threadIdx.y != 0) continue;
    if (label < 0)
      p.ignore(at);
    else
      p.finish(at, label, p.soft ? T(0) : x[label * p.s], peak, sums.lost, sums.counted, mixed);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) entropySidesBackwardKernel(Problem<T> p, bool mixed) {
  const int64_t positions = p.n * p.s, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t at = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; at < positions; at += step) {
    const int64_t item = at / p.s, start = item * p.c * p.s + (at - item * p.s);
    const T* soft = static_cast<const T*>(p.target) + (p.soft ? start : 0);
    const Slope<T> slope(p, at, threadIdx.y == 0);
    for (int64_t j = threadIdx.y; j < p.c; j += blockDim.y)
      p.gx[start + j * p.s] =
          slope.of(p.x[start + j * p.s], mixed ? p.counts(p.soft ? soft[j * p.s] : T(0), j) : T(0), j);
  }
}

template <class T>
void launchEntropy(Queue& queue, Problem<T> p, bool backward) {
  const bool mixed = p.mixed();
  if (p.weight && !p.soft && mixed) {
    double* total = queue.scratch<double>(0, 1);
    LAUNCH((addWeightsKernel<T>), 1, kThreads, 0, queue, total, p.weight, p.c);
    p.total = total;
  }
  if (p.s > 1) {
    const dim3 block = p.c < 64 ? dim3(kThreads) : dim3(kWarp, kThreads / kWarp);
    const unsigned grid = gridFor(queue, p.n * p.s * block.y, kThreads);
    if (backward)
      LAUNCH((entropySidesBackwardKernel<T>), grid, block, 0, queue, p, mixed);
    else
      LAUNCH((entropySidesKernel<T>), grid, block, 0, queue, p, mixed);
    return;
  }
  const bool vectors =
      p.c % Pack<T>::kCount == 0 && isAligned(p.x) && (!p.gx || isAligned(p.gx)) && (!p.soft || isAligned(p.target));
  if (p.c <= 1024) {
    const unsigned grid = gridFor(queue, p.n * kWarp, kThreads);
    if (backward)
      LAUNCH((entropyRowsBackwardKernel<T, kWarp>), grid, kThreads, 0, queue, p, mixed, vectors);
    else
      LAUNCH((entropyRowsKernel<T, kWarp>), grid, kThreads, 0, queue, p, mixed, vectors);
    return;
  }
  const unsigned grid = gridFor(queue, p.n * kThreads, kThreads);
  if (backward)
    LAUNCH((entropyRowsBackwardKernel<T, kWholeBlock>), grid, kThreads, 0, queue, p, mixed, vectors);
  else
    LAUNCH((entropyRowsKernel<T, kWholeBlock>), grid, kThreads, 0, queue, p, mixed, vectors);
}

template <class T>
const T* constantOf(const TensorView& t) {
  return t.defined ? t.as<const T>() : nullptr;
}

}  // namespace

void crossEntropy(Context& context, const TensorView& loss, const TensorView& lse, const TensorView& share,
                  const TensorView& x, const TensorView& target, const OptionalTensor& weight, int64_t ignoreIndex,
                  double smoothing) {
  const char* op = "crossEntropy";
  const EntropySizes s = checkEntropy(op, x, target, weight);
  require(op, loss, "loss", x.dtype, s.n * s.s);
  require(op, lse, "lse", DType::Float64, s.n * s.s);
  require(op, share, "share", x.dtype, s.n * s.s);
  if (s.n * s.s == 0) return;
  if (s.c == 0) fail(ErrorKind::Shape, "%s: x %s has no classes", op, shapeText(x).c_str());
  Queue& queue = queueOf(context);
  const FaultSite fault =
      queue.faultSite(ErrorKind::Index, "crossEntropy: target %lld is out of range for %lld classes");
  const auto run = [&](auto type) {
    using T = decltype(type);
    launchEntropy<T>(
        queue,
        {s.n, s.c, s.s, s.soft, s.narrow, ignoreIndex, smoothing, fault, x.as<const T>(), constantOf<T>(weight),
         nullptr, target.data, loss.as<T>(), share.as<T>(), nullptr, lse.as<double>(), nullptr},
        false);
  };
  x.dtype == DType::Float64 ? run(double()) : run(float());
}

void crossEntropyBackward(Context& context, const TensorView& gx, const TensorView& g, const TensorView& x,
                          const TensorView& lse, const TensorView& share, const TensorView& target,
                          const OptionalTensor& weight, int64_t ignoreIndex, double smoothing) {
  const char* op = "crossEntropyBackward";
  const EntropySizes s = checkEntropy(op, x, target, weight);
  require(op, gx, "gx", x.dtype, s.n * s.c * s.s);
  require(op, g, "g", x.dtype, s.n * s.s);
  require(op, lse, "lse", DType::Float64, s.n * s.s);
  require(op, share, "share", x.dtype, s.n * s.s);
  if (s.n * s.c * s.s == 0) return;
  Queue& queue = queueOf(context);
  const FaultSite fault =
      queue.faultSite(ErrorKind::Index, "crossEntropyBackward: target %lld is out of range for %lld classes");
  const auto run = [&](auto type) {
    using T = decltype(type);
    launchEntropy<T>(
        queue,
        {s.n, s.c, s.s, s.soft, s.narrow, ignoreIndex, smoothing, fault, x.as<const T>(), constantOf<T>(weight),
         g.as<const T>(), target.data, nullptr, share.as<T>(), gx.as<T>(), lse.as<double>(), nullptr},
        true);
  };
  x.dtype == DType::Float64 ? run(double()) : run(float());
}

}  // namespace thalweg::cuda
