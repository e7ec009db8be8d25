// Attention forward: a tile of rows of queries against tile after tile of keys, with the largest score so far and the
// sum relative to it (Milakov and Gimelshein 2018). Values wider than a block's sums are the work of several blocks,
// each of which makes the scores.
#pragma once
#include "cuda/attention_problem.h"
#include "cuda/attention_tile.h"

namespace thalweg::cuda {
namespace {

template <class S, int V>
__global__ void __launch_bounds__(kThreads)
    attentionKernel(Attention<S> a, Heads<S> out, ComputeOf<S>* logSums, int64_t tasks) {
  using T = ComputeOf<S>;
  __shared__ Run<T> stagedRuns[kStaged<T> / kRun<T>], tileRuns[kRuns * kSide<T>];
  T *const staged = stagedRuns[0].at, *const probabilities = tileRuns[0].at;
  constexpr int R = kRun<T>;
  const Sizes& s = a.sizes;
  const int ty = static_cast<int>(threadIdx.x) / kRuns, tx = static_cast<int>(threadIdx.x) % kRuns;
  const int64_t slabs = s.valueWidth > 0 ? (s.valueWidth + V * kSide<T> - 1) / (V * kSide<T>) : 1;
  const int64_t heads = s.batch * s.heads, tiles = (s.rows + kSide<T> - 1) / kSide<T>;
  for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    // The last rows see the most keys: they come first.
    const int64_t slab = task % slabs, head = task / slabs % heads, i0 = (tiles - 1 - task / slabs / heads) * kSide<T>;
    const int64_t b = head / s.heads, h = head % s.heads, kh = h / s.group(), c0 = slab * V * kSide<T>;
    const int64_t rows = s.rows - i0 < kSide<T> ? s.rows - i0 : kSide<T>, end = a.visible(i0 + rows - 1);
    const Matrix<S> q{a.q.row(b, h, i0), a.q.strides[2], a.q.strides[3], rows, s.width};
    T sums[R][V * R] = {}, max[R];
    double total[R];
#pragma unroll
    for (int i = 0; i < R; i++) {
      max[i] = -std::numeric_limits<T>::infinity();
      total[i] = 0;
    }
    for (int64_t j0 = 0; j0 < end; j0 += kSide<T>) {
      T p[R][R] = {};
      const int64_t keys = end - j0 < kSide<T> ? end - j0 : kSide<T>;
      addRowProducts(p, q, Matrix<S>{a.k.row(b, kh, j0), a.k.strides[2], a.k.strides[3], keys, s.width}, staged);
#pragma unroll
      for (int i = 0; i < R; i++) {
        const int64_t row = i0 + ty * R + i, key = j0 + tx * R;
        T newMax = max[i];  // a NaN is left to the sum
#pragma unroll
        for (int j = 0; j < R; j++) {
          p[i][j] = a.finishScore(p[i][j], b, h, row, key + j);
          newMax = p[i][j] > newMax ? p[i][j] : newMax;
        }
        newMax = largestOfRow(newMax);
        // Where all is -infinity so far, any finite number will do.
        const T base = newMax == -std::numeric_limits<T>::infinity() ? T(0) : newMax;
        const T factor = newMax == max[i] ? T(1) : std::exp(max[i] - base);
        max[i] = newMax;
        T sum = 0;
#pragma unroll
        for (int j = 0; j < R; j++) {
          p[i][j] = std::exp(p[i][j] - base);
          sum += p[i][j];
        }
        total[i] = total[i] * static_cast<double>(factor) + static_cast<double>(sum);
#pragma unroll
        for (int c = 0; c < V * R; c++) sums[i][c] *= factor;
      }
      if (a.dropout.active) {
        const uint32_t kept = a.template keptBits<R>(b, h, i0 + ty * R, j0 + tx * R);
#pragma unroll
        for (int i = 0; i < R; i++)
#pragma unroll
          for (int j = 0; j < R; j++) p[i][j] *= kept >> (i * R + j) & 1 ? static_cast<T>(a.dropout.keepScale) : T(0);
      }
      __syncthreads();  // the tile may still be read, if there was nothing to stage since
#pragma unroll
      for (int j = 0; j < R; j++) {
        Run<T> column;
#pragma unroll
        for (int i = 0; i < R; i++) column.at[i] = p[i][j];
        putRun(probabilities, tx * R + j, ty, column);
      }
      addTileProduct<V>(sums, probabilities,
                        Matrix<S>{a.v.row(b, kh, j0), a.v.strides[2], a.v.strides[3], keys, s.valueWidth}, c0, staged);
    }
    T factors[R];
#pragma unroll
    for (int i = 0; i < R; i++) {
      const double whole = sumOfRow(total[i]);
      factors[i] = whole == 0 ? T(1) : static_cast<T>(1 / whole);
      const int64_t row = i0 + ty * R + i;
      if (slab == 0 && tx == 0 && row < s.rows)
        logSums[head * s.rows + row] =
            whole == 0 ? std::numeric_limits<T>::infinity() : max[i] + static_cast<T>(std::log(whole));
    }
    storeSums<V>(out.row(b, h, i0), out.strides[2], sums, factors, rows, c0, s.valueWidth);
  }
}

template <class S, int V>
void launchForward(Queue& queue, const Attention<S>& a, const Heads<S>& out, ComputeOf<S>* logSums) {
  using T = ComputeOf<S>;
  const Sizes& s = a.sizes;
  const int64_t slabs = s.valueWidth > 0 ? (s.valueWidth + V * kSide<T> - 1) / (V * kSide<T>) : 1;
  const int64_t tasks = s.batch * s.heads * ((s.rows + kSide<T> - 1) / kSide<T>)*slabs;
  LAUNCH((attentionKernel<S, V>), blocksFor(tasks), kThreads, 0, queue, a, out, logSums, tasks);
}

}  // namespace
}  // namespace thalweg::cuda
