// The operands of the factorisations as kernels see them.
#pragma once
#include <limits>

#include "cuda/kernel.h"
#include "operands/linalg.h"

namespace thalweg::cuda {
namespace {

// The dimensions of a batch.
struct Batch {
  int ndim = 0;
  int64_t shape[kMaxDims], strides[kMaxDims];

  Batch() {}
  Batch(const TensorView& view, int tail) : ndim(view.ndim - tail) {
    for (int d = 0; d < ndim; d++) {
      shape[d] = view.shape[d];
      strides[d] = view.strides[d];
    }
  }
  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }
  __device__ int64_t offset(int64_t item) const {
    int64_t offset = 0;
    for (int d = ndim - 1; d >= 0; d--) {
      offset += item % shape[d] * strides[d];
      item /= shape[d];
    }
    return offset;
  }
};

// Null data: an optional operand that was not given.
template <class T>
struct Matrices {
  T* data = nullptr;
  int rows = 0, columns = 0;
  int64_t rs = 0, cs = 0;
  Batch batch;

  Matrices() {}
  explicit Matrices(const TensorView& view) {
    if (!view.defined) return;
    // Kernels count rows and columns in 32 bits.
    constexpr int64_t most = int64_t{1} << 30;
    if (view.numel() > 0 && (rowsOf(view) > most || columnsOf(view) > most))
      fail(ErrorKind::OutOfMemory, "no memory for a matrix this large");
    data = view.as<T>();
    rows = static_cast<int>(rowsOf(view));
    columns = static_cast<int>(columnsOf(view));
    rs = view.strides[view.ndim - 2];
    cs = view.strides[view.ndim - 1];
    batch = Batch(view, 2);
  }
  __device__ T* item(int64_t b) const { return data + batch.offset(b); }
};

// Vectors of a batch, or (tail = 0) numbers.
template <class T>
struct Vectors {
  T* data = nullptr;
  int64_t stride = 0;
  Batch batch;

  Vectors() {}
  explicit Vectors(const TensorView& view, int tail = 1) {
    if (!view.defined) return;
    data = view.as<T>();
    stride = tail ? view.strides[view.ndim - 1] : 0;
    batch = Batch(view, tail);
  }
  __device__ T* item(int64_t b) const { return data + batch.offset(b); }
};

// Calls f with a null pointer to the element type.
template <class F>
inline void withFloat(DType dtype, F&& f) {
  if (dtype == DType::Float32)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<double*>(nullptr));
}

}  // namespace
}  // namespace thalweg::cuda
