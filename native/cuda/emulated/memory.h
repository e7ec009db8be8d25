// The emulated device's memory and its failures.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

struct EmulatedStream;

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

// Whether what is launched on a stream is kept for a graph; and keeping it.
bool captures(const EmulatedStream* stream);
void capture(EmulatedStream* stream, std::function<void()> work);
// Runs what a fake library would launch, now or as part of a graph, with a copy of its argument.
void runOnDevice(EmulatedStream* stream, void (*body)(void*), const void* argument, size_t bytes);

}  // namespace thalweg::cuda::emulated
