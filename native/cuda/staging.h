// Pinned host memory that copies pass through: the device reads and writes it by itself while the host goes on.
#pragma once
#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace thalweg::cuda {

class StagingPool {
 public:
  static constexpr int64_t kPieceBytes = int64_t{4} << 20;
  // What is uploaded ahead waits here until the device comes to it; past 256 MB the host waits with it.
  static constexpr size_t kMostPieces = 64;

  struct Piece {
    char* data = nullptr;
    cudaEvent_t passed = nullptr;
  };
  // The piece that a stream's uploads are filling: small ones share it.
  struct Lane {
    Piece* piece = nullptr;
    int64_t used = 0;
  };

  StagingPool() = default;
  ~StagingPool();
  StagingPool(const StagingPool&) = delete;
  StagingPool& operator=(const StagingPool&) = delete;

  // A piece that nothing uses; waits for one once there are as many as there may be. Null: the system gives no such
  // memory, or all of it is being filled.
  Piece* take();
  // Of no more use; or after the copies that are queued on the stream.
  void giveBack(Piece* piece) { free_.push_back(piece); }
  void giveBack(Piece* piece, cudaStream_t stream);
  void giveBack(Lane& lane, cudaStream_t stream);
  // Gives the system what no copy uses.
  void trim();
  // What there is, in use or not; any thread may ask.
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // Queues copies to the device. `from` may be used again when this returns.
  void upload(Lane& lane, cudaStream_t stream, void* to, const void* from, int64_t bytes);

 private:
  Piece* make();
  void landPassed();

  std::vector<std::unique_ptr<Piece>> pieces_;
  std::vector<Piece*> free_;
  std::deque<Piece*> travelling_;  // free as soon as their events have passed
  size_t most_ = kMostPieces;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace thalweg::cuda
