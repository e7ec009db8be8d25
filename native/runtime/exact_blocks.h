// Memory for finding steps outside a tensor: every block is of exactly its own size, with nothing readable beside it,
// and a released one is kept apart until nobody can be using it. Slow, and only for tests: builds with AddressSanitizer
// always work this way, others when the environment has THALWEG_GUARD.
#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace thalweg {

// How a block is fenced. Sanitizer: by the redzones of AddressSanitizer's malloc. End, Start: by a page without access
// that touches the block's end (THALWEG_GUARD=1) or its start (THALWEG_GUARD=start), so that a step over it stops the
// process.
enum class Fence { None, Sanitizer, End, Start };
Fence fence();

// A block of exactly `bytes`; nullptr when refused. With Fence::End it starts where it then has to, at a multiple of
// `alignment` at or before that.
void* fencedAllocate(int64_t bytes, int64_t alignment);
void fencedRelease(void* block, int64_t bytes);

// What CachingAllocator does in a process with a fence.
class ExactBlocks {
 public:
  explicit ExactBlocks(std::function<void()> synchronise) : synchronise_(std::move(synchronise)) {}
  ~ExactBlocks() { trim(); }
  ExactBlocks(const ExactBlocks&) = delete;
  ExactBlocks& operator=(const ExactBlocks&) = delete;

  void* allocate(int64_t bytes);
  void release(void* block, int64_t bytes);
  int64_t cachedBytes() const;
  int64_t reservedBytes() const;
  bool wantsTrim() const;
  void trim();

 private:
  struct Block {
    void* address;
    int64_t bytes;
  };
  // Of released blocks. Their number counts too: a process has 65,530 mappings unless configured otherwise.
  static constexpr int64_t kQuarantineBytes = int64_t{64} << 20;
  static constexpr size_t kQuarantineBlocks = 1024;

  static void freeAll(std::vector<Block>& blocks);

  mutable std::mutex mutex_;
  std::function<void()> synchronise_;
  std::vector<Block> quarantine_;
  int64_t live_ = 0, quarantined_ = 0;
};

}  // namespace thalweg
