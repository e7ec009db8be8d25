#include "runtime/allocator.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "runtime/exact_blocks.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <cstdio>
#include <cstring>
#endif

namespace thalweg {
namespace {

constexpr int64_t kMaxRequest = int64_t{1} << 47;

#if defined(__linux__)
int64_t readLimit(const char* path) {
  int64_t limit = INT64_MAX;
  if (std::FILE* file = std::fopen(path, "r")) {
    long long value;
    if (std::fscanf(file, "%lld", &value) == 1 && value > 0) limit = value;  // "max" does not parse: no limit
    std::fclose(file);
  }
  return limit;
}
#endif

// What the process may hold. Linux grants addresses far beyond the memory there is and kills the process when it uses
// them, so the limit has to be ours.
int64_t memoryLimit() {
  static const int64_t limit = [] {
    int64_t bytes = kMaxRequest;
#if defined(__linux__)
    struct sysinfo info;
    if (sysinfo(&info) == 0)
      bytes = std::min<int64_t>(bytes, (static_cast<int64_t>(info.totalram) + static_cast<int64_t>(info.totalswap)) *
                                           static_cast<int64_t>(info.mem_unit));
    bytes = std::min(bytes, readLimit("/sys/fs/cgroup/memory.max"));
    bytes = std::min(bytes, readLimit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
#endif
    return bytes;
  }();
  return limit;
}

std::atomic<int64_t> processBytes{0};

constexpr int64_t roundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

bool reserveFromLimit(int64_t bytes) {
  const int64_t held = processBytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (held <= memoryLimit()) return true;
  returnToLimit(bytes);
  return false;
}

void returnToLimit(int64_t bytes) { processBytes.fetch_sub(bytes, std::memory_order_relaxed); }

void* systemAllocate(int64_t bytes) {
  if (bytes <= 0 || bytes >= kMaxRequest || !reserveFromLimit(bytes)) return nullptr;
  void* block = nullptr;
#if defined(__linux__)
  const size_t mapped = static_cast<size_t>(bytes + kSystemBlock);
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping != MAP_FAILED) {
    // A larger mapping always contains an aligned block; its ends go back.
    const uintptr_t begin = reinterpret_cast<uintptr_t>(mapping);
    const size_t before = static_cast<size_t>(-begin & static_cast<uintptr_t>(kSystemBlock - 1));
    char* aligned = static_cast<char*>(mapping) + before;
    const size_t after = mapped - before - static_cast<size_t>(bytes);
    if (before) munmap(mapping, before);
    if (after) munmap(aligned + bytes, after);
    madvise(aligned, static_cast<size_t>(bytes), MADV_HUGEPAGE);  // a hint: without huge pages all works as well
    block = aligned;
  }
#else
  block = ::operator new(static_cast<size_t>(bytes), std::align_val_t(kSystemBlock), std::nothrow);
#endif
  if (!block) returnToLimit(bytes);
  return block;
}

void systemRelease(void* block, int64_t bytes) {
  if (!block) return;
#if defined(__linux__)
  munmap(block, static_cast<size_t>(bytes));
#else
  ::operator delete(block, std::align_val_t(kSystemBlock));
#endif
  returnToLimit(bytes);
}

namespace {

// Small blocks: sizes with four steps to a power of two, at least 64 bytes apart.
constexpr int64_t kMaxSmall = int64_t{1} << 20;
constexpr int kSmallClasses = 52;
// A class takes this much of a chunk at a time, or one block if that is larger.
constexpr int64_t kRunBytes = int64_t{64} << 10;

// A cache up to this size is left alone: pages that come back from the system cost more than their use.
int64_t cacheFloor() {
  static const int64_t floor = std::clamp(memoryLimit() / 16, int64_t{256} << 20, int64_t{1} << 30);
  return floor;
}

constexpr int smallClass(int64_t bytes) {
  if (bytes <= 256) return bytes <= 64 ? 0 : static_cast<int>((bytes - 1) >> 6);
  const uint64_t last = static_cast<uint64_t>(bytes) - 1;
  const int exponent = std::bit_width(last) - 1;
  return 4 * (exponent - 7) + static_cast<int>(last >> (exponent - 2) & 3);
}

constexpr int64_t smallSize(int index) {
  if (index < 4) return (index + 1) * 64;
  return (int64_t{index % 4} + 5) << (index / 4 + 5);
}

static_assert(smallClass(kMaxSmall) == kSmallClasses - 1 && smallSize(kSmallClasses - 1) == kMaxSmall);
static_assert(smallSize(smallClass(257)) == 320 && smallSize(smallClass(1024)) == 1024);

}  // namespace

struct CachingAllocator::State {
  // Free lists are kept outside the blocks: a queued command may still be using a released block.
  struct SizeClass {
    std::vector<void*> free;
    size_t carved = 0;  // blocks that exist; `free` has room for all of them, so release() never allocates
  };
  struct Chunk {
    char* base;
    int64_t carvedBlocks;
  };
  struct Large {
    int64_t bytes;
    void* address;
  };

  mutable std::mutex mutex;
  std::function<void()> synchronise;
  std::unique_ptr<ExactBlocks> exact;  // does all the work instead, in tests that look for steps outside a block
  SizeClass classes[kSmallClasses];
  std::vector<Chunk> chunks;  // the last one is being carved
  int64_t carvedBytes = kSystemBlock;
  std::vector<Large> cachedLarge;                // by size; of equal sizes the latest released is last
  std::unordered_map<void*, int64_t> liveLarge;  // a reused block may be larger than what was asked for
  int64_t reserved = 0, live = 0, cachedLargeBytes = 0;

  bool carve(int index);
  std::vector<Large>::iterator findLarge(int64_t size);
  void* takeLarge(int64_t bytes);
  void* allocate(int64_t bytes);
  bool wantsTrim() const { return cachedLargeBytes > std::max(cacheFloor(), live); }
  void trim();
};

// Adds blocks of one size to its free list.
bool CachingAllocator::State::carve(int index) {
  const int64_t size = smallSize(index);
  SizeClass& sizeClass = classes[index];
  if (kSystemBlock - carvedBytes < size) {
    if (chunks.size() == chunks.capacity()) chunks.reserve(2 * chunks.size() + 8);
    void* chunk = systemAllocate(kSystemBlock);
    if (!chunk) return false;
    chunks.push_back({static_cast<char*>(chunk), 0});
    carvedBytes = 0;
    reserved += kSystemBlock;
  }
  const int64_t wanted = std::max<int64_t>(1, kRunBytes / size);
  const int64_t count = std::min(wanted, (kSystemBlock - carvedBytes) / size);
  const size_t carved = sizeClass.carved + static_cast<size_t>(count);
  if (sizeClass.free.capacity() < carved) sizeClass.free.reserve(std::max(carved, 2 * sizeClass.carved));
  Chunk& chunk = chunks.back();
  for (int64_t i = count - 1; i >= 0; i--) sizeClass.free.push_back(chunk.base + carvedBytes + i * size);
  chunk.carvedBlocks += count;
  carvedBytes += count * size;
  sizeClass.carved = carved;
  return true;
}

// A cached block for `size` bytes, not much larger, or end().
std::vector<CachingAllocator::State::Large>::iterator CachingAllocator::State::findLarge(int64_t size) {
  const auto smaller = [](const Large& a, int64_t b) { return a.bytes < b; };
  const auto fit = std::lower_bound(cachedLarge.begin(), cachedLarge.end(), size, smaller);
  if (fit == cachedLarge.end() || fit->bytes - size > size / 4) return cachedLarge.end();
  // The latest released block of that size: the likeliest to be in a cache of the processor.
  return std::lower_bound(fit, cachedLarge.end(), fit->bytes + 1, smaller) - 1;
}

void* CachingAllocator::State::takeLarge(int64_t bytes) {
  const int64_t size = roundUp(bytes, kSystemBlock);
  const auto fit = findLarge(size);
  if (fit != cachedLarge.end()) {
    const Large block = *fit;
    liveLarge.emplace(block.address, block.bytes);
    cachedLarge.erase(fit);
    cachedLargeBytes -= block.bytes;
    live += block.bytes;
    return block.address;
  }
  const size_t blocks = cachedLarge.size() + liveLarge.size() + 1;
  if (cachedLarge.capacity() < blocks) cachedLarge.reserve(2 * blocks);
  void* address = systemAllocate(size);
  if (!address) return nullptr;
  try {
    liveLarge.emplace(address, size);
  } catch (...) {
    systemRelease(address, size);
    throw;
  }
  reserved += size;
  live += size;
  return address;
}

void* CachingAllocator::State::allocate(int64_t bytes) {
  try {
    if (bytes > kMaxSmall) return takeLarge(bytes);
    const int index = smallClass(bytes);
    SizeClass& sizeClass = classes[index];
    if (sizeClass.free.empty() && !carve(index)) return nullptr;
    void* block = sizeClass.free.back();
    sizeClass.free.pop_back();
    live += smallSize(index);
    return block;
  } catch (const std::bad_alloc&) {
    return nullptr;  // of the bookkeeping
  }
}

void CachingAllocator::State::trim() {
  for (const Large& block : cachedLarge) systemRelease(block.address, block.bytes);
  reserved -= cachedLargeBytes;
  cachedLargeBytes = 0;
  cachedLarge.clear();

  // Chunks go back when every block carved from them is free.
  const auto below = [](const Chunk& a, const char* b) { return a.base < b; };
  if (chunks.empty()) return;
  char* current = chunks.back().base;
  std::sort(chunks.begin(), chunks.end(), [](const Chunk& a, const Chunk& b) { return a.base < b.base; });
  const auto chunkOf = [&](void* block) {
    const uintptr_t offset = reinterpret_cast<uintptr_t>(block) & static_cast<uintptr_t>(kSystemBlock - 1);
    return std::lower_bound(chunks.begin(), chunks.end(), static_cast<char*>(block) - offset, below);
  };
  for (const SizeClass& sizeClass : classes)
    for (void* block : sizeClass.free) chunkOf(block)->carvedBlocks--;
  // Now carvedBlocks counts the blocks in use.
  for (SizeClass& sizeClass : classes) {
    const size_t before = sizeClass.free.size();
    std::erase_if(sizeClass.free, [&](void* block) { return chunkOf(block)->carvedBlocks == 0; });
    sizeClass.carved -= before - sizeClass.free.size();
  }
  for (const Chunk& chunk : chunks) {
    if (chunk.carvedBlocks != 0) continue;
    systemRelease(chunk.base, kSystemBlock);
    reserved -= kSystemBlock;
  }
  std::erase_if(chunks, [](const Chunk& chunk) { return chunk.carvedBlocks == 0; });
  for (const SizeClass& sizeClass : classes)
    for (void* block : sizeClass.free) chunkOf(block)->carvedBlocks++;
  // The chunk being carved is the last one again, if it is still there.
  const auto last = std::find_if(chunks.begin(), chunks.end(), [&](const Chunk& c) { return c.base == current; });
  if (last == chunks.end())
    carvedBytes = kSystemBlock;
  else
    std::swap(*last, chunks.back());
}

CachingAllocator::CachingAllocator(std::function<void()> synchronise) : state_(new State) {
  if (fence() != Fence::None) state_->exact = std::make_unique<ExactBlocks>(synchronise);
  state_->synchronise = std::move(synchronise);
}

CachingAllocator::~CachingAllocator() { trim(); }

void* CachingAllocator::allocate(int64_t bytes) {
  if (bytes < 0 || bytes >= kMaxRequest) return nullptr;
  if (state_->exact) return state_->exact->allocate(bytes);
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    // When what is cached does not serve, and is much, it goes back before more is taken: sizes that come again and
    // again are served, so this is for those that changed.
    const bool trimFirst = bytes > kMaxSmall && state_->synchronise && state_->wantsTrim() &&
                           state_->findLarge(roundUp(bytes, kSystemBlock)) == state_->cachedLarge.end();
    void* block = trimFirst ? nullptr : state_->allocate(bytes);
    if (block || !state_->synchronise) return block;
  }
  state_->synchronise();
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->trim();
  return state_->allocate(bytes);
}

void CachingAllocator::release(void* block, int64_t bytes) {
  if (!block) return;
  if (state_->exact) return state_->exact->release(block, bytes);
  std::lock_guard<std::mutex> lock(state_->mutex);
  State& state = *state_;
  if (bytes <= kMaxSmall) {
    const int index = smallClass(bytes);
    state.classes[index].free.push_back(block);
    state.live -= smallSize(index);
    return;
  }
  const auto found = state.liveLarge.find(block);
  if (found == state.liveLarge.end()) return;
  const int64_t size = found->second;
  state.liveLarge.erase(found);
  const auto place = std::upper_bound(state.cachedLarge.begin(), state.cachedLarge.end(), size,
                                      [](int64_t a, const State::Large& b) { return a < b.bytes; });
  state.cachedLarge.insert(place, {size, block});
  state.cachedLargeBytes += size;
  state.live -= size;
}

int64_t CachingAllocator::cachedBytes() const {
  if (state_->exact) return state_->exact->cachedBytes();
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->reserved - state_->live;
}

int64_t CachingAllocator::reservedBytes() const {
  if (state_->exact) return state_->exact->reservedBytes();
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->reserved;
}

bool CachingAllocator::wantsTrim() const {
  if (state_->exact) return state_->exact->wantsTrim();
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->wantsTrim();
}

bool CachingAllocator::needsSystem(int64_t bytes) const {
  if (bytes < 0 || bytes >= kMaxRequest || state_->exact) return false;
  std::lock_guard<std::mutex> lock(state_->mutex);
  State& state = *state_;
  if (bytes > kMaxSmall) return state.findLarge(roundUp(bytes, kSystemBlock)) == state.cachedLarge.end();
  const int index = smallClass(bytes);
  return state.classes[index].free.empty() && kSystemBlock - state.carvedBytes < smallSize(index);
}

void CachingAllocator::trim() {
  if (state_->exact) return state_->exact->trim();
  std::lock_guard<std::mutex> lock(state_->mutex);
  state_->trim();
}

}  // namespace thalweg
