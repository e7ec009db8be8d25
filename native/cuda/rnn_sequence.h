// The operands that the kernels of recurrent layers have in common, checked, and how their rows lie.
//
// Sequences are packed: the rows of step t follow those of step t - 1, and step t has batchSizes[t] rows, never more
// than the step before it. Row b of every step belongs to sequence b. Without batchSizes all steps have the whole
// batch. The sizes are in device memory, so only kernels know them: a step is launched for the whole batch.
#pragma once
#include "cuda/rnn_cell.h"

namespace thalweg::cuda {
namespace {

constexpr int kRnnThreads = 256;

struct Steps {
  int64_t count, batch;
  const int64_t* offsets;  // in device memory: of each step's first row, and the end; null: all alike

  __device__ int64_t offset(int64_t t) const { return offsets ? offsets[t] : t * batch; }
  // None at steps that do not exist.
  __device__ int64_t rows(int64_t t) const {
    if (t < 0 || t >= count) return 0;
    return offsets ? offsets[t + 1] - offsets[t] : batch;
  }
};

// The running sums of the sizes. If they are not what they should be, that is reported, and no step has any rows.
__global__ void offsetsKernel(const int64_t* sizes, int64_t count, int64_t batch, int64_t rows, int64_t* offsets,
                              FaultSite badSize, FaultSite badTotal) {
  __shared__ int64_t sums[kRnnThreads];
  __shared__ int first;
  const int thread = static_cast<int>(threadIdx.x);
  int64_t total = 0;
  bool bad = false;
  for (int64_t begin = 0; begin < count && !bad; begin += kRnnThreads) {
    const int64_t i = begin + thread;
    const int64_t size = i < count ? sizes[i] : 0, before = i >= count ? 0 : i == 0 ? batch : sizes[i - 1];
    if (thread == 0) first = kRnnThreads;
    // Sums that a bad size makes too large are not looked at, but they must not overflow.
    sums[thread] = size >= 0 && size <= before && size <= rows ? size : 0;
    __syncthreads();
    for (int distance = 1; distance < kRnnThreads; distance *= 2) {
      const int64_t left = thread >= distance ? sums[thread - distance] : 0;
      __syncthreads();
      sums[thread] += left;
      __syncthreads();
    }
    const bool wrong = size < 0 || size > before || size > rows || total + sums[thread] > rows;
    if (i < count && (wrong || (i == 0 && size != batch))) atomicMin(&first, thread);
    __syncthreads();
    if (thread == first) badSize.report(i, size, before, rows);
    bad = first < kRnnThreads;
    if (i < count) offsets[i] = total + sums[thread] - size;
    total += sums[kRnnThreads - 1];
    __syncthreads();
  }
  if (!bad && total != rows) {
    if (thread == 0) badTotal.report(total, rows);
    bad = true;
  }
  if (thread == 0) offsets[count] = total;
  __syncthreads();
  if (!bad) return;
  for (int64_t i = thread; i <= count; i += kRnnThreads) offsets[i] = 0;
}

// What both kernels have in common.
struct Sequence : SequenceOperands {
  Steps steps;

  Sequence(const char* op, int64_t kind, bool reverse, const TensorView& h, const TensorView& state,
           const TensorView& x, const TensorView& batchSizes)
      : SequenceOperands(op, kind, reverse, h, state, x, batchSizes), steps{stepCount, batch, nullptr} {}

  // Once the operands are checked: where each step's rows begin, into a scratch slot of the caller's.
  void readBatchSizes(Queue& queue, int slot, const TensorView& batchSizes, const char* badSize, const char* badTotal) {
    if (!batchSizes.defined) return;
    int64_t* offsets = queue.scratch<int64_t>(slot, steps.count + 1);
    const FaultSite size = queue.faultSite(ErrorKind::Shape, badSize),
                    total = queue.faultSite(ErrorKind::Shape, badTotal);
    const int64_t count = steps.count, batch = steps.batch, all = rows;
    LAUNCH(offsetsKernel, 1, kRnnThreads, 0, queue, batchSizes.as<const int64_t>(), count, batch, all, offsets, size,
           total);
    steps.offsets = offsets;
  }

  // The step that comes after s others.
  int64_t step(int64_t s) const { return reverse ? steps.count - 1 - s : s; }
};

// Of the elements of a batch of states, [batch, H].
struct Element {
  int64_t b, j;
  __device__ Element(int64_t e, int64_t H) {
    if (e <= UINT32_MAX && H <= UINT32_MAX) {
      b = static_cast<uint32_t>(e) / static_cast<uint32_t>(H);
      j = static_cast<uint32_t>(e) % static_cast<uint32_t>(H);
    } else {
      b = e / H;
      j = e % H;
    }
  }
};

template <class F>
void withCell(Cell cell, F&& f) {
  switch (cell) {
    case Cell::Lstm: return f(std::integral_constant<Cell, Cell::Lstm>());
    case Cell::Gru: return f(std::integral_constant<Cell, Cell::Gru>());
    case Cell::Tanh: return f(std::integral_constant<Cell, Cell::Tanh>());
    case Cell::Relu: return f(std::integral_constant<Cell, Cell::Relu>());
  }
}

}  // namespace
}  // namespace thalweg::cuda
