// The operands of matmul, checked, and as the algorithms of a device take them.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {

// The dimensions over which a product is repeated: an operand's stride is 0 where it is the same. The last is the
// innermost.
struct Batch {
  static constexpr int kMaxBatchDims = kMaxDims - 2;
  int ndim = 0;
  int64_t shape[kMaxBatchDims], a[kMaxBatchDims], b[kMaxBatchDims], c[kMaxBatchDims];

  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }
  // f(atA, atB, atC) for each product from `begin` to `end`: where its operands begin.
  template <class F>
  void forEach(int64_t begin, int64_t end, F&& f) const {
    int64_t index[kMaxBatchDims], atA = 0, atB = 0, atC = 0, rest = begin;
    for (int d = ndim - 1; d >= 0; d--) {
      index[d] = rest % shape[d];
      rest /= shape[d];
      atA += index[d] * a[d];
      atB += index[d] * b[d];
      atC += index[d] * c[d];
    }
    for (int64_t i = begin; i < end; i++) {
      f(atA, atB, atC);
      for (int d = ndim - 1; d >= 0; d--) {
        atA += a[d];
        atB += b[d];
        atC += c[d];
        if (++index[d] < shape[d]) break;
        atA -= shape[d] * a[d];
        atB -= shape[d] * b[d];
        atC -= shape[d] * c[d];
        index[d] = 0;
      }
    }
  }
};

[[noreturn]] inline void failShapes(const TensorView& out, const TensorView& a, const TensorView& b, const char* what) {
  fail(ErrorKind::Shape, "matmul(out %s, a %s, b %s): %s", shapeText(out).c_str(), shapeText(a).c_str(),
       shapeText(b).c_str(), what);
}

inline Batch checkShapes(const TensorView& out, const TensorView& a, const TensorView& b) {
  if (a.ndim < 2 || b.ndim < 2) failShapes(out, a, b, "a and b must have at least 2 dimensions.");
  if (a.ndim > kMaxDims || b.ndim > kMaxDims) failShapes(out, a, b, "too many dimensions.");
  if (out.ndim != (a.ndim > b.ndim ? a.ndim : b.ndim)) failShapes(out, a, b, "out has the wrong number of dimensions.");
  if (a.shape[a.ndim - 1] != b.shape[b.ndim - 2]) failShapes(out, a, b, "inner dimensions differ.");
  if (out.shape[out.ndim - 2] != a.shape[a.ndim - 2] || out.shape[out.ndim - 1] != b.shape[b.ndim - 1])
    failShapes(out, a, b, "out has the wrong shape.");
  Batch batch;
  batch.ndim = out.ndim - 2;
  for (int d = 0; d < batch.ndim; d++) {
    const int inA = d - (out.ndim - a.ndim), inB = d - (out.ndim - b.ndim);
    const int64_t sizeA = inA < 0 ? 1 : a.shape[inA], sizeB = inB < 0 ? 1 : b.shape[inB];
    if (sizeA != sizeB && sizeA != 1 && sizeB != 1) failShapes(out, a, b, "batch dimensions do not broadcast.");
    const int64_t size = sizeA == 1 ? sizeB : sizeA;
    if (out.shape[d] != size) failShapes(out, a, b, "out has the wrong batch dimensions.");
    batch.shape[d] = size;
    batch.a[d] = sizeA == 1 ? 0 : a.strides[inA];
    batch.b[d] = sizeB == 1 ? 0 : b.strides[inB];
    batch.c[d] = out.strides[d];
  }
  return batch;
}

inline void checkBias(const TensorView& bias, int64_t m, int64_t n) {
  const int64_t columns = bias.ndim >= 1 ? bias.shape[bias.ndim - 1] : 1;
  const int64_t rows = bias.ndim >= 2 ? bias.shape[bias.ndim - 2] : 1;
  if (bias.ndim > 2 || (columns != n && columns != 1) || (rows != m && rows != 1))
    fail(ErrorKind::Shape, "matmul: bias %s does not broadcast to [%lld, %lld].", shapeText(bias).c_str(),
         static_cast<long long>(m), static_cast<long long>(n));
}

// Batch dimensions in which b is repeated and the rows of a and out go on evenly are more rows of one product, as when
// x[batch, time, in] meets weight[in, out].
template <class P>
void foldBatchIntoRows(P& p, Batch& batch) {
  while (batch.ndim > 0) {
    const int d = batch.ndim - 1;
    const bool even = p.m == 1 || (batch.a[d] == p.m * p.ars && batch.c[d] == p.m * p.crs);
    if (batch.shape[d] != 1) {
      if (batch.b[d] != 0 || !even || p.biasRs != 0) return;
      if (p.m == 1) {
        p.ars = batch.a[d];
        p.crs = batch.c[d];
      }
      p.m *= batch.shape[d];
    }
    batch.ndim--;
  }
}

// The checked activation.
inline Activation checkMatmul(const TensorView& out, const TensorView& a, const TensorView& b, const TensorView& bias,
                              int64_t activationCode) {
  if (a.dtype != b.dtype || out.dtype != a.dtype || (bias.defined && bias.dtype != a.dtype))
    fail(ErrorKind::DType, "matmul: dtypes differ: out %s, a %s, b %s%s%s.", dtypeName(out.dtype), dtypeName(a.dtype),
         dtypeName(b.dtype), bias.defined ? ", bias " : "", bias.defined ? dtypeName(bias.dtype) : "");
  if (activationCode < 0 || activationCode > static_cast<int64_t>(Activation::Tanh))
    fail(ErrorKind::Native, "matmul: activation %lld is unknown.", static_cast<long long>(activationCode));
  const Activation activation = static_cast<Activation>(activationCode);
  if (!isFloating(a.dtype) && activation != Activation::None)
    fail(ErrorKind::DType, "matmul: an activation needs a floating dtype, not %s.", dtypeName(a.dtype));
  if (a.dtype == DType::Bool) fail(ErrorKind::DType, "matmul: not defined for bool.");
  if (bias.defined) checkBias(bias, out.shape[out.ndim - 2], out.shape[out.ndim - 1]);
  return activation;
}

// Fills in what a product of one device and that of another have under the same names; S: the element.
template <class S, class P>
void readMatmul(P& p, const TensorView& out, const TensorView& a, const TensorView& b, const TensorView& bias,
                Activation activation) {
  const int ra = a.ndim - 2, rb = b.ndim - 2, rc = out.ndim - 2;
  p.m = a.shape[ra];
  p.k = a.shape[ra + 1];
  p.n = b.shape[rb + 1];
  p.a = a.as<const S>();
  p.ars = a.strides[ra];
  p.acs = a.strides[ra + 1];
  p.b = b.as<const S>();
  p.brs = b.strides[rb];
  p.bcs = b.strides[rb + 1];
  p.c = out.as<S>();
  p.crs = out.strides[rc];
  p.ccs = out.strides[rc + 1];
  p.bias = bias.defined ? bias.as<const S>() : nullptr;
  p.biasRs = bias.defined && bias.ndim == 2 && bias.shape[0] != 1 ? bias.strides[0] : 0;
  p.biasCs = bias.defined && bias.ndim >= 1 && bias.shape[bias.ndim - 1] != 1 ? bias.strides[bias.ndim - 1] : 0;
  p.activation = activation;
}

}  // namespace THALWEG_KERNELS
