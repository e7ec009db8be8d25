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
  uint32_t epoch = 0;  // HandleTable::epoch when it was made
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
  // The allocators are those of the devices whose tensors are made here; they outlive the table.
  HandleTable(uint32_t environment, Allocators& allocators);
  ~HandleTable();

  // Fresh memory for a tensor; 0 when the device has none left.
  uint32_t create(uint8_t device, DType dtype, int ndim, const int64_t* shape, int64_t bytes);
  // Another window on base's storage. Throws ShapeError when it would reach outside.
  // Of a tensor just created; the caller has checked that they reach each of its elements once.
  void setStrides(uint32_t handle, const int64_t* strides);
  uint32_t createView(uint32_t base, int ndim, const int64_t* shape, const int64_t* strides, int64_t offset);
  // Throws DisposedError for anything but a live handle.
  const HandleEntry& get(uint32_t handle, const char* op) const;
  bool isLive(uint32_t handle) const;
  void free(uint32_t handle);

  // Keepers. closeKeeper and free() hand back in `released` the references of keepers that are no longer needed.
  uint32_t addKeeper(void* reference, bool open);
  void closeKeeper(uint32_t keeper);
  bool isKeeperLive(uint32_t keeper) const { return keepers_[keeper].live; }
  void assignKeeper(uint32_t handle, uint32_t keeper);
  template <class IsDead>
  int64_t sweep(IsDead&& isDead) {
    int64_t freed = 0;
    for (uint32_t k = 0; k < keepers_.size(); k++) {
      if (!keepers_[k].live || !isDead(keepers_[k].reference)) continue;
      keepers_[k].open = false;
      while (keepers_[k].live && keepers_[k].count) {
        freed++;
        freeIndex(keepers_[k].first);
      }
      if (keepers_[k].live) releaseKeeper(k);
    }
    return freed;
  }
  std::vector<void*> released;

  // Of one device, or of all of them.
  struct Use {
    int64_t tensors = 0, bytes = 0, peakBytes = 0;
  };
  const Use& use(int device = 0) const { return uses_[device]; }
  int64_t liveTensors() const { return liveTensors_; }
  int64_t liveBytes(int device = 0) const { return uses_[device].bytes; }
  void resetPeak(int device = 0) { uses_[device].peakBytes = uses_[device].bytes; }
  void freeAll();

  // Storages made from now on are told by it from older ones.
  uint32_t epoch = 0;
  // Another reference to a storage, and its end.
  void hold(Storage* storage) { storage->references.fetch_add(1, std::memory_order_relaxed); }
  void release(Storage* storage);

 private:
  uint32_t newEntry();
  void freeIndex(uint32_t index);
  Storage* newStorage();
  void releaseKeeper(uint32_t keeper);
  uint32_t handleOf(uint32_t index) const { return entries_[index].generation << kHandleIndexBits | index; }

  std::vector<HandleEntry> entries_;
  std::vector<Keeper> keepers_;
  std::vector<uint32_t> freeKeepers_;
  std::vector<std::unique_ptr<Storage>> freeStorages_;  // malloc would cost as much as a tiny op
  uint32_t firstFree_ = 0;
  uint32_t firstGeneration_;
  Allocators& allocators_;
  Use uses_[kMaxDevices];
  int64_t liveTensors_ = 0;
};

}  // namespace thalweg
