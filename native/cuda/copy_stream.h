// A stream for copies to the device that run beside the kernels of the queue.
//
// Which memory such a copy fills is kept until the queue's own stream has been told to wait for it. That happens where
// memory is used (Queue::use), so nobody who uploads or computes has to think of it.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "cuda/staging.h"

namespace thalweg::cuda {

// Bytes [begin, end) of device memory.
struct MemoryRange {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool overlaps(const MemoryRange& other) const { return begin < other.end && other.begin < end; }
};

class CopyStream {
 public:
  explicit CopyStream(StagingPool& staging) : staging_(staging) {}
  ~CopyStream();
  CopyStream(const CopyStream&) = delete;
  CopyStream& operator=(const CopyStream&) = delete;

  // Behind what has been launched on `main` so far, which may still use that memory for what was there before. `from`
  // may be used again when this returns.
  void upload(cudaStream_t main, void* to, const void* from, int64_t bytes);
  // Fills memory that nothing uses yet, and waits for that.
  void uploadNow(void* to, const void* from, int64_t bytes);

  // No copy is under way that `main` does not wait for.
  bool isSettled() const { return pending_.empty(); }
  // What is launched on `main` from now on waits for the copies to memory of which `uses` is true; for all of them.
  template <class Uses>
  void await(cudaStream_t main, Uses&& uses) {
    // A later copy is done after the earlier ones.
    for (size_t i = pending_.size(); i > 0; i--)
      if (uses(pending_[i - 1].memory)) return awaitFirst(main, i);
  }
  void awaitAll(cudaStream_t main) { awaitFirst(main, pending_.size()); }
  // Waits on the host.
  void finish();
  // The pinned memory that is being filled goes back to the pool, behind the copies from it.
  void giveBackLane() { staging_.giveBack(lane_, stream_); }

 private:
  struct Pending {
    MemoryRange memory;
    cudaEvent_t done;
  };
  static constexpr size_t kMostPending = 256;

  void open();
  void awaitFirst(cudaStream_t main, size_t count);
  void forgetFirst(size_t count);

  StagingPool& staging_;
  StagingPool::Lane lane_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t launched_ = nullptr;
  std::vector<Pending> pending_;    // in the order of the copies
  std::vector<cudaEvent_t> spare_;  // events that are not in use
};

}  // namespace thalweg::cuda
