// Reductions over any set of dimensions, of the value of an elementwise program. The kernels here are those of a tensor
// itself, of the compute type; for others the program is compiled, or interpreted.
#include <cstring>

#include "cuda/compiled.h"
#include "cuda/generated.h"
#include "cuda/interpreted.h"
#include "cuda/kernel.h"
#include "cuda/reduce_plan.h"

namespace thalweg::cuda {
namespace {

constexpr int kExternalSlot = 0, kPartialSlot = 1;

// The values of the only input, which is of the compute type.
template <class T>
constexpr DType kDTypeOf = std::is_same_v<T, float>    ? DType::Float32
                           : std::is_same_v<T, double> ? DType::Float64
                                                       : DType::Int64;
template <class T>
class InputBody {
 public:
  using Value = T;
  static constexpr int kVector = cuda::kVector<T>;
  static constexpr int kFixedInputs = 1;
  static constexpr int kUnroll = 4;

  __device__ static constexpr int inputs() { return 1; }
  __device__ static constexpr DType dtype(const uint8_t*, int) { return kDTypeOf<T>; }
  __device__ void input(int, const T (&values)[kVector]) {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) values_[v] = values[v];
  }
  __device__ void evaluate() {}
  __device__ void output(int, T (&values)[kVector]) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) values[v] = values_[v];
  }

 private:
  T values_[kVector];
};

template <class Op>
__global__ void __launch_bounds__(kReduceThreads)
    reduceRowsKernel(const __grid_constant__ ReduceArguments arguments, Op op) {
  alignas(16) __shared__ char shared[kReduceThreads / kWarp * sizeof(typename Op::State)];
  InputBody<typename Op::Compute> body;
  reduceRows(body, op, arguments, shared);
}
template <class Op>
__global__ void __launch_bounds__(kReduceThreads)
    reduceColumnsKernel(const __grid_constant__ ReduceArguments arguments, Op op) {
  alignas(16) __shared__ char shared[kReduceThreads * kVector<typename Op::Compute> * sizeof(typename Op::State)];
  InputBody<typename Op::Compute> body;
  reduceColumns(body, op, arguments, shared);
}
template <class Op>
__global__ void joinSplitsKernel(const __grid_constant__ ReduceArguments arguments, Op op, int lanes) {
  joinSplits(op, arguments, lanes);
}

// Moves the words to where the kernels find them, and makes room for the states of pieces.
void placeWords(Queue& queue, ReducePlan& plan, int64_t stateBytes) {
  ReduceArguments& a = plan.arguments;
  const size_t bytes = plan.words.size() * sizeof(int64_t);
  if (plan.words.size() <= kReduceWords && !queue.deviceScalars) {
    std::memcpy(a.words, plan.words.data(), bytes);
  } else {
    a.external = queue.words(kExternalSlot, plan.words, a.scalars);
  }
  if (a.splits > 1) a.partial = queue.scratch(kPartialSlot, a.splits * a.results * stateBytes);
}

template <class Op>
void joinPieces(Queue& queue, const ReduceArguments& a, const Op& op) {
  if (a.splits == 1) return;
  constexpr int kThreads = 128;
  const int lanes = a.splits >= kWarp && a.results < 4096 ? kWarp : 1;
  LAUNCH(joinSplitsKernel<Op>, gridFor(queue, a.results * lanes, kThreads), kThreads, 0, queue, a, op, lanes);
}

template <class Op>
void reduceInput(Queue& queue, ReducePlan& plan, const Op& op) {
  plan.spread(kReduceThreads);
  placeWords(queue, plan, sizeof(typename Op::State));
  const unsigned grid = gridFor(queue, plan.blocks * kReduceThreads, kReduceThreads);
  if (plan.columns)
    LAUNCH(reduceColumnsKernel<Op>, grid, kReduceThreads, 0, queue, plan.arguments, op);
  else
    LAUNCH(reduceRowsKernel<Op>, grid, kReduceThreads, 0, queue, plan.arguments, op);
  joinPieces(queue, plan.arguments, op);
}

// Calls f with the operation.
template <class T, class F>
void withOp(const ReducePlan& plan, F&& f) {
  switch (plan.kind) {
    case ReduceKind::Sum:
    case ReduceKind::Mean: return f(SumOp<T>{plan.number});
    case ReduceKind::Prod: return f(ProdOp<T>{});
    case ReduceKind::Max: return f(MaxOp<T>{false});
    case ReduceKind::Min: return f(MaxOp<T>{true});
    case ReduceKind::ArgMax:
    case ReduceKind::MaxIndex: return f(ArgOp<T>{false});
    case ReduceKind::ArgMin:
    case ReduceKind::MinIndex: return f(ArgOp<T>{true});
    case ReduceKind::All: return f(LogicOp<T>{true});
    case ReduceKind::Any: return f(LogicOp<T>{false});
    case ReduceKind::Var:
      if constexpr (!std::is_same_v<T, int64_t>) f(VarOp<T>{plan.number});
      return;
  }
}

template <class T>
void reduceTyped(Queue& queue, ReducePlan& plan, const Program& prologue) {
  if (prologue.code.empty() && prologue.inputs == 1 && prologue.outputRegisters[0] == 0 &&
      static_cast<DType>(plan.arguments.dtypes[0]) == kDTypeOf<T>)
    return withOp<T>(plan, [&](const auto& op) { reduceInput(queue, plan, op); });
  const void* kernel =
      compiledKernel(queue, prologue, {plan.type, plan.arguments.dtypes, false, true, plan.columns, plan.kind});
  noteLaunch(kernel);
  if (kernel != nullptr)
    return withOp<T>(plan, [&](auto op) {
      plan.spread(kGeneratedThreads);
      placeWords(queue, plan, sizeof(typename decltype(op)::State));
      launchCompiled(queue, kernel, gridFor(queue, plan.blocks * kGeneratedThreads, kGeneratedThreads), plan.arguments,
                     op, divisionSite(queue, prologue));
      joinPieces(queue, plan.arguments, op);
    });
  const InterpretedProgram& program = interpretedProgram(queue, prologue);
  plan.spread(interpretedReduceThreads(program, plan.type));
  placeWords(queue, plan, sizeof(typename AnyOp<T>::State));
  launchInterpretedReduce(queue, program, plan);
  joinPieces(queue, plan.arguments, AnyOp<T>{plan.kind, plan.number});
}

}  // namespace

void reduce(Context& context, int64_t kind, const Program& prologue, TensorList outs, TensorList ins, Scalars scalars,
            double correction) {
  ReducePlan plan(kind, prologue, outs, ins, scalars, correction);
  if (plan.arguments.results == 0) return;
  Queue& queue = queueOf(context);
  switch (plan.type) {
    case ComputeType::Float32: return reduceTyped<float>(queue, plan, prologue);
    case ComputeType::Float64: return reduceTyped<double>(queue, plan, prologue);
    case ComputeType::Int64: return reduceTyped<int64_t>(queue, plan, prologue);
  }
}

}  // namespace thalweg::cuda
