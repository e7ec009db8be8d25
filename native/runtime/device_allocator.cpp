#include "runtime/device_allocator.h"

#include <utility>

namespace thalweg {

namespace {

constexpr int64_t kRounding = 512;
constexpr int64_t kSmall = int64_t{1} << 20;
constexpr int64_t kSmallSegment = int64_t{2} << 20;
constexpr int64_t kLargeSegment = int64_t{20} << 20;
constexpr int64_t kOwnSegment = int64_t{10} << 20;

int64_t roundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

DeviceAllocator::DeviceAllocator(Take take, Return giveBack, std::function<void()> synchronise, bool exact)
    : take_(std::move(take)), return_(std::move(giveBack)), synchronise_(std::move(synchronise)), exact_(exact) {
  pools_.push_back(std::make_unique<Pool>());
  active_ = pools_[0].get();
}

DeviceAllocator::~DeviceAllocator() {
  for (const auto& pool : pools_) pool->frozen = false;
  trim();
}

int DeviceAllocator::beginPool() {
  pools_.push_back(std::make_unique<Pool>());
  active_ = pools_.back().get();
  active_->frozen = true;
  return static_cast<int>(pools_.size()) - 1;
}

void DeviceAllocator::endPool() { active_ = pools_[0].get(); }

void DeviceAllocator::releasePool(int pool) {
  pools_[static_cast<size_t>(pool)]->frozen = false;
  trim();
}

DeviceAllocator::Block* DeviceAllocator::takeSegment(int64_t bytes, bool small) {
  void* data = take_(bytes);
  if (!data) return nullptr;
  reserved_ += bytes;
  return new Block{static_cast<char*>(data), bytes, small, true, nullptr, nullptr, active_};
}

void DeviceAllocator::returnSegment(Block* block) {
  reserved_ -= block->bytes;
  return_(block->data);
  delete block;
}

void* DeviceAllocator::allocate(int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX / 2) return nullptr;
  // Something to point at for tensors of no elements.
  const int64_t wanted = exact_ ? (bytes ? bytes : 1) : roundUp(bytes ? bytes : 1, kRounding);
  const bool small = wanted <= kSmall;
  Block* block = nullptr;
  if (!exact_) {
    FreeBlocks& candidates = active_->of(small);
    Block key{nullptr, wanted, small, true, nullptr, nullptr, active_};
    const auto found = candidates.lower_bound(&key);
    if (found != candidates.end()) {
      block = *found;
      candidates.erase(found);
    }
  }
  if (!block) {
    const int64_t segment = exact_                 ? wanted
                            : small                ? kSmallSegment
                            : wanted < kOwnSegment ? kLargeSegment
                                                   : roundUp(wanted, kSmallSegment);
    block = takeSegment(segment, small);
    // While a graph is captured nothing may wait for the device.
    if (!block && cachedBytes() > 0 && active_ == pools_[0].get()) {
      synchronise_();
      trim();
      block = takeSegment(segment, small);
    }
    // The last megabytes of a device may do for the block though not for a segment.
    if (!block && segment > wanted) block = takeSegment(wanted, small);
    if (!block) return nullptr;
  }
  const int64_t left = block->bytes - wanted;
  if (!exact_ && (small ? left >= kRounding : left > kSmall)) {
    Block* rest = new Block{block->data + wanted, left, small, true, block, block->next, block->pool};
    if (rest->next) rest->next->previous = rest;
    block->next = rest;
    block->bytes = wanted;
    block->pool->of(small).insert(rest);
  }
  block->free = false;
  used_ += block->bytes;
  live_.emplace(block->data, block);
  return block->data;
}

// Makes one block of a free block and the free one behind it, both outside the sets.
void DeviceAllocator::mergeNext(Block* block) {
  Block* next = block->next;
  block->bytes += next->bytes;
  block->next = next->next;
  if (block->next) block->next->previous = block;
  delete next;
}

void DeviceAllocator::release(void* data, int64_t) {
  const auto found = live_.find(data);
  if (found == live_.end()) return;
  Block* block = found->second;
  live_.erase(found);
  used_ -= block->bytes;
  block->free = true;
  // Not while a graph is captured: then nothing may wait for the device.
  if (exact_ && !block->pool->frozen && active_ == pools_[0].get()) {
    // Commands that are queued may still use it.
    synchronise_();
    returnSegment(block);
    return;
  }
  FreeBlocks& others = block->pool->of(block->small);
  if (block->next && block->next->free) {
    others.erase(block->next);
    mergeNext(block);
  }
  if (block->previous && block->previous->free) {
    Block* previous = block->previous;
    others.erase(previous);
    mergeNext(previous);
    block = previous;
  }
  others.insert(block);
}

void DeviceAllocator::trim() {
  for (const auto& pool : pools_) {
    if (pool->frozen) continue;
    for (FreeBlocks& blocks : pool->free)
      for (auto at = blocks.begin(); at != blocks.end();) {
        Block* block = *at;
        if (block->previous || block->next) {
          ++at;
          continue;
        }
        at = blocks.erase(at);
        returnSegment(block);
      }
  }
}

}  // namespace thalweg
