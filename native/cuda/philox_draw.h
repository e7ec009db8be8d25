// Philox words (runtime/philox.h) made into elements of a tensor: a thread makes one block of words at a time, and the
// elements that it serves.
#pragma once
#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/walk.h"
#include "runtime/philox.h"

namespace thalweg::cuda {
namespace {

struct Source {
  uint64_t seed, counter;
  const uint64_t* shift;  // Queue::philoxShift

  __device__ PhiloxBlock block(int64_t b) const {
    return philox(seed, counter + (shift ? *shift : 0) + static_cast<uint64_t>(b));
  }
};

inline Source sourceOf(const Queue& queue, const char* op, Scalar seed, int64_t offset) {
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  return {static_cast<uint64_t>(seed.integer), static_cast<uint64_t>(offset), queue.philoxShift()};
}

// Some elements of a block, moved at once.
template <class T, int kCount>
struct alignas(kCount * sizeof(T) < 16 ? kCount * sizeof(T) : 16) Quad {
  T at[kCount];
};

}  // namespace
}  // namespace thalweg::cuda
