// map: runs an elementwise program over groups of tensors.
//
// All groups together are one range of elements, cut into pieces by size: an optimizer's update of hundreds of small
// tensors is one parallel loop, and one large tensor is spread over all threads.
#include <memory>

#include "cpu/kernel.h"
#include "cpu/map_group.h"
#include "operands/map.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kStackGroups = 64;
constexpr int64_t kGroupAlign = 64;  // elements; groups start at multiples of it, so that pieces start on cache lines

struct Job {
  const Program& program;
  const TensorView* items;
  int64_t perGroup;
  Scalars scalars;
};

template <class T>
void runGroup(const Job& job, const TensorView* outs, const TensorView* ins, int64_t begin, int64_t end) {
  GroupRun<T>(job.program, job.scalars, outs, ins).run(begin, end);
}

// Dimensions in the order of the first output's strides: an update of a transposed tensor walks through memory in
// order.
__attribute__((noinline)) void permuteGroup(const TensorView* items, int64_t count, const int* order, TensorView* to) {
  const int ndim = items[0].ndim;
  for (int64_t i = 0; i < count; i++) {
    const TensorView& v = items[i];
    const int missing = ndim - v.ndim;
    to[i].data = v.data;
    to[i].dtype = v.dtype;
    to[i].defined = true;
    to[i].ndim = static_cast<uint8_t>(ndim);
    for (int d = 0; d < ndim; d++) {
      const int from = order[d] - missing;
      to[i].shape[d] = from < 0 ? 1 : v.shape[from];
      to[i].strides[d] = from < 0 ? 0 : v.strides[from];
    }
  }
}

void runTyped(const Job& job, const TensorView* items, int64_t begin, int64_t end) {
  const TensorView *outs = items, *ins = items + job.program.outputs;
  switch (programComputeType(job.program, job.scalars, items, job.perGroup)) {
    case ComputeType::Float32: return runGroup<float>(job, outs, ins, begin, end);
    case ComputeType::Float64: return runGroup<double>(job, outs, ins, begin, end);
    case ComputeType::Int64: return runGroup<int64_t>(job, outs, ins, begin, end);
  }
}

__attribute__((noinline)) void runPermuted(const Job& job, const TensorView* items, const int* order, int64_t begin,
                                           int64_t end) {
  TensorView permuted[2 * kMaxProgramOperands];
  permuteGroup(items, job.perGroup, order, permuted);
  runTyped(job, permuted, begin, end);
}

void runPiece(const Job& job, const TensorView* items, int64_t begin, int64_t end) {
  const TensorView& out = items[0];
  int order[kMaxDims];
  bool sorted = true;
  for (int d = 0; d < out.ndim; d++) {
    int at = d;
    for (; at > 0 && out.strides[order[at - 1]] < out.strides[d]; at--) order[at] = order[at - 1];
    order[at] = d;
    // a dimension of size 1 may have any stride
    if (at != d && out.shape[d] != 1) sorted = false;
  }
  if (sorted)
    runTyped(job, items, begin, end);
  else
    runPermuted(job, items, order, begin, end);
}

// With `skip` all is checked, and nothing done.
void runMap(Context& ctx, const Program& program, TensorList tensors, Scalars scalars, bool skip) {
  const int64_t perGroup = program.outputs + program.inputs;
  const int64_t groups = checkGroups(program, tensors);
  if (groups == 0) return;

  const Job job{program, tensors.items, perGroup, scalars};
  const auto group = [&](int64_t g) { return tensors.items + g * perGroup; };
  const int64_t grain = ((int64_t{1} << 18) / programCost(program) & ~(kGroupAlign - 1)) + 1024;

  if (groups == 1) {
    const int64_t n = checkGroup(program, group(0), 0);
    if (skip) return;
    parallelFor(ctx.pool, n, grain, [&](int64_t begin, int64_t end) { runPiece(job, group(0), begin, end); });
    return;
  }

  // starts[g]: where group g begins in the range of all elements; counts[g]: its elements.
  int64_t onStack[2 * (kStackGroups + 1)];
  std::unique_ptr<int64_t[]> onHeap;
  if (groups > kStackGroups) onHeap.reset(new int64_t[static_cast<size_t>(2 * (groups + 1))]);
  int64_t* starts = onHeap ? onHeap.get() : onStack;
  int64_t* counts = starts + groups + 1;
  starts[0] = 0;
  for (int64_t g = 0; g < groups; g++) {
    counts[g] = checkGroup(program, group(g), g);
    starts[g + 1] = starts[g] + (counts[g] + kGroupAlign - 1) / kGroupAlign * kGroupAlign;
  }
  if (skip) return;
  parallelFor(ctx.pool, starts[groups], grain, [&](int64_t begin, int64_t end) {
    int64_t g = 0;
    for (int64_t last = groups - 1; g < last;) {  // the group that holds `begin`
      const int64_t middle = (g + last + 1) / 2;
      if (starts[middle] <= begin)
        g = middle;
      else
        last = middle - 1;
    }
    for (; g < groups && starts[g] < end; g++) {
      const int64_t from = begin > starts[g] ? begin - starts[g] : 0;
      const int64_t to = end - starts[g] < counts[g] ? end - starts[g] : counts[g];
      if (from < to) runPiece(job, group(g), from, to);
    }
  });
}

}  // namespace

void map(Context& ctx, const Program& program, TensorList tensors, Scalars scalars) {
  runMap(ctx, program, tensors, scalars, false);
}

void mapUnless(Context& ctx, const Program& program, TensorList tensors, Scalars scalars, const OptionalTensor& skip,
               const OptionalTensor& given) {
  checkControl(program, tensors, scalars, skip, given);
  const bool skipped = skip.defined && *skip.as<const float>() != 0;
  double values[kMaxRegisters];  // a copy: a group of one element may be about to write them
  if (given.defined) {
    for (int i = 0; i < program.scalars; i++) values[i] = given.as<const double>()[i];
    scalars = {values, program.scalars};
  }
  runMap(ctx, program, tensors, scalars, skipped);
}

}  // namespace thalweg::cpu::THALWEG_ISA
