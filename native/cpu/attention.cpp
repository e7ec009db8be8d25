// Attention by blocks, forward and backward: the scores of some rows with some keys are made, turned into probabilities
// and used while they are in the cache; memory is linear in the lengths. Here: the operands, checked.
#include "cpu/attention_backward.h"
#include "cpu/attention_forward.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

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
  const Sizes s = checkAttention(op, out, logSums, q, k, v, mask, causal, Floats::Wide);
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
  const Sizes s = checkAttentionBackward(op, gq, gk, gv, gmask, g, q, k, v, mask, out, logSums, causal, Floats::Wide);
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
