// Which programs run, for the list of those that are worth compiling when the plugin is built. On the emulated device
// only.
#pragma once
#include "cuda/generate.h"

namespace thalweg::cuda {

// Adds a line to the file that THALWEG_CUDA_EMULATED_PROGRAMS names, if it does, unless this process has done so.
void recordProgram(const Program& program, const GeneratedVariant& variant);

}  // namespace thalweg::cuda
