// Programs that are compiled.
#pragma once
#include "cuda/builtins/record.h"
#include "cuda/generate.h"
#include "cuda/generated.h"
#include "cuda/launch.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// The kernel of a program's variant: one that was compiled with this library (builtins/table.h), or by NVRTC when it is
// first asked for. Null: it has to be interpreted, because there is no NVRTC, or the program is longer than what is
// worth compiling.
const void* compiledKernel(Queue& queue, const Program& program, const GeneratedVariant& variant);

// Called before a launch of this kernel, or of the interpreter if it is null: for tests.
inline void noteLaunch([[maybe_unused]] const void* kernel) {
#if defined(THALWEG_CUDA_EMULATED)
  countLaunch(kernel != nullptr);
#endif
}

// arguments: of exactly the types that the kernel takes (generate.h).
template <class... Arguments>
void launchCompiled(Queue& queue, const void* kernel, unsigned grid, const Arguments&... arguments) {
#if defined(THALWEG_CUDA_EMULATED)
  const auto run = reinterpret_cast<void (*)(Arguments...)>(const_cast<void*>(kernel));
  LAUNCH(run, grid, kGeneratedThreads, 0, queue, arguments...);
#else
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(&arguments))...};
  checkCuda(cudaLaunchKernel(kernel, dim3(grid), dim3(kGeneratedThreads), pointers, 0, queue.stream),
            "launching a compiled program");
#endif
}

}  // namespace thalweg::cuda
