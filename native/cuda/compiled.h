// Programs compiled for the device of a queue.
#pragma once
#include "cuda/generate.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// The kernel of a program's variant, compiled when it is first asked for; null: it has to be interpreted, because there
// is no NVRTC, or the program is longer than what is worth compiling.
const void* compiledKernel(Queue& queue, const Program& program, const GeneratedVariant& variant);

void launchCompiled(Queue& queue, const void* kernel, unsigned grid, void** arguments);

}  // namespace thalweg::cuda
