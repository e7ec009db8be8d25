// Maxima of windows, and their gradients. Where a maximum stood is kept as the number of its tap in the window: one
// byte for windows of up to 256 taps, an eighth of an index. A thread has a window, or, channels-last, those of
// neighbouring channels; in the gradient an element, which collects what its windows have for it.
#include <limits>

#include "cuda/pool_shape.h"

namespace thalweg::cuda {
namespace {

// A larger value takes the place, and a NaN that of anything.
template <class T, class K, int kRun>
__global__ void __launch_bounds__(kPoolThreads)
    maxPoolKernel(T* out, K* taps, const T* x, PoolShape s, int64_t count, bool narrow) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, apart = positionStep(s);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Place o = placeOf(s, s.out, i, kRun, narrow);
    const PoolShape::Taps z = s.taps(0, o.at[0]), y = s.taps(1, o.at[1]), w = s.taps(2, o.at[2]);
    const T* from = x + startOf(s, o, s.inSize());
    Run<T, kRun> best;
    int32_t where[kRun];
    for (int c = 0; c < kRun; c++) {
      best.at[c] = -std::numeric_limits<T>::infinity();
      where[c] = static_cast<int32_t>((z.low * s.width[1] + y.low) * s.width[2] + w.low);
    }
    for (int64_t a = 0; a < z.count; a++)
      for (int64_t b = 0; b < y.count; b++) {
        const int64_t row = ((z.first + a * s.dilation[0]) * s.in[1] + y.first + b * s.dilation[1]) * s.in[2] + w.first;
        const int64_t number = ((z.low + a) * s.width[1] + y.low + b) * s.width[2] + w.low;
        const T* p = from + row * apart;
        for (int64_t k = 0; k < w.count; k++, p += s.dilation[2] * apart) {
          const Run<T, kRun> v = loadRun<kRun>(p);
          for (int c = 0; c < kRun; c++) {
            if (!(v.at[c] > best.at[c]) && v.at[c] == v.at[c]) continue;
            best.at[c] = v.at[c];
            where[c] = static_cast<int32_t>(number + k);
          }
        }
      }
    storeRun(out + i * kRun, best);
    if (!taps) continue;
    Run<K, kRun> numbers;
    for (int c = 0; c < kRun; c++) numbers.at[c] = static_cast<K>(where[c]);
    storeRun(taps + i * kRun, numbers);
  }
}

template <class T, class K, int kRun>
__global__ void __launch_bounds__(kPoolThreads)
    maxPoolBackwardKernel(T* gx, const T* g, const K* taps, PoolShape s, int64_t count, bool narrow) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x, apart = positionStep(s);
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Place e = placeOf(s, s.in, i, kRun, narrow);
    const PoolShape::Span z = s.windows(0, e.at[0]), y = s.windows(1, e.at[1]), w = s.windows(2, e.at[2]);
    const int64_t start = startOf(s, e, s.outSize());
    Run<T, kRun> sum = {};
    for (int64_t oz = z.first; oz < z.end; oz++) {
      const int64_t kz = s.tapOf(0, oz, e.at[0]);
      if (kz < 0) continue;
      for (int64_t oy = y.first; oy < y.end; oy++) {
        const int64_t ky = s.tapOf(1, oy, e.at[1]);
        if (ky < 0) continue;
        for (int64_t ox = w.first; ox < w.end; ox++) {
          const int64_t kx = s.tapOf(2, ox, e.at[2]);
          if (kx < 0) continue;
          const int64_t at = start + ((oz * s.out[1] + oy) * s.out[2] + ox) * apart;
          const int64_t number = (kz * s.width[1] + ky) * s.width[2] + kx;
          const Run<K, kRun> tap = loadRun<kRun>(taps + at);
          const Run<T, kRun> value = loadRun<kRun>(g + at);
          for (int c = 0; c < kRun; c++)
            if (tap.at[c] == number) sum.at[c] += value.at[c];
        }
      }
    }
    storeRun(gx + i * kRun, sum);
  }
}

// The elements of x at the taps (into `out`), or the places of those in their planes (into `indices`).
template <class T, class K>
__global__ void __launch_bounds__(kPoolThreads)
    takeTapsKernel(T* out, int64_t* indices, const T* x, const K* taps, PoolShape s, int64_t count, bool narrow,
                   FaultSite fault) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Place o = placeOf(s, s.out, i, 1, narrow);
    const int64_t tap = taps[i], line = tap / s.width[2];
    int64_t k[3] = {line / s.width[1], line % s.width[1], tap - line * s.width[2]}, at = 0;
    bool inside = tap >= 0;
    for (int d = 0; d < 3; d++) {
      const PoolShape::Taps window = s.taps(d, o.at[d]);
      k[d] -= window.low;
      inside = inside && k[d] >= 0 && k[d] < window.count;
      at = at * s.in[d] + window.first + k[d] * s.dilation[d];
    }
    if (!inside) {
      fault.report(tap, 0);
      continue;
    }
    if (indices)
      indices[i] = at;
    else
      out[i] = x[startOf(s, o, s.inSize()) + at * positionStep(s)];
  }
}

PoolShape readMaxShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry) {
  PoolShape s = readPoolShape(op, x, y, geometry, 12);
  readMaxPool(op, s, x, geometry);
  return s;
}

// f(null pointers to the types of the values and of the taps)
template <class F>
void withTypes(const TensorView& values, bool bytes, F&& f) {
  const auto with = [&](auto* value) {
    bytes ? f(value, static_cast<uint8_t*>(nullptr)) : f(value, static_cast<int32_t*>(nullptr));
  };
  values.dtype == DType::Float64 ? with(static_cast<double*>(nullptr)) : with(static_cast<float*>(nullptr));
}

}  // namespace

void maxPool(Context& context, const TensorView& out, const OptionalTensor& taps, const TensorView& x,
             Scalars geometry) {
  const char* op = "maxPool";
  const PoolShape s = readMaxShape(op, x, out, geometry);
  if (taps.defined) checkTaps(op, s, taps, out);
  if (s.empty()) return;
  Queue& queue = queueOf(context);
  withTypes(out, !taps.defined || taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    using T = std::remove_pointer_t<decltype(value)>;
    using K = std::remove_pointer_t<decltype(tap)>;
    K* to = dataOf<K>(taps);
    const int run = runOf<T>(s, {out.data, x.data, to});
    const int64_t count = s.outputs() / run;
    const unsigned grid = gridFor(queue, count, kPoolThreads);
    const bool narrow = count <= INT32_MAX;
    if (run == 1)
      LAUNCH((maxPoolKernel<T, K, 1>), grid, kPoolThreads, 0, queue, out.as<T>(), to, x.as<const T>(), s, count,
             narrow);
    else
      LAUNCH((maxPoolKernel<T, K, Pack<T>::kCount>), grid, kPoolThreads, 0, queue, out.as<T>(), to, x.as<const T>(), s,
             count, narrow);
  });
}

void maxPoolBackward(Context& context, const TensorView& gx, const TensorView& g, const TensorView& taps,
                     Scalars geometry) {
  const char* op = "maxPoolBackward";
  const PoolShape s = readMaxShape(op, gx, g, geometry);
  checkTaps(op, s, taps, g);
  Queue& queue = queueOf(context);
  // No windows: nothing is in any of them.
  if (s.empty()) return clear(queue, gx);
  withTypes(g, taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    using T = std::remove_pointer_t<decltype(value)>;
    using K = std::remove_pointer_t<decltype(tap)>;
    const int run = runOf<T>(s, {gx.data, g.data, taps.data});
    const int64_t count = s.inputs() / run;
    const unsigned grid = gridFor(queue, count, kPoolThreads);
    const bool narrow = count <= INT32_MAX;
    if (run == 1)
      LAUNCH((maxPoolBackwardKernel<T, K, 1>), grid, kPoolThreads, 0, queue, gx.as<T>(), g.as<const T>(),
             taps.as<const K>(), s, count, narrow);
    else
      LAUNCH((maxPoolBackwardKernel<T, K, Pack<T>::kCount>), grid, kPoolThreads, 0, queue, gx.as<T>(), g.as<const T>(),
             taps.as<const K>(), s, count, narrow);
  });
}

void maxPoolTake(Context& context, const TensorView& out, const TensorView& x, const TensorView& taps,
                 Scalars geometry) {
  const char* op = "maxPoolTake";
  const PoolShape s = readMaxShape(op, x, out, geometry);
  checkTaps(op, s, taps, out);
  if (s.empty()) return;
  Queue& queue = queueOf(context);
  const FaultSite fault = queue.faultSite(ErrorKind::Index, "maxPoolTake: tap %lld is not in its window");
  withTypes(out, taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    using T = std::remove_pointer_t<decltype(value)>;
    using K = std::remove_pointer_t<decltype(tap)>;
    LAUNCH((takeTapsKernel<T, K>), gridFor(queue, s.outputs(), kPoolThreads), kPoolThreads, 0, queue, out.as<T>(),
           static_cast<int64_t*>(nullptr), x.as<const T>(), taps.as<const K>(), s, s.outputs(),
           s.outputs() <= INT32_MAX, fault);
  });
}

void maxPoolIndices(Context& context, const TensorView& indices, const TensorView& taps, const TensorView& x,
                    Scalars geometry) {
  const char* op = "maxPoolIndices";
  TensorView values = indices;
  values.dtype = x.dtype;
  if (!indices.defined) fail(ErrorKind::Native, "%s: indices is undefined", op);
  if (indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices are %s, expected int64", op, dtypeName(indices.dtype));
  const PoolShape s = readMaxShape(op, x, values, geometry);
  checkTaps(op, s, taps, values);
  if (s.empty()) return;
  Queue& queue = queueOf(context);
  const FaultSite fault = queue.faultSite(ErrorKind::Index, "maxPoolIndices: tap %lld is not in its window");
  const auto run = [&](auto* tap) {
    using K = std::remove_pointer_t<decltype(tap)>;
    LAUNCH((takeTapsKernel<float, K>), gridFor(queue, s.outputs(), kPoolThreads), kPoolThreads, 0, queue,
           static_cast<float*>(nullptr), indices.as<int64_t>(), static_cast<const float*>(nullptr), taps.as<const K>(),
           s, s.outputs(), s.outputs() <= INT32_MAX, fault);
  };
  if (taps.dtype == DType::UInt8)
    run(static_cast<uint8_t*>(nullptr));
  else
    run(static_cast<int32_t*>(nullptr));
}

}  // namespace thalweg::cuda
