// How kernels are launched, and the few things that nvcc and the emulation (emulated/cuda_runtime.h) spell differently.
// Every .cu file is compiled twice: by nvcc for the plugin, and as ordinary C++ for the device that runs on the CPU in
// tests. So kernels are launched by LAUNCH, never by <<<>>>, and PTX stands only under #ifdef __CUDA_ARCH__.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

#include "runtime/error.h"

namespace thalweg::cuda {

constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kWarp = 32;

// In front of a loop over an array that shall stay in registers.
#if defined(__CUDACC__)
#define THALWEG_UNROLL _Pragma("unroll")
#else
#define THALWEG_UNROLL
#endif

// A failed call of the runtime as an error of Thalweg: what could not be done, and CUDA's own words.
void checkCuda(cudaError_t status, const char* what);
// "; what to do about it", or "".
const char* adviceOn(cudaError_t status);

#if defined(THALWEG_CUDA_EMULATED)
// LAUNCH(kernel, grid, block, dynamic shared bytes, queue, arguments...); a kernel with template arguments in
// parentheses.
#define LAUNCH(kernel, grid, block, shared, queue, ...)                                                          \
  (::thalweg::cuda::emulated::launch((grid), (block), (shared), (queue).stream, [=] { (kernel)(__VA_ARGS__); }), \
   ::thalweg::cuda::checkCuda(cudaGetLastError(), #kernel))
// Shared memory whose size the launch gives: DYNAMIC_SHARED(float, tile);
#define DYNAMIC_SHARED(type, name) \
  type* const name = reinterpret_cast<type*>(::thalweg::cuda::emulated::dynamicShared())
#else
#define LAUNCH(kernel, grid, block, shared, queue, ...)                   \
  do {                                                                    \
    (kernel)<<<(grid), (block), (shared), (queue).stream>>>(__VA_ARGS__); \
    ::thalweg::cuda::checkCuda(cudaGetLastError(), #kernel);              \
  } while (0)
#define DYNAMIC_SHARED(type, name)                         \
  extern __shared__ __align__(16) unsigned char name##_[]; \
  type* const name = reinterpret_cast<type*>(name##_)
#endif

}  // namespace thalweg::cuda
