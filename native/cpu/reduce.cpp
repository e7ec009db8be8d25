// Reductions over any set of dimensions, of the value of an elementwise program.
#include "cpu/kernel.h"
#include "cpu/reduce_walk.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

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

template <class T, class Op>
void reduceBy(Request& q, const Op& op) {
  static_assert(sizeof(typename Op::State) <= kMaxStateBytes && sizeof(typename Op::Lanes) <= kMaxLanesBytes);
  reduceWith<T>(q, ReducerOf<T, Op>(op));
}

template <class T>
void reduceTyped(Request& q, double correction) {
  switch (q.kind) {
    case ReduceKind::Sum: return reduceBy<T>(q, SumOp<T>{1});
    case ReduceKind::Mean: return reduceBy<T>(q, SumOp<T>{static_cast<double>(q.plan.count)});
    case ReduceKind::Prod: return reduceBy<T>(q, ProdOp<T>{});
    case ReduceKind::Max: return reduceBy<T>(q, MaxOp<T>{Flip<T>(false)});
    case ReduceKind::Min: return reduceBy<T>(q, MaxOp<T>{Flip<T>(true)});
    case ReduceKind::ArgMax:
    case ReduceKind::MaxIndex: return reduceBy<T>(q, ArgOp<T>{Flip<T>(false)});
    case ReduceKind::ArgMin:
    case ReduceKind::MinIndex: return reduceBy<T>(q, ArgOp<T>{Flip<T>(true)});
    case ReduceKind::All: return reduceBy<T>(q, LogicOp<T>{true});
    case ReduceKind::Any: return reduceBy<T>(q, LogicOp<T>{false});
    case ReduceKind::Var:
      if constexpr (!std::is_same_v<T, int64_t>) reduceBy<T>(q, VarOp<T>{correction});
      return;
  }
}

}  // namespace

void reduce(Context& ctx, int64_t kind, const Program& prologue, TensorList outs, TensorList ins, Scalars scalars,
            double correction) {
  if (kind < 0 || kind > static_cast<int64_t>(ReduceKind::Var))
    fail(ErrorKind::Native, "reduce: there is no kind %lld", static_cast<long long>(kind));
  if (prologue.inputs != ins.count || prologue.outputRegisters.size() != 1)
    fail(ErrorKind::Native, "reduce: a program with %d inputs and 1 output is needed for %lld inputs, got %d and %d",
         static_cast<int>(ins.count), static_cast<long long>(ins.count), prologue.inputs,
         static_cast<int>(prologue.outputRegisters.size()));
  Request q{ctx, static_cast<ReduceKind>(kind), prologue, outs, scalars, {}};
  checkOutputs(q.kind, outs);
  makePlan(q.plan, outs, ins, isArg(q.kind) || hasIndex(q.kind));
  if (q.plan.results() == 0) return;
  const bool needsElements =
      isArg(q.kind) || hasIndex(q.kind) || q.kind == ReduceKind::Max || q.kind == ReduceKind::Min;
  if (q.plan.count == 0 && needsElements)
    fail(ErrorKind::Shape, "reduce: %s of 0 elements is undefined", kindName(q.kind));

  // Positions and truth values are integers whatever was computed: those outputs do not count.
  const bool valueOut = !isArg(q.kind) && q.kind != ReduceKind::All && q.kind != ReduceKind::Any;
  ComputeType type = computeTypeOf(outs.items, !valueOut ? 0 : q.kind == ReduceKind::Var ? 2 : 1);
  type = computeTypeOf(ins.items, ins.count, type);
  if (type == ComputeType::Int64) type = programComputeType(prologue, scalars, ins.items, ins.count);
  if (type == ComputeType::Float32)
    reduceTyped<float>(q, correction);
  else if (type == ComputeType::Float64)
    reduceTyped<double>(q, correction);
  else
    reduceTyped<int64_t>(q, correction);
}

}  // namespace thalweg::cpu::THALWEG_ISA
