// What the kernels that read and write at places named by an index check, and how they say that a value is out of
// range.
#pragma once
#include "cuda/check.h"
#include "cuda/queue.h"

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

inline void checkTypes(const char* op, const TensorView& a, const char* aName, const TensorView& b, const char* bName,
                       const TensorView& index) {
  if (a.dtype != b.dtype)
    fail(ErrorKind::DType, "%s: %s is %s but %s is %s", op, aName, dtypeName(a.dtype), bName, dtypeName(b.dtype));
  if (index.dtype != DType::Int32 && index.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: the index must be int32 or int64, not %s", op, dtypeName(index.dtype));
  checkMemory(op, aName, a);
  checkMemory(op, bName, b);
  checkMemory(op, "index", index);
}

inline void checkDim(const char* op, int64_t dim, int ndim) {
  if (dim < 0 || dim >= ndim)
    fail(ErrorKind::Index, "%s: dimension %lld is out of range for %d dimensions", op, static_cast<long long>(dim),
         ndim);
}

// A tensor without dimensions is worked on as one of shape [1].
inline TensorView atLeast1d(const TensorView& view) {
  TensorView result = view;
  if (result.ndim == 0) {
    result.ndim = 1;
    result.shape[0] = 1;
    result.strides[0] = 1;
  }
  return result;
}

// The index may be smaller than the tensor it belongs to, except that it selects freely along `dim`.
inline void checkWithin(const char* op, const TensorView& index, const TensorView& x, const char* name, int64_t dim) {
  for (int d = 0; d < index.ndim; d++)
    if (d != dim && index.shape[d] > x.shape[d])
      fail(ErrorKind::Shape, "%s: index %s does not fit %s %s in dimension %d", op, shapeText(index).c_str(), name,
           shapeText(x).c_str(), d);
}

}  // namespace thalweg::cuda
