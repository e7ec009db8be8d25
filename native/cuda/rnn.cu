// Recurrent layers: one layer in one direction, a whole sequence a call. Here: the operands, checked.
#include "cuda/rnn_backward.h"
#include "cuda/rnn_forward.h"

namespace thalweg::cuda {
namespace {

template <class T>
T* dataOf(const TensorView& view) {
  return view.defined && view.numel() > 0 ? view.as<T>() : nullptr;
}

void clear(Queue& queue, const TensorView& view) {
  if (!view.defined || view.numel() == 0) return;
  const size_t bytes = static_cast<size_t>(view.numel() * itemSize(view.dtype));
  checkCuda(cudaMemsetAsync(view.data, 0, bytes, queue.stream), "clearing a gradient");
}

}  // namespace

void rnnForward(Context& context, const TensorView& h, const TensorView& state, const OptionalTensor& gates,
                const OptionalTensor& cell, const OptionalTensor& saved, const TensorView& x,
                const TensorView& weightIh, const TensorView& weightHh, const OptionalTensor& biasIh,
                const OptionalTensor& biasHh, const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  Sequence s("rnnForward", kind, reverse, h, state, x, batchSizes);
  s.checkForward(h, state, gates, cell, saved, x, weightIh, weightHh, biasIh, biasHh);
  Queue& queue = queueOf(context);
  s.readBatchSizes(queue, kSlotOffsets, batchSizes, "rnnForward: batchSizes[%lld] is %lld, after %lld and in %lld rows",
                   "rnnForward: batchSizes add up to %lld, but there are %lld rows");
  if (s.rows == 0 || s.H == 0) return;
  const auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    forwardOf<T>(queue, s,
                 {h.as<T>(), state.as<T>(), dataOf<T>(gates), s.cell == Cell::Lstm ? cell.as<T>() : nullptr,
                  dataOf<T>(saved), x, weightIh, weightHh, biasIh, biasHh});
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

void rnnBackward(Context& context, const OptionalTensor& dx, const OptionalTensor& dweightIh,
                 const OptionalTensor& dweightHh, const OptionalTensor& dbiasIh, const OptionalTensor& dbiasHh,
                 const TensorView& dh, const OptionalTensor& dc, const OptionalTensor& g, const TensorView& gates,
                 const TensorView& h, const OptionalTensor& saved, const TensorView& h0, const OptionalTensor& c0,
                 const TensorView& x, const TensorView& weightIh, const TensorView& weightHh,
                 const OptionalTensor& batchSizes, int64_t kind, bool reverse) {
  Sequence s("rnnBackward", kind, reverse, h, h0, x, batchSizes);
  s.checkBackward(dx, dweightIh, dweightHh, dbiasIh, dbiasHh, dh, dc, g, gates, h, saved, h0, c0, x, weightIh,
                  weightHh);
  const bool lstm = s.cell == Cell::Lstm, gru = s.cell == Cell::Gru;
  Queue& queue = queueOf(context);
  s.readBatchSizes(queue, kSlotRowOffsets, batchSizes,
                   "rnnBackward: batchSizes[%lld] is %lld, after %lld and in %lld rows",
                   "rnnBackward: batchSizes add up to %lld, but there are %lld rows");
  if (s.rows == 0 || s.H == 0) {
    for (const OptionalTensor* result : {&dx, &dweightIh, &dweightHh, &dbiasIh, &dbiasHh}) clear(queue, *result);
    return;
  }
  const auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    backwardOf<T>(queue, s,
                  {dataOf<T>(dx), dataOf<T>(dweightIh), dataOf<T>(dweightHh), dataOf<T>(dbiasIh), dataOf<T>(dbiasHh),
                   dh.as<T>(), lstm ? dc.as<T>() : nullptr, dataOf<const T>(g), gates.as<const T>(), h.as<const T>(),
                   lstm || gru ? saved.as<const T>() : nullptr, h0.as<const T>(), lstm ? c0.as<const T>() : nullptr, x,
                   weightIh, weightHh});
  };
  s.dtype == DType::Float64 ? run(static_cast<double*>(nullptr)) : run(static_cast<float*>(nullptr));
}

}  // namespace thalweg::cuda
