// Tensors seen as lines along one dimension: what scans and sorts work on. The operands have one shape but for that
// dimension; the others are merged where all operands allow it, the one with the smallest strides last, so that
// neighbouring lines are neighbours in memory where they can be.
#pragma once
#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "operands/check.h"

namespace thalweg::cpu::THALWEG_ISA {

struct Lines {
  static constexpr int kOperands = 3;
  int operands;
  const TensorView* views[kOperands];
  int64_t size[kOperands], step[kOperands];  // along the dimension
  int64_t count = 1;                         // of lines
  int ndim = 0;
  int64_t shape[kMaxDims], strides[kOperands][kMaxDims];

  // The first operand decides the order of the lines: the one that is read.
  __attribute__((noinline)) Lines(const char* op, const TensorView* const* operandViews, int n, int64_t dim)
      : operands(n) {
    const TensorView& first = *operandViews[0];
    for (int i = 0; i < n; i++) {
      const TensorView& view = *operandViews[i];
      views[i] = &view;
      if (!view.defined) fail(ErrorKind::Native, "%s: operand %d is undefined", op, i);
      if (view.ndim != first.ndim)
        fail(ErrorKind::Shape, "%s: operands %s and %s differ in their number of dimensions", op,
             shapeText(first).c_str(), shapeText(view).c_str());
      size[i] = step[i] = 1;
    }
    if (dim < 0 || dim >= (first.ndim == 0 ? 1 : first.ndim))
      fail(ErrorKind::Index, "%s: dimension %lld is out of range for %d dimensions", op, static_cast<long long>(dim),
           first.ndim);
    for (int d = 0; d < first.ndim; d++) {
      if (d == dim) {
        for (int i = 0; i < n; i++) {
          size[i] = views[i]->shape[d];
          step[i] = views[i]->strides[d];
        }
        continue;
      }
      for (int i = 1; i < n; i++)
        if (views[i]->shape[d] != first.shape[d])
          fail(ErrorKind::Shape, "%s: operands %s and %s differ in dimension %d", op, shapeText(first).c_str(),
               shapeText(*views[i]).c_str(), d);
      if (first.shape[d] != 1) add(d);
    }
    int smallest = ndim - 1;
    for (int d = ndim - 2; d >= 0; d--)
      if (strides[0][d] < strides[0][smallest]) smallest = d;
    for (int d = smallest; d >= 0 && d + 1 < ndim; d++) swapDims(d, d + 1);
  }

  void requireSameSize(const char* op) const {
    for (int i = 1; i < operands; i++)
      if (size[i] != size[0])
        fail(ErrorKind::Shape, "%s: operands %s and %s differ in shape", op, shapeText(*views[0]).c_str(),
             shapeText(*views[i]).c_str());
  }

  // Lines that lie `side` apart in the last dimension are neighbours.
  int64_t side() const { return ndim == 0 ? 1 : shape[ndim - 1]; }
  int64_t sideStride(int i) const { return ndim == 0 ? 1 : strides[i][ndim - 1]; }

  // Where line `line` of operand i starts.
  char* address(int i, int64_t line) const {
    int64_t offset = 0;
    for (int d = ndim - 1; d > 0; d--) {
      offset += line % shape[d] * strides[i][d];
      line /= shape[d];
    }
    if (ndim > 0) offset += line * strides[i][0];
    return views[i]->data + offset * itemSize(views[i]->dtype);
  }
  int64_t stepBytes(int i) const { return step[i] * itemSize(views[i]->dtype); }

 private:
  void add(int d) {
    const int64_t n = views[0]->shape[d];
    count *= n;
    bool merge = ndim > 0;
    for (int i = 0; i < operands && merge; i++) merge = strides[i][ndim - 1] == views[i]->strides[d] * n;
    if (!merge) shape[ndim++] = 1;
    shape[ndim - 1] *= n;
    for (int i = 0; i < operands; i++) strides[i][ndim - 1] = views[i]->strides[d];
  }
  void swapDims(int a, int b) {
    const int64_t n = shape[a];
    shape[a] = shape[b];
    shape[b] = n;
    for (int i = 0; i < operands; i++) {
      const int64_t stride = strides[i][a];
      strides[i][a] = strides[i][b];
      strides[i][b] = stride;
    }
  }
};

}  // namespace thalweg::cpu::THALWEG_ISA
