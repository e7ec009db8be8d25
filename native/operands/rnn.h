// The operands that the kernels of recurrent layers have in common, checked.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

enum class Cell : int64_t { Lstm, Gru, Tanh, Relu };

constexpr int gatesOf(Cell cell) { return cell == Cell::Lstm ? 4 : cell == Cell::Gru ? 3 : 1; }

struct SequenceOperands {
  const char* op;
  Cell cell;
  bool reverse;
  DType dtype;
  int64_t rows, H, G, I;
  int64_t stepCount, batch;

  // What the sizes of the batch are, if they are given, is left to check.
  SequenceOperands(const char* op, int64_t kind, bool reverse, const TensorView& h, const TensorView& state,
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
    batch = state.shape[0];
    if (batchSizes.defined) {
      if (batchSizes.dtype != DType::Int64 || batchSizes.ndim != 1 || !batchSizes.isContiguous())
        fail(ErrorKind::DType, "%s: batchSizes must be int64, contiguous and of one dimension", op);
      stepCount = batchSizes.shape[0];
    } else if (batch == 0 ? rows != 0 : rows % batch != 0) {
      fail(ErrorKind::Shape, "%s: %lld rows are no steps of a batch of %lld", op, static_cast<long long>(rows),
           static_cast<long long>(batch));
    } else {
      stepCount = batch == 0 ? 0 : rows / batch;
    }
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
  void checkState(const TensorView& view, const char* name) const { check(view, name, batch, H); }

  void checkForward(const TensorView& h, const TensorView& state, const OptionalTensor& gates,
                    const OptionalTensor& cellState, const OptionalTensor& saved, const TensorView& x,
                    const TensorView& weightIh, const TensorView& weightHh, const OptionalTensor& biasIh,
                    const OptionalTensor& biasHh) const {
    checkRows(h, "h");
    checkState(state, "state");
    if (gates.defined) checkRows(gates, "gates", G);
    if (cell == Cell::Lstm) checkState(cellState, "cell");
    if (saved.defined) checkRows(saved, "saved");
    check(x, "x", rows, I, false);
    check(weightIh, "weightIh", G * H, I, false);
    check(weightHh, "weightHh", G * H, H, false);
    checkBias(biasIh, "biasIh", false);
    checkBias(biasHh, "biasHh", false);
  }

  void checkBackward(const OptionalTensor& dx, const OptionalTensor& dweightIh, const OptionalTensor& dweightHh,
                     const OptionalTensor& dbiasIh, const OptionalTensor& dbiasHh, const TensorView& dh,
                     const OptionalTensor& dc, const OptionalTensor& g, const TensorView& gates, const TensorView& h,
                     const OptionalTensor& saved, const TensorView& h0, const OptionalTensor& c0, const TensorView& x,
                     const TensorView& weightIh, const TensorView& weightHh) const {
    if (dx.defined) check(dx, "dx", rows, I);
    if (dweightIh.defined) check(dweightIh, "dweightIh", G * H, I);
    if (dweightHh.defined) check(dweightHh, "dweightHh", G * H, H);
    checkBias(dbiasIh, "dbiasIh", true);
    checkBias(dbiasHh, "dbiasHh", true);
    checkState(dh, "dh");
    if (g.defined) checkRows(g, "g");
    checkRows(gates, "gates", G);
    checkRows(h, "h");
    checkState(h0, "h0");
    if (cell == Cell::Lstm || cell == Cell::Gru) checkRows(saved, "saved");
    if (cell == Cell::Lstm) {
      checkState(dc, "dc");
      checkState(c0, "c0");
    }
    check(x, "x", rows, I, false);
    check(weightIh, "weightIh", G * H, I, false);
    check(weightHh, "weightHh", G * H, H, false);
  }
};

}  // namespace
}  // namespace THALWEG_KERNELS
