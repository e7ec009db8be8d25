// Included by each CPU kernel file: declares every kernel in the namespace of the ISA being compiled
// (THALWEG_ISA is sse2, avx2, avx512 or neon; CMakeLists.txt compiles each file of this folder once per ISA).
#pragma once
#include "../kernel.h"

namespace thalweg::cpu::THALWEG_ISA {
#define KERNEL(name, ...) void name(Context&, __VA_ARGS__);
#include "kernels.def"
#undef KERNEL
}  // namespace thalweg::cpu::THALWEG_ISA
