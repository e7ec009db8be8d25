#include "cuda/queue.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace thalweg::cuda {

namespace {

// After these every further call fails, until the process ends.
bool isLost(cudaError_t status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure: return true;
    default: return false;
  }
}

}  // namespace

void checkCuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  // Or the next launch would find it again.
  cudaGetLastError();
  const ErrorKind kind = status == cudaErrorMemoryAllocation ? ErrorKind::OutOfMemory : ErrorKind::Device;
  fail(kind, "%.200s: CUDA reports %s (%s)%s", what, cudaGetErrorName(status), cudaGetErrorString(status),
       isLost(status) ? "; this process has lost its GPUs, start it again (the CPU still works)" : "");
}

namespace {

// Sites by code, from 1; process-wide, since a fault may be thrown by whoever waits.
struct Site {
  ErrorKind kind;
  const char* format;
};
constexpr int kMaxSites = 4096;
Site sites[kMaxSites];
int siteCount = 0;
std::mutex siteMutex;

int codeOf(ErrorKind kind, const char* format) {
  const std::lock_guard lock(siteMutex);
  for (int i = 0; i < siteCount; i++)
    if (sites[i].format == format && sites[i].kind == kind) return i + 1;
  if (siteCount == kMaxSites) fail(ErrorKind::Native, "there are more than %d places that report faults", kMaxSites);
  sites[siteCount] = {kind, format};
  return ++siteCount;
}

}  // namespace

Queue::Queue(int ordinal) : ordinal(ordinal) {
  makeCurrent();
  cudaDeviceProp properties;
  checkCuda(cudaGetDeviceProperties(&properties, ordinal), "reading the properties of the device");
  multiprocessors = properties.multiProcessorCount;
  computeMajor = properties.major;
  computeMinor = properties.minor;
  sharedBytes = static_cast<int>(properties.sharedMemPerBlock);
  checkCuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  void* fault = nullptr;
  checkCuda(cudaMalloc(&fault, sizeof(DeviceFault)), "allocating");
  fault_ = static_cast<DeviceFault*>(fault);
  checkCuda(cudaMemsetAsync(fault_, 0, sizeof(DeviceFault), stream), "clearing the word of faults");
  for (cudaEvent_t& event : staged_)
    checkCuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  checkCuda(cudaEventCreateWithFlags(&reached_, cudaEventDisableTiming), "making an event");
  const char* sync = std::getenv("THALWEG_SYNC");
  waitsAlways_ = sync && *sync && std::strcmp(sync, "0") != 0;
}

Queue::~Queue() {
  // A lost device refuses all of this, and the process goes on without it.
  cudaSetDevice(ordinal);
  if (stream) cudaStreamSynchronize(stream);
  // cuDNN's handle knows the stream.
  cudnnPlans.reset();
  for (Slot& slot : slots_)
    if (slot.data) cudaFree(slot.data);
  for (void* memory : kept_) cudaFree(memory);
  if (fault_) cudaFree(fault_);
  for (void* memory : staging_)
    if (memory) cudaFreeHost(memory);
  for (cudaEvent_t event : staged_)
    if (event) cudaEventDestroy(event);
  if (reached_) cudaEventDestroy(reached_);
  if (stream) cudaStreamDestroy(stream);
}

void Queue::makeCurrent() const {
  thread_local int current = -1;
  if (current == ordinal) return;
  checkCuda(cudaSetDevice(ordinal), "choosing the device");
  current = ordinal;
}

void* Queue::scratch(int slot, int64_t bytes) {
  Slot& chosen = slots_[slot];
  if (bytes <= chosen.bytes) return chosen.data;
  // cudaFree waits for what still uses the old memory; but a graph may use it again.
  if (chosen.data && captured_)
    kept_.push_back(chosen.data);
  else if (chosen.data)
    checkCuda(cudaFree(chosen.data), "freeing scratch memory");
  chosen = {};
  const int64_t rounded = (bytes + 255) / 256 * 256;
  checkCuda(cudaMalloc(&chosen.data, static_cast<size_t>(rounded)), "allocating scratch memory");
  chosen.bytes = rounded;
  return chosen.data;
}

void Queue::upload(void* to, const void* from, int64_t bytes) {
  for (int64_t done = 0, i = 0; done < bytes; i++) {
    const int64_t piece = std::min(bytes - done, kStagingBytes);
    const int half = static_cast<int>(i % 2);
    if (!staging_[half])
      checkCuda(cudaHostAlloc(&staging_[half], kStagingBytes, cudaHostAllocDefault), "allocating pinned memory");
    // What it carried last may still be on its way.
    checkCuda(cudaEventSynchronize(staged_[half]), "waiting for a copy");
    std::memcpy(staging_[half], static_cast<const char*>(from) + done, static_cast<size_t>(piece));
    checkCuda(cudaMemcpyAsync(static_cast<char*>(to) + done, staging_[half], static_cast<size_t>(piece),
                              cudaMemcpyHostToDevice, stream),
              "copying to the device");
    checkCuda(cudaEventRecord(staged_[half], stream), "recording a copy");
    done += piece;
  }
}

void Queue::download(void* to, const void* from, int64_t bytes) {
  // A few bytes, a loss mostly, come through pinned memory; more of them straight, which the driver stages itself.
  const bool small = bytes <= kStagingBytes;
  if (small && !staging_[0])
    checkCuda(cudaHostAlloc(&staging_[0], kStagingBytes, cudaHostAllocDefault), "allocating pinned memory");
  if (small) checkCuda(cudaEventSynchronize(staged_[0]), "waiting for a copy");
  checkCuda(cudaMemcpyAsync(small ? staging_[0] : to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream),
            "copying from the device");
  synchronize();
  if (small) std::memcpy(to, staging_[0], static_cast<size_t>(bytes));
}

void Queue::copyFrom(Queue& other, void* to, const void* from, int64_t bytes) {
  // Behind what the other device still has to do for it, and before what it does next with that memory.
  other.makeCurrent();
  checkCuda(cudaEventRecord(other.reached_, other.stream), "recording the other device's work");
  makeCurrent();
  checkCuda(cudaStreamWaitEvent(stream, other.reached_, 0), "waiting for the other device");
  checkCuda(cudaMemcpyPeerAsync(to, ordinal, from, other.ordinal, static_cast<size_t>(bytes), stream),
            "copying between devices");
  checkCuda(cudaEventRecord(reached_, stream), "recording the copy");
  other.makeCurrent();
  checkCuda(cudaStreamWaitEvent(other.stream, reached_, 0), "waiting for the copy");
  makeCurrent();
}

FaultSite Queue::faultSite(ErrorKind kind, const char* format) { return {fault_, codeOf(kind, format)}; }

void Queue::synchronize() {
  DeviceFault fault{};
  checkCuda(cudaMemcpyAsync(&fault, fault_, sizeof fault, cudaMemcpyDeviceToHost, stream),
            "reading the word of faults");
  checkCuda(cudaStreamSynchronize(stream), "waiting for the device");
  if (!fault.code) return;
  checkCuda(cudaMemsetAsync(fault_, 0, sizeof(DeviceFault), stream), "clearing the word of faults");
  const Site& site = sites[fault.code - 1];
  char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(text, sizeof text, site.format, fault.values[0], fault.values[1], fault.values[2], fault.values[3],
                fault.values[4]);
#pragma GCC diagnostic pop
  throw Error(site.kind, text);
}

}  // namespace thalweg::cuda
