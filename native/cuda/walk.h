// A walk over the elements of several operands of one shape, with dimensions merged where all of them allow it. Passed
// to kernels by value.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "runtime/tensor.h"

namespace thalweg::cuda {

template <int N>
struct Offsets {
  int64_t at[N];
};

template <int N>
struct Walk {
  int ndim = 0;
  int64_t count = 1;
  int64_t shape[kMaxDims];
  int64_t strides[kMaxDims][N];

  // Appends a dimension behind the others (the last one moves fastest).
  template <class... Strides>
  void add(int64_t size, Strides... given) {
    static_assert(sizeof...(given) == N);
    if (size == 0) count = 0;
    if (size == 1 || count == 0) return;
    const int64_t added[N] = {static_cast<int64_t>(given)...};
    count *= size;
    bool merges = ndim > 0;
    for (int k = 0; k < N && merges; k++) merges = strides[ndim - 1][k] == added[k] * size;
    if (!merges) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int k = 0; k < N; k++) strides[ndim - 1][k] = added[k];
  }

  // Offsets, in elements, of position `i` in row-major order.
  __host__ __device__ Offsets<N> locate(int64_t i) const {
    Offsets<N> offsets;
    for (int k = 0; k < N; k++) offsets.at[k] = 0;
    if (count <= INT32_MAX) {
      // A division of 64 bits takes four times as long.
      uint32_t rest = static_cast<uint32_t>(i);
      for (int d = ndim - 1; d > 0; d--) {
        const uint32_t size = static_cast<uint32_t>(shape[d]), next = rest / size;
        for (int k = 0; k < N; k++) offsets.at[k] += static_cast<int64_t>(rest - next * size) * strides[d][k];
        rest = next;
      }
      if (ndim > 0)
        for (int k = 0; k < N; k++) offsets.at[k] += static_cast<int64_t>(rest) * strides[0][k];
      return offsets;
    }
    for (int d = ndim - 1; d > 0; d--) {
      const int64_t next = i / shape[d];
      for (int k = 0; k < N; k++) offsets.at[k] += (i - next * shape[d]) * strides[d][k];
      i = next;
    }
    if (ndim > 0)
      for (int k = 0; k < N; k++) offsets.at[k] += i * strides[0][k];
    return offsets;
  }

  // Whether operand k lies without gaps in the order of the walk.
  __host__ __device__ bool isContiguous(int k) const { return ndim == 0 || (ndim == 1 && strides[0][k] == 1); }
};

// The walk over views of one shape (checked by the caller).
template <class... Views>
Walk<static_cast<int>(sizeof...(Views))> walkOf(const Views&... views) {
  Walk<static_cast<int>(sizeof...(Views))> walk;
  const TensorView* all[] = {&views...};
  for (int d = 0; d < all[0]->ndim; d++) walk.add(all[0]->shape[d], views.strides[d]...);
  return walk;
}

}  // namespace thalweg::cuda
