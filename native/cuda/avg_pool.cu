// Means of windows, and their gradients. A thread has a window, or, channels-last, those of neighbouring channels; a
// warp has a window of many taps in a row. In the gradient a thread has an element, which collects what its windows
// have for it.
#include "cuda/pool_shape.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t kWideWindow = 16;  // taps in a row that are worth a warp

// What the sum of a window is multiplied by.
template <class T>
__device__ inline T shareOf(const PoolShape& s, int64_t oz, int64_t oy, int64_t ox) {
  const T count =
      s.divisor != 0 ? static_cast<T>(s.divisor) : s.countOf<T>(0, oz) * s.countOf<T>(1, oy) * s.countOf<T>(2, ox);
  return count != 0 ? 1 / count : T(0);
}

template <class T, int kRun>
__global__ void __launch_bounds__(kPoolThreads)
    avgPoolKernel(T* out, const T* x, PoolShape s, int64_t count, bool narrow) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, apart = positionStep(s);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Place o = placeOf(s, s.out, i, kRun, narrow);
    const PoolShape::Taps z = s.taps(0, o.at[0]), y = s.taps(1, o.at[1]), w = s.taps(2, o.at[2]);
    const T* from = x + startOf(s, o, s.inSize());
    Run<T, kRun> total = {};
    for (int64_t a = 0; a < z.count; a++)
      for (int64_t b = 0; b < y.count; b++) {
        const T* p = from + (((z.first + a) * s.in[1] + y.first + b) * s.in[2] + w.first) * apart;
        // Rows by themselves: of a large window, sums of like size are added.
        Run<T, kRun> sum = {};
        for (int64_t k = 0; k < w.count; k++, p += apart) {
          const Run<T, kRun> v = loadRun<kRun>(p);
          for (int c = 0; c < kRun; c++) sum.at[c] += v.at[c];
        }
        for (int c = 0; c < kRun; c++) total.at[c] += sum.at[c];
      }
    const T share = shareOf<T>(s, o.at[0], o.at[1], o.at[2]);
    for (int c = 0; c < kRun; c++) total.at[c] *= share;
    storeRun(out + i * kRun, total);
  }
}

// Contiguous planes: a warp for each window.
template <class T>
__global__ void __launch_bounds__(kPoolThreads)
    avgWideKernel(T* out, const T* x, PoolShape s, int64_t count, bool narrow) {
  const Team<kWarp> team;
  for (int64_t i = team.first(); i < count; i += team.step()) {
    const Place o = placeOf(s, s.out, i, 1, narrow);
    const PoolShape::Taps z = s.taps(0, o.at[0]), y = s.taps(1, o.at[1]), w = s.taps(2, o.at[2]);
    const T* from = x + startOf(s, o, s.inSize());
    T sum = 0;
    for (int64_t a = 0; a < z.count; a++)
      for (int64_t b = 0; b < y.count; b++) {
        const T* p = from + ((z.first + a) * s.in[1] + y.first + b) * s.in[2] + w.first;
        T part = 0;
        for (int64_t k = team.lane(); k < w.count; k += kWarp) part += p[k];
        sum += part;
      }
    sum = team.join(sum, AddUp(), static_cast<T*>(nullptr));
    if (team.lane() == 0) out[i] = sum * shareOf<T>(s, o.at[0], o.at[1], o.at[2]);
  }
}

template <class T, int kRun>
__global__ void __launch_bounds__(kPoolThreads)
    avgPoolBackwardKernel(T* gx, const T* g, PoolShape s, int64_t count, bool narrow) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, apart = positionStep(s);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Place e = placeOf(s, s.in, i, kRun, narrow);
    const PoolShape::Span z = s.windows(0, e.at[0]), y = s.windows(1, e.at[1]), w = s.windows(2, e.at[2]);
    const int64_t start = startOf(s, e, s.outSize());
    Run<T, kRun> sum = {};
    for (int64_t oz = z.first; oz < z.end; oz++)
      for (int64_t oy = y.first; oy < y.end; oy++)
        for (int64_t ox = w.first; ox < w.end; ox++) {
          const Run<T, kRun> value = loadRun<kRun>(g + start + ((oz * s.out[1] + oy) * s.out[2] + ox) * apart);
          const T share = shareOf<T>(s, oz, oy, ox);
          for (int c = 0; c < kRun; c++) sum.at[c] += value.at[c] * share;
        }
    storeRun(gx + i * kRun, sum);
  }
}

PoolShape readAvgShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry) {
  PoolShape s = readPoolShape(op, x, y, geometry, 11);
  if (s.adaptive) fail(ErrorKind::Native, "%s: a kernel of size 0", op);
  s.countPadding = geometry[9] != 0;
  s.divisor = geometry[10];
  return s;
}

}  // namespace

void avgPool(Context& context, const TensorView& out, const TensorView& x, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPool", x, out, geometry);
  if (s.empty()) return;
  Queue& queue = queueOf(context);
  withFloat(out, [&](auto type) {
    using T = decltype(type);
    const int run = runOf<T>(s, {out.data, x.data});
    const int64_t count = s.outputs() / run;
    const bool narrow = count <= INT32_MAX;
    if (!s.last && least(s.kernel[2], s.in[2]) >= kWideWindow) {
      LAUNCH((avgWideKernel<T>), gridFor(queue, count * kWarp, kPoolThreads), kPoolThreads, 0, queue, out.as<T>(),
             x.as<const T>(), s, count, narrow);
      return;
    }
    const unsigned grid = gridFor(queue, count, kPoolThreads);
    if (run == 1)
      LAUNCH((avgPoolKernel<T, 1>), grid, kPoolThreads, 0, queue, out.as<T>(), x.as<const T>(), s, count, narrow);
    else
      LAUNCH((avgPoolKernel<T, Pack<T>::kCount>), grid, kPoolThreads, 0, queue, out.as<T>(), x.as<const T>(), s, count,
             narrow);
  });
}

void avgPoolBackward(Context& context, const TensorView& gx, const TensorView& g, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPoolBackward", gx, g, geometry);
  Queue& queue = queueOf(context);
  // No windows: nothing is in any of them.
  if (s.empty()) return clear(queue, gx);
  withFloat(gx, [&](auto type) {
    using T = decltype(type);
    const int run = runOf<T>(s, {gx.data, g.data});
    const int64_t count = s.inputs() / run;
    const unsigned grid = gridFor(queue, count, kPoolThreads);
    const bool narrow = count <= INT32_MAX;
    if (run == 1)
      LAUNCH((avgPoolBackwardKernel<T, 1>), grid, kPoolThreads, 0, queue, gx.as<T>(), g.as<const T>(), s, count,
             narrow);
    else
      LAUNCH((avgPoolBackwardKernel<T, Pack<T>::kCount>), grid, kPoolThreads, 0, queue, gx.as<T>(), g.as<const T>(), s,
             count, narrow);
  });
}

}  // namespace thalweg::cuda
