// The emulated device's memory and its failures.
#pragma once
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

// Runs what a fake library would launch.
void runOnDevice(void (*body)(void*), void* argument);

}  // namespace thalweg::cuda::emulated
