// The calls of CUDA's runtime that the plugin makes, on the CPU's memory. Environment variables make it fail as real
// machines do:
//   THALWEG_CUDA_EMULATED_DEVICES=n    how many devices there are (2); 0: cudaErrorNoDevice
//   THALWEG_CUDA_EMULATED_DRIVER=none | old
//   THALWEG_CUDA_EMULATED_MEMORY=bytes of each device (1 GiB)
//   THALWEG_CUDA_EMULATED_STRICT=1     memory that only kernels and copies can read and write
//   THALWEG_CUDA_EMULATED_LOST=n       launch n and everything after it fails, as on a lost device
#include <cuda_runtime.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/emulated/memory.h"

struct EmulatedGraph {
  std::vector<std::function<void()>> work;
};
struct EmulatedStream {
  EmulatedGraph* graph = nullptr;  // while it captures
  bool invalid = false;            // something was asked for that a graph cannot hold
};
struct EmulatedEvent {};

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

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) lastError = error;
  return error;
}
cudaError_t state() { return lost.load() ? cudaErrorLaunchFailure : cudaSuccess; }

}  // namespace

bool captures(const EmulatedStream* stream) { return stream && stream->graph; }
void capture(EmulatedStream* stream, std::function<void()> work) { stream->graph->work.push_back(std::move(work)); }

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
  const std::function<void()> work = [body, copy]() mutable {
    if (!checkLaunch(true)) return;
    const DeviceAccess access;
    body(copy.data());
  };
  if (captures(stream)) return capture(stream, work);
  work();
}

}  // namespace thalweg::cuda::emulated

using namespace thalweg::cuda::emulated;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "cudaErrorUnknown";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorNotReady: return "device not ready";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
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
  if (deviceCount() == 0) return remember(cudaErrorNoDevice);
  *count = deviceCount();
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  const char* driver = std::getenv("THALWEG_CUDA_EMULATED_DRIVER");
  *version = !driver ? 13000 : std::strcmp(driver, "none") == 0 ? 0 : 12020;
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
  properties->major = 9;
  properties->multiProcessorCount = 2;
  properties->warpSize = 32;
  properties->l2CacheSize = 1 << 20;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int ordinal) {
  if (ordinal < 0 || ordinal >= deviceCount()) return remember(cudaErrorInvalidDevice);
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
  *to = std::malloc(bytes ? bytes : 1);
  return *to ? cudaSuccess : remember(cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* data) {
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
  if (captures(stream)) {
    capture(stream, [=] { cudaMemcpyAsync(to, from, bytes, kind, nullptr); });
    return cudaSuccess;
  }
  const DeviceAccess access;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  if (state() != cudaSuccess) return remember(state());
  if (captures(stream)) {
    capture(stream, [=] { cudaMemsetAsync(to, value, bytes, nullptr); });
    return cudaSuccess;
  }
  const DeviceAccess access;
  std::memset(to, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new EmulatedStream;
  return remember(state());
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (captures(stream)) {
    stream->invalid = true;
    return remember(cudaErrorStreamCaptureUnsupported);
  }
  return remember(state());
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (captures(stream)) return remember(cudaErrorInvalidValue);
  stream->graph = new EmulatedGraph;
  stream->invalid = false;
  return remember(state());
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = std::exchange(stream->graph, nullptr);
  if (!*graph) return remember(cudaErrorInvalidValue);
  if (!stream->invalid) return remember(state());
  delete std::exchange(*graph, nullptr);
  return remember(cudaErrorStreamCaptureInvalidated);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new EmulatedGraph(*graph);
  return remember(state());
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  if (state() != cudaSuccess) return remember(state());
  for (const auto& work : exec->work) work();
  return remember(state());
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return remember(state()); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new EmulatedEvent;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return remember(state()); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return remember(state()); }
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) {
  *can = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaSuccess; }
