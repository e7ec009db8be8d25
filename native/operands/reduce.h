// The operands of reductions, checked.
#pragma once
#include "operands/check.h"
#include "operands/program.h"

namespace THALWEG_KERNELS {
namespace {

inline const char* kindName(ReduceKind kind) {
  constexpr const char* names[] = {"sum",    "mean",     "prod",     "max", "min", "argmax",
                                   "argmin", "maxIndex", "minIndex", "all", "any", "var"};
  return names[static_cast<int>(kind)];
}

inline bool isArg(ReduceKind kind) { return kind == ReduceKind::ArgMax || kind == ReduceKind::ArgMin; }
inline bool hasIndex(ReduceKind kind) { return kind == ReduceKind::MaxIndex || kind == ReduceKind::MinIndex; }

inline void requireDType(ReduceKind kind, const TensorView& out, bool ok, const char* wanted) {
  if (!ok) fail(ErrorKind::DType, "reduce: %s writes %s, not %s", kindName(kind), wanted, dtypeName(out.dtype));
}

inline void checkOutputs(ReduceKind kind, TensorList outs) {
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
inline void broadcastShape(TensorList outs, TensorList ins, int64_t (&full)[kMaxDims]) {
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

inline ReduceKind checkReduction(int64_t kindNumber, const Program& prologue, TensorList outs, TensorList ins) {
  if (kindNumber < 0 || kindNumber > static_cast<int64_t>(ReduceKind::Var))
    fail(ErrorKind::Native, "reduce: there is no kind %lld", static_cast<long long>(kindNumber));
  if (prologue.inputs != ins.count || prologue.outputRegisters.size() != 1)
    fail(ErrorKind::Native, "reduce: a program with %d inputs and 1 output is needed for %lld inputs, got %d and %d",
         static_cast<int>(ins.count), static_cast<long long>(ins.count), prologue.inputs,
         static_cast<int>(prologue.outputRegisters.size()));
  const ReduceKind kind = static_cast<ReduceKind>(kindNumber);
  checkOutputs(kind, outs);
  return kind;
}

// Of a reduction of no elements to at least one result.
inline void requireElements(ReduceKind kind) {
  if (isArg(kind) || hasIndex(kind) || kind == ReduceKind::Max || kind == ReduceKind::Min)
    fail(ErrorKind::Shape, "reduce: %s of 0 elements is undefined", kindName(kind));
}

// What a reduction is computed in.
inline ComputeType reductionType(ReduceKind kind, const Program& prologue, TensorList outs, TensorList ins,
                                 Scalars scalars) {
  // Positions and truth values are integers whatever was computed: those outputs do not count.
  const bool valueOut = !isArg(kind) && kind != ReduceKind::All && kind != ReduceKind::Any;
  ComputeType type = computeTypeOf(outs.items, !valueOut ? 0 : kind == ReduceKind::Var ? 2 : 1);
  type = computeTypeOf(ins.items, ins.count, type);
  return type == ComputeType::Int64 ? programComputeType(prologue, scalars, ins.items, ins.count) : type;
}

}  // namespace
}  // namespace THALWEG_KERNELS
