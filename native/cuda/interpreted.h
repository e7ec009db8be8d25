// Interpreted programs in the kernels of map and reduce.
#pragma once
#include "cuda/map_kernel.h"
#include "cuda/programs.h"

namespace thalweg::cuda {

// The threads of a block of an interpreted map.
int interpretedMapThreads(const InterpretedProgram& program, ComputeType type);
void launchInterpretedMap(Queue& queue, const InterpretedProgram& program, ComputeType type,
                          const MapArguments& arguments);

}  // namespace thalweg::cuda
