// The products of tiles that attention is made of. A block of 16 x 16 threads has a tile of 16 runs by 16 runs of
// sums; a run is 16 bytes of elements, and thread (ty, tx) has the rows of run ty and the columns of run tx. T is what
// is computed with; matrices in global memory may have elements S that are narrower.
//
// Tiles in shared memory are lines of 16 runs. Runs of a line are exchanged among themselves by its number, so that the
// threads of a warp that write a column of a tile, and those that read a line of it, use different banks.
#pragma once
#include "cuda/convert.h"
#include "cuda/kernel.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kRuns = 16;
constexpr int kDepth = 32;  // lines that are staged at once
template <class T>
constexpr int kRun = 16 / static_cast<int>(sizeof(T));
template <class T>
constexpr int kSide = kRuns * kRun<T>;

template <class T>
struct alignas(16) Run {
  T at[kRun<T>];
};

// A matrix in global memory; outside of its rows and columns it counts as zero.
template <class S>
struct Matrix {
  const S* data;
  int64_t rs, cs, rows, columns;
};

// Where run `run` of a line begins.
template <class T>
__device__ inline int placeOf(int line, int run, int key) {
  return line * kSide<T> + (run ^ (key & 7)) * kRun<T>;
}
template <class T>
__device__ inline Run<T> runAt(const T* tile, int place) {
  return *reinterpret_cast<const Run<T>*>(tile + place);
}

// tile[k][m] = x(m, c0 + k) for k < kDepth, m < kSide. A warp takes 4 rows of 8 columns, whole sectors of memory, at a
// time.
template <class T, class S>
__device__ inline void stageTurned(T* tile, const Matrix<S>& x, int64_t c0) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int k = warp % 4 * 8 + lane % 8;
  const bool there = c0 + k < x.columns;
  const S* column = x.data + (there ? c0 + k : 0) * x.cs;
#pragma unroll
  for (int m = warp / 4 * 4 + lane / 8; m < kSide<T>; m += 8)
    tile[placeOf<T>(k, m / kRun<T>, k) + m % kRun<T>] = there && m < x.rows ? convert<T>(column[m * x.rs]) : T(0);
}

// tile[k][c] = x(r0 + k, c0 + c) for k < kDepth, c < columns; not exchanged.
template <int columns, class T, class S>
__device__ inline void stageRows(T* tile, const Matrix<S>& x, int64_t r0, int64_t c0) {
  constexpr int step = kThreads / columns;
  const int c = static_cast<int>(threadIdx.x) % columns;
  const bool there = c0 + c < x.columns;
  const S* column = x.data + (there ? c0 + c : 0) * x.cs;
#pragma unroll 4
  for (int k = static_cast<int>(threadIdx.x) / columns; k < kDepth; k += step)
    tile[k * columns + c] = there && r0 + k < x.rows ? convert<T>(column[(r0 + k) * x.rs]) : T(0);
}

// Elements of shared memory for the operands of one step of a product.
template <class T>
constexpr int kStaged = 2 * kDepth * kSide<T>;

// sums += a b^T. Waits for the block before it writes to `staged`.
template <class T, class S>
__device__ inline void addRowProducts(T (&sums)[kRun<T>][kRun<T>], const Matrix<S>& a, const Matrix<S>& b, T* staged) {
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  T* ofB = staged + kDepth * kSide<T>;
  for (int64_t c0 = 0; c0 < a.columns; c0 += kDepth) {
    __syncthreads();
    stageTurned(staged, a, c0);
    stageTurned(ofB, b, c0);
    __syncthreads();
    const int depth = a.columns - c0 < kDepth ? static_cast<int>(a.columns - c0) : kDepth;
#pragma unroll 4
    for (int k = 0; k < depth; k++) {
      const Run<T> left = runAt(staged, placeOf<T>(k, ty, k)), right = runAt(ofB, placeOf<T>(k, tx, k));
#pragma unroll
      for (int i = 0; i < kRun<T>; i++)
#pragma unroll
        for (int j = 0; j < kRun<T>; j++) sums[i][j] += left.at[i] * right.at[j];
    }
  }
}

// A tile of kSide lines that threads write a run at a time, with the place by line / kRun.
template <class T>
__device__ inline void putRun(T* tile, int line, int run, const Run<T>& elements) {
  *reinterpret_cast<Run<T>*>(tile + placeOf<T>(line, run, line / kRun<T>)) = elements;
}

// sums += tile^T x for the columns [c0, c0 + V kSide) of x, whose rows are the tile's lines: of the columns, thread tx
// has run tx of each of V parts. Waits for the block before it reads the tile and writes to `staged`.
template <int V, class T, class S>
__device__ inline void addTileProduct(T (&sums)[kRun<T>][V * kRun<T>], const T* tile, const Matrix<S>& x, int64_t c0,
                                      T* staged) {
  constexpr int columns = V * kSide<T>;
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  const int lines = x.rows < kSide<T> ? static_cast<int>(x.rows) : kSide<T>;
  for (int r0 = 0; r0 < lines; r0 += kDepth) {
    __syncthreads();
    stageRows<columns>(staged, x, r0, c0);
    __syncthreads();
    const int depth = lines - r0 < kDepth ? lines - r0 : kDepth;
#pragma unroll 4
    for (int k = 0; k < depth; k++) {
      const Run<T> left = runAt(tile, placeOf<T>(r0 + k, ty, (r0 + k) / kRun<T>));
#pragma unroll
      for (int part = 0; part < V; part++) {
        const Run<T> right = runAt(staged, k * columns + part * kSide<T> + tx * kRun<T>);
#pragma unroll
        for (int i = 0; i < kRun<T>; i++)
#pragma unroll
          for (int j = 0; j < kRun<T>; j++) sums[i][part * kRun<T> + j] += left.at[i] * right.at[j];
      }
    }
  }
}

// Writes sums, times the factor of each row, to the rows from `to` on; rows and columns are how many there are.
template <int V, class T, class S>
__device__ inline void storeSums(S* to, int64_t rowStride, const T (&sums)[kRun<T>][V * kRun<T>],
                                 const T (&factors)[kRun<T>], int64_t rows, int64_t c0, int64_t columns) {
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
#pragma unroll
  for (int i = 0; i < kRun<T>; i++) {
    const int row = ty * kRun<T> + i;
    if (row >= rows) continue;
#pragma unroll
    for (int part = 0; part < V; part++)
#pragma unroll
      for (int j = 0; j < kRun<T>; j++) {
        const int64_t c = c0 + part * kSide<T> + tx * kRun<T> + j;
        if (c < columns) to[row * rowStride + c] = convert<S>(sums[i][part * kRun<T> + j] * factors[i]);
      }
  }
}

// Over the 16 threads that share the rows of a tile.
template <class T>
__device__ inline T largestOfRow(T x) {
#pragma unroll
  for (int lanes = kRuns / 2; lanes > 0; lanes /= 2) {
    const T other = __shfl_xor_sync(kFullMask, x, lanes);
    x = other > x ? other : x;
  }
  return x;
}
template <class T>
__device__ inline T sumOfRow(T x) {
#pragma unroll
  for (int lanes = kRuns / 2; lanes > 0; lanes /= 2) x += __shfl_xor_sync(kFullMask, x, lanes);
  return x;
}

// Blocks for that many tasks, of which each block takes every gridDim.x-th.
inline unsigned blocksFor(int64_t tasks) {
  return static_cast<unsigned>(tasks < INT32_MAX ? tasks : int64_t{INT32_MAX});
}

}  // namespace
}  // namespace thalweg::cuda
