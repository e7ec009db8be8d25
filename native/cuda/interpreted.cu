// The kernels of interpreted programs, all of them in one file: they share the function that runs an instruction, which
// takes long to compile.
#include "cuda/interpreted.h"

namespace thalweg::cuda {
namespace {

template <class T>
__global__ void interpretMap(const __grid_constant__ InterpretedProgram program,
                             const __grid_constant__ MapArguments arguments) {
  DYNAMIC_SHARED(char, memory);
  Interpreter<T> body(program, arguments.external != nullptr ? arguments.external : arguments.words, memory);
  mapTiles(body, arguments);
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

}  // namespace thalweg::cuda
