// Programs on the device: uploaded once for each queue, and kept as long as it lives.
#pragma once
#include "cuda/interpreter.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// computeTypeOf, but float64 where an all-integer program has a constant or scalar with a fraction (x < 0.5).
ComputeType programComputeType(const Program& program, Scalars scalars, const TensorView* views, int64_t count);

// Fails when the program has an instruction without a meaning in the type, or when scalars.count is wrong.
void checkProgram(const Program& program, ComputeType type, Scalars scalars);

// Where integer divisions by zero of this program are reported.
FaultSite divisionSite(Queue& queue, const Program& program);

const InterpretedProgram& interpretedProgram(Queue& queue, const Program& program);

}  // namespace thalweg::cuda
