// Indices of several dimensions from one number.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace thalweg::cuda {

// Takes the last dimension off the index i >= 0 and returns the place along it. A division of 64 bits takes four times
// as long as one of 32.
__host__ __device__ inline int64_t takeOff(int64_t& i, int64_t size) {
  if ((static_cast<uint64_t>(i) | static_cast<uint64_t>(size)) >> 32 == 0) {
    const uint32_t n = static_cast<uint32_t>(i), by = static_cast<uint32_t>(size), next = n / by;
    i = next;
    return n - next * by;
  }
  const int64_t next = i / size, rest = i - next * size;
  i = next;
  return rest;
}

}  // namespace thalweg::cuda
