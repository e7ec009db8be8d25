#include "cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/launch.h"

namespace thalweg::cuda {

StagingPool::~StagingPool() {
  for (const auto& piece : pieces_) {
    if (piece->passed) cudaEventDestroy(piece->passed);
    if (piece->data) cudaFreeHost(piece->data);
  }
}

StagingPool::Piece* StagingPool::make() {
  auto piece = std::make_unique<Piece>();
  void* data = nullptr;
  if (cudaHostAlloc(&data, kPieceBytes, cudaHostAllocDefault) == cudaSuccess &&
      cudaEventCreateWithFlags(&piece->passed, cudaEventDisableTiming) == cudaSuccess) {
    piece->data = static_cast<char*>(data);
    pieces_.push_back(std::move(piece));
    bytes_.fetch_add(kPieceBytes, std::memory_order_relaxed);
    return pieces_.back().get();
  }
  if (data) cudaFreeHost(data);
  // Pinned memory is scarce, and nothing depends on it: what there is has to do. The next launch must not find the
  // error.
  cudaGetLastError();
  most_ = pieces_.size();
  return nullptr;
}

StagingPool::Piece* StagingPool::take() {
  if (!free_.empty()) {
    Piece* piece = free_.back();
    free_.pop_back();
    return piece;
  }
  // Those of another stream may have passed before the first one.
  for (auto at = travelling_.begin(); at != travelling_.end(); ++at) {
    const cudaError_t status = cudaEventQuery((*at)->passed);
    if (status == cudaErrorNotReady) {
      cudaGetLastError();
      continue;
    }
    checkCuda(status, "asking for a copy");
    Piece* piece = *at;
    travelling_.erase(at);
    return piece;
  }
  if (pieces_.size() < most_)
    if (Piece* piece = make()) return piece;
  if (travelling_.empty()) return nullptr;
  Piece* piece = travelling_.front();
  checkCuda(cudaEventSynchronize(piece->passed), "waiting for a copy");
  travelling_.pop_front();
  return piece;
}

void StagingPool::giveBack(Piece* piece, cudaStream_t stream) {
  checkCuda(cudaEventRecord(piece->passed, stream), "recording a copy");
  travelling_.push_back(piece);
}

void StagingPool::giveBack(Lane& lane, cudaStream_t stream) {
  if (lane.piece) giveBack(std::exchange(lane, {}).piece, stream);
}

void StagingPool::landPassed() {
  std::deque<Piece*> left;
  for (Piece* piece : travelling_) {
    // On a lost device nothing passes.
    if (cudaEventQuery(piece->passed) == cudaSuccess) {
      free_.push_back(piece);
    } else {
      cudaGetLastError();
      left.push_back(piece);
    }
  }
  travelling_ = std::move(left);
}

void StagingPool::trim() {
  landPassed();
  for (const Piece* piece : free_) {
    cudaEventDestroy(piece->passed);
    cudaFreeHost(piece->data);
    std::erase_if(pieces_, [&](const auto& each) { return each.get() == piece; });
    bytes_.fetch_sub(kPieceBytes, std::memory_order_relaxed);
  }
  free_.clear();
  // The system may have more of it by the time it is needed again.
  most_ = kMostPieces;
}

void StagingPool::upload(Lane& lane, cudaStream_t stream, void* to, const void* from, int64_t bytes) {
  for (int64_t done = 0; done < bytes;) {
    if (!lane.piece) lane = {take(), 0};
    const char* source = static_cast<const char*>(from) + done;
    int64_t part = bytes - done;
    // Straight from pageable memory, if need be: the driver reads all of it before it returns.
    if (lane.piece) {
      part = std::min(part, kPieceBytes - lane.used);
      char* staged = lane.piece->data + lane.used;
      std::memcpy(staged, source, static_cast<size_t>(part));
      source = staged;
    }
    checkCuda(cudaMemcpyAsync(static_cast<char*>(to) + done, source, static_cast<size_t>(part), cudaMemcpyHostToDevice,
                              stream),
              "copying to the device");
    done += part;
    if (!lane.piece) continue;
    lane.used += (part + 255) / 256 * 256;
    if (lane.used < kPieceBytes) continue;
    Piece* full = lane.piece;
    lane.piece = nullptr;
    giveBack(full, stream);
  }
}

}  // namespace thalweg::cuda
