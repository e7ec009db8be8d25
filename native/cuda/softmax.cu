// Softmax and its gradient, and their logarithmic forms. A row that fits is held in registers by a warp or by a block;
// a longer one is read twice. Where the elements of a row lie apart and its neighbours side by side, each thread of a
// warp works on a row of its own.
#include "cuda/peak.h"
#include "cuda/softmax_rows.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kLongThreads = 512;

// What the terms of a row become: exp(x - largest) * factor, or x - largest - factor.
template <class C>
struct Finish {
  C largest, factor;
  bool log;

  __device__ Finish(C largest, C sum, bool log) : largest(largest), factor(log ? std::log(sum) : 1 / sum), log(log) {}
  __device__ C operator()(C x) const {
    const C d = x - largest;
    return log ? d - factor : std::exp(d) * factor;
  }
};

// -- rows in registers
// --------------------------------------------------------------------------------------------------

template <class Data, int kLanes, int kPer>
__global__ void __launch_bounds__(kLanes == kWholeBlock ? kLongThreads : kThreads)
    softmaxKernel(Data out, Data x, SoftmaxRows<2> s, bool vectors, bool log) {
  using C = typename Data::Compute;
  __shared__ C shared[kMostWarps];
  const Team<kLanes> team;
  const Share<kPer> share = {0, s.n, team.lane(), team.size(), vectors};
  for (int64_t first = team.first(); first < s.rows.count; first += team.step()) {
    const int64_t row = first + team.own(), last = s.rows.count - 1;
    const Offsets<2> at = s.rows.locate(row < last ? row : last);
    C values[kPer];
    share.load(values, x, at.at[1], s.strides[1], minusInfinity<C>());
    C largest = values[0];
    THALWEG_UNROLL
    for (int k = 1; k < kPer; k++) largest = TakeLarger()(largest, values[k]);
    largest = team.join(largest, TakeLarger(), shared);
    C sum = 0;
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) {
      // Beyond the row, -inf - -inf is not a number.
      const C d = values[k] - largest, e = share.template has<Data>(k) ? std::exp(d) : C(0);
      sum += e;
      values[k] = log ? d : e;
    }
    const C total = team.join(sum, AddUp(), shared);
    const Finish<C> finish(largest, total, log);
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) values[k] = log ? values[k] - finish.factor : values[k] * finish.factor;
    if (row <= last) share.store(values, out, at.at[0], s.strides[0]);
  }
}

// gx = y (g - sum), or g - exp(y) sum
template <class C>
__device__ inline C gradientOf(C g, C y, C sum, bool log) {
  return log ? g - std::exp(y) * sum : y * (g - sum);
}

template <class Data, int kLanes, int kPer>
__global__ void __launch_bounds__(kLanes == kWholeBlock ? kLongThreads : kThreads)
    softmaxBackwardKernel(Data gx, Data g, Data y, SoftmaxRows<3> s, bool vectors, bool log) {
  using C = typename Data::Compute;
  __shared__ C shared[kMostWarps];
  const Team<kLanes> team;
  const Share<kPer> share = {0, s.n, team.lane(), team.size(), vectors};
  for (int64_t first = team.first(); first < s.rows.count; first += team.step()) {
    const int64_t row = first + team.own(), last = s.rows.count - 1;
    const Offsets<3> at = s.rows.locate(row < last ? row : last);
    C gs[kPer], ys[kPer], sum = 0;
    share.load(gs, g, at.at[1], s.strides[1], C(0));
    share.load(ys, y, at.at[2], s.strides[2], C(0));
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) sum += log ? gs[k] : gs[k] * ys[k];
    const C total = team.join(sum, AddUp(), shared);
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) gs[k] = gradientOf(gs[k], ys[k], total, log);
    if (row <= last) share.store(gs, gx, at.at[0], s.strides[0]);
  }
}

// -- long rows: a block each, twice from memory
// -------------------------------------------------------------------------

template <class Data>
__global__ void __launch_bounds__(kLongThreads)
    softmaxLongKernel(Data out, Data x, SoftmaxRows<2> s, bool vectors, bool log) {
  using C = typename Data::Compute;
  constexpr int kPer = 8;
  __shared__ Peak<C> shared[kMostWarps];
  const Team<kWholeBlock> team;
  const int64_t piece = static_cast<int64_t>(kPer) * team.size();
  for (int64_t row = blockIdx.x; row < s.rows.count; row += gridDim.x) {
    const Offsets<2> at = s.rows.locate(row);
    Peak<C> peak = noPeak<C>();
    for (int64_t begin = 0; begin < s.n; begin += piece) {
      const Share<kPer> share = {begin, s.n, team.lane(), team.size(), vectors};
      C values[kPer];
      share.load(values, x, at.at[1], s.strides[1], minusInfinity<C>());
      peak.add(values);
    }
    peak = team.join(peak, JoinPeaks(), shared);
    const Finish<C> finish(peak.largest, static_cast<C>(peak.sum), log);
    for (int64_t begin = 0; begin < s.n; begin += piece) {
      const Share<kPer> share = {begin, s.n, team.lane(), team.size(), vectors};
      C values[kPer];
      share.load(values, x, at.at[1], s.strides[1], C(0));
      for (int k = 0; k < kPer; k++) values[k] = finish(values[k]);
      share.store(values, out, at.at[0], s.strides[0]);
    }
  }
}

template <class Data>
__global__ void __launch_bounds__(kLongThreads)
    softmaxBackwardLongKernel(Data gx, Data g, Data y, SoftmaxRows<3> s, bool vectors, bool log) {
  using C = typename Data::Compute;
  constexpr int kPer = 8;
  __shared__ double shared[kMostWarps];
  const Team<kWholeBlock> team;
  const int64_t piece = static_cast<int64_t>(kPer) * team.size();
  for (int64_t row = blockIdx.x; row < s.rows.count; row += gridDim.x) {
    const Offsets<3> at = s.rows.locate(row);
    C gs[kPer], ys[kPer];
    double sum = 0;
    for (int64_t begin = 0; begin < s.n; begin += piece) {
      const Share<kPer> share = {begin, s.n, team.lane(), team.size(), vectors};
      share.load(gs, g, at.at[1], s.strides[1], C(0));
      if (!log) share.load(ys, y, at.at[2], s.strides[2], C(0));
      C part = 0;
      for (int k = 0; k < kPer; k++) part += log ? gs[k] : gs[k] * ys[k];
      sum += static_cast<double>(part);
    }
    const C total = static_cast<C>(team.join(sum, AddUp(), shared));
    for (int64_t begin = 0; begin < s.n; begin += piece) {
      const Share<kPer> share = {begin, s.n, team.lane(), team.size(), vectors};
      share.load(gs, g, at.at[1], s.strides[1], C(0));
      share.load(ys, y, at.at[2], s.strides[2], C(0));
      for (int k = 0; k < kPer; k++) gs[k] = gradientOf(gs[k], ys[k], total, log);
      share.store(gs, gx, at.at[0], s.strides[0]);
    }
  }
}

// -- rows side by side: a thread, or a column of a block's threads, each
// -----------------------------------------------

template <class Data>
__global__ void __launch_bounds__(kThreads) softmaxColumnsKernel(Data out, Data x, SoftmaxRows<2> s, bool log) {
  using C = typename Data::Compute;
  __shared__ Peak<C> shared[kThreads];
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, last = s.rows.count - 1;
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x; first <= last; first += step) {
    const int64_t row = first + threadIdx.x;
    const Offsets<2> at = s.rows.locate(row < last ? row : last);
    Peak<C> peak = noPeak<C>();
    for (int64_t i = threadIdx.y; i < s.n; i += blockDim.y) {
      const C value = x.load(at.at[1] + i * s.strides[1]);
      peak.add(value);
    }
    peak = joinColumn(peak, JoinPeaks(), shared);
    if (row > last) continue;
    const Finish<C> finish(peak.largest, static_cast<C>(peak.sum), log);
    for (int64_t i = threadIdx.y; i < s.n; i += blockDim.y)
      out.store(at.at[0] + i * s.strides[0], finish(x.load(at.at[1] + i * s.strides[1])));
  }
}

template <class Data>
__global__ void __launch_bounds__(kThreads)
    softmaxBackwardColumnsKernel(Data gx, Data g, Data y, SoftmaxRows<3> s, bool log) {
  using C = typename Data::Compute;
  __shared__ double shared[kThreads];
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, last = s.rows.count - 1;
  for (int64_t first = static_cast<int64_t>(blockIdx.x) * blockDim.x; first <= last; first += step) {
    const int64_t row = first + threadIdx.x;
    const Offsets<3> at = s.rows.locate(row < last ? row : last);
    double sum = 0;
    for (int64_t i = threadIdx.y; i < s.n; i += blockDim.y) {
      const C value = g.load(at.at[1] + i * s.strides[1]);
      sum += static_cast<double>(log ? value : value * y.load(at.at[2] + i * s.strides[2]));
    }
    const C total = static_cast<C>(joinColumn(sum, AddUp(), shared));
    if (row > last) continue;
    for (int64_t i = threadIdx.y; i < s.n; i += blockDim.y)
      gx.store(at.at[0] + i * s.strides[0],
               gradientOf(g.load(at.at[1] + i * s.strides[1]), y.load(at.at[2] + i * s.strides[2]), total, log));
  }
}

// -- which of them
// ------------------------------------------------------------------------------------------------------

constexpr int64_t kHeldByWarp = 1024, kHeldByBlock = 16 * kLongThreads;

dim3 columnBlock(int64_t n) { return n < 64 ? dim3(kThreads) : dim3(kWarp, kThreads / kWarp); }

template <class Data, int kLanes, int kPer, int N>
void launchHeld(Queue& queue, const Data (&data)[N], const SoftmaxRows<N>& s, bool vectors, bool log) {
  int threads = kThreads;
  unsigned grid;
  if (kLanes == kWholeBlock) {
    threads = static_cast<int>((s.n + kPer * kWarp - 1) / (kPer * kWarp)) * kWarp;
    grid = gridFor(queue, s.rows.count * threads, threads);
  } else {
    grid = gridFor(queue, s.rows.count * kLanes, threads);
  }
  if constexpr (N == 2)
    LAUNCH((softmaxKernel<Data, kLanes, kPer>), grid, threads, 0, queue, data[0], data[1], s, vectors, log);
  else
    LAUNCH((softmaxBackwardKernel<Data, kLanes, kPer>), grid, threads, 0, queue, data[0], data[1], data[2], s, vectors,
           log);
}

// float32 and 16-bit floats have kernels for more lengths than the other types.
template <class Data, int N>
void softmaxOf(Queue& queue, const TensorView* const (&views)[N], const SoftmaxRows<N>& s, bool log) {
  constexpr bool narrow = Data::kVector >= 4;
  Data data[N];
  for (int i = 0; i < N; i++) data[i] = Data::of(*views[i]);
  const bool vectors = s.vectors(views, Data::kVector);
  if (s.sideBySide()) {
    const dim3 block = columnBlock(s.n);
    const unsigned grid = gridFor(queue, s.rows.count * block.y, kThreads);
    if constexpr (N == 2)
      LAUNCH((softmaxColumnsKernel<Data>), grid, block, 0, queue, data[0], data[1], s, log);
    else
      LAUNCH((softmaxBackwardColumnsKernel<Data>), grid, block, 0, queue, data[0], data[1], data[2], s, log);
    return;
  }
  if constexpr (narrow) {
    if (s.n <= 32) return launchHeld<Data, 8, 4>(queue, data, s, vectors && Data::kVector <= 4, log);
    if (s.n <= 256) return launchHeld<Data, kWarp, 8>(queue, data, s, vectors, log);
    if (s.n <= kHeldByWarp) return launchHeld<Data, kWarp, 32>(queue, data, s, vectors, log);
    if (s.n <= kHeldByBlock) return launchHeld<Data, kWholeBlock, 16>(queue, data, s, vectors, log);
  } else if (s.n <= 256) {
    return launchHeld<Data, kWarp, 8>(queue, data, s, vectors, log);
  }
  const int threads = s.n <= 4096 ? kThreads : kLongThreads;
  const unsigned grid = gridFor(queue, s.rows.count * threads, threads);
  if constexpr (N == 2)
    LAUNCH((softmaxLongKernel<Data>), grid, threads, 0, queue, data[0], data[1], s, vectors, log);
  else
    LAUNCH((softmaxBackwardLongKernel<Data>), grid, threads, 0, queue, data[0], data[1], data[2], s, vectors, log);
}

template <int N>
void dispatchSoftmax(Context& context, const char* op, const TensorView* const (&views)[N], int64_t dim, bool log) {
  const SoftmaxRows<N> s(op, views, dim);
  if (s.empty()) return;
  Queue& queue = queueOf(context);
  if (!s.oneType)
    return s.anyDouble ? softmaxOf<AnyData<double>>(queue, views, s, log)
                       : softmaxOf<AnyData<float>>(queue, views, s, log);
  switch (views[0]->dtype) {
    case DType::Float64: return softmaxOf<TypedData<double>>(queue, views, s, log);
    case DType::Float16: return softmaxOf<TypedData<Half>>(queue, views, s, log);
    case DType::BFloat16: return softmaxOf<TypedData<BFloat16>>(queue, views, s, log);
    default: return softmaxOf<TypedData<float>>(queue, views, s, log);
  }
}

}  // namespace

void softmax(Context& context, const TensorView& out, const TensorView& x, int64_t dim, bool log) {
  const TensorView* const views[] = {&out, &x};
  dispatchSoftmax(context, "softmax", views, dim, log);
}

void softmaxBackward(Context& context, const TensorView& gx, const TensorView& g, const TensorView& y, int64_t dim,
                     bool log) {
  const TensorView* const views[] = {&gx, &g, &y};
  dispatchSoftmax(context, "softmaxBackward", views, dim, log);
}

}  // namespace thalweg::cuda
