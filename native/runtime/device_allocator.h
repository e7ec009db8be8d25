// The memory of tensors of one device: segments taken from the device once, cut into blocks, and reused in stream
// order.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "runtime/allocator.h"

namespace thalweg {

// What is asked for is rounded up to 512 bytes. Blocks of up to 1 MB are cut from segments of 2 MB, larger ones from
// segments of 20 MB, those past 10 MB have a segment of their own, in whole 2 MB. The best fitting free block is taken;
// what is left of it becomes a free block, and free neighbours become one again. As with CachingAllocator, a block may
// be handed out again at once: whoever gets it is queued behind those that still use it. Used by one thread.
class DeviceAllocator final : public Allocator {
 public:
  // A segment from the device, null when it has no more; and its return.
  using Take = std::function<void*(int64_t bytes)>;
  using Return = std::function<void(void* segment)>;
  // synchronise: waits until everything queued has run, before cached segments go back because the device refused one.
  // exact: every block is a segment of its own, of just its size (for sanitizers).
  DeviceAllocator(Take take, Return giveBack, std::function<void()> synchronise, bool exact);
  ~DeviceAllocator() override;
  DeviceAllocator(const DeviceAllocator&) = delete;
  DeviceAllocator& operator=(const DeviceAllocator&) = delete;

  void* allocate(int64_t bytes) override;
  void release(void* block, int64_t bytes) override;
  int64_t cachedBytes() const override { return reserved_ - used_; }
  int64_t reservedBytes() const override { return reserved_; }
  // Segments of which nothing is in use.
  void trim() override;

  // A pool: from beginPool to endPool all memory comes from segments of its own, and what is released of them serves
  // the same pool only. After that its memory stays as it is, for a graph that was captured meanwhile, until
  // releasePool: then what is free goes back, and the rest when it is released.
  int beginPool();
  void endPool();
  void releasePool(int pool);

 private:
  struct Pool;
  struct Block {
    char* data;
    int64_t bytes;
    bool small, free;
    Block *previous, *next;  // neighbours in the segment
    Pool* pool;
  };
  struct BySize {
    bool operator()(const Block* a, const Block* b) const {
      return a->bytes != b->bytes ? a->bytes < b->bytes : a->data < b->data;
    }
  };
  using FreeBlocks = std::set<Block*, BySize>;
  struct Pool {
    FreeBlocks free[2];
    bool frozen = false;  // kept for a graph
    FreeBlocks& of(bool small) { return free[small ? 0 : 1]; }
  };

  Block* takeSegment(int64_t bytes, bool small);
  void returnSegment(Block* block);
  void mergeNext(Block* block);

  Take take_;
  Return return_;
  std::function<void()> synchronise_;
  const bool exact_;
  std::vector<std::unique_ptr<Pool>> pools_;  // the first is for all that is not captured
  Pool* active_;
  std::unordered_map<void*, Block*> live_;
  int64_t reserved_ = 0, used_ = 0;
};

}  // namespace thalweg
