// What a program computes in, given its operands.
#pragma once
#include <cmath>

#include "../kernel.h"

namespace THALWEG_KERNELS {

// computeTypeOf, but float64 where an all-integer program has a constant or scalar with a fraction (x < 0.5).
inline ComputeType programComputeType(const Program& program, Scalars scalars, const TensorView* views, int64_t count) {
  const ComputeType type = computeTypeOf(views, count);
  if (type != ComputeType::Int64) return type;
  const auto fractional = [](double x) { return x != std::trunc(x); };  // NaN too
  for (double x : program.constants)
    if (fractional(x)) return ComputeType::Float64;
  for (int64_t i = 0; i < scalars.count; i++)
    if (fractional(scalars[i])) return ComputeType::Float64;
  return type;
}

}  // namespace THALWEG_KERNELS
