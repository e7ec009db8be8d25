// Attention backward (Dao, Fu, Ermon, Rudra and Re 2022): the probabilities of a tile are made again from the
// logarithms of the sums. Blocks that have a tile of rows make the gradients of the queries and of the mask, blocks
// that have a tile of keys those of keys or values, each in one order of additions; nothing is shared. A block has as
// many columns of a gradient as its registers hold.
#pragma once
#include "cuda/attention_problem.h"
#include "cuda/attention_tile.h"

namespace thalweg::cuda {
namespace {

template <class S>
struct Gradients {
  using T = ComputeOf<S>;
  Attention<S> a;
  Heads<const S> g;
  const T* logSums;
  const T* deltas;  // of each row: g . out
  Heads<S> gq, gk, gv, gmask;
};

template <class S>
__global__ void deltaKernel(ComputeOf<S>* deltas, Heads<const S> g, Heads<const S> out, Sizes s) {
  using T = ComputeOf<S>;
  const int64_t count = s.batch * s.heads * s.rows, step = static_cast<int64_t>(gridDim.x) * (blockDim.x / kWarp);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int64_t r = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp; r < count;
       r += step) {
    const int64_t i = r % s.rows, head = r / s.rows;
    const S* ofG = g.row(head / s.heads, head % s.heads, i);
    const S* ofOut = out.row(head / s.heads, head % s.heads, i);
    T sum = 0;
    for (int64_t c = lane; c < s.valueWidth; c += kWarp)
      sum += convert<T>(ofG[c * g.strides[3]]) * convert<T>(ofOut[c * out.strides[3]]);
    for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(kFullMask, sum, lanes);
    if (lane == 0) deltas[r] = sum;
  }
}

// Of rows [i0, ...) with keys [j0, ...): the gradients of the scores, not yet times the scale, or the probabilities
// after dropout.
template <class S, class T>
__device__ inline void makeTile(const Gradients<S>& of, int64_t b, int64_t h, int64_t i0, int64_t j0, bool gradients,
                                T (&p)[kRun<T>][kRun<T>], T* staged) {
  constexpr int R = kRun<T>;
  const Attention<S>& a = of.a;
  const Sizes& s = a.sizes;
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  const int64_t kh = h / s.group(), rows = s.rows - i0, keys = s.keys - j0;
  T d[R][R] = {};
#pragma unroll
  for (int i = 0; i < R; i++)
#pragma unroll
    for (int j = 0; j < R; j++) p[i][j] = 0;
  addRowProducts(p, Matrix<S>{a.q.row(b, h, i0), a.q.strides[2], a.q.strides[3], rows, s.width},
                 Matrix<S>{a.k.row(b, kh, j0), a.k.strides[2], a.k.strides[3], keys, s.width}, staged);
  if (gradients)
    addRowProducts(d, Matrix<S>{of.g.row(b, h, i0), of.g.strides[2], of.g.strides[3], rows, s.valueWidth},
                   Matrix<S>{a.v.row(b, kh, j0), a.v.strides[2], a.v.strides[3], keys, s.valueWidth}, staged);
  const uint32_t kept = a.dropout.active ? a.template keptBits<R>(b, h, i0 + ty * R, j0 + tx * R) : 0;
#pragma unroll
  for (int i = 0; i < R; i++) {
    const int64_t row = i0 + ty * R + i, key = j0 + tx * R, at = (b * s.heads + h) * s.rows + row;
    const T logSum = row < s.rows ? of.logSums[at] : std::numeric_limits<T>::infinity();
    const T delta = gradients && row < s.rows ? of.deltas[at] : T(0);
    const int64_t end = row < s.rows ? a.visible(row) : 0;
#pragma unroll
    for (int j = 0; j < R; j++) {
      const bool there = key + j < end;
      const T x = there ? std::exp(a.finishScore(p[i][j], b, h, row, key + j) - logSum) : T(0);
      const T factor = !a.dropout.active ? T(1) : kept >> (i * R + j) & 1 ? static_cast<T>(a.dropout.keepScale) : T(0);
      p[i][j] = !gradients ? x * factor : there ? x * (d[i][j] * factor - delta) : T(0);
    }
  }
}

// The gradients of a tile of queries, and of its rows of the mask.
template <class S, int V>
__global__ void __launch_bounds__(kThreads) rowGradientsKernel(Gradients<S> of, int64_t slabs, int64_t tasks) {
  using T = ComputeOf<S>;
  __shared__ Run<T> stagedRuns[kStaged<T> / kRun<T>], tileRuns[kRuns * kSide<T>];
  T *const staged = stagedRuns[0].at, *const tile = tileRuns[0].at;
  constexpr int R = kRun<T>;
  const Attention<S>& a = of.a;
  const Sizes& s = a.sizes;
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  const int64_t heads = s.batch * s.heads, tiles = (s.rows + kSide<T> - 1) / kSide<T>;
  for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    const int64_t slab = task % slabs, head = task / slabs % heads, i0 = (tiles - 1 - task / slabs / heads) * kSide<T>;
    const int64_t b = head / s.heads, h = head % s.heads, c0 = slab * V * kSide<T>;
    const int64_t rows = s.rows - i0 < kSide<T> ? s.rows - i0 : kSide<T>, end = a.visible(i0 + rows - 1);
    T sums[R][V * R] = {}, factors[R];
    for (int64_t j0 = 0; j0 < end; j0 += kSide<T>) {
      T d[R][R];
      makeTile(of, b, h, i0, j0, true, d, staged);
      if (of.gmask.data && slab == 0) {
#pragma unroll
        for (int i = 0; i < R; i++)
#pragma unroll
          for (int j = 0; j < R; j++) {
            const int64_t row = i0 + ty * R + i, key = j0 + tx * R + j;
            if (row < s.rows && key < s.keys) of.gmask.row(b, h, row)[key * of.gmask.strides[3]] = convert<S>(d[i][j]);
          }
      }
      if (!of.gq.data) continue;
      __syncthreads();  // the tile may still be read, if there was nothing to stage since
#pragma unroll
      for (int j = 0; j < R; j++) {
        Run<T> column;
#pragma unroll
        for (int i = 0; i < R; i++) column.at[i] = d[i][j];
        putRun(tile, tx * R + j, ty, column);
      }
      addTileProduct<V>(sums, tile,
                        Matrix<S>{a.k.row(b, h / s.group(), j0), a.k.strides[2], a.k.strides[3], end - j0, s.width}, c0,
                        staged);
    }
    if (!of.gq.data) continue;
#pragma unroll
    for (int i = 0; i < R; i++) factors[i] = a.scale;
    storeSums<V>(of.gq.row(b, h, i0), of.gq.strides[2], sums, factors, rows, c0, s.width);
  }
}

// The gradients of a tile of keys (the first keySlabs of the slabs) and of values, from all heads that share them.
template <class S, int V>
__global__ void __launch_bounds__(kThreads)
    keyGradientsKernel(Gradients<S> of, int64_t keySlabs, int64_t slabs, int64_t tasks) {
  using T = ComputeOf<S>;
  __shared__ Run<T> stagedRuns[kStaged<T> / kRun<T>], tileRuns[kRuns * kSide<T>];
  T *const staged = stagedRuns[0].at, *const tile = tileRuns[0].at;
  constexpr int R = kRun<T>;
  const Attention<S>& a = of.a;
  const Sizes& s = a.sizes;
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  const int64_t heads = s.batch * s.keyHeads;
  for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    // The first keys are seen by the most rows, and come first.
    const int64_t slab = task % slabs, head = task / slabs % heads, j0 = task / slabs / heads * kSide<T>;
    const int64_t b = head / s.keyHeads, kh = head % s.keyHeads;
    const bool ofKeys = slab < keySlabs;
    const int64_t c0 = (ofKeys ? slab : slab - keySlabs) * V * kSide<T>;
    T sums[R][V * R] = {}, factors[R];
    for (int64_t h = kh * s.group(); h < (kh + 1) * s.group(); h++) {
      const Heads<const S>& other = ofKeys ? a.q : of.g;
      for (int64_t i0 = a.causal ? j0 : 0; i0 < s.rows; i0 += kSide<T>) {
        T made[R][R];
        makeTile(of, b, h, i0, j0, ofKeys, made, staged);
        __syncthreads();  // the tile may still be read, if there was nothing to stage since
#pragma unroll
        for (int i = 0; i < R; i++) {
          Run<T> line;
#pragma unroll
          for (int j = 0; j < R; j++) line.at[j] = made[i][j];
          putRun(tile, ty * R + i, tx, line);
        }
        addTileProduct<V>(sums, tile,
                          Matrix<S>{other.row(b, h, i0), other.strides[2], other.strides[3], s.rows - i0,
                                    ofKeys ? s.width : s.valueWidth},
                          c0, staged);
      }
    }
#pragma unroll
    for (int i = 0; i < R; i++) factors[i] = ofKeys ? a.scale : T(1);
    const Heads<S>& to = ofKeys ? of.gk : of.gv;
    storeSums<V>(to.row(b, kh, j0), to.strides[2], sums, factors, s.keys - j0, c0, ofKeys ? s.width : s.valueWidth);
  }
}

template <class S, int V>
void launchBackward(Queue& queue, const Gradients<S>& of) {
  using T = ComputeOf<S>;
  const Sizes& s = of.a.sizes;
  const auto slabsOf = [](int64_t width) { return (width + V * kSide<T> - 1) / (V * kSide<T>); };
  const auto tilesOf = [](int64_t count) { return (count + kSide<T> - 1) / kSide<T>; };
  if (of.gq.data || of.gmask.data) {
    const int64_t slabs = of.gq.data ? slabsOf(s.width) : 1;
    const int64_t tasks = s.batch * s.heads * tilesOf(s.rows) * slabs;
    if (tasks > 0) LAUNCH((rowGradientsKernel<S, V>), blocksFor(tasks), kThreads, 0, queue, of, slabs, tasks);
  }
  const int64_t keySlabs = of.gk.data ? slabsOf(s.width) : 0, valueSlabs = of.gv.data ? slabsOf(s.valueWidth) : 0;
  const int64_t tasks = s.batch * s.keyHeads * tilesOf(s.keys) * (keySlabs + valueSlabs);
  if (tasks > 0)
    LAUNCH((keyGradientsKernel<S, V>), blocksFor(tasks), kThreads, 0, queue, of, keySlabs, keySlabs + valueSlabs,
           tasks);
}

}  // namespace
}  // namespace thalweg::cuda
