#include "cuda/copy_stream.h"

#include "cuda/launch.h"

namespace thalweg::cuda {

CopyStream::~CopyStream() {
  if (stream_) cudaStreamSynchronize(stream_);
  for (const Pending& pending : pending_) cudaEventDestroy(pending.done);
  for (cudaEvent_t event : spare_) cudaEventDestroy(event);
  if (launched_) cudaEventDestroy(launched_);
  if (stream_) cudaStreamDestroy(stream_);
}

void CopyStream::open() {
  if (!launched_) checkCuda(cudaEventCreateWithFlags(&launched_, cudaEventDisableTiming), "making an event");
  if (!stream_) checkCuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}

void CopyStream::upload(cudaStream_t main, void* to, const void* from, int64_t bytes) {
  open();
  // Tensors that are uploaded and never used must not add up.
  if (pending_.size() >= kMostPending) awaitAll(main);
  if (spare_.empty()) {
    cudaEvent_t event = nullptr;
    checkCuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    spare_.push_back(event);
  }
  pending_.reserve(pending_.size() + 1);
  checkCuda(cudaEventRecord(launched_, main), "recording the kernels before a copy");
  checkCuda(cudaStreamWaitEvent(stream_, launched_, 0), "waiting for the kernels before a copy");
  try {
    staging_.upload(lane_, stream_, to, from, bytes);
    checkCuda(cudaEventRecord(spare_.back(), stream_), "recording a copy");
  } catch (...) {
    // Nobody would wait for the part of it that is under way.
    cudaStreamSynchronize(stream_);
    throw;
  }
  const char* begin = static_cast<const char*>(to);
  pending_.push_back({{begin, begin + bytes}, spare_.back()});
  spare_.pop_back();
}

void CopyStream::uploadNow(void* to, const void* from, int64_t bytes) {
  open();
  staging_.upload(lane_, stream_, to, from, bytes);
  checkCuda(cudaStreamSynchronize(stream_), "waiting for a copy");
}

void CopyStream::awaitFirst(cudaStream_t main, size_t count) {
  if (count == 0) return;
  checkCuda(cudaStreamWaitEvent(main, pending_[count - 1].done, 0), "waiting for a copy");
  forgetFirst(count);
}

void CopyStream::finish() {
  if (pending_.empty()) return;
  // A device that is lost says so to whoever reads.
  cudaStreamSynchronize(stream_);
  cudaGetLastError();
  forgetFirst(pending_.size());
}

// A wait is for what was recorded when it was asked for, so the events may serve again.
void CopyStream::forgetFirst(size_t count) {
  const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto at = pending_.begin(); at != end; ++at) spare_.push_back(at->done);
  pending_.erase(pending_.begin(), end);
}

}  // namespace thalweg::cuda
