// Attention by blocks, forward and backward: the scores of some rows with some keys are made, turned into probabilities
// and used while they are in the cache; memory is linear in the lengths. Here: the operands, checked.
#include "cpu/attention_backward.h"
#include "cpu/attention_forward.h"
#include "operands/check.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

void checkOperand(const char* op, const char* name, const TensorView& view, DType dtype, int64_t d0, int64_t d1,
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

// What the blocks of a product are stored in.
void checkResult(const char* op, const char* name, const TensorView& view) {
  if (view.shape[3] > 1 && view.strides[3] != 1)
    fail(ErrorKind::Shape, "%s: the last dimension of %s must lie contiguously", op, name);
}

Sizes checkSizes(const char* op, const TensorView& q, const TensorView& k, const TensorView& v,
                 const OptionalTensor& mask, bool causal) {
  if (q.ndim != 4 || k.ndim != 4 || v.ndim != 4)
    fail(ErrorKind::Shape, "%s: q %s, k %s and v %s must have 4 dimensions", op, shapeText(q).c_str(),
         shapeText(k).c_str(), shapeText(v).c_str());
  if (q.dtype != DType::Float32 && q.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: takes float32 or float64, not %s", op, dtypeName(q.dtype));
  const Sizes s{q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], q.shape[3], v.shape[3]};
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

void checkLogSums(const char* op, const TensorView& logSums, const Sizes& s, DType dtype) {
  if (logSums.ndim != 3 || logSums.shape[0] != s.batch || logSums.shape[1] != s.heads || logSums.shape[2] != s.rows)
    fail(ErrorKind::Shape, "%s: logSums has shape %s, expected [%lld, %lld, %lld]", op, shapeText(logSums).c_str(),
         static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.rows));
  if (logSums.dtype != dtype || !logSums.isContiguous())
    fail(ErrorKind::DType, "%s: logSums must be contiguous and of dtype %s", op, dtypeName(dtype));
}

Dropout dropoutOf(const char* op, double p, Scalar seed, int64_t offset) {
  if (!(p >= 0 && p <= 1)) fail(ErrorKind::Native, "%s: dropout %g is not between 0 and 1", op, p);
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  Dropout dropout;
  dropout.active = p > 0;
  const double threshold = std::ceil((1 - p) * 0x1p32);
  dropout.never = threshold < 1;
  dropout.keepScale = dropout.never ? 0 : 1 / (1 - p);
  dropout.last = dropout.never ? 0 : static_cast<uint32_t>(static_cast<uint64_t>(threshold) - 1);
  dropout.seed = static_cast<uint64_t>(seed.integer);
  dropout.offset = static_cast<uint64_t>(offset);
  return dropout;
}

template <class T>
Attention<T> attentionOf(const Sizes& sizes, const TensorView& q, const TensorView& k, const TensorView& v,
                         const OptionalTensor& mask, bool causal, double scale, const Dropout& dropout) {
  Attention<T> a;
  a.sizes = sizes;
  a.q = Heads<const T>(q);
  a.k = Heads<const T>(k);
  a.v = Heads<const T>(v);
  a.mask = &mask;
  a.causal = causal;
  a.scale = static_cast<T>(scale);
  a.dropout = dropout;
  return a;
}

}  // namespace

void attention(Context& ctx, const TensorView& out, const TensorView& logSums, const TensorView& q, const TensorView& k,
               const TensorView& v, const OptionalTensor& mask, bool causal, double scale, double dropout, Scalar seed,
               int64_t offset) {
  const char* op = "attention";
  const Sizes s = checkSizes(op, q, k, v, mask, causal);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkResult(op, "out", out);
  checkLogSums(op, logSums, s, q.dtype);
  const Dropout drop = dropoutOf(op, dropout, seed, offset);
  if (logSums.numel() == 0) return;
  const auto forward = [&]<class T>(T*) {
    const Attention<T> a = attentionOf<T>(s, q, k, v, mask, causal, scale, drop);
    const Heads<T> rows(out);
    Forward<T>(a, rows, logSums.as<T>()).run(ctx.pool);
  };
  if (q.dtype == DType::Float64)
    forward(static_cast<double*>(nullptr));
  else
    forward(static_cast<float*>(nullptr));
}

void attentionBackward(Context& ctx, const OptionalTensor& gq, const OptionalTensor& gk, const OptionalTensor& gv,
                       const OptionalTensor& gmask, const TensorView& g, const TensorView& q, const TensorView& k,
                       const TensorView& v, const OptionalTensor& mask, const TensorView& out,
                       const TensorView& logSums, bool causal, double scale, double dropout, Scalar seed,
                       int64_t offset) {
  const char* op = "attentionBackward";
  const Sizes s = checkSizes(op, q, k, v, mask, causal);
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
  const Dropout drop = dropoutOf(op, dropout, seed, offset);
  if (s.batch * s.keyHeads == 0) return;
  const auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Backward<T> backward;
    backward.a = attentionOf<T>(s, q, k, v, mask, causal, scale, drop);
    backward.g = Heads<const T>(g);
    backward.out = Heads<const T>(out);
    backward.logSums = logSums.as<T>();
    if (gq.defined) backward.gq = Heads<T>(gq);
    if (gk.defined) backward.gk = Heads<T>(gk);
    if (gv.defined) backward.gv = Heads<T>(gv);
    backward.gmask = &gmask;
    backward.run(ctx.pool);
  };
  if (q.dtype == DType::Float64)
    run(static_cast<double*>(nullptr));
  else
    run(static_cast<float*>(nullptr));
}

}  // namespace thalweg::cpu::THALWEG_ISA
