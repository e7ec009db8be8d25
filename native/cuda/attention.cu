// Attention by tiles, forward and backward, in memory that is linear in the lengths; by cuDNN where it can. Here: the
// operands, checked.
#include "cuda/attention_backward.h"
#include "cuda/attention_forward.h"
#include "cuda/cudnn_attention.h"

namespace thalweg::cuda {
namespace {

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

Dropout dropoutOn(const Queue& queue, const AttentionDropout& dropout) { return {dropout, queue.philoxShift()}; }

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
  const Sizes s = checkAttention(op, out, logSums, q, k, v, mask, causal, Floats::All);
  const Dropout drop = dropoutOn(queueOf(context), dropoutOf(op, dropout, seed, offset));
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
  const Sizes s = checkAttentionBackward(op, gq, gk, gv, gmask, g, q, k, v, mask, out, logSums, causal, Floats::All);
  const Dropout drop = dropoutOn(queueOf(context), dropoutOf(op, dropout, seed, offset));
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
