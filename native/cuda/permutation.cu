// Random permutations: indices sorted by (wide word, index). The words are spread evenly, so that buckets of their
// upper bits have few of them each; a warp then ranks the words of a bucket by counting. Where a word comes to lie in
// its bucket before that is left to chance, its rank is not.
#include <algorithm>
#include <bit>

#include "cuda/kernel.h"
#include "cuda/philox_draw.h"
#include "cuda/random_values.h"
#include "cuda/team.h"

namespace thalweg::cuda {
namespace {

using Count = unsigned long long;  // that atomicAdd takes

constexpr int kThreads = 256;
constexpr int64_t kPerBucket = 64;
constexpr int64_t kPerBlock = 2048;  // counts that a block adds up

struct Keyed {
  uint64_t key;
  int64_t index;
};

__global__ void __launch_bounds__(kThreads) countKeysKernel(Count* counts, int64_t n, int shift, Source source) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t b = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; 2 * b < n; b += step) {
    const PhiloxBlock block = source.block(b);
    for (int k = 0; k < 2; k++)
      if (2 * b + k < n) atomicAdd(&counts[wideOf(block, k) >> shift], Count{1});
  }
}

// The sum of each kPerBlock counts.
__global__ void __launch_bounds__(kThreads) addCountsKernel(Count* sums, const Count* counts, int64_t n) {
  __shared__ Count shared[kMostWarps];
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kPerBlock;
  const int64_t end = begin + kPerBlock < n ? begin + kPerBlock : n;
  Count sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) sum += counts[i];
  sum = joinBlock(sum, AddUp(), shared);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// values[i] becomes the sum of those before it; a block for each kPerBlock of them, which begins at what `starts` says
// for it, or one block for all of them.
__global__ void __launch_bounds__(kThreads)
    sumsBeforeKernel(Count* values, const Count* starts, int64_t n, int64_t each) {
  __shared__ Count shared[kMostWarps];
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * each, end = begin + each < n ? begin + each : n;
  Count carried = starts ? starts[blockIdx.x] : 0;
  for (int64_t i0 = begin; i0 < end; i0 += blockDim.x) {
    const int64_t i = i0 + threadIdx.x;
    Count all;
    const Count before = sumBefore(i < end ? values[i] : 0, shared, all);
    if (i < end) values[i] = carried + before;
    carried += all;
  }
}

// Afterwards ends[b] is where bucket b ends; before, where it begins.
__global__ void __launch_bounds__(kThreads)
    placeKeysKernel(Keyed* keys, Count* ends, int64_t n, int shift, Source source) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t b = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; 2 * b < n; b += step) {
    const PhiloxBlock block = source.block(b);
    for (int k = 0; k < 2; k++) {
      if (2 * b + k >= n) continue;
      const uint64_t key = wideOf(block, k);
      keys[atomicAdd(&ends[key >> shift], Count{1})] = {key, 2 * b + k};
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    rankKeysKernel(T* out, int64_t stride, const Keyed* keys, const Count* ends, int64_t buckets) {
  const Team<kWarp> team;
  for (int64_t b = team.first(); b < buckets; b += team.step()) {
    const int64_t begin = b == 0 ? 0 : static_cast<int64_t>(ends[b - 1]), end = static_cast<int64_t>(ends[b]);
    for (int64_t i = begin + team.lane(); i < end; i += kWarp) {
      const Keyed own = keys[i];
      int64_t rank = begin;
      for (int64_t j = begin; j < end; j++) {
        const Keyed other = keys[j];
        rank += other.key < own.key || (other.key == own.key && other.index < own.index);
      }
      out[rank * stride] = static_cast<T>(own.index);
    }
  }
}

}  // namespace

void randomPermutation(Context& context, const TensorView& out, Scalar seed, int64_t offset) {
  const char* op = "randomPermutation";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  if (out.ndim != 1) fail(ErrorKind::Shape, "%s: the result must have 1 dimension, not %d", op, out.ndim);
  if (out.dtype != DType::Int64 && out.dtype != DType::Int32)
    fail(ErrorKind::DType, "%s: the result must be int64 or int32, not %s", op, dtypeName(out.dtype));
  const int64_t n = out.shape[0];
  if (n <= 0) return;
  if (out.dtype == DType::Int32 && n > INT32_MAX)
    fail(ErrorKind::DType, "%s: %lld indices do not fit int32", op, static_cast<long long>(n));
  if (n > int64_t{1} << 43)
    fail(ErrorKind::OutOfMemory, "%s: no memory to sort %lld keys", op, static_cast<long long>(n));
  const int bits = std::max(1, static_cast<int>(std::bit_width(static_cast<uint64_t>(n / kPerBucket))));
  const int shift = 64 - bits;
  const int64_t buckets = int64_t{1} << bits, blocks = (buckets + kPerBlock - 1) / kPerBlock;
  Queue& queue = queueOf(context);
  Count* counts = queue.scratch<Count>(0, buckets);
  Count* sums = queue.scratch<Count>(1, blocks);
  Keyed* keys = queue.scratch<Keyed>(2, n);
  const unsigned grid = gridFor(queue, (n + 1) / 2, kThreads);
  checkCuda(cudaMemsetAsync(counts, 0, static_cast<size_t>(buckets) * sizeof(Count), queue.stream), "clearing");
  LAUNCH(countKeysKernel, grid, kThreads, 0, queue, counts, n, shift, source);
  LAUNCH(addCountsKernel, static_cast<unsigned>(blocks), kThreads, 0, queue, sums, counts, buckets);
  LAUNCH(sumsBeforeKernel, 1, kThreads, 0, queue, sums, static_cast<const Count*>(nullptr), blocks, blocks);
  LAUNCH(sumsBeforeKernel, static_cast<unsigned>(blocks), kThreads, 0, queue, counts, sums, buckets, kPerBlock);
  LAUNCH(placeKeysKernel, grid, kThreads, 0, queue, keys, counts, n, shift, source);
  const unsigned warps = gridFor(queue, buckets * kWarp, kThreads);
  if (out.dtype == DType::Int64)
    LAUNCH((rankKeysKernel<int64_t>), warps, kThreads, 0, queue, out.as<int64_t>(), out.strides[0], keys, counts,
           buckets);
  else
    LAUNCH((rankKeysKernel<int32_t>), warps, kThreads, 0, queue, out.as<int32_t>(), out.strides[0], keys, counts,
           buckets);
}

}  // namespace thalweg::cuda
