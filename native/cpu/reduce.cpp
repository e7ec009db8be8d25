// Reductions over any set of dimensions, of the value of an elementwise program.
#include "operands/reduce.h"
#include "cpu/kernel.h"
#include "cpu/reduce_walk.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

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
  Request q{ctx, checkReduction(kind, prologue, outs, ins), prologue, outs, scalars, {}};
  makePlan(q.plan, outs, ins, isArg(q.kind) || hasIndex(q.kind));
  if (q.plan.results() == 0) return;
  if (q.plan.count == 0) requireElements(q.kind);
  const ComputeType type = reductionType(q.kind, prologue, outs, ins, scalars);
  if (type == ComputeType::Float32)
    reduceTyped<float>(q, correction);
  else if (type == ComputeType::Float64)
    reduceTyped<double>(q, correction);
  else
    reduceTyped<int64_t>(q, correction);
}

}  // namespace thalweg::cpu::THALWEG_ISA
