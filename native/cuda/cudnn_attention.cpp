#include "cuda/cudnn_attention.h"

#if defined(THALWEG_HAS_CUDNN)
#include <algorithm>
#include <limits>
#include <optional>

#include "cuda/cudnn_attention_graph.h"
#include "cuda/cudnn_queue.h"
#include "cuda/library.h"

namespace thalweg::cuda {
namespace {

// Versions before have known faults in attention; on Blackwell, in gradients that are to be the same each time.
constexpr int kOldestCudnn = 91100, kOldestForBlackwell = 91800;
// Elements that kernels move at once: 16 bytes.
constexpr int64_t kVector = 8;

using CudnnMemory = std::vector<std::pair<int64_t, const void*>>;

const float kOne = 1, kLeast = std::numeric_limits<float>::lowest();

// The strides in cuDNN's words, if the kernels can take them. Of a dimension with one place they say nothing: it gets
// the size of all that is there.
std::optional<HeadStrides> stridesOf(const TensorView& view) {
  if (cudnnAlignment(view.data) != 16 || view.strides[3] != 1) return std::nullopt;
  int64_t whole = view.shape[3], last = view.shape[3] - 1;
  for (int d = 0; d < 3; d++) {
    if (view.shape[d] == 1) continue;
    const int64_t stride = view.strides[d];
    // Positive: cuDNN's kernels read no row for several places. They count in 32 bits.
    if (stride <= 0 || stride % kVector != 0 || stride > INT32_MAX) return std::nullopt;
    last += (view.shape[d] - 1) * stride;
    if (last >= INT32_MAX) return std::nullopt;
    whole = std::max(whole, view.shape[d] * stride);
  }
  HeadStrides strides;
  for (int d = 0; d < 4; d++) strides[d] = d < 3 && view.shape[d] == 1 ? whole : view.strides[d];
  return strides;
}

// The problem without its strides; null if it is none for cuDNN.
std::optional<CudnnAttention> attentionOf(Queue& queue, const AttentionSizes& s, const TensorView& q, bool causal,
                                          bool backward) {
  if (q.dtype != DType::Float16 && q.dtype != DType::BFloat16) return std::nullopt;
  for (const int64_t size : {s.batch, s.heads, s.keyHeads, s.rows, s.keys, s.width, s.valueWidth})
    if (size < 1 || size > INT32_MAX) return std::nullopt;
  if (s.width % kVector != 0 || s.valueWidth % kVector != 0) return std::nullopt;
  // Generating token by token: another number of keys each time, and little to compute.
  if (s.rows == 1) return std::nullopt;
  if (queue.computeMajor < 8 || !usesCudnn(queue)) return std::nullopt;
  const bool blackwell = queue.computeMajor >= 10;
  if (cudnnLibrary.version() < (backward && blackwell ? kOldestForBlackwell : kOldestCudnn)) return std::nullopt;
  CudnnAttention a{};
  a.dtype = q.dtype;
  a.backward = backward;
  a.causal = causal;
  a.batch = s.batch, a.heads = s.heads, a.keyHeads = s.keyHeads;
  a.rows = s.rows, a.keys = s.keys, a.width = s.width, a.valueWidth = s.valueWidth;
  return a;
}

KeptCudnnPlan* planOf(Queue& queue, const CudnnAttention& a) {
  return cudnnPlan(queue, a.key(), a.rules(), [&](CudnnGraph& graph) { a.describe(graph); });
}

// A gradient's memory: the tensor's, or scratch memory where it is not wanted, for cuDNN makes all of them.
struct GradientPlace {
  char* data;
  HeadStrides strides;
  bool wanted;

  char* at(int64_t b, int64_t h) const { return wanted ? data + 2 * (b * strides[0] + h * strides[1]) : data; }
};

}  // namespace

bool attentionByCudnn(Queue& queue, const AttentionSizes& s, const TensorView& out, const TensorView& logSums,
                      const TensorView& q, const TensorView& k, const TensorView& v, bool causal, double scale) {
  const auto ofQ = stridesOf(q), ofK = stridesOf(k), ofV = stridesOf(v), ofOut = stridesOf(out);
  if (!ofQ || !ofK || !ofV || !ofOut || cudnnAlignment(logSums.data) != 16) return false;
  auto a = attentionOf(queue, s, q, causal, false);
  if (!a) return false;
  a->q = *ofQ, a->k = *ofK, a->v = *ofV, a->out = *ofOut;
  KeptCudnnPlan* plan = planOf(queue, *a);
  if (!plan) return false;
  const float factor = static_cast<float>(scale);
  CudnnMemory memory = {
      {kCudnnQ, q.data},     {kCudnnK, k.data}, {kCudnnV, v.data}, {kCudnnOut, out.data}, {kCudnnLogSums, logSums.data},
      {kCudnnScale, &factor}};
  if (causal) memory.emplace_back(kCudnnLeast, &kLeast);
  return executeCudnn(queue, *plan, memory);
}

bool attentionGradientsByCudnn(Queue& queue, const AttentionSizes& s, const OptionalTensor& gq,
                               const OptionalTensor& gk, const OptionalTensor& gv, const TensorView& g,
                               const TensorView& q, const TensorView& k, const TensorView& v, const TensorView& out,
                               const TensorView& logSums, bool causal, double scale) {
  const auto ofQ = stridesOf(q), ofK = stridesOf(k), ofV = stridesOf(v), ofOut = stridesOf(out), ofG = stridesOf(g);
  if (!ofQ || !ofK || !ofV || !ofOut || !ofG || cudnnAlignment(logSums.data) != 16) return false;
  if (!gq.defined && !gk.defined && !gv.defined) return false;
  auto a = attentionOf(queue, s, q, causal, true);
  if (!a) return false;
  a->q = *ofQ, a->k = *ofK, a->v = *ofV, a->out = *ofOut, a->g = *ofG;

  *a = a->part();
  if (a->workspace() > kMostAttentionWorkspace) return false;
  const bool whole = a->batch == s.batch && a->keyHeads == s.keyHeads;
  const int64_t rowsOfCall = a->batch * a->heads * s.rows;
  if (!whole && rowsOfCall % 4 != 0) return false;  // else the second call's logSums are not aligned
  const auto placeOf = [&](int slot, const OptionalTensor& gradient, int64_t heads, int64_t rows,
                           int64_t columns) -> std::optional<GradientPlace> {
    if (gradient.defined) {
      const auto strides = stridesOf(gradient);
      if (!strides) return std::nullopt;
      return GradientPlace{gradient.data, *strides, true};
    }
    return GradientPlace{static_cast<char*>(queue.scratch(slot, 2 * a->batch * heads * rows * columns)),
                         {heads * rows * columns, rows * columns, columns, 1},
                         false};
  };
  const auto toQ = placeOf(0, gq, a->heads, s.rows, s.width), toK = placeOf(1, gk, a->keyHeads, s.keys, s.width),
             toV = placeOf(2, gv, a->keyHeads, s.keys, s.valueWidth);
  if (!toQ || !toK || !toV) return false;
  a->gq = toQ->strides, a->gk = toK->strides, a->gv = toV->strides;
  KeptCudnnPlan* plan = planOf(queue, *a);
  if (!plan) return false;

  const float factor = static_cast<float>(scale);
  float* const deltas = queue.scratch<float>(3, rowsOfCall);
  const auto at = [](const TensorView& view, const HeadStrides& strides, int64_t b, int64_t h) {
    return view.data + 2 * (b * strides[0] + h * strides[1]);
  };
  for (int64_t b = 0; b < s.batch; b += a->batch)
    for (int64_t kh = 0; kh < s.keyHeads; kh += a->keyHeads) {
      const int64_t h = kh * s.group();
      CudnnMemory memory = {{kCudnnQ, at(q, a->q, b, h)},
                            {kCudnnK, at(k, a->k, b, kh)},
                            {kCudnnV, at(v, a->v, b, kh)},
                            {kCudnnOut, at(out, a->out, b, h)},
                            {kCudnnLogSums, logSums.as<float>() + (b * s.heads + h) * s.rows},
                            {kCudnnScale, &factor},
                            {kCudnnG, at(g, a->g, b, h)},
                            {kCudnnGq, toQ->at(b, h)},
                            {kCudnnGk, toK->at(b, kh)},
                            {kCudnnGv, toV->at(b, kh)},
                            {kCudnnOne, &kOne},
                            {kCudnnDeltas, deltas}};
      if (causal) memory.emplace_back(kCudnnLeast, &kLeast);
      if (executeCudnn(queue, *plan, memory)) continue;
      if (b == 0 && kh == 0) return false;
      fail(ErrorKind::Device, "attentionBackward: cuDNN refuses a part of a batch");
    }
  return true;
}

}  // namespace thalweg::cuda

#else

namespace thalweg::cuda {
bool attentionByCudnn(Queue&, const AttentionSizes&, const TensorView&, const TensorView&, const TensorView&,
                      const TensorView&, const TensorView&, bool, double) {
  return false;
}
bool attentionGradientsByCudnn(Queue&, const AttentionSizes&, const OptionalTensor&, const OptionalTensor&,
                               const OptionalTensor&, const TensorView&, const TensorView&, const TensorView&,
                               const TensorView&, const TensorView&, const TensorView&, bool, double) {
  return false;
}
}  // namespace thalweg::cuda

#endif
