// What the text of a generated program (generate.cpp) builds on, for NVRTC and for the host compiler that tests it.
#pragma once
#include "cuda/fault.h"
#include "cuda/map_kernel.h"
#include "cuda/reduce_kernel.h"
#include "functors.h"

namespace thalweg::cuda {

constexpr int kGeneratedThreads = 256;

// Products that no addition is fused with: the interpreter rounds each of them, and a compiled program shall give the
// same bits.
template <class T>
__device__ inline T product(T x, T y) {
#if defined(__CUDA_ARCH__)
  if constexpr (std::is_same_v<T, float>) return __fmul_rn(x, y);
  if constexpr (std::is_same_v<T, double>) return __dmul_rn(x, y);
#endif
  if constexpr (std::is_same_v<T, int64_t>)
    return IntegerOps<ScalarMath<int64_t>>::mul(x, y);
  else
    return x * y;
}

// A divisor of integers.
__device__ inline int64_t divisor(int64_t x, const FaultSite& site) {
  if (x == 0) site.report(0, 0);
  return x;
}

// A constant or scalar, from the bits of a float64.
template <class T>
__device__ inline T uniformValue(int64_t bits) {
  return convert<T>(__builtin_bit_cast(double, bits));
}

}  // namespace thalweg::cuda
