// The calls of CUDA's runtime that the plugin makes, on the CPU's memory. Environment variables make it fail as real
// machines do:
//   THALWEG_CUDA_EMULATED_DEVICES=n    how many devices there are (2); 0: cudaErrorNoDevice
//   THALWEG_CUDA_EMULATED_DRIVER=none | old | the number of the error that asking for devices gives
//   THALWEG_CUDA_EMULATED_START=n      the error that using a device gives
//   THALWEG_CUDA_EMULATED_CAPABILITY=n its compute capability (90)
//   THALWEG_CUDA_EMULATED_MEMORY=bytes of each device (1 GiB)
//   THALWEG_CUDA_EMULATED_STRICT=1     memory that only kernels and copies can read and write
//   THALWEG_CUDA_EMULATED_LOST=n       launch n and everything after it fails, as on a lost device
//   THALWEG_CUDA_EMULATED_PINNED=n     only n allocations of pinned memory succeed, in the whole process
//   THALWEG_CUDA_EMULATED_STREAMS=late | early: see streams.cpp
//   THALWEG_CUDA_EMULATED_PROGRAMS=file to which the programs that run are written (builtins/record.cpp)
//   THALWEG_CUDA_EMULATED_LAUNCHES=1   how they were launched is printed when the process ends
#include <cuda_runtime.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/emulated/memory.h"
#include "cuda/emulated/streams.h"

namespace thalweg::cuda::emulated {
namespace {

long long setting(const char* name, long long otherwise) {
  const char* text = std::getenv(name);
  return text && *text ? std::atoll(text) : otherwise;
}

int deviceCount() {
  static const int count = static_cast<int>(setting("THALWEG_CUDA_EMULATED_DEVICES", 2));
  return count;
}
size_t deviceBytes() {
  static const size_t bytes = static_cast<size_t>(setting("THALWEG_CUDA_EMULATED_MEMORY", 1ll << 30));
  return bytes;
}

struct Block {
  size_t bytes, mapped;
  int device;
};
std::mutex mutex;
std::map<void*, Block> blocks;
std::map<const char*, size_t> pinned;
long long pinnings = 0;
constexpr int kMostDevices = 16;
size_t used[kMostDevices];
thread_local int device = 0;
thread_local cudaError_t lastError = cudaSuccess;
std::atomic<long long> launches{0};
std::atomic<bool> lost{false};

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Host code that reads device memory works here and crashes on a real machine. With this it crashes here too.
bool strict() {
  static const bool value = !kSanitized && setting("THALWEG_CUDA_EMULATED_STRICT", 0) != 0;
  return value;
}
int accesses = 0;  // guarded by mutex

void protectAll(int protection) {
  for (const auto& [data, block] : blocks) mprotect(data, block.mapped, protection);
}

bool isPinned(const void* data) {
  const std::lock_guard lock(mutex);
  const char* address = static_cast<const char*>(data);
  const auto after = pinned.upper_bound(address);
  return after != pinned.begin() && address < std::prev(after)->first + std::prev(after)->second;
}

void copyNow(void* to, const void* from, size_t bytes) {
  if (state() != cudaSuccess) return;
  const DeviceAccess access;
  std::memmove(to, from, bytes);
}

}  // namespace

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) lastError = error;
  return error;
}
cudaError_t state() { return lost.load() ? cudaErrorLaunchFailure : cudaSuccess; }

DeviceAccess::DeviceAccess() {
  if (!strict()) return;
  const std::lock_guard lock(mutex);
  if (accesses++ == 0) protectAll(PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (!strict()) return;
  const std::lock_guard lock(mutex);
  if (--accesses == 0) protectAll(PROT_NONE);
}

bool checkLaunch(bool valid) {
  static const long long last = setting("THALWEG_CUDA_EMULATED_LOST", -1);
  if (last >= 0 && launches.fetch_add(1) >= last) lost.store(true);
  const cudaError_t error = valid ? state() : cudaErrorInvalidValue;
  remember(error);
  return error == cudaSuccess;
}

void runOnDevice(EmulatedStream* stream, void (*body)(void*), const void* argument, size_t bytes) {
  const char* from = static_cast<const char*>(argument);
  std::vector<char> copy(from, from + bytes);
  enqueue(stream, Work::Kernel, [body, copy]() mutable {
    if (!checkLaunch(true)) return;
    const DeviceAccess access;
    body(copy.data());
  });
}

}  // namespace thalweg::cuda::emulated

using namespace thalweg::cuda::emulated;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorDevicesUnavailable: return "cudaErrorDevicesUnavailable";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorSystemNotReady: return "cudaErrorSystemNotReady";
    case cudaErrorSystemDriverMismatch: return "cudaErrorSystemDriverMismatch";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureIsolation: return "cudaErrorStreamCaptureIsolation";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorDevicesUnavailable: return "CUDA-capable device(s) is/are busy or unavailable";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorSystemNotReady: return "system not yet initialized";
    case cudaErrorSystemDriverMismatch: return "system has unsupported display driver / cuda driver combination";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
    case cudaErrorStreamCaptureIsolation: return "dependency created on uncaptured work in another stream";
    default: return "unknown error";
  }
}
cudaError_t cudaGetLastError() {
  const cudaError_t error = lastError;
  lastError = cudaSuccess;
  return error;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const char* driver = std::getenv("THALWEG_CUDA_EMULATED_DRIVER"))
    if (std::strcmp(driver, "none") == 0 || std::strcmp(driver, "old") == 0)
      return remember(cudaErrorInsufficientDriver);
  if (const long long error = setting("THALWEG_CUDA_EMULATED_DRIVER", 0))
    return remember(static_cast<cudaError_t>(error));
  if (deviceCount() == 0) return remember(cudaErrorNoDevice);
  *count = deviceCount();
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  const char* driver = std::getenv("THALWEG_CUDA_EMULATED_DRIVER");
  *version = driver && std::strcmp(driver, "none") == 0 ? 0 : driver && std::strcmp(driver, "old") == 0 ? 12020 : 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int ordinal) {
  if (ordinal < 0 || ordinal >= deviceCount()) return remember(cudaErrorInvalidDevice);
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated device %d", ordinal);
  properties->totalGlobalMem = deviceBytes();
  properties->sharedMemPerBlock = size_t{48} << 10;
  properties->sharedMemPerBlockOptin = kMostSharedBytes;
  const auto capability = static_cast<int>(setting("THALWEG_CUDA_EMULATED_CAPABILITY", 90));
  properties->major = capability / 10;
  properties->minor = capability % 10;
  properties->multiProcessorCount = 2;
  properties->warpSize = 32;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int ordinal) {
  if (ordinal < 0 || ordinal >= deviceCount()) return remember(cudaErrorInvalidDevice);
  if (const long long error = setting("THALWEG_CUDA_EMULATED_START", 0))
    return remember(static_cast<cudaError_t>(error));
  device = ordinal;
  return remember(state());
}
cudaError_t cudaGetDevice(int* ordinal) {
  *ordinal = device;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** to, size_t bytes) {
  *to = nullptr;
  if (state() != cudaSuccess) return remember(state());
  const std::lock_guard lock(mutex);
  if (bytes > deviceBytes() - used[device]) return remember(cudaErrorMemoryAllocation);
  const size_t mapped = (bytes + 4095) / 4096 * 4096;
  void* data = nullptr;
  if (kSanitized) {
    // Each block by itself, so that the sanitizer sees a step over its end.
    if (posix_memalign(&data, 256, bytes ? bytes : 1) != 0) data = nullptr;
  } else {
    data = mmap(nullptr, mapped ? mapped : 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1, 0);
    if (data == MAP_FAILED) data = nullptr;
  }
  if (!data) return remember(cudaErrorMemoryAllocation);
  std::memset(data, 0xCD, bytes < (size_t{1} << 20) ? bytes : size_t{1} << 20);
  if (strict() && accesses == 0) mprotect(data, mapped ? mapped : 4096, PROT_NONE);
  blocks[data] = {bytes, mapped ? mapped : 4096, device};
  used[device] += bytes;
  *to = data;
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  if (!data) return cudaSuccess;
  finishAll();
  const std::lock_guard lock(mutex);
  const auto found = blocks.find(data);
  if (found == blocks.end()) return remember(cudaErrorInvalidValue);
  used[found->second.device] -= found->second.bytes;
  if (kSanitized)
    std::free(data);
  else
    munmap(data, found->second.mapped);
  blocks.erase(found);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** to, size_t bytes, unsigned) {
  static const long long most = setting("THALWEG_CUDA_EMULATED_PINNED", -1);
  *to = nullptr;
  if (state() != cudaSuccess) return remember(state());
  const std::lock_guard lock(mutex);
  if (most >= 0 && pinnings >= most) return remember(cudaErrorMemoryAllocation);
  *to = std::malloc(bytes ? bytes : 1);
  if (!*to) return remember(cudaErrorMemoryAllocation);
  std::memset(*to, 0xCD, bytes);
  pinnings++;
  pinned[static_cast<char*>(*to)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  finishAll();
  const std::lock_guard lock(mutex);
  if (pinned.erase(static_cast<char*>(data)) == 0) return remember(cudaErrorInvalidValue);
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const std::lock_guard lock(mutex);
  *total = deviceBytes();
  *free = deviceBytes() - used[device];
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (state() != cudaSuccess) return remember(state());
  if (runsNow(stream)) {
    copyNow(to, from, bytes);
    return cudaSuccess;
  }
  // Pageable memory is read before the call returns, and filled.
  if (kind == cudaMemcpyHostToDevice && !captures(stream) && !isPinned(from)) {
    const auto* first = static_cast<const char*>(from);
    const auto taken = std::make_shared<std::vector<char>>(first, first + bytes);
    enqueue(stream, Work::Copy, [=] { copyNow(to, taken->data(), taken->size()); });
    return cudaSuccess;
  }
  enqueue(stream, Work::Copy, [=] { copyNow(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && !captures(stream) && !isPinned(to)) finish(stream);
  return remember(state());
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  if (state() != cudaSuccess) return remember(state());
  // As a kernel: it is no copy that another engine could do beside them.
  enqueue(stream, Work::Kernel, [=] {
    if (state() != cudaSuccess) return;
    const DeviceAccess access;
    std::memset(to, value, bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaSuccess; }
