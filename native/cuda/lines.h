// Tensors seen as lines along one dimension: what scans and sorts work on. The operands have one shape but for that
// dimension; the others are merged where all operands allow it, the one with the smallest strides last, so that
// neighbouring lines are neighbours in memory where they can be.
#pragma once
#include "cuda/check.h"
#include "cuda/walk.h"

namespace thalweg::cuda {

// Passed to kernels by value.
template <int N>
struct Lines {
  Walk<N> walk;  // over the starts of the lines
  char* data[N];
  DType dtype[N];
  int64_t size[N], step[N];  // along the dimension

  int64_t count() const { return walk.count; }
  // True if neighbouring lines are closer in memory than the elements of a line.
  bool sideBySide() const {
    return step[0] != 1 && size[0] > 1 && walk.ndim > 0 && walk.shape[walk.ndim - 1] >= 4 &&
           walk.strides[walk.ndim - 1][0] <= step[0];
  }
};

// The first operand decides the order of the lines: the one that is read.
template <int N>
Lines<N> linesOf(const char* op, const TensorView* const (&views)[N], int64_t dim) {
  const TensorView& first = *views[0];
  Lines<N> lines;
  for (int i = 0; i < N; i++) {
    const TensorView& view = *views[i];
    if (!view.defined) fail(ErrorKind::Native, "%s: operand %d is undefined", op, i);
    if (view.ndim != first.ndim)
      fail(ErrorKind::Shape, "%s: operands %s and %s differ in their number of dimensions", op,
           shapeText(first).c_str(), shapeText(view).c_str());
    lines.data[i] = view.data;
    lines.dtype[i] = view.dtype;
    lines.size[i] = lines.step[i] = 1;
    checkMemory(op, "operand", view);
  }
  if (dim < 0 || dim >= (first.ndim == 0 ? 1 : first.ndim))
    fail(ErrorKind::Index, "%s: dimension %lld is out of range for %d dimensions", op, static_cast<long long>(dim),
         first.ndim);
  int order[kMaxDims], kept = 0;
  for (int d = 0; d < first.ndim; d++) {
    if (d == dim) {
      for (int i = 0; i < N; i++) {
        lines.size[i] = views[i]->shape[d];
        lines.step[i] = views[i]->strides[d];
      }
      continue;
    }
    for (int i = 1; i < N; i++)
      if (views[i]->shape[d] != first.shape[d])
        fail(ErrorKind::Shape, "%s: operands %s and %s differ in dimension %d", op, shapeText(first).c_str(),
             shapeText(*views[i]).c_str(), d);
    order[kept++] = d;
  }
  int smallest = kept - 1;
  for (int k = kept - 1; k >= 0; k--) {
    if (first.shape[order[k]] == 1) continue;
    if (first.shape[order[smallest]] == 1 || first.strides[order[k]] < first.strides[order[smallest]]) smallest = k;
  }
  for (int k = smallest; k >= 0 && k + 1 < kept; k++) {
    const int d = order[k];
    order[k] = order[k + 1];
    order[k + 1] = d;
  }
  for (int k = 0; k < kept; k++) {
    const int d = order[k];
    if constexpr (N == 2)
      lines.walk.add(first.shape[d], first.strides[d], views[1]->strides[d]);
    else
      lines.walk.add(first.shape[d], first.strides[d], views[1]->strides[d], views[2]->strides[d]);
  }
  return lines;
}

template <int N>
void requireSameSize(const char* op, const TensorView* const (&views)[N], const Lines<N>& lines) {
  for (int i = 1; i < N; i++)
    if (lines.size[i] != lines.size[0])
      fail(ErrorKind::Shape, "%s: operands %s and %s differ in shape", op, shapeText(*views[0]).c_str(),
           shapeText(*views[i]).c_str());
}

}  // namespace thalweg::cuda
