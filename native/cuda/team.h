// Threads that work on a row together: some lanes of a warp, a warp, or a block, and how they join what each has.
#pragma once
#include "cuda/launch.h"

namespace thalweg::cuda {

struct AddUp {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct TakeSmaller {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};
// NaN if there is one.
struct TakeLarger {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

template <class T>
__device__ inline T shuffleXor(T value, int lanes) {
  return __shfl_xor_sync(kFullMask, value, lanes);
}

// Over `kLanes` neighbours; all of them get the result, with the same bits if join is commutative.
template <int kLanes, class T, class Join>
__device__ inline T joinLanes(T value, Join join) {
  for (int d = kLanes / 2; d > 0; d /= 2) value = join(value, shuffleXor(value, d));
  return value;
}

// Over a block of whole warps, always in the same order. `shared` has room for a value of each warp, and may be used
// again at once: by values of this type.
template <class T, class Join>
__device__ inline T joinBlock(T value, Join join, T* shared) {
  const int warps = static_cast<int>(blockDim.x) / kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  value = joinLanes<kWarp>(value, join);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) shared[warp] = value;
  __syncthreads();
  value = shared[0];
  for (int w = 1; w < warps; w++) value = join(value, shared[w]);
  return value;
}

// The sum of what the threads of a block of whole warps have before this one, and of all of them. `shared` as above.
template <class T>
__device__ inline T sumBefore(T value, T* shared, T& all) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  T running = value;
  for (int d = 1; d < kWarp; d *= 2) {
    const T other = __shfl_up_sync(kFullMask, running, static_cast<unsigned>(d));
    if (lane >= d) running += other;
  }
  __syncthreads();
  if (lane == kWarp - 1) shared[warp] = running;
  __syncthreads();
  T before = running - value;
  all = 0;
  for (int w = 0; w < static_cast<int>(blockDim.x) / kWarp; w++) {
    if (w < warp) before += shared[w];
    all += shared[w];
  }
  return before;
}

// Joins what the threads (x, 0), (x, 1), ... of a block have, in a fixed order; blockDim.y is a power of two. All of
// them get the result. `shared` has room for a value of each thread, and may be used again at once.
template <class V, class Join>
__device__ inline V joinColumn(V value, Join join, V* shared) {
  if (blockDim.y == 1) return value;
  const unsigned at = threadIdx.y * blockDim.x + threadIdx.x;
  __syncthreads();
  shared[at] = value;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) shared[at] = join(shared[at], shared[at + half * blockDim.x]);
  }
  __syncthreads();
  return shared[threadIdx.x];
}

constexpr int kMostWarps = 32;  // of a block
constexpr int kWholeBlock = 0;

// kLanes of a warp (a power of 2), or kWholeBlock. Rows go to teams in turn. Lanes of a warp stay together: their loop
//   for (int64_t first = team.first(); first < rows; first += team.step())
// is that of the warp's first row, and `first + team.own()` is a team's row, which may be one too many in the end.
template <int kLanes>
struct Team {
  static constexpr bool isBlock = kLanes == kWholeBlock;

  __device__ int lane() const { return static_cast<int>(isBlock ? threadIdx.x : threadIdx.x % kLanes); }
  __device__ int size() const { return isBlock ? static_cast<int>(blockDim.x) : kLanes; }
  __device__ int64_t first() const {
    if constexpr (isBlock) return blockIdx.x;
    return (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp * (kWarp / perTeam());
  }
  __device__ int64_t own() const {
    if constexpr (isBlock) return 0;
    return threadIdx.x % kWarp / perTeam();
  }
  __device__ int64_t step() const {
    if constexpr (isBlock) return gridDim.x;
    return static_cast<int64_t>(gridDim.x) * (blockDim.x / perTeam());
  }
  template <class T, class Join>
  __device__ T join(T value, Join join, T* shared) const {
    if constexpr (isBlock)
      return joinBlock(value, join, shared);
    else
      return joinLanes<kLanes>(value, join);
  }

 private:
  static __device__ constexpr unsigned perTeam() { return isBlock ? 1 : kLanes; }
};

}  // namespace thalweg::cuda
