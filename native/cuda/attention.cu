// Attention by tiles, forward and backward, in memory that is linear in the lengths; by cuDNN where it can. Here: the
// operands, checked.
#include "cuda/attention_backward.h"
#include "cuda/attention_forward.h"
#include "cuda/cudnn_attention.h"
#include "operands/check.h"

namespace thalweg::cuda {
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

// What sums are stored in.
void checkResult(const char* op, const char* name, const TensorView& view) {
  if (view.shape[3] > 1 && view.strides[3] != 1)
    fail(ErrorKind::Shape, "%s: the last dimension of %s must lie contiguously", op, name);
}

Sizes checkSizes(const char* op, const TensorView& q, const TensorView& k, const TensorView& v,
                 const OptionalTensor& mask, bool causal) {
  if (q.ndim != 4 || k.ndim != 4 || v.ndim != 4)
    fail(ErrorKind::Shape, "%s: q %s, k %s and v %s must have 4 dimensions", op, shapeText(q).c_str(),
         shapeText(k).c_str(), shapeText(v).c_str());
  if (!isFloating(q.dtype)) fail(ErrorKind::DType, "%s: takes floating point numbers, not %s", op, dtypeName(q.dtype));
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

void checkLogSums(const char* op, const TensorView& logSums, const Sizes& s, DType of) {
  const DType dtype = of == DType::Float64 ? DType::Float64 : DType::Float32;
  if (logSums.ndim != 3 || logSums.shape[0] != s.batch || logSums.shape[1] != s.heads || logSums.shape[2] != s.rows)
    fail(ErrorKind::Shape, "%s: logSums has shape %s, expected [%lld, %lld, %lld]", op, shapeText(logSums).c_str(),
         static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.rows));
  if (logSums.dtype != dtype || !logSums.isContiguous())
    fail(ErrorKind::DType, "%s: logSums must be contiguous and of dtype %s", op, dtypeName(dtype));
}

// Calls f with a null pointer to the C++ type of a floating point dtype.
template <class F>
void withFloat(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Float64: return f(static_cast<double*>(nullptr));
    case DType::Float16: return f(static_cast<Half*>(nullptr));
    case DType::BFloat16: return f(static_cast<BFloat16*>(nullptr));
    default: return f(static_cast<float*>(nullptr));
  }
}

Dropout dropoutOf(const Queue& queue, const char* op, double p, Scalar seed, int64_t offset) {
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
  dropout.shift = queue.philoxShift();
  return dropout;
}

template <class S>
Attention<S> attentionOf(const Sizes& sizes, const TensorView& q, const TensorView& k, const TensorView& v,
                         const OptionalTensor& mask, bool causal, double scale, const Dropout& dropout) {
  Attention<S> a;
  a.sizes = sizes;
  a.q = Heads<const S>(q);
  a.k = Heads<const S>(k);
  a.v = Heads<const S>(v);
  if (mask.defined && mask.dtype == DType::Bool)
    a.allowed = Heads<const uint8_t>(mask);
  else if (mask.defined)
    a.mask = Heads<const S>(mask);
  a.causal = causal;
  a.scale = static_cast<ComputeOf<S>>(scale);
  a.dropout = dropout;
  return a;
}

}  // namespace

void attention(Context& context, const TensorView& out, const TensorView& logSums, const TensorView& q,
               const TensorView& k, const TensorView& v, const OptionalTensor& mask, bool causal, double scale,
               double dropout, Scalar seed, int64_t offset) {
  const char* op = "attention";
  const Sizes s = checkSizes(op, q, k, v, mask, causal);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkResult(op, "out", out);
  checkLogSums(op, logSums, s, q.dtype);
  const Dropout drop = dropoutOf(queueOf(context), op, dropout, seed, offset);
  if (logSums.numel() == 0) return;
  Queue& queue = queueOf(context);
  // Which draws other numbers for dropout, and has a meaning of its own of rows that a mask leaves nothing.
  const bool plain = !mask.defined && !drop.active;
  if (plain && attentionByCudnn(queue, s, out, logSums, q, k, v, causal, scale)) return;
  const auto run = [&](auto* type) {
    using S = std::remove_pointer_t<decltype(type)>;
    using T = ComputeOf<S>;
    const Attention<S> a = attentionOf<S>(s, q, k, v, mask, causal, scale, drop);
    if (s.valueWidth > kSide<T>)
      launchForward<S, 2>(queue, a, Heads<S>(out), logSums.as<T>());
    else
      launchForward<S, 1>(queue, a, Heads<S>(out), logSums.as<T>());
  };
  withFloat(q.dtype, run);
}

void attentionBackward(Context& context, const OptionalTensor& gq, const OptionalTensor& gk, const OptionalTensor& gv,
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
  const Dropout drop = dropoutOf(queueOf(context), op, dropout, seed, offset);
  if (s.batch * s.keyHeads == 0) return;
  Queue& queue = queueOf(context);
  const bool plain = !mask.defined && !drop.active;
  if (plain && attentionGradientsByCudnn(queue, s, gq, gk, gv, g, q, k, v, out, logSums, causal, scale)) return;
  const auto run = [&](auto* type) {
    using S = std::remove_pointer_t<decltype(type)>;
    using T = ComputeOf<S>;
    Gradients<S> of;
    of.a = attentionOf<S>(s, q, k, v, mask, causal, scale, drop);
    of.g = Heads<const S>(g);
    of.logSums = logSums.as<T>();
    of.deltas = nullptr;
    // An empty gradient has nothing to be made.
    if (gq.defined && gq.numel() > 0) of.gq = Heads<S>(gq);
    if (gk.defined && gk.numel() > 0) of.gk = Heads<S>(gk);
    if (gv.defined && gv.numel() > 0) of.gv = Heads<S>(gv);
    if (gmask.defined && gmask.numel() > 0) of.gmask = Heads<S>(gmask);
    const int64_t rows = s.batch * s.heads * s.rows;
    if (rows > 0 && (of.gq.data || of.gk.data || of.gmask.data)) {
      T* deltas = queue.scratch<T>(0, rows);
      LAUNCH((deltaKernel<S>), gridFor(queue, rows * kWarp, kThreads), kThreads, 0, queue, deltas, of.g,
             Heads<const S>(out), s);
      of.deltas = deltas;
    }
    if (s.width > kSide<T> || s.valueWidth > kSide<T>)
      launchBackward<S, 2>(queue, of);
    else
      launchBackward<S, 1>(queue, of);
  };
  withFloat(q.dtype, run);
}

}  // namespace thalweg::cuda
