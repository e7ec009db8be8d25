// The emulated device's memory and its failures.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace thalweg::cuda::emulated {

constexpr unsigned kWarpLanes = 32;
constexpr size_t kMostSharedBytes = size_t{227} << 10;

// While one lives, this thread may read and write device memory.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

// False, and an error for cudaGetLastError, when a launch must not run: bad dimensions, or the device is lost.
bool checkLaunch(bool valid);

// An error for cudaGetLastError, returned; and what every call returns on a lost device.
cudaError_t remember(cudaError_t error);
cudaError_t state();

// Launches what a fake library has in the place of a kernel, with a copy of its argument.
void runOnDevice(EmulatedStream* stream, void (*body)(void*), const void* argument, size_t bytes);

}  // namespace thalweg::cuda::emulated
