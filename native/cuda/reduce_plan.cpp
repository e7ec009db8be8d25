#include "cuda/reduce_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/programs.h"

namespace thalweg::cuda {
namespace {

constexpr int64_t kEnoughBlocks = 1024;  // that keep any device busy
constexpr int64_t kPieceSteps = 8;       // vectors (rows of columns) that a thread takes at least of a split reduction

const char* kindName(ReduceKind kind) {
  constexpr const char* names[] = {"sum",    "mean",     "prod",     "max", "min", "argmax",
                                   "argmin", "maxIndex", "minIndex", "all", "any", "var"};
  return names[static_cast<int>(kind)];
}

bool isArg(ReduceKind kind) { return kind == ReduceKind::ArgMax || kind == ReduceKind::ArgMin; }
bool hasIndex(ReduceKind kind) { return kind == ReduceKind::MaxIndex || kind == ReduceKind::MinIndex; }

void requireDType(ReduceKind kind, const TensorView& out, bool ok, const char* wanted) {
  if (!ok) fail(ErrorKind::DType, "reduce: %s writes %s, not %s", kindName(kind), wanted, dtypeName(out.dtype));
}

void checkOutputs(ReduceKind kind, TensorList outs) {
  const int64_t expected = hasIndex(kind) || kind == ReduceKind::Var ? 2 : 1;
  if (outs.count != expected)
    fail(ErrorKind::Native, "reduce: %s has %lld outputs, %lld given", kindName(kind), static_cast<long long>(expected),
         static_cast<long long>(outs.count));
  if (isArg(kind)) requireDType(kind, outs[0], outs[0].dtype == DType::Int64, "int64 positions");
  if (hasIndex(kind)) requireDType(kind, outs[1], outs[1].dtype == DType::Int64, "int64 positions");
  if (kind == ReduceKind::All || kind == ReduceKind::Any)
    requireDType(kind, outs[0], outs[0].dtype == DType::Bool, "bool");
  if (kind == ReduceKind::Mean || kind == ReduceKind::Var)
    for (int64_t i = 0; i < outs.count; i++) requireDType(kind, outs[i], isFloating(outs[i].dtype), "floats");
}

// The broadcast shape of the inputs, all of which have the output's number of dimensions.
void broadcastShape(TensorList outs, TensorList ins, int64_t (&full)[kMaxDims]) {
  const TensorView& out = outs[0];
  const int ndim = out.ndim;
  for (int64_t i = 0; i < outs.count; i++) {
    if (!outs[i].defined) fail(ErrorKind::Native, "reduce: output %lld is undefined", static_cast<long long>(i));
    if (!sameShape(outs[i], out)) fail(ErrorKind::Shape, "reduce: the outputs differ in shape");
  }
  for (int d = 0; d < ndim; d++) full[d] = 1;
  for (int64_t i = 0; i < ins.count; i++) {
    const TensorView& in = ins[i];
    if (!in.defined) fail(ErrorKind::Native, "reduce: input %lld is undefined", static_cast<long long>(i));
    if (in.ndim != ndim)
      fail(ErrorKind::Shape, "reduce: input %lld has %d dimensions, the output %d", static_cast<long long>(i), in.ndim,
           ndim);
    for (int d = 0; d < ndim; d++) {
      if (in.shape[d] == 1 || in.shape[d] == full[d]) continue;
      if (full[d] != 1 || in.shape[d] < 0)
        fail(ErrorKind::Shape, "reduce: input %lld has size %lld in dimension %d where another has %lld",
             static_cast<long long>(i), static_cast<long long>(in.shape[d]), d, static_cast<long long>(full[d]));
      full[d] = in.shape[d];
    }
  }
  int64_t n = 1;
  for (int d = 0; d < ndim; d++) {
    // Sizes of 0 count as 1 here, so that the product of any of the sizes is safe.
    if (full[d] != 0 && __builtin_mul_overflow(n, full[d], &n))
      fail(ErrorKind::Shape, "reduce: the broadcast shape has more than 2^63 elements");
    if (out.shape[d] != full[d] && out.shape[d] != 1)
      fail(ErrorKind::Shape, "reduce: the output has size %lld in dimension %d, the inputs %lld",
           static_cast<long long>(out.shape[d]), d, static_cast<long long>(full[d]));
  }
}

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
  if (kindNumber < 0 || kindNumber > static_cast<int64_t>(ReduceKind::Var))
    fail(ErrorKind::Native, "reduce: there is no kind %lld", static_cast<long long>(kindNumber));
  if (prologue.inputs != ins.count || prologue.outputRegisters.size() != 1)
    fail(ErrorKind::Native, "reduce: a program with %d inputs and 1 output is needed for %lld inputs, got %d and %d",
         static_cast<int>(ins.count), static_cast<long long>(ins.count), prologue.inputs,
         static_cast<int>(prologue.outputRegisters.size()));
  kind = static_cast<ReduceKind>(kindNumber);
  blocks = 0;
  arguments.results = 0;
  checkOutputs(kind, outs);
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
  const bool needsElements = keepOrder || kind == ReduceKind::Max || kind == ReduceKind::Min;
  if (reduced.elements == 0 && needsElements)
    fail(ErrorKind::Shape, "reduce: %s of 0 elements is undefined", kindName(kind));

  // Positions and truth values are integers whatever was computed: those outputs do not count.
  const bool valueOut = !isArg(kind) && kind != ReduceKind::All && kind != ReduceKind::Any;
  type = computeTypeOf(outs.items, !valueOut ? 0 : kind == ReduceKind::Var ? 2 : 1);
  type = computeTypeOf(ins.items, ins.count, type);
  if (type == ComputeType::Int64) type = programComputeType(prologue, scalars, ins.items, ins.count);
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
