// The math of elementwise programs, each function written once: as templates over a policy M that says what a value is.
// With ScalarMath<T> a value is a T (for a device compiler); the CPU kernels use VectorMath<T> of cpu/vecmath.h, in the
// namespace of their ISA, where a value is a whole vector. Names and meanings are those of opcodes.def.
#pragma once
#include "functors_float.h"
#include "functors_integer.h"
