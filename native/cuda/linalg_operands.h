// The operands of the factorisations: checked, and as kernels see them.
#pragma once
#include <limits>

#include "cuda/kernel.h"
#include "operands/check.h"

namespace thalweg::cuda {
namespace {

inline int64_t rowsOf(const TensorView& view) { return view.shape[view.ndim - 2]; }
inline int64_t columnsOf(const TensorView& view) { return view.shape[view.ndim - 1]; }

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

inline void checkMatrix(const char* op, const char* name, const TensorView& x) {
  if (!x.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
  if (x.dtype != DType::Float32 && x.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: %s must be float32 or float64, not %s", op, name, dtypeName(x.dtype));
  if (x.ndim < 2) fail(ErrorKind::Shape, "%s: %s has %d dimensions, a matrix has 2", op, name, x.ndim);
  // Kernels count rows and columns in 32 bits.
  constexpr int64_t most = int64_t{1} << 30;
  if (x.numel() > 0 && (rowsOf(x) > most || columnsOf(x) > most))
    fail(ErrorKind::OutOfMemory, "%s: no memory for a matrix this large", op);
}

inline void checkSquare(const char* op, const char* name, const TensorView& x) {
  checkMatrix(op, name, x);
  if (rowsOf(x) != columnsOf(x))
    fail(ErrorKind::Shape, "%s: the matrices are %s, not square", op, shapeText(x).c_str());
}

// A view whose last dimensions are `tail`, and whose others are those of the matrices x.
inline void checkLike(const char* op, const char* name, const TensorView& view, DType dtype, const TensorView& x,
                      const int64_t* tail, int count) {
  if (!view.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
  if (view.dtype != dtype)
    fail(ErrorKind::DType, "%s: %s must be %s, not %s", op, name, dtypeName(dtype), dtypeName(view.dtype));
  bool same = view.ndim == x.ndim - 2 + count;
  for (int d = 0; same && d < view.ndim; d++)
    same = view.shape[d] == (d < x.ndim - 2 ? x.shape[d] : tail[d - x.ndim + 2]);
  if (!same) {
    fail(ErrorKind::Shape, "%s: %s has shape %s, which does not go with matrices of shape %s", op, name,
         shapeText(view).c_str(), shapeText(x).c_str());
  }
}

inline void checkMatrixLike(const char* op, const char* name, const TensorView& view, const TensorView& x, int64_t m,
                            int64_t n) {
  const int64_t tail[2] = {m, n};
  checkLike(op, name, view, x.dtype, x, tail, 2);
}

inline void checkVectorLike(const char* op, const char* name, const TensorView& view, DType dtype, const TensorView& x,
                            int64_t n) {
  checkLike(op, name, view, dtype, x, &n, 1);
}

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
