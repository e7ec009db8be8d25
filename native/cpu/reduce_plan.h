// How a reduction walks its iteration space. Dimensions are reordered so that the innermost one has the smallest
// strides, and grouped as [outer kept, reduced, inner kept]: inner == 1 is a reduction of rows, inner > 1 one of
// columns.
#pragma once
#include <utility>
#include <vector>

#include "cpu/kernel.h"
#include "cpu/simd.h"
#include "cpu/strided.h"
#include "operands/reduce.h"

namespace thalweg::cpu::THALWEG_ISA {

struct ReducePlan {
  int64_t outer = 1, count = 1, inner = 1;  // sizes of the three groups; count is the number of elements reduced to one
  int ndim = 0, outerDims = 0, reducedDims = 0;
  int64_t shape[kMaxDims];      // of the reordered iteration space, without dimensions of size 1
  std::vector<TensorView> ins;  // the inputs in that order, expanded to shape
  Strided outs[2];              // walks over outer * inner results

  int64_t group() const { return count * inner; }
  int64_t results() const { return outer * inner; }
};

// Strides of one input over each group, for a program that is only that input.
struct GroupStrides {
  Strided outer, reduced, inner;

  __attribute__((noinline)) GroupStrides(const ReducePlan& plan, const TensorView& in) {
    const int r = plan.outerDims, i = r + plan.reducedDims;
    mergeDims(outer, plan.shape, in.strides, r);
    mergeDims(reduced, plan.shape + r, in.strides + r, plan.reducedDims);
    mergeDims(inner, plan.shape + i, in.strides + i, plan.ndim - i);
  }

  int64_t outerOffset(int64_t o) const {
    int64_t offset = 0;
    forRuns(outer, o, 1, [&](int64_t at, int64_t, int64_t) { offset = at; });
    return offset;
  }
};

namespace {

// keepOrder: the reduced dimensions stay in their own order (positions of
// arg-reductions count in it).
inline void makePlan(ReducePlan& plan, TensorList outs, TensorList ins, bool keepOrder) {
  const TensorView& out = outs[0];
  const int ndim = out.ndim;
  int64_t full[kMaxDims];
  broadcastShape(outs, ins, full);

  struct Dim {
    int64_t size, key;
    int source;
    bool reduced;
  } dims[kMaxDims];
  int n = 0;
  for (int d = 0; d < ndim; d++) {
    if (full[d] == 1) continue;
    // A dimension in which every input is expanded goes outermost: walking it costs nothing there.
    int64_t key = 0;
    for (int64_t i = 0; i < ins.count; i++)
      if (ins[i].shape[d] != 1) key += ins[i].strides[d] > 0 ? ins[i].strides[d] : 0;
    dims[n++] = {full[d], key == 0 ? INT64_MAX : key, d, out.shape[d] == 1};
  }
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && dims[j].key > dims[j - 1].key; j--) std::swap(dims[j], dims[j - 1]);

  int innerFrom = n;
  while (innerFrom > 0 && !dims[innerFrom - 1].reduced) innerFrom--;
  Dim ordered[kMaxDims];
  for (int i = 0; i < innerFrom; i++)
    if (!dims[i].reduced) ordered[plan.outerDims++] = dims[i];
  int m = plan.outerDims;
  for (int i = 0; i < innerFrom; i++) {
    if (!dims[i].reduced) continue;
    ordered[m++] = dims[i];
    for (int j = m - 1; keepOrder && j > plan.outerDims && ordered[j].source < ordered[j - 1].source; j--)
      std::swap(ordered[j], ordered[j - 1]);
  }
  plan.reducedDims = m - plan.outerDims;
  for (int i = innerFrom; i < n; i++) ordered[m++] = dims[i];

  plan.ndim = n;
  for (int d = 0; d < n; d++) {
    const int64_t size = plan.shape[d] = ordered[d].size;
    (d < plan.outerDims ? plan.outer : d < innerFrom ? plan.count : plan.inner) *= size;
  }
  plan.ins.resize(static_cast<size_t>(ins.count));
  for (int64_t i = 0; i < ins.count; i++) {
    TensorView& view = plan.ins[static_cast<size_t>(i)];
    view.data = ins[i].data;
    view.dtype = ins[i].dtype;
    view.defined = true;
    view.ndim = static_cast<uint8_t>(n);
    for (int d = 0; d < n; d++) {
      const int source = ordered[d].source;
      view.shape[d] = ordered[d].size;
      view.strides[d] = ins[i].shape[source] == 1 ? 0 : ins[i].strides[source];
    }
  }
  for (int64_t i = 0; i < outs.count; i++) {
    int64_t shape[kMaxDims], strides[kMaxDims];
    int kept = 0;
    for (int d = 0; d < n; d++) {
      if (ordered[d].reduced) continue;
      shape[kept] = ordered[d].size;
      strides[kept++] = outs[i].strides[ordered[d].source];
    }
    mergeDims(plan.outs[i], shape, strides, kept);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
