// The reductions, in the order of src/ops.
#pragma once
#include <cstdint>

namespace thalweg {

enum class ReduceKind : int64_t { Sum, Mean, Prod, Max, Min, ArgMax, ArgMin, MaxIndex, MinIndex, All, Any, Var };

}  // namespace thalweg
