// The memory of CPU tensors: blocks taken from the system once and reused in stream order.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

namespace thalweg {

// Where the memory of tensors of one device comes from.
class Allocator {
 public:
  virtual ~Allocator() = default;
  // nullptr when there is not so much memory, or bytes is negative. Never null for 0 bytes.
  virtual void* allocate(int64_t bytes) = 0;
  // bytes as they were asked for.
  virtual void release(void* block, int64_t bytes) = 0;
  virtual int64_t cachedBytes() const = 0;    // of reservedBytes, what no live block uses
  virtual int64_t reservedBytes() const = 0;  // held from the system
  // Gives all cached blocks back. The caller has synchronised the stream.
  virtual void trim() = 0;
};

// The allocators of an environment by the number of the device, as in TensorView: 0 is the CPU's.
constexpr int kMaxDevices = 17;
struct Allocators {
  Allocator* of[kMaxDevices] = {};
};

// One per command stream. Blocks are released while queued commands may still use them: whoever gets such a block next
// is queued behind those commands, so it may be handed out again at once, but the allocator itself must neither write
// into it nor give it back to the system before the stream has been waited for. Thread-safe.
class CachingAllocator final : public Allocator {
 public:
  // synchronise waits until all commands queued so far have run. It is called, from the thread that asked for memory or
  // released it and without locks held, before cached blocks go back to the system: when the system refuses memory,
  // when the cache is large and does not serve, and where every block is fenced (runtime/exact_blocks.h). Without it a
  // refusal is final and the caller may synchronise, trim() and ask again.
  explicit CachingAllocator(std::function<void()> synchronise = nullptr);
  // Gives cached blocks back; blocks still in use stay valid.
  ~CachingAllocator() override;
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // 64-byte aligned (but for fenced blocks); blocks past 1 MB are 2 MB aligned and use huge pages.
  void* allocate(int64_t bytes) override;
  void release(void* block, int64_t bytes) override;

  int64_t cachedBytes() const override;
  int64_t reservedBytes() const override;
  // The cache is larger than live bytes and a floor (1/16 of the machine's memory, 256 MB to 1 GB): a request that it
  // cannot serve will synchronise and trim() first.
  bool wantsTrim() const;
  void trim() override;
  // True if allocate(bytes) would have to ask the system: no cached block serves.
  bool needsSystem(int64_t bytes) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Memory straight from the system, for the allocator and for threadScratch. bytes is a multiple of 2 MB; the block is 2
// MB aligned and uses huge pages where there are any. nullptr when refused: by the system, or because the process would
// hold more than the machine or its container has.
void* systemAllocate(int64_t bytes);
void systemRelease(void* block, int64_t bytes);
// The account of what the process holds, kept below what there is. False: no room for as much.
bool reserveFromLimit(int64_t bytes);
void returnToLimit(int64_t bytes);
constexpr int64_t kSystemBlock = int64_t{2} << 20;

}  // namespace thalweg
