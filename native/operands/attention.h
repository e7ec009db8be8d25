// The operands of attention, checked: queries [batch, heads, rows, width], keys [batch, keyHeads, keys, width], values
// [batch, keyHeads, keys, valueWidth].
#pragma once
#include <cmath>

#include "operands/check.h"

namespace THALWEG_KERNELS {

struct AttentionSizes {
  int64_t batch, heads, keyHeads, rows, keys, width, valueWidth;
  // Heads that share one of keys.
  constexpr int64_t group() const { return heads / keyHeads; }
};

// Which probabilities are kept: those whose random word is at most `last`.
struct AttentionDropout {
  bool active = false;
  bool never = false;  // nothing is kept
  uint32_t last = 0;
  double keepScale = 1;
  uint64_t seed = 0, offset = 0;
};

namespace {

inline void checkOperand(const char* op, const char* name, const TensorView& view, DType dtype, int64_t d0, int64_t d1,
                         int64_t d2, int64_t d3) {
  const int64_t shape[4] = {d0, d1, d2, d3};
  bool fits = view.ndim == 4;
  for (int d = 0; d < 4 && fits; d++) fits = view.shape[d] == shape[d];
  if (!fits)
    fail(ErrorKind::Shape, "%s: %s has shape %s, expected [%lld, %lld, %lld, %lld]", op, name, shapeText(view).c_str(),
         static_cast<long long>(d0), static_cast<long long>(d1), static_cast<long long>(d2),
         static_cast<long long>(d3));
  if (view.dtype != dtype)
    fail(ErrorKind::DType, "%s: %s is %s, expected %s", op, name, dtypeName(view.dtype), dtypeName(dtype));
}

// What sums are stored in.
inline void checkResult(const char* op, const char* name, const TensorView& view) {
  if (view.shape[3] > 1 && view.strides[3] != 1)
    fail(ErrorKind::Shape, "%s: the last dimension of %s must lie contiguously", op, name);
}

inline AttentionSizes checkSizes(const char* op, const TensorView& q, const TensorView& k, const TensorView& v,
                                 const OptionalTensor& mask, bool causal, Floats takes) {
  if (q.ndim != 4 || k.ndim != 4 || v.ndim != 4)
    fail(ErrorKind::Shape, "%s: q %s, k %s and v %s must have 4 dimensions", op, shapeText(q).c_str(),
         shapeText(k).c_str(), shapeText(v).c_str());
  if (!takesFloat(takes, q.dtype))
    fail(ErrorKind::DType, "%s: takes %s, not %s", op,
         takes == Floats::All ? "floating point numbers" : "float32 or float64", dtypeName(q.dtype));
  const AttentionSizes s{q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], q.shape[3], v.shape[3]};
  if (s.keyHeads == 0 ? s.heads != 0 : s.heads % s.keyHeads != 0)
    fail(ErrorKind::Shape, "%s: %lld heads of keys do not divide %lld heads", op, static_cast<long long>(s.keyHeads),
         static_cast<long long>(s.heads));
  checkOperand(op, "k", k, q.dtype, s.batch, s.keyHeads, s.keys, s.width);
  checkOperand(op, "v", v, q.dtype, s.batch, s.keyHeads, s.keys, s.valueWidth);
  if (mask.defined) {
    checkOperand(op, "mask", mask, mask.dtype == DType::Bool ? DType::Bool : q.dtype, s.batch, s.heads, s.rows, s.keys);
    if (causal) fail(ErrorKind::Native, "%s: causal excludes a mask", op);
  }
  return s;
}

inline void checkLogSums(const char* op, const TensorView& logSums, const AttentionSizes& s, DType of) {
  const DType dtype = of == DType::Float64 ? DType::Float64 : DType::Float32;
  if (logSums.ndim != 3 || logSums.shape[0] != s.batch || logSums.shape[1] != s.heads || logSums.shape[2] != s.rows)
    fail(ErrorKind::Shape, "%s: logSums has shape %s, expected [%lld, %lld, %lld]", op, shapeText(logSums).c_str(),
         static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.rows));
  if (logSums.dtype != dtype || !logSums.isContiguous())
    fail(ErrorKind::DType, "%s: logSums must be contiguous and of dtype %s", op, dtypeName(dtype));
}

inline AttentionSizes checkAttention(const char* op, const TensorView& out, const TensorView& logSums,
                                     const TensorView& q, const TensorView& k, const TensorView& v,
                                     const OptionalTensor& mask, bool causal, Floats takes) {
  const AttentionSizes s = checkSizes(op, q, k, v, mask, causal, takes);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkResult(op, "out", out);
  checkLogSums(op, logSums, s, q.dtype);
  return s;
}

inline AttentionSizes checkAttentionBackward(const char* op, const OptionalTensor& gq, const OptionalTensor& gk,
                                             const OptionalTensor& gv, const OptionalTensor& gmask, const TensorView& g,
                                             const TensorView& q, const TensorView& k, const TensorView& v,
                                             const OptionalTensor& mask, const TensorView& out,
                                             const TensorView& logSums, bool causal, Floats takes) {
  const AttentionSizes s = checkSizes(op, q, k, v, mask, causal, takes);
  checkOperand(op, "g", g, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkLogSums(op, logSums, s, q.dtype);
  const auto checkGradient = [&](const char* name, const OptionalTensor& view, const TensorView& of) {
    if (!view.defined) return;
    checkOperand(op, name, view, q.dtype, of.shape[0], of.shape[1], of.shape[2], of.shape[3]);
    checkResult(op, name, view);
  };
  checkGradient("gq", gq, q);
  checkGradient("gk", gk, k);
  checkGradient("gv", gv, v);
  if (gmask.defined) {
    if (!mask.defined || mask.dtype == DType::Bool) fail(ErrorKind::Native, "%s: gmask without a float mask", op);
    checkGradient("gmask", gmask, mask);
  }
  return s;
}

inline AttentionDropout dropoutOf(const char* op, double p, Scalar seed, int64_t offset) {
  if (!(p >= 0 && p <= 1)) fail(ErrorKind::Native, "%s: dropout %g is not between 0 and 1", op, p);
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  AttentionDropout dropout;
  dropout.active = p > 0;
  const double threshold = std::ceil((1 - p) * 0x1p32);
  dropout.never = threshold < 1;
  dropout.keepScale = dropout.never ? 0 : 1 / (1 - p);
  dropout.last = dropout.never ? 0 : static_cast<uint32_t>(static_cast<uint64_t>(threshold) - 1);
  dropout.seed = static_cast<uint64_t>(seed.integer);
  dropout.offset = static_cast<uint64_t>(offset);
  return dropout;
}

}  // namespace
}  // namespace THALWEG_KERNELS
