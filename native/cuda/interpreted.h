// Interpreted programs in the kernels of map and reduce.
#pragma once
#include "cuda/map_kernel.h"
#include "cuda/programs.h"
#include "cuda/reduce_plan.h"

namespace thalweg::cuda {

// The threads of a block of an interpreted map.
int interpretedMapThreads(const InterpretedProgram& program, ComputeType type);
void launchInterpretedMap(Queue& queue, const InterpretedProgram& program, ComputeType type,
                          const MapArguments& arguments);

// The same of a reduction, whose plan has been spread over blocks of that many threads. The operation is an AnyOp.
int interpretedReduceThreads(const InterpretedProgram& program, ComputeType type);
void launchInterpretedReduce(Queue& queue, const InterpretedProgram& program, const ReducePlan& plan);

}  // namespace thalweg::cuda
