// The handle table: what JavaScript holds of a tensor is a number; this table knows what it stands for.
//
// A handle is generation << 22 | index, 31 bits, so that it stays a small integer in V8. 0 is never a live handle. A
// handle of a freed entry, or one made up, is refused by its generation. One table per environment (main thread or
// worker); generations start at a different number in each, so another worker's handles are refused too.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/allocator.h"
#include "runtime/tensor.h"

namespace thalweg {

// Memory shared by a tensor and its views. Freed in stream order: commands already queued may still use the block, and
// whoever gets it next is queued behind them. So commands hold no references.
struct Storage {
  std::atomic<int32_t> references{1};
  char* data = nullptr;
  int64_t bytes = 0;
  uint8_t device = 0;
};

constexpr int kHandleIndexBits = 22;
constexpr uint32_t kHandleIndexMask = (1u << kHandleIndexBits) - 1;
constexpr uint32_t kHandleGenerations = 1u << (31 - kHandleIndexBits);
constexpr uint32_t kNoKeeper = UINT32_MAX;

struct HandleEntry {
  TensorView view;
  Storage* storage = nullptr;  // null: the entry is free
  uint32_t generation = 0;
  uint32_t keeper = kNoKeeper;
  uint32_t previous = 0, next = 0;  // the keeper's list of handles, by index; `next` links free entries too
};

// A keeper is a JavaScript object whose collection frees a set of handles: the tensor itself for large tensors, an
// object shared by a page of tiny ones (a weak reference costs more than a tiny tensor's work).
struct Keeper {
  void* reference = nullptr;  // napi_ref, weak; owned by the caller of HandleTable
  uint32_t first = 0;         // index of the first handle, 0: none
  uint32_t count = 0;
  bool live = false;
  bool open = false;  // a page still being filled is kept though its handles are gone
};

class HandleTable {
 public:
  explicit HandleTable(uint32_t environment);
  ~HandleTable();

  // Fresh memory for a tensor; 0 when the system has none left.
  uint32_t create(CachingAllocator& allocator, uint8_t device, DType dtype, int ndim, const int64_t* shape,
                  int64_t bytes);
  // Another window on base's storage. Throws ShapeError when it would reach outside.
  // Of a tensor just created; the caller has checked that they reach each of its elements once.
  void setStrides(uint32_t handle, const int64_t* strides);
  uint32_t createView(uint32_t base, int ndim, const int64_t* shape, const int64_t* strides, int64_t offset);
  // Throws DisposedError for anything but a live handle.
  const HandleEntry& get(uint32_t handle, const char* op) const;
  bool isLive(uint32_t handle) const;
  void free(uint32_t handle, CachingAllocator& allocator);

  // Keepers. closeKeeper and free() hand back in `released` the references of keepers that are no longer needed.
  uint32_t addKeeper(void* reference, bool open);
  void closeKeeper(uint32_t keeper);
  bool isKeeperLive(uint32_t keeper) const { return keepers_[keeper].live; }
  void assignKeeper(uint32_t handle, uint32_t keeper);
  template <class IsDead>
  int64_t sweep(CachingAllocator& allocator, IsDead&& isDead) {
    int64_t freed = 0;
    for (uint32_t k = 0; k < keepers_.size(); k++) {
      if (!keepers_[k].live || !isDead(keepers_[k].reference)) continue;
      keepers_[k].open = false;
      while (keepers_[k].live && keepers_[k].count) {
        freed++;
        freeIndex(keepers_[k].first, allocator);
      }
      if (keepers_[k].live) releaseKeeper(k);
    }
    return freed;
  }
  std::vector<void*> released;

  int64_t liveTensors() const { return liveTensors_; }
  int64_t liveBytes() const { return liveBytes_; }
  int64_t peakBytes() const { return peakBytes_; }
  void resetPeak() { peakBytes_ = liveBytes_; }
  void freeAll(CachingAllocator& allocator);

 private:
  uint32_t newEntry();
  void freeIndex(uint32_t index, CachingAllocator& allocator);
  Storage* newStorage();
  void releaseKeeper(uint32_t keeper);
  uint32_t handleOf(uint32_t index) const { return entries_[index].generation << kHandleIndexBits | index; }

  std::vector<HandleEntry> entries_;
  std::vector<Keeper> keepers_;
  std::vector<uint32_t> freeKeepers_;
  std::vector<std::unique_ptr<Storage>> freeStorages_;  // malloc would cost as much as a tiny op
  uint32_t firstFree_ = 0;
  uint32_t firstGeneration_;
  int64_t liveTensors_ = 0, liveBytes_ = 0, peakBytes_ = 0;
};

}  // namespace thalweg
