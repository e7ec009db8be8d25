// The operands of the kernels that read and write at places named by an index, checked.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

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

inline void checkEmbedding(const char* op, const TensorView& rows, const char* name, const TensorView& weight,
                           const TensorView& indices) {
  checkTypes(op, rows, name, weight, "weight", indices);
  if (weight.ndim != 2)
    fail(ErrorKind::Shape, "%s: weight must have 2 dimensions, not shape %s", op, shapeText(weight).c_str());
  bool fits = rows.ndim == indices.ndim + 1 && rows.shape[rows.ndim - 1] == weight.shape[1];
  for (int d = 0; d < indices.ndim && fits; d++) fits = rows.shape[d] == indices.shape[d];
  if (!fits)
    fail(ErrorKind::Shape, "%s: %s %s does not have the shape of indices %s and rows of weight %s", op, name,
         shapeText(rows).c_str(), shapeText(indices).c_str(), shapeText(weight).c_str());
}

// Of views that are atLeast1d.
inline void checkGather(const char* op, const TensorView& out, const TensorView& x, const TensorView& index,
                        int64_t dim) {
  checkTypes(op, out, "out", x, "x", index);
  if (index.ndim != x.ndim)
    fail(ErrorKind::Shape, "%s: index %s and x %s differ in their number of dimensions", op, shapeText(index).c_str(),
         shapeText(x).c_str());
  if (!sameShape(out, index))
    fail(ErrorKind::Shape, "%s: out %s does not have the shape of index %s", op, shapeText(out).c_str(),
         shapeText(index).c_str());
  checkDim(op, dim, x.ndim);
  checkWithin(op, index, x, "x", dim);
}

inline void checkScatter(const char* op, const TensorView& out, const TensorView& index, const TensorView& src,
                         int64_t dim) {
  checkTypes(op, out, "out", src, "src", index);
  if (index.ndim != out.ndim || index.ndim != src.ndim)
    fail(ErrorKind::Shape, "%s: out %s, index %s and src %s differ in their number of dimensions", op,
         shapeText(out).c_str(), shapeText(index).c_str(), shapeText(src).c_str());
  checkDim(op, dim, out.ndim);
  checkWithin(op, index, out, "out", dim);
  checkWithin(op, index, src, "src", -1);
}

inline ReduceKind checkScatterReduce(const char* op, const TensorView& index, int64_t kind) {
  const ReduceKind reduction = static_cast<ReduceKind>(kind);
  if (reduction != ReduceKind::Prod && reduction != ReduceKind::Max && reduction != ReduceKind::Min)
    fail(ErrorKind::Native, "%s: unknown kind %lld", op, static_cast<long long>(kind));
  if (index.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: the index must be int64, not %s", op, dtypeName(index.dtype));
  return reduction;
}

inline void checkLinearIndex(const char* op, const TensorView& out, TensorList indices, Scalars sizes) {
  if (out.dtype != DType::Int64) fail(ErrorKind::DType, "%s: out is %s, not int64", op, dtypeName(out.dtype));
  if (!out.isContiguous()) fail(ErrorKind::Shape, "%s: out is not contiguous", op);
  if (indices.count < 1 || indices.count > kMaxDims || sizes.count != 2 * indices.count)
    fail(ErrorKind::Shape, "%s: %lld index tensors and %lld numbers", op, static_cast<long long>(indices.count),
         static_cast<long long>(sizes.count));
  for (int64_t k = 0; k < indices.count; k++) {
    const TensorView& index = indices[k];
    if (index.dtype != DType::Int32 && index.dtype != DType::Int64)
      fail(ErrorKind::DType, "%s: the index must be int32 or int64, not %s", op, dtypeName(index.dtype));
    if (!sameShape(index, out))
      fail(ErrorKind::Shape, "%s: index %s does not have the shape of out %s", op, shapeText(index).c_str(),
           shapeText(out).c_str());
    checkMemory(op, "index", index);
  }
  checkMemory(op, "output", out);
}

}  // namespace
}  // namespace THALWEG_KERNELS
