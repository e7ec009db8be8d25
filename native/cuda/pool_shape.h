// The windows of a pooling: sizes, checks, which taps of a window lie in x, and which windows an element of x is in.
// Passed to kernels by value.
#pragma once
#include "cuda/moments.h"
#include "cuda/norm_operands.h"
#include "operands/pool.h"

namespace thalweg::cuda {
namespace {

constexpr int kPoolThreads = 256;

__host__ __device__ constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
__host__ __device__ constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
__host__ __device__ constexpr int64_t upwards(int64_t a, int64_t b) { return (a + b - 1) / b; }
// Of numbers from 0 that fit into 32 bits, as sums of sizes and paddings up to kSizeLimit do: a division of 64 bits
// takes four times as long.
__host__ __device__ constexpr int64_t shortRatio(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint32_t>(a) / static_cast<uint32_t>(b));
}
__host__ __device__ constexpr int64_t shortUpwards(int64_t a, int64_t b) { return shortRatio(a + b - 1, b); }

// Everything has three spatial dimensions here; those that a tensor lacks come first and have size 1.
struct PoolShape : PoolGeometry {
  int64_t width[3];  // mostTaps

  int64_t inputs() const { return images * channels * inSize(); }
  int64_t outputs() const { return images * channels * outSize(); }

  // The taps of window `o` along `d` that are in x: `count` of them, `dilation` apart; `low` of its taps come before.
  struct Taps {
    int64_t first, count, low;
  };
  __host__ __device__ Taps taps(int d, int64_t o) const {
    if (adaptive) {
      const int64_t first = o * in[d] / out[d];
      return {first, upwards((o + 1) * in[d], out[d]) - first, 0};
    }
    const int64_t start = o * stride[d] - padding[d];
    if (start >= in[d]) return {0, 0, 0};
    if (dilation[d] == 1) {  // without divisions
      const int64_t low = most(-start, 0);
      return {start + low, most(least(kernel[d], in[d] - start) - low, 0), low};
    }
    const int64_t low = start < 0 ? shortUpwards(-start, dilation[d]) : 0;
    const int64_t high = least(kernel[d], shortUpwards(in[d] - start, dilation[d]));
    return {start + low * dilation[d], most(high - low, 0), low};
  }

  // Windows [first, end) along `d` may have index i among their taps: each has if `tapOf` says so.
  struct Span {
    int64_t first, end;
  };
  __device__ Span windows(int d, int64_t i) const {
    if (adaptive) return {i * out[d] / in[d], least(upwards((i + 1) * out[d], in[d]), out[d])};
    const int64_t at = i + padding[d], reach = (kernel[d] - 1) * dilation[d];
    return {at > reach ? shortUpwards(at - reach, stride[d]) : 0, least(shortRatio(at, stride[d]) + 1, out[d])};
  }
  // The number of the tap of window o at index i, or -1.
  __device__ int64_t tapOf(int d, int64_t o, int64_t i) const {
    if (adaptive) return i - o * in[d] / out[d];
    const int64_t distance = i + padding[d] - o * stride[d];
    if (dilation[d] == 1) return distance;
    const int64_t tap = shortRatio(distance, dilation[d]);
    return tap * dilation[d] == distance ? tap : -1;
  }

  // What the sum over a window is divided by, along `d`.
  template <class T>
  __device__ T countOf(int d, int64_t o) const {
    const int64_t start = o * stride[d] - padding[d];
    if (countPadding) return static_cast<T>(least(start + kernel[d], in[d] + padding[d]) - start);
    return static_cast<T>(taps(d, o).count);
  }
};

inline PoolShape readPoolShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry,
                               int64_t numbers) {
  PoolShape s{readPool(op, x, y, geometry, numbers), {}};
  for (int d = 0; d < 3; d++) s.width[d] = s.mostTaps(d);
  return s;
}

// An element of x or y, or, channels-last, one of a run of neighbouring channels.
struct Place {
  int64_t plane;    // [image, channel], or the image if channels-last
  int64_t channel;  // 0 if contiguous
  int64_t at[3];
};
// sizes: of x or y; `run` neighbours count as one.
__device__ inline Place placeOf(const PoolShape& s, const int64_t (&size)[3], int64_t i, int run, bool narrow) {
  Place place;
  int64_t next;
  place.channel = 0;
  if (s.last) {
    const int64_t runs = s.channels / run;
    next = quotient(i, runs, narrow);
    place.channel = (i - next * runs) * run;
    i = next;
  }
  for (int d = 2; d >= 0; d--) {
    next = size[d] == 1 ? i : quotient(i, size[d], narrow);
    place.at[d] = i - next * size[d];
    i = next;
  }
  place.plane = i;
  return place;
}
// Elements from one position to the next one, and the first of a place's plane and channel.
__device__ inline int64_t positionStep(const PoolShape& s) { return s.last ? s.channels : 1; }
__device__ inline int64_t startOf(const PoolShape& s, const Place& place, int64_t planeSize) {
  return place.plane * planeSize * positionStep(s) + place.channel;
}

// How many neighbouring channels a thread takes: what is in 16 bytes, or 1.
template <class T>
int runOf(const PoolShape& s, std::initializer_list<const void*> pointers) {
  bool fits = s.last && s.channels % Pack<T>::kCount == 0;
  for (const void* p : pointers) fits = fits && isAligned(p);
  return fits ? Pack<T>::kCount : 1;
}

// kRun elements, in registers.
template <class T, int kRun>
struct alignas(kRun == 1 ? alignof(T) : (kRun * sizeof(T) < 16 ? kRun * sizeof(T) : 16)) Run {
  T at[kRun];
};
template <int kRun, class T>
__device__ inline Run<T, kRun> loadRun(const T* from) {
  return *reinterpret_cast<const Run<T, kRun>*>(from);
}
template <class T, int kRun>
__device__ inline void storeRun(T* to, const Run<T, kRun>& values) {
  *reinterpret_cast<Run<T, kRun>*>(to) = values;
}

}  // namespace
}  // namespace thalweg::cuda
