// The operands that the kernels of recurrent layers have in common, checked, and how their rows lie.
//
// Sequences are packed: the rows of step t follow those of step t - 1, and step t has batchSizes[t] rows, never more
// than the step before it. Row b of every step belongs to sequence b. Without batchSizes all steps have the whole
// batch.
#pragma once
#include "cpu/gemm.h"
#include "cpu/kernel.h"
#include "cpu/rnn_cell.h"
#include "cpu/shape_text.h"

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
struct Sequence {
  const char* op;
  Cell cell;
  bool reverse;
  DType dtype;
  int64_t rows, H, G, I;
  Steps steps;

  Sequence(const char* op, int64_t kind, bool reverse, const TensorView& h, const TensorView& state,
           const TensorView& x, const TensorView& batchSizes)
      : op(op), reverse(reverse) {
    if (kind < 0 || kind > static_cast<int64_t>(Cell::Relu))
      fail(ErrorKind::Native, "%s: cell %lld is unknown", op, static_cast<long long>(kind));
    cell = static_cast<Cell>(kind);
    G = gatesOf(cell);
    dtype = h.dtype;
    if (dtype != DType::Float32 && dtype != DType::Float64)
      fail(ErrorKind::DType, "%s: takes float32 and float64, not %s", op, dtypeName(dtype));
    if (h.ndim != 2 || state.ndim != 2)
      fail(ErrorKind::Shape, "%s: h %s and state %s must have 2 dimensions", op, shapeText(h).c_str(),
           shapeText(state).c_str());
    if (x.ndim != 2) fail(ErrorKind::Shape, "%s: x %s must have 2 dimensions", op, shapeText(x).c_str());
    rows = h.shape[0];
    I = x.shape[1];
    H = h.shape[1];
    steps.batch = state.shape[0];
    steps.offsets = nullptr;
    if (batchSizes.defined)
      readBatchSizes(batchSizes);
    else if (steps.batch == 0 ? rows != 0 : rows % steps.batch != 0)
      fail(ErrorKind::Shape, "%s: %lld rows are no steps of a batch of %lld", op, static_cast<long long>(rows),
           static_cast<long long>(steps.batch));
    else
      steps.count = steps.batch == 0 ? 0 : rows / steps.batch;
  }

  void check(const TensorView& view, const char* name, int64_t shape0, int64_t shape1, bool contiguous = true) const {
    if (!view.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
    if (view.dtype != dtype)
      fail(ErrorKind::DType, "%s: %s is %s, not %s", op, name, dtypeName(view.dtype), dtypeName(dtype));
    if (view.ndim != 2 || view.shape[0] != shape0 || view.shape[1] != shape1)
      fail(ErrorKind::Shape, "%s: %s is %s, not [%lld,%lld]", op, name, shapeText(view).c_str(),
           static_cast<long long>(shape0), static_cast<long long>(shape1));
    if (contiguous && !view.isContiguous()) fail(ErrorKind::Shape, "%s: %s is not contiguous", op, name);
  }
  void checkRows(const TensorView& view, const char* name, int64_t gates = 1) const {
    check(view, name, rows, gates * H);
  }
  // A bias or its gradient, if it is given.
  void checkBias(const TensorView& view, const char* name, bool contiguous) const {
    if (!view.defined) return;
    if (view.dtype != dtype || view.ndim != 1 || view.shape[0] != G * H || (contiguous && !view.isContiguous()))
      fail(ErrorKind::Shape, "%s: %s %s must have shape [%lld] and the dtype of h%s", op, name, shapeText(view).c_str(),
           static_cast<long long>(G * H), contiguous ? ", and be contiguous" : "");
  }
  void checkState(const TensorView& view, const char* name) const { check(view, name, steps.batch, H); }

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
    if (view.dtype != DType::Int64 || view.ndim != 1 || !view.isContiguous())
      fail(ErrorKind::DType, "%s: batchSizes must be int64, contiguous and of one dimension", op);
    steps.count = view.shape[0];
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
