// What the kernels that read and write at places named by an index check, and how they say that a value is out of
// range.
#pragma once
#include "cuda/check.h"
#include "cuda/queue.h"
#include "operands/index.h"

namespace thalweg::cuda {

// The dimension that index values select from. Passed to kernels by value.
struct Selected {
  int64_t size, stride;
  FaultSite fault;

  // Whether the value selects something; reports it if not.
  __device__ bool takes(int64_t value) const {
    if (static_cast<uint64_t>(value) < static_cast<uint64_t>(size)) return true;
    fault.report(value, size);
    return false;
  }
};

// The place where an index of `dim` that is out of range is reported.
FaultSite outOfRangeSite(Queue& queue, const char* op, int64_t dim);

__device__ inline int64_t loadIndex(const char* index, bool wide, int64_t at) {
  return wide ? reinterpret_cast<const int64_t*>(index)[at] : reinterpret_cast<const int32_t*>(index)[at];
}

}  // namespace thalweg::cuda
