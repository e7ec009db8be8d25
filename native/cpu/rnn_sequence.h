// The operands that the kernels of recurrent layers have in common, checked, and how their rows lie.
//
// Sequences are packed: the rows of step t follow those of step t - 1, and step t has batchSizes[t] rows, never more
// than the step before it. Row b of every step belongs to sequence b. Without batchSizes all steps have the whole
// batch.
#pragma once
#include "cpu/gemm.h"
#include "cpu/rnn_cell.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// A slot of threadScratch.
constexpr int kSlotOffsets = kScratchOfCallers;

struct Steps {
  int64_t count, batch;
  const int64_t* offsets;  // of each step's first row, and the end; null: all alike

  int64_t offset(int64_t t) const { return offsets ? offsets[t] : t * batch; }
  int64_t rows(int64_t t) const { return offsets ? offsets[t + 1] - offsets[t] : batch; }
};

// What both kernels have in common.
struct Sequence : SequenceOperands {
  Steps steps;

  Sequence(const char* op, int64_t kind, bool reverse, const TensorView& h, const TensorView& state,
           const TensorView& x, const TensorView& batchSizes)
      : SequenceOperands(op, kind, reverse, h, state, x, batchSizes), steps{stepCount, batch, nullptr} {
    if (batchSizes.defined) readBatchSizes(batchSizes);
  }

  // The step that comes after s others.
  int64_t step(int64_t s) const { return reverse ? steps.count - 1 - s : s; }
  // How many rows of a block are there at a step.
  int64_t rowsAt(int64_t t, int64_t begin, int64_t end) const {
    const int64_t n = steps.rows(t);
    return (n < end ? n : end) - begin;
  }
  // Where row b was before step t: in `all`, or in the initial state.
  template <class T>
  const T* before(const T* all, const T* initial, int64_t t, int64_t b) const {
    const int64_t last = reverse ? t + 1 : t - 1;
    if (last < 0 || last >= steps.count || steps.rows(last) <= b) return initial + b * H;
    return all + (steps.offset(last) + b) * H;
  }

 private:
  // Into memory of our own: the tensor may lie where results are written.
  void readBatchSizes(const TensorView& view) {
    int64_t* offsets = reinterpret_cast<int64_t*>(threadScratch(kSlotOffsets, (steps.count + 1) * 8));
    const int64_t* sizes = view.as<const int64_t>();
    int64_t last = steps.batch, total = 0;
    for (int64_t t = 0; t < steps.count; t++) {
      const int64_t size = sizes[t];
      if (size < 0 || size > last || size > rows - total || (t == 0 && size != steps.batch))
        fail(ErrorKind::Shape, "%s: batchSizes[%lld] is %lld, after %lld and in %lld rows", op,
             static_cast<long long>(t), static_cast<long long>(size), static_cast<long long>(last),
             static_cast<long long>(rows));
      offsets[t] = total;
      total += last = size;
    }
    offsets[steps.count] = total;
    if (total != rows)
      fail(ErrorKind::Shape, "%s: batchSizes add up to %lld, but there are %lld rows", op,
           static_cast<long long>(total), static_cast<long long>(rows));
    steps.offsets = offsets;
  }
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
