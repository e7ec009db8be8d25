// Products with few rows (or columns, transposed): bound by reading b once, so no tiles. Neighbouring lanes read what
// lies side by side in b: steps of one column, summed up by a warp, or columns of one step, summed up by a block.
#pragma once
#include "cuda/gemm_epilogue.h"

namespace thalweg::cuda {

constexpr int kMostRows = 4;
constexpr int kStreams = 8;  // warps of a block

template <class S>
struct RowsProblem {
  int64_t m, n, k;
  const S* a;
  int64_t ars, acs;
  const S* b;
  int64_t brs, bcs;
  ProductBatch batch;
  Epilogue<S> epilogue;
};

// A warp has a column.
template <class S>
__global__ void __launch_bounds__(kStreams* kWarp) dotRowsKernel(RowsProblem<S> p) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t columns = p.n * p.batch.count, step = static_cast<int64_t>(gridDim.x) * kStreams;
  for (int64_t job = static_cast<int64_t>(blockIdx.x) * kStreams + warp; job < columns; job += step) {
    int64_t rest = job;
    const int64_t column = takeOff(rest, p.n);
    const BatchOffsets offsets(p.batch, rest);
    const S* const a = p.a + offsets.a;
    const S* const b = p.b + offsets.b + column * p.bcs;
    Sum<S> sums[kMostRows] = {};
    for (int64_t k = lane; k < p.k; k += kWarp) {
      const Sum<S> y = convert<Sum<S>>(b[k * p.brs]);
      THALWEG_UNROLL
      for (int i = 0; i < kMostRows; i++)
        if (i < p.m) sums[i] += convert<Sum<S>>(a[i * p.ars + k * p.acs]) * y;
    }
    THALWEG_UNROLL
    for (int i = 0; i < kMostRows; i++) {
      for (int distance = kWarp / 2; distance > 0; distance /= 2)
        sums[i] += __shfl_xor_sync(kFullMask, sums[i], distance);
      if (lane == 0 && i < p.m) p.epilogue.store(offsets.c, i, column, sums[i]);
    }
  }
}

// A block has 32 columns, each of its warps every eighth step.
template <class S>
__global__ void __launch_bounds__(kStreams* kWarp) columnRowsKernel(RowsProblem<S> p) {
  __shared__ Sum<S> parts[kStreams][kMostRows][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t across = (p.n + kWarp - 1) / kWarp;
  for (int64_t job = blockIdx.x; job < across * p.batch.count; job += gridDim.x) {
    int64_t rest = job;
    const int64_t column = takeOff(rest, across) * kWarp + lane;
    const BatchOffsets offsets(p.batch, rest);
    const S* const a = p.a + offsets.a;
    const S* const b = p.b + offsets.b + column * p.bcs;
    Sum<S> sums[kMostRows] = {};
    if (column < p.n)
      for (int64_t k = warp; k < p.k; k += kStreams) {
        const Sum<S> y = convert<Sum<S>>(b[k * p.brs]);
        THALWEG_UNROLL
        for (int i = 0; i < kMostRows; i++)
          if (i < p.m) sums[i] += convert<Sum<S>>(a[i * p.ars + k * p.acs]) * y;
      }
    THALWEG_UNROLL
    for (int i = 0; i < kMostRows; i++) parts[warp][i][lane] = sums[i];
    __syncthreads();
    if (warp < p.m && column < p.n) {
      Sum<S> sum = parts[0][warp][lane];
      for (int s = 1; s < kStreams; s++) sum += parts[s][warp][lane];
      p.epilogue.store(offsets.c, warp, column, sum);
    }
    __syncthreads();
  }
}

}  // namespace thalweg::cuda
