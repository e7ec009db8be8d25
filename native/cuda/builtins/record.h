// Which programs run, for the list of those that are worth compiling when the plugin is built, and whether those that
// were are what is launched. On the emulated device only.
#pragma once
#include "cuda/generate.h"

namespace thalweg::cuda {

// Adds a line to the file that THALWEG_CUDA_EMULATED_PROGRAMS names, if it does, unless this process has done so.
void recordProgram(const Program& program, const GeneratedVariant& variant);

// Counts a launch of a program: of a built-in kernel, or of the interpreter. THALWEG_CUDA_EMULATED_LAUNCHES: the
// numbers are printed when the process ends.
void countLaunch(bool isBuiltin);

}  // namespace thalweg::cuda
