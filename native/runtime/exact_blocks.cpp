#include "runtime/exact_blocks.h"

#include <cstdlib>
#include <cstring>

#include "runtime/allocator.h"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#define THALWEG_HAS_PAGES 1
#else
#define THALWEG_HAS_PAGES 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define THALWEG_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define THALWEG_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef THALWEG_ADDRESS_SANITIZER
#define THALWEG_ADDRESS_SANITIZER 0
#endif

namespace thalweg {
namespace {

Fence chooseFence() {
  if (THALWEG_ADDRESS_SANITIZER) return Fence::Sanitizer;
  if (!THALWEG_HAS_PAGES) return Fence::None;
  const char* wish = std::getenv("THALWEG_GUARD");
  if (!wish || !*wish || std::strcmp(wish, "0") == 0) return Fence::None;
  return std::strcmp(wish, "start") == 0 ? Fence::Start : Fence::End;
}

constexpr int64_t roundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

#if THALWEG_HAS_PAGES

int64_t pageSize() {
  static const int64_t size = sysconf(_SC_PAGESIZE);
  return size;
}

// A mapping is a page without access, the pages of the block, and another page without access.
int64_t mappedBytes(int64_t bytes) { return roundUp(bytes, pageSize()) + 2 * pageSize(); }

void* mapFenced(int64_t bytes, int64_t alignment) {
  const int64_t page = pageSize();
  const size_t mapped = static_cast<size_t>(mappedBytes(bytes));
  void* mapping = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  char* first = static_cast<char*>(mapping) + page;
  const size_t accessible = mapped - 2 * static_cast<size_t>(page);
  if (accessible && mprotect(first, accessible, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping, mapped);
    return nullptr;
  }
  // Memory that nobody has written should not look like zeros: NaN in every float format but float64's sign.
  std::memset(first, 0xff, accessible);
  if (fence() == Fence::Start) return first;
  return first + (static_cast<int64_t>(accessible) - bytes) / alignment * alignment;
}

void unmapFenced(void* block, int64_t bytes) {
  const uintptr_t page = static_cast<uintptr_t>(pageSize());
  // An empty block stands at the end of its first page of no access, which is the start of the second.
  const uintptr_t first = reinterpret_cast<uintptr_t>(block) / page * page;
  munmap(reinterpret_cast<void*>(first - page), static_cast<size_t>(mappedBytes(bytes)));
}

#endif

}  // namespace

Fence fence() {
  static const Fence chosen = chooseFence();
  return chosen;
}

void* fencedAllocate(int64_t bytes, int64_t alignment) {
  if (bytes < 0 || !reserveFromLimit(bytes)) return nullptr;
  void* block = nullptr;
#if THALWEG_HAS_PAGES
  if (fence() == Fence::Sanitizer) {
    if (posix_memalign(&block, 64, bytes ? static_cast<size_t>(bytes) : 1) != 0) block = nullptr;
  } else {
    block = mapFenced(bytes, alignment);
  }
#else
  (void)alignment;
  block = std::malloc(bytes ? static_cast<size_t>(bytes) : 1);
#endif
  if (!block) returnToLimit(bytes);
  return block;
}

void fencedRelease(void* block, int64_t bytes) {
#if THALWEG_HAS_PAGES
  if (fence() == Fence::Sanitizer)
    std::free(block);
  else
    unmapFenced(block, bytes);
#else
  std::free(block);
#endif
  returnToLimit(bytes);
}

void* ExactBlocks::allocate(int64_t bytes) {
  for (int attempt = 0; attempt < 2; attempt++) {
    if (attempt) {
      if (!synchronise_) return nullptr;
      synchronise_();
      trim();
    }
    // Any element starts at a multiple of its size, so alignment 1 leaves no gap before a page at the end.
    if (void* block = fencedAllocate(bytes, 1)) {
      std::lock_guard<std::mutex> lock(mutex_);
      live_ += bytes;
      return block;
    }
  }
  return nullptr;
}

void ExactBlocks::release(void* block, int64_t bytes) {
  std::vector<Block> ripe;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quarantine_.push_back({block, bytes});
    quarantined_ += bytes;
    live_ -= bytes;
    const bool full = quarantined_ > kQuarantineBytes || quarantine_.size() > kQuarantineBlocks;
    if (!full || !synchronise_) return;
    ripe.swap(quarantine_);
    quarantined_ = 0;
  }
  // Without the lock: the commands waited for may release memory themselves.
  synchronise_();
  freeAll(ripe);
}

int64_t ExactBlocks::cachedBytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return quarantined_;
}

int64_t ExactBlocks::reservedBytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return quarantined_ + live_;
}

bool ExactBlocks::wantsTrim() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return quarantined_ > kQuarantineBytes;
}

void ExactBlocks::trim() {
  std::lock_guard<std::mutex> lock(mutex_);
  freeAll(quarantine_);
  quarantined_ = 0;
}

void ExactBlocks::freeAll(std::vector<Block>& blocks) {
  for (const Block& block : blocks) fencedRelease(block.address, block.bytes);
  blocks.clear();
}

}  // namespace thalweg
