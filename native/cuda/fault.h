// How a kernel says that its operands are bad when only the device could see it. The first report stays.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace thalweg::cuda {

struct DeviceFault {
  int code;  // of the site, 0: none
  long long values[5];
};

// Passed to kernels by value.
struct FaultSite {
  DeviceFault* fault;
  int code;

  // Host files of the plugin see the rest of the structure only.
#if defined(__CUDACC__) || defined(THALWEG_CUDA_EMULATED)
  __device__ void report(int64_t first, int64_t second, int64_t third = 0, int64_t fourth = 0,
                         int64_t fifth = 0) const {
    if (atomicCAS(&fault->code, 0, code) != 0) return;
    const int64_t values[] = {first, second, third, fourth, fifth};
    for (int i = 0; i < 5; i++) fault->values[i] = values[i];
  }
#endif
};

}  // namespace thalweg::cuda
