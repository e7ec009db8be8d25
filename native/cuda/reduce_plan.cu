#include "cuda/reduce_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/programs.h"
#include "operands/reduce.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t kEnoughBlocks = 1024;  // that keep any device busy
constexpr int64_t kPieceSteps = 8;       // vectors (rows of columns) that a thread takes at least of a split reduction

struct Dim {
  int64_t size, key;
  int source;
  bool reduced;
};

// Dimensions of one kind, merged where the strides of all operands allow it.
struct Merged {
  int ndim = 0;
  int64_t shape[kMaxDims];
  int64_t strides[kMaxDims][kMaxProgramOperands + 2];
  int64_t elements = 1;

  template <class StrideOf>
  void add(int64_t size, int operands, StrideOf&& strideOf) {
    elements *= size;
    bool merge = ndim > 0;
    for (int k = 0; k < operands && merge; k++) merge = strides[ndim - 1][k] == strideOf(k) * size;
    if (!merge) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int k = 0; k < operands; k++) strides[ndim - 1][k] = strideOf(k);
  }
  int64_t last() const { return ndim > 0 ? shape[ndim - 1] : 1; }
};

int64_t roundedUp(int64_t n) {  // to a power of two
  int64_t power = 1;
  while (power < n) power *= 2;
  return power;
}

}  // namespace

ReducePlan::ReducePlan(int64_t kindNumber, const Program& prologue, TensorList outs, TensorList ins, Scalars scalars,
                       double correction) {
  kind = checkReduction(kindNumber, prologue, outs, ins);
  blocks = 0;
  arguments.results = 0;
  int64_t full[kMaxDims];
  broadcastShape(outs, ins, full);

  // Dimensions in the order of the inputs' strides. One in which every input is expanded goes outermost: walking it
  // costs nothing there.
  const bool keepOrder = isArg(kind) || hasIndex(kind);  // positions count in the dimensions' own order
  Dim dims[kMaxDims];
  int n = 0;
  for (int d = 0; d < outs[0].ndim; d++) {
    if (full[d] == 1) continue;
    int64_t key = 0;
    for (int64_t i = 0; i < ins.count; i++)
      if (ins[i].shape[d] != 1) key += ins[i].strides[d];
    dims[n++] = {full[d], key == 0 ? INT64_MAX : key, d, outs[0].shape[d] == 1};
  }
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && dims[j].key > dims[j - 1].key; j--) std::swap(dims[j], dims[j - 1]);
  columns = n > 0 && !dims[n - 1].reduced;
  if (keepOrder) {
    Dim* const reducedFrom = std::stable_partition(dims, dims + n, [](const Dim& dim) { return !dim.reduced; });
    std::sort(reducedFrom, dims + n, [](const Dim& a, const Dim& b) { return a.source < b.source; });
  }

  // Inputs, then outputs.
  const int inputs = static_cast<int>(ins.count), outputs = static_cast<int>(outs.count);
  Merged kept, reduced;
  for (int i = 0; i < n; i++) {
    const int d = dims[i].source;
    (dims[i].reduced ? reduced : kept).add(dims[i].size, inputs + outputs, [&](int k) -> int64_t {
      if (k >= inputs) return dims[i].reduced ? 0 : outs[k - inputs].strides[d];
      return ins[k].shape[d] == 1 ? 0 : ins[k].strides[d];
    });
  }
  if (kept.elements == 0) return;
  if (reduced.elements == 0) requireElements(kind);

  type = reductionType(kind, prologue, outs, ins, scalars);
  checkProgram(prologue, type, scalars);
  for (int64_t i = 0; i < outs.count; i++)
    if (outs[i].data == nullptr)
      fail(ErrorKind::Native, "reduce: output %lld has no memory", static_cast<long long>(i));
  for (int64_t i = 0; i < ins.count && reduced.elements > 0; i++)
    if (ins[i].data == nullptr) fail(ErrorKind::Native, "reduce: input %lld has no memory", static_cast<long long>(i));

  number = kind == ReduceKind::Mean ? static_cast<double>(reduced.elements) : kind == ReduceKind::Var ? correction : 1;
  ReduceArguments& a = arguments;
  a = {};
  a.results = kept.elements;
  a.count = reduced.elements;
  a.keptLength = kept.last();
  a.keptRows = a.results / a.keptLength;
  a.reducedLength = reduced.last();
  a.reducedRows = a.reducedLength == 0 ? 0 : a.count / a.reducedLength;
  a.scalars = prologue.scalars;
  a.inputs = inputs;
  a.outputs = outputs;
  a.keptDims = kept.ndim;
  a.reducedDims = reduced.ndim;
  a.onlySecond = isArg(kind);
  for (int i = 0; i < inputs; i++) a.dtypes[i] = static_cast<uint8_t>(ins[i].dtype);
  for (int k = 0; k < outputs; k++) a.outDTypes[k] = static_cast<uint8_t>(outs[k].dtype);

  const auto push = [&](const char* data) { words.push_back(static_cast<int64_t>(reinterpret_cast<uintptr_t>(data))); };
  for (int64_t i = 0; i < scalars.count; i++) words.push_back(__builtin_bit_cast(int64_t, scalars[i]));
  words.insert(words.end(), kept.shape, kept.shape + kept.ndim);
  words.insert(words.end(), reduced.shape, reduced.shape + reduced.ndim);
  for (int k = 0; k < outputs; k++) push(outs[k].data);
  for (int k = 0; k < outputs; k++)
    for (int d = 0; d < kept.ndim; d++) words.push_back(kept.strides[d][inputs + k]);
  const Merged& walked = columns ? kept : reduced;
  const int width = type == ComputeType::Float32 ? kVector<float> : kVector<double>;
  for (int i = 0; i < inputs; i++) {
    const int64_t bytes = width * itemSize(ins[i].dtype);
    bool packed = walked.ndim > 0 && walked.strides[walked.ndim - 1][i] == 1 && bytes <= 16 &&
                  reinterpret_cast<uintptr_t>(ins[i].data) % static_cast<uintptr_t>(bytes) == 0;
    for (const Merged* dimensions : {&kept, &reduced})
      for (int d = 0; d < dimensions->ndim; d++)
        if (dimensions != &walked || d + 1 < walked.ndim) packed = packed && dimensions->strides[d][i] % width == 0;
    words.push_back(packed);
  }
  for (int i = 0; i < inputs; i++) push(ins[i].data);
  for (int i = 0; i < inputs; i++) {
    for (int d = 0; d < kept.ndim; d++) words.push_back(kept.strides[d][i]);
    for (int d = 0; d < reduced.ndim; d++) words.push_back(reduced.strides[d][i]);
  }
}

void ReducePlan::spread(int threads) {
  ReduceArguments& a = arguments;
  const int64_t width = type == ComputeType::Float32 ? kVector<float> : kVector<double>;
  int64_t units, steps;  // of blocks without splits, and what there is to share among the lanes
  if (columns) {
    const int64_t vectors = a.keptRows * ((a.keptLength + width - 1) / width);
    int64_t across = std::min<int64_t>({roundedUp(vectors), kWarp, threads});
    while (across < threads && threads / across * 2 > a.count && across < vectors) across *= 2;
    a.lanes = static_cast<int32_t>(threads / across);
    units = (vectors + across - 1) / across;
    steps = a.count;
  } else {
    steps = a.reducedRows * ((a.reducedLength + width - 1) / width);
    const int64_t warp = std::min(kWarp, threads);
    a.lanes = static_cast<int32_t>(steps > 8 * warp ? threads : std::min<int64_t>(roundedUp(steps), warp));
    units = (a.results + threads / a.lanes - 1) / (threads / a.lanes);
  }
  a.splits = 1;
  if (units < kEnoughBlocks && steps >= 2 * kPieceSteps * a.lanes)
    a.splits = std::min((kEnoughBlocks + units - 1) / units, steps / (kPieceSteps * a.lanes));
  a.chunk = (steps + a.splits - 1) / a.splits;
  blocks = units * a.splits;
}

}  // namespace thalweg::cuda
