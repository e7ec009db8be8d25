// The kernels of interpreted programs, all of them in one file: they share the function that runs an instruction, which
// takes long to compile.
#include "cuda/interpreted.h"

namespace thalweg::cuda {
namespace {

template <class T>
__global__ void interpretMap(const __grid_constant__ InterpretedProgram program,
                             const __grid_constant__ MapArguments arguments) {
  DYNAMIC_SHARED(char, memory);
  if (arguments.skipped()) return;
  Interpreter<T> body(program, arguments.scalarWords(), memory);
  mapTiles(body, arguments);
}

// States of kVector results for each thread lie behind the registers.
template <class T>
constexpr int64_t kStatesBytes = kVector<T> * static_cast<int64_t>(sizeof(typename AnyOp<T>::State));

template <class T, bool kColumns>
__global__ void interpretReduce(const __grid_constant__ InterpretedProgram program,
                                const __grid_constant__ ReduceArguments arguments, AnyOp<T> op, int64_t statesFrom) {
  DYNAMIC_SHARED(char, memory);
  Interpreter<T> body(program, arguments.external != nullptr ? arguments.external : arguments.words, memory);
  if constexpr (kColumns)
    reduceColumns(body, op, arguments, memory + statesFrom);
  else
    reduceRows(body, op, arguments, memory + statesFrom);
}

// Calls f with a value of the compute type.
template <class F>
auto withCompute(ComputeType type, F&& f) {
  switch (type) {
    case ComputeType::Float32: return f(float{});
    case ComputeType::Float64: return f(double{});
    case ComputeType::Int64: break;
  }
  return f(int64_t{});
}

}  // namespace

int interpretedMapThreads(const InterpretedProgram& program, ComputeType type) {
  return withCompute(type, [&](auto value) { return Interpreter<decltype(value)>::threadsFor(program, 0); });
}

void launchInterpretedMap(Queue& queue, const InterpretedProgram& program, ComputeType type,
                          const MapArguments& arguments) {
  withCompute(type, [&](auto value) {
    using T = decltype(value);
    const int threads = Interpreter<T>::threadsFor(program, 0);
    const auto shared = static_cast<size_t>(Interpreter<T>::sharedBytes(program, threads));
    LAUNCH(interpretMap<T>, gridFor(queue, arguments.tiles * threads, threads), threads, shared, queue, program,
           arguments);
  });
}

int interpretedReduceThreads(const InterpretedProgram& program, ComputeType type) {
  return withCompute(type, [&](auto value) {
    using T = decltype(value);
    return Interpreter<T>::threadsFor(program, kStatesBytes<T>);
  });
}

void launchInterpretedReduce(Queue& queue, const InterpretedProgram& program, const ReducePlan& plan) {
  withCompute(plan.type, [&](auto value) {
    using T = decltype(value);
    const int threads = Interpreter<T>::threadsFor(program, kStatesBytes<T>);
    const unsigned grid = gridFor(queue, plan.blocks * threads, threads);
    const int64_t statesFrom = Interpreter<T>::sharedBytes(program, threads);
    const auto shared = static_cast<size_t>(statesFrom + threads * kStatesBytes<T>);
    const AnyOp<T> op{plan.kind, plan.number};
    if (plan.columns)
      LAUNCH((interpretReduce<T, true>), grid, threads, shared, queue, program, plan.arguments, op, statesFrom);
    else
      LAUNCH((interpretReduce<T, false>), grid, threads, shared, queue, program, plan.arguments, op, statesFrom);
  });
}

}  // namespace thalweg::cuda
