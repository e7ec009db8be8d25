#include "cuda/queue.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#include "cuda/launch.h"

namespace thalweg::cuda {

namespace {

constexpr int kOldestCapability = 75;

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
  if (computeMajor * 10 + computeMinor < kOldestCapability)
    fail(ErrorKind::Device,
         "%.200s has compute capability %d.%d, and needed is %d.%d or newer; CUDA_VISIBLE_DEVICES chooses another GPU",
         properties.name, computeMajor, computeMinor, kOldestCapability / 10, kOldestCapability % 10);
  sharedBytes = static_cast<int>(properties.sharedMemPerBlock);
  checkCuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  void* fault = nullptr;
  checkCuda(cudaMalloc(&fault, sizeof(DeviceFault)), "allocating");
  fault_ = static_cast<DeviceFault*>(fault);
  checkCuda(cudaMemsetAsync(fault_, 0, sizeof(DeviceFault), stream), "clearing the word of faults");
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
  captured_.reset();
  freeOutgrown();
  if (fault_) cudaFree(fault_);
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
  if (chosen.data && graphs_ > 0)
    outgrown_.push_back(chosen.data);
  else if (chosen.data)
    checkCuda(cudaFree(chosen.data), "freeing scratch memory");
  chosen = {};
  const int64_t rounded = (bytes + 255) / 256 * 256;
  const cudaError_t status = cudaMalloc(&chosen.data, static_cast<size_t>(rounded));
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    chosen.data = nullptr;
    fail(ErrorKind::OutOfMemory,
         "the GPU has no %lld bytes left for what a kernel needs besides its tensors; call emptyCache() before it, or "
         "use "
         "smaller batches, amp.autocast or utils.checkpoint",
         static_cast<long long>(rounded));
  }
  checkCuda(status, "allocating scratch memory");
  chosen.bytes = rounded;
  return chosen.data;
}

void Queue::trim() {
  if (capturing_) return;
  staging_.giveBack(lane_, stream);
  copies_.giveBackLane();
  staging_.trim();
  // A graph may use its scratch memory again.
  if (graphs_ > 0) return;
  for (Slot& slot : slots_) {
    if (slot.data) checkCuda(cudaFree(slot.data), "freeing scratch memory");
    slot = {};
  }
}

void Queue::useMemory(const void* data, int64_t bytes) {
  const char* begin = static_cast<const char*>(data);
  const MemoryRange memory{begin, begin + bytes};
  if (capturing_) captured_->memory.push_back(memory);
  copies_.await(stream, [&](const MemoryRange& filled) { return filled.overlaps(memory); });
}

void Queue::useOperand(const TensorView& view) {
  int64_t last = 0;
  for (int d = 0; d < view.ndim; d++) {
    if (view.shape[d] == 0) return;
    last += (view.shape[d] - 1) * view.strides[d];
  }
  useMemory(view.data, (last + 1) * itemSize(view.dtype));
}

void Queue::upload(void* to, const void* from, int64_t bytes) {
  // A graph would read the host's memory again at each launch: what it needs is filled beside it.
  if (capturing_) return copies_.uploadNow(to, from, bytes);
  useMemory(to, bytes);
  staging_.upload(lane_, stream, to, from, bytes);
}

void Queue::uploadAside(void* to, const void* from, int64_t bytes) {
  if (capturing_ || waitsAlways_) return upload(to, from, bytes);
  copies_.upload(stream, to, from, bytes);
}

void Queue::download(void* to, const void* from, int64_t bytes) {
  useMemory(from, bytes);
  struct Part {
    StagingPool::Piece* piece;
    char* to;
    int64_t bytes;
  };
  struct Parts {
    StagingPool& staging;
    std::deque<Part> travelling;
    ~Parts() {
      for (const Part& part : travelling) staging.giveBack(part.piece);
    }
    void land() {
      const Part& first = travelling.front();
      std::memcpy(first.to, first.piece->data, static_cast<size_t>(first.bytes));
      staging.giveBack(first.piece);
      travelling.pop_front();
    }
  } parts{staging_, {}};
  // While one part is copied out of its piece, others travel.
  constexpr size_t kTravelling = 4;
  for (int64_t done = 0; done < bytes;) {
    StagingPool::Piece* piece = parts.travelling.size() < kTravelling ? staging_.take() : nullptr;
    if (!piece && !parts.travelling.empty()) {
      checkCuda(cudaEventSynchronize(parts.travelling.front().piece->passed), "waiting for a copy");
      parts.land();
      continue;
    }
    const int64_t part = piece ? std::min(bytes - done, StagingPool::kPieceBytes) : bytes - done;
    char* target = static_cast<char*>(to) + done;
    if (piece) parts.travelling.push_back({piece, target, part});
    checkCuda(cudaMemcpyAsync(piece ? piece->data : target, static_cast<const char*>(from) + done,
                              static_cast<size_t>(part), cudaMemcpyDeviceToHost, stream),
              "copying from the device");
    done += part;
    if (piece && bytes > StagingPool::kPieceBytes)
      checkCuda(cudaEventRecord(piece->passed, stream), "recording a copy");
  }
  finish();
  while (!parts.travelling.empty()) parts.land();
}

void Queue::copyFrom(Queue& other, void* to, const void* from, int64_t bytes) {
  useMemory(to, bytes);
  // Behind what the other device still has to do for it, and before what it does next with that memory.
  other.makeCurrent();
  other.useMemory(from, bytes);
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
  copies_.awaitAll(stream);
  finish();
}

void Queue::finish() {
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
