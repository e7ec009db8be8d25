// What the factorisations share. A block works on one matrix at a time, in shared memory where that has room for it,
// and in scratch memory otherwise: made for batches of small matrices; a large one keeps only one multiprocessor busy.
//
// A block is divided into groups of 4 to 32 lanes; a group takes a vector (a row, a column, a pair of rows) at a time.
// Lanes of a warp meet in every sum, so all groups make the same steps, some of them idly.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/kernel.h"
#include "cuda/linalg_operands.h"

namespace thalweg::cuda {
namespace {

template <class T>
constexpr T kEpsilon = std::numeric_limits<T>::epsilon();
template <class T>
constexpr T kSmallest = std::numeric_limits<T>::min();

template <class T>
__device__ inline T magnitude(T x) {
  return std::abs(x);
}

// Rows of matrices in scratch memory lie an odd number of elements apart: columns are then spread over the banks.
__host__ __device__ inline int64_t paddedRow(int64_t n) { return n | 1; }

constexpr int kMostThreads = 512, kMostWarps = kMostThreads / kWarp;

// Static shared memory of a block.
template <class T>
struct Shared {
  T values[kMostWarps];
  int places[kMostWarps];
  int numbers[4];
};

template <class T>
struct Place {
  T value;
  int index;
};

template <class T>
struct Team {
  int thread, threads;
  int lanes, lane, group, groups;
  Shared<T>& shared;

  __device__ Team(Shared<T>& shared, int lanes)
      : thread(static_cast<int>(threadIdx.x)),
        threads(static_cast<int>(blockDim.x)),
        lanes(lanes),
        lane(thread % lanes),
        group(thread / lanes),
        groups(threads / lanes),
        shared(shared) {}

  // Over the lanes of a group. Of all lanes of the warp.
  __device__ T sumOfGroup(T x) const {
    for (int d = lanes / 2; d > 0; d /= 2) x += __shfl_xor_sync(kFullMask, x, d);
    return x;
  }
  __device__ T largestOfGroup(T x) const {
    for (int d = lanes / 2; d > 0; d /= 2) x = larger(x, __shfl_xor_sync(kFullMask, x, d));
    return x;
  }

  // Over the block; all threads get the same bits.
  __device__ T sum(T x) const {
    for (int d = kWarp / 2; d > 0; d /= 2) x += __shfl_xor_sync(kFullMask, x, d);
    if (threads == kWarp) return x;
    exchange(x, 0);
    T total = 0;
    for (int w = 0; w < threads / kWarp; w++) total += shared.values[w];
    return total;
  }
  // NaN if there is one; not of negative numbers.
  __device__ T largest(T x) const {
    for (int d = kWarp / 2; d > 0; d /= 2) x = larger(x, __shfl_xor_sync(kFullMask, x, d));
    if (threads == kWarp) return x;
    exchange(x, 0);
    T result = 0;
    for (int w = 0; w < threads / kWarp; w++) result = larger(result, shared.values[w]);
    return result;
  }
  // The largest value, and of equal ones that of the smallest index.
  __device__ Place<T> best(Place<T> x) const {
    for (int d = kWarp / 2; d > 0; d /= 2)
      x = better(x, {__shfl_xor_sync(kFullMask, x.value, d), __shfl_xor_sync(kFullMask, x.index, d)});
    if (threads == kWarp) return x;
    exchange(x.value, x.index);
    Place<T> result{shared.values[0], shared.places[0]};
    for (int w = 1; w < threads / kWarp; w++) result = better(result, {shared.values[w], shared.places[w]});
    return result;
  }

 private:
  __device__ static T larger(T a, T b) { return a != a ? a : b != b || b > a ? b : a; }
  __device__ static Place<T> better(Place<T> a, Place<T> b) {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
  }
  // A value and a place of each warp, for all; what was exchanged before has been read.
  __device__ void exchange(T value, int place) const {
    __syncthreads();
    if (thread % kWarp == 0) {
      shared.values[thread / kWarp] = value;
      shared.places[thread / kWarp] = place;
    }
    __syncthreads();
  }
};

// -- vectors ----------------------------------------------------------------------------------------------------------

template <class T>
__device__ inline T largest(const Team<T>& team, const T* x, int64_t n) {
  T result = 0;
  for (int64_t i = team.thread; i < n; i += team.threads) {
    const T size = magnitude(x[i]);
    if (!(size <= result)) result = size;
    if (size != size) break;
  }
  return team.largest(result);
}

// Of the n rows of m elements each that lie ld apart.
template <class T>
__device__ inline T largestOfRows(const Team<T>& team, const T* x, int64_t ld, int n, int m) {
  T result = 0;
  for (int i = team.group; i < n && result == result; i += team.groups)
    for (int c = team.lane; c < m && result == result; c += team.lanes) {
      const T size = magnitude(x[i * ld + c]);
      if (!(size <= result)) result = size;
    }
  return team.largest(result);
}

// The Euclidean norm, whose squares neither overflow nor vanish.
template <class T>
__device__ inline T norm(const Team<T>& team, const T* x, int n) {
  T squares = 0;
  for (int i = team.thread; i < n; i += team.threads) squares += x[i] * x[i];
  squares = team.sum(squares);
  if (squares > kSmallest<T> / kEpsilon<T> && squares < std::numeric_limits<T>::max()) return std::sqrt(squares);
  const T scale = largest(team, x, n);
  if (!(scale > 0) || scale > std::numeric_limits<T>::max()) return scale;
  T total = 0;
  for (int i = team.thread; i < n; i += team.threads) total += x[i] / scale * (x[i] / scale);
  return scale * std::sqrt(team.sum(total));
}

// The same by a group, or idly.
template <class T>
__device__ inline T normOfGroup(const Team<T>& team, bool active, const T* x, int n) {
  T squares = 0, scale = 0, total = 0;
  for (int i = team.lane; active && i < n; i += team.lanes) {
    squares += x[i] * x[i];
    scale = magnitude(x[i]) > scale ? magnitude(x[i]) : scale;
  }
  squares = team.sumOfGroup(squares);
  scale = team.largestOfGroup(scale);
  for (int i = team.lane; active && scale > 0 && i < n; i += team.lanes) total += x[i] / scale * (x[i] / scale);
  total = team.sumOfGroup(total);
  const bool safe = squares > kSmallest<T> / kEpsilon<T> && squares < std::numeric_limits<T>::max();
  return safe ? std::sqrt(squares) : scale * std::sqrt(total);
}

// The power of two (or 1) that brings the largest of n values near 1; 0 if they are not finite.
template <class T>
__device__ inline T scaleFor(T size) {
  if (size == 0) return 1;
  if (!(size <= std::numeric_limits<T>::max())) return 0;
  int exponent;
  std::frexp(static_cast<double>(size), &exponent);
  // Half way for subnormal values, whose inverse is too large.
  const int limit = std::numeric_limits<T>::max_exponent - 2;
  const int shift = exponent < -limit ? limit : -exponent;
  return static_cast<T>(std::ldexp(1.0, shift < -limit ? -limit : shift));
}

// -- matrices ---------------------------------------------------------------------------------------------------------

// to(i, j) = from(i, j), both by strides. Lanes run along the columns, or along the rows.
template <class T, class U>
__device__ inline void copyMatrix(const Team<T>& team, bool alongColumns, U* to, int64_t trs, int64_t tcs,
                                  const U* from, int64_t frs, int64_t fcs, int m, int n) {
  const int outer = alongColumns ? m : n, inner = alongColumns ? n : m;
  const int64_t tos = alongColumns ? trs : tcs, tis = alongColumns ? tcs : trs;
  const int64_t fos = alongColumns ? frs : fcs, fis = alongColumns ? fcs : frs;
  for (int o = team.group; o < outer; o += team.groups)
    for (int i = team.lane; i < inner; i += team.lanes) to[o * tos + i * tis] = from[o * fos + i * fis];
}
// Element (i, j) of the matrix becomes to[i * rs + j * cs].
template <class T>
__device__ inline void loadMatrix(const Team<T>& team, T* to, int64_t rs, int64_t cs, const Matrices<const T>& x,
                                  int64_t b) {
  copyMatrix(team, x.cs <= x.rs, to, rs, cs, x.item(b), x.rs, x.cs, x.rows, x.columns);
}
template <class T>
__device__ inline void storeMatrix(const Team<T>& team, const Matrices<T>& x, int64_t b, const T* from, int64_t rs,
                                   int64_t cs) {
  copyMatrix(team, x.cs <= x.rs, x.item(b), x.rs, x.cs, from, rs, cs, x.rows, x.columns);
}

template <class T>
__device__ inline void swapRows(const Team<T>& team, T* x, T* y, int n) {
  for (int i = team.thread; i < n; i += team.threads) {
    const T a = x[i];
    x[i] = y[i];
    y[i] = a;
  }
}

// -- a launch ---------------------------------------------------------------------------------------------------------

// How a batch is worked on: passed to kernels by value.
template <class T>
struct Plan {
  int64_t count;
  int64_t elements;  // of the working space of an item
  T* scratch;        // of each block; null: shared memory
  int lanes;
  unsigned long long* failure;  // the least of what failed: see report

  // For step > 0. The first item of the batch that failed is kept, whatever the order of blocks.
  __device__ void report(int64_t item, int64_t step, int64_t steps) const {
    atomicMin(failure, static_cast<unsigned long long>(item * (steps + 1) + step));
  }
};

// Pieces of the working space.
template <class T>
struct Space {
  T* next;

  __device__ T* take(int64_t elements) {
    T* result = next;
    next += elements;
    return result;
  }
  __device__ int* takeInts(int64_t count) { return reinterpret_cast<int*>(take(count)); }
};
#define THALWEG_SPACE(T, name, plan)            \
  DYNAMIC_SHARED(unsigned char, dynamicShared); \
  Space<T> name { (plan).scratch ? (plan).scratch + blockIdx.x*(plan).elements : reinterpret_cast<T*>(dynamicShared) }

template <class T>
struct Launch {
  Plan<T> plan;
  unsigned blocks;
  int threads;
  size_t sharedBytes;
};

enum LinalgSlot { kSlotSpace, kSlotFailure };

// For matrices whose larger size is `size`, with a working space of `elements` each.
template <class T>
Launch<T> launchFor(Queue& queue, int64_t count, int64_t size, double elements) {
  if (elements > 0x1p56) fail(ErrorKind::OutOfMemory, "no memory for a matrix this large");
  Launch<T> launch{};
  launch.plan.count = count;
  launch.plan.elements = static_cast<int64_t>(elements);
  launch.plan.lanes = size <= 4 ? 4 : size <= 8 ? 8 : size <= 16 ? 16 : 32;
  launch.threads = size <= 32 ? 32 : size <= 64 ? 128 : size <= 128 ? 256 : kMostThreads;
  const int64_t bytes = launch.plan.elements * static_cast<int64_t>(sizeof(T));
  int64_t blocks = int64_t{queue.multiprocessors} * (2048 / launch.threads);
  if (bytes <= queue.sharedBytes - static_cast<int64_t>(sizeof(Shared<T>)) - 64) {
    launch.sharedBytes = static_cast<size_t>(bytes);
    blocks *= 4;
  } else {
    constexpr int64_t kMostScratch = int64_t{512} << 20;
    blocks = std::max<int64_t>(1, std::min({blocks, count, kMostScratch / bytes}));
    launch.plan.scratch = queue.scratch<T>(kSlotSpace, blocks * launch.plan.elements);
  }
  launch.blocks = static_cast<unsigned>(std::min(blocks, count));
  return launch;
}

// -- failures ---------------------------------------------------------------------------------------------------------

// For the first failure, its site with the batch item and the step, or with the step alone if there is no batch.
// `second` is that of step 2, if it has its own.
__global__ void reportKernel(const unsigned long long* failure, unsigned long long steps, bool batched, FaultSite first,
                             FaultSite second, bool hasSecond) {
  if (*failure == ~0ull) return;
  const int64_t item = static_cast<int64_t>(*failure / (steps + 1)),
                step = static_cast<int64_t>(*failure % (steps + 1));
  const FaultSite& site = hasSecond && step == 2 ? second : first;
  site.report(batched ? item : step, step);
}

// What a failure says, with the batch item (%1$lld) and the step (%2$lld), and without a batch with the step as either.
struct FailureText {
  const char *batched, *single;
};

template <class T>
void expectFailures(Queue& queue, Launch<T>& launch) {
  launch.plan.failure = queue.scratch<unsigned long long>(kSlotFailure, 1);
  checkCuda(cudaMemsetAsync(launch.plan.failure, 0xff, sizeof(unsigned long long), queue.stream),
            "clearing the word of failures");
}
template <class T>
void reportFailures(Queue& queue, const Launch<T>& launch, const TensorView& x, int64_t steps, const FailureText& text,
                    const FailureText* second = nullptr) {
  const bool batched = x.ndim > 2;
  const auto site = [&](const FailureText& of) {
    return queue.faultSite(ErrorKind::LinAlg, batched ? of.batched : of.single);
  };
  const FaultSite one = site(text), two = site(second ? *second : text);
  const unsigned long long* failure = launch.plan.failure;
  const unsigned long long count = static_cast<unsigned long long>(steps);
  const bool hasSecond = second != nullptr;
  LAUNCH(reportKernel, 1, 1, 0, queue, failure, count, batched, one, two, hasSecond);
}

}  // namespace
}  // namespace thalweg::cuda
