// Recurrent layers forward: the products of all rows with the weight of the inputs at once, then for each step the
// product with the state, and one kernel for the cell.
#pragma once
#include <algorithm>

#include "cuda/gemm.h"
#include "cuda/rnn_sequence.h"

namespace thalweg::cuda {
namespace {

template <class T>
struct ForwardStep {
  Steps steps;
  int64_t t, H;
  T* gates;  // of row `firstRow` on
  int64_t firstRow;
  bool keepsGates;
  const T* product;  // of the state: [batch, G H]
  T *state, *cell, *h, *saved;
};

template <class T, Cell kind>
__global__ void forwardStepKernel(ForwardStep<T> s) {
  using Math = CellMath<T, kind>;
  const int64_t H = s.H, columns = Math::G * H, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t count = s.steps.rows(s.t) * H, offset = s.steps.offset(s.t);
  for (int64_t e = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; e < count; e += stride) {
    const Element at(e, H);
    const int64_t row = offset + at.b;
    T* ofRow = s.gates + (row - s.firstRow) * columns;
    typename Math::Gates gates = Math::Gates::load(ofRow, H, at.j);
    const typename Math::Gates product = Math::Gates::load(s.product + at.b * columns, H, at.j);
    T cell = kind == Cell::Lstm ? s.cell[e] : T(0), saved = 0;
    const T h = Math::forward(gates, product, s.state[e], cell, saved);
    if (s.keepsGates) gates.store(ofRow, H, at.j);
    if (kind == Cell::Lstm) s.cell[e] = cell;
    if (s.saved && (kind == Cell::Lstm || kind == Cell::Gru)) s.saved[row * H + at.j] = saved;
    s.state[e] = h;
    s.h[row * H + at.j] = h;
  }
}

template <class T>
struct ForwardOperands {
  T *h, *state, *gates, *cell, *saved;
  const TensorView &x, &weightIh, &weightHh;
  const OptionalTensor &biasIh, &biasHh;
};

// Scratch slots; gemm has its own.
enum ForwardSlot { kSlotOffsets, kSlotGates, kSlotProduct };

template <class T>
void forwardOf(Queue& queue, const Sequence& s, const ForwardOperands<T>& of) {
  const int64_t H = s.H, columns = s.G * H, batch = s.steps.batch, count = s.steps.count;
  const TensorView &x = of.x, &weightIh = of.weightIh, &weightHh = of.weightHh;
  // Gates that nobody wants to keep are made for some steps at a time, where it is known which rows those have.
  constexpr int64_t kChunkBytes = int64_t{64} << 20;
  const bool chunked = !of.gates && !s.steps.offsets;
  const int64_t fitting =
      std::max<int64_t>(1, kChunkBytes / std::max<int64_t>(1, batch * columns * static_cast<int64_t>(sizeof(T))));
  const int64_t chunk = chunked ? std::min(fitting, count) : count;
  T* const gates = of.gates ? of.gates : queue.scratch<T>(kSlotGates, (chunked ? chunk * batch : s.rows) * columns);
  T* const product = queue.scratch<T>(kSlotProduct, batch * columns);
  const auto withBias = [](Product<T> p, const OptionalTensor& bias) {
    if (bias.defined) {
      p.bias = bias.as<const T>();
      p.biasCs = bias.strides[0];
    }
    return p;
  };
  for (int64_t i0 = 0; i0 < count; i0 += chunk) {
    const int64_t i1 = std::min(i0 + chunk, count);
    const int64_t row0 = chunked ? std::min(s.step(i0), s.step(i1 - 1)) * batch : 0;
    const int64_t rows = chunked ? (i1 - i0) * batch : s.rows;
    gemm(queue, withBias({rows, columns, s.I, x.as<const T>() + row0 * x.strides[0], x.strides[0], x.strides[1],
                          weightIh.as<const T>(), weightIh.strides[1], weightIh.strides[0], gates, columns},
                         of.biasIh));
    for (int64_t i = i0; i < i1; i++) {
      gemm(queue, withBias({batch, columns, H, of.state, H, 1, weightHh.as<const T>(), weightHh.strides[1],
                            weightHh.strides[0], product, columns},
                           of.biasHh));
      const ForwardStep<T> step{s.steps, s.step(i), H,       gates, row0,    of.gates != nullptr,
                                product, of.state,  of.cell, of.h,  of.saved};
      withCell(s.cell, [&](auto kind) {
        LAUNCH((forwardStepKernel<T, kind()>), gridFor(queue, batch * H, kRnnThreads), kRnnThreads, 0, queue, step);
      });
    }
  }
}

}  // namespace
}  // namespace thalweg::cuda
