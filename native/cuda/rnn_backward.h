// Recurrent layers backward: for each step, from the last, one kernel for the cell and the product with the weight of
// the state; then what the gradients of all rows give together: those of the inputs, the weights and the biases.
#pragma once
#include <algorithm>

#include "cuda/gemm.h"
#include "cuda/rnn_sequence.h"

namespace thalweg::cuda {
namespace {

template <class T>
struct BackwardStep {
  Steps steps;
  int64_t t;
  int64_t before, after;  // the steps that came before and after it in the direction of the layer, if there are any
  int64_t H;
  const T *g, *gates, *h, *saved, *h0, *c0;
  const T* ofState;  // [batch, H]: the products of the step `after` with the weight of the state
  T *dh, *dc;
  T *dgates, *dproduct, *previous;  // of all rows; dproduct is dgates but for a GRU
  T* packed;                        // [batch, G H]: dproduct of this step, if only the device knows where that lies
};

// The gradient of a state is that of the rows that stay at it, or comes through the step after it; a step adds its
// products late, since those are made for the whole batch.
template <class T, Cell kind>
__global__ void backwardStepKernel(BackwardStep<T> s) {
  using Math = CellMath<T, kind>;
  using Gates = typename Math::Gates;
  const int64_t H = s.H, columns = Math::G * H, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t count = s.steps.batch * H, rows = s.steps.rows(s.t), offset = rows > 0 ? s.steps.offset(s.t) : 0;
  const int64_t rowsBefore = s.steps.rows(s.before), offsetBefore = rowsBefore > 0 ? s.steps.offset(s.before) : 0;
  const int64_t rowsAfter = s.steps.rows(s.after);
  for (int64_t e = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; e < count; e += stride) {
    const Element at(e, H);
    const bool pending = at.b < rowsAfter;
    if (at.b >= rows && !pending) return;  // nor will later elements of this thread
    T dh = pending ? s.ofState[e] : s.dh[e];
    if (pending && kind == Cell::Gru) dh += s.dh[e];
    if (at.b >= rows) {
      s.dh[e] = dh;
      continue;
    }
    const int64_t row = offset + at.b, here = row * H + at.j, earlier = (offsetBefore + at.b) * H + at.j;
    if (s.g) dh += s.g[here];
    const bool first = at.b >= rowsBefore;
    const T h = first ? s.h0[e] : s.h[earlier];
    const T cell = kind != Cell::Lstm ? T(0) : first ? s.c0[e] : s.saved[earlier];
    const T saved = kind == Cell::Lstm || kind == Cell::Gru ? s.saved[here] : T(0);
    T dc = kind == Cell::Lstm ? s.dc[e] : T(0);
    Gates dgates, dproduct;
    s.dh[e] = Math::backward(Gates::load(s.gates + row * columns, H, at.j), saved, h, cell, dh, dc, dgates, dproduct);
    if (kind == Cell::Lstm) s.dc[e] = dc;
    dgates.store(s.dgates + row * columns, H, at.j);
    if (kind == Cell::Gru) dproduct.store(s.dproduct + row * columns, H, at.j);
    if (s.packed) dproduct.store(s.packed + at.b * columns, H, at.j);
    if (s.previous) s.previous[here] = h;
  }
}

// The products of the last step that was taken, which come into the gradient of the first state.
template <class T>
__global__ void finishStateKernel(T* dh, const T* ofState, Steps steps, int64_t last, int64_t H, bool adds) {
  const int64_t count = steps.rows(last) * H, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t e = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; e < count; e += stride)
    dh[e] = adds ? dh[e] + ofState[e] : ofState[e];
}

// Sums of columns: first of pieces of rows, then of the pieces.
constexpr int kSumRows = 8;  // of a block, which has 32 columns
template <class T>
__global__ void columnSumsKernel(double* partial, const T* x, int64_t rows, int64_t columns, int64_t piece) {
  __shared__ double sums[kSumRows][kWarp];
  const int lane = static_cast<int>(threadIdx.x), line = static_cast<int>(threadIdx.y);
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kWarp + lane, begin = blockIdx.y * piece;
  const int64_t end = begin + piece < rows ? begin + piece : rows;
  double sum = 0;
  if (column < columns)
    for (int64_t i = begin + line; i < end; i += kSumRows) sum += static_cast<double>(x[i * columns + column]);
  sums[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= columns) return;
  for (int i = 1; i < kSumRows; i++) sum += sums[i][lane];
  partial[blockIdx.y * columns + column] = sum;
}
template <class T>
__global__ void joinColumnSumsKernel(T* out, const double* partial, int64_t pieces, int64_t columns) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t c = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; c < columns; c += stride) {
    double sum = 0;
    for (int64_t i = 0; i < pieces; i++) sum += partial[i * columns + c];
    out[c] = static_cast<T>(sum);
  }
}

enum BackwardSlot { kSlotRowOffsets, kSlotDgates, kSlotDproduct, kSlotPrevious, kSlotOfState, kSlotPacked, kSlotSums };

template <class T>
void sumColumns(Queue& queue, T* out, const T* x, int64_t rows, int64_t columns) {
  const int64_t pieces = std::clamp<int64_t>(rows / 512, 1, 64), piece = (rows + pieces - 1) / pieces;
  double* partial = queue.scratch<double>(kSlotSums, pieces * columns);
  const dim3 grid(static_cast<unsigned>((columns + kWarp - 1) / kWarp), static_cast<unsigned>(pieces));
  LAUNCH((columnSumsKernel<T>), grid, dim3(kWarp, kSumRows), 0, queue, partial, x, rows, columns, piece);
  LAUNCH((joinColumnSumsKernel<T>), gridFor(queue, columns, kRnnThreads), kRnnThreads, 0, queue, out, partial, pieces,
         columns);
}

template <class T>
struct BackwardOperands {
  T *dx, *dweightIh, *dweightHh, *dbiasIh, *dbiasHh, *dh, *dc;
  const T *g, *gates, *h, *saved, *h0, *c0;
  const TensorView &x, &weightIh, &weightHh;
};

template <class T>
void backwardOf(Queue& queue, const Sequence& s, const BackwardOperands<T>& of) {
  const int64_t H = s.H, columns = s.G * H, batch = s.steps.batch, count = s.steps.count;
  const bool gru = s.cell == Cell::Gru;
  const TensorView &x = of.x, &weightIh = of.weightIh, &weightHh = of.weightHh;
  T* const dgates = queue.scratch<T>(kSlotDgates, s.rows * columns);
  T* const dproduct = gru ? queue.scratch<T>(kSlotDproduct, s.rows * columns) : dgates;
  T* const previous = of.dweightHh ? queue.scratch<T>(kSlotPrevious, s.rows * H) : nullptr;
  T* const ofState = queue.scratch<T>(kSlotOfState, batch * H);
  T* const packed = s.steps.offsets ? queue.scratch<T>(kSlotPacked, batch * columns) : nullptr;
  const unsigned blocks = gridFor(queue, batch * H, kRnnThreads);
  for (int64_t i = count - 1; i >= 0; i--) {
    const int64_t t = s.step(i), forward = s.reverse ? -1 : 1;
    const BackwardStep<T> step{s.steps, t,     t - forward, t + forward, H,     of.g,   of.gates, of.h,     of.saved,
                               of.h0,   of.c0, ofState,     of.dh,       of.dc, dgates, dproduct, previous, packed};
    withCell(s.cell, [&](auto kind) { LAUNCH((backwardStepKernel<T, kind()>), blocks, kRnnThreads, 0, queue, step); });
    gemm(queue, Product<T>{batch, H, columns, packed ? packed : dproduct + t * batch * columns, columns, 1,
                           weightHh.as<const T>(), weightHh.strides[0], weightHh.strides[1], ofState, H});
  }
  LAUNCH((finishStateKernel<T>), blocks, kRnnThreads, 0, queue, of.dh, ofState, s.steps, s.step(0), H, gru);
  if (of.dx)
    gemm(queue, Product<T>{s.rows, s.I, columns, dgates, columns, 1, weightIh.as<const T>(), weightIh.strides[0],
                           weightIh.strides[1], of.dx, s.I});
  if (of.dweightIh)
    gemm(queue, Product<T>{columns, s.I, s.rows, dgates, 1, columns, x.as<const T>(), x.strides[0], x.strides[1],
                           of.dweightIh, s.I});
  if (of.dweightHh) gemm(queue, Product<T>{columns, H, s.rows, dproduct, 1, columns, previous, H, 1, of.dweightHh, H});
  if (of.dbiasIh) sumColumns(queue, of.dbiasIh, dgates, s.rows, columns);
  if (of.dbiasHh) sumColumns(queue, of.dbiasHh, dproduct, s.rows, columns);
}

}  // namespace
}  // namespace thalweg::cuda
