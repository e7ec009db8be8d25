#include "runtime/handles.h"

#include <algorithm>

#include "runtime/error.h"

namespace thalweg {

HandleTable::HandleTable(uint32_t environment, Allocators& allocators)
    : firstGeneration_((environment * 37u) % kHandleGenerations), allocators_(allocators) {
  entries_.resize(1);  // index 0 is never used, so handle 0 of generation 0 means "undefined"
}

HandleTable::~HandleTable() {
  for (HandleEntry& entry : entries_)
    if (entry.storage && entry.storage->references.fetch_sub(1) == 1) delete entry.storage;
}

uint32_t HandleTable::newEntry() {
  if (firstFree_) {
    const uint32_t index = firstFree_;
    firstFree_ = entries_[index].next;
    return index;
  }
  if (entries_.size() > kHandleIndexMask)
    fail(ErrorKind::OutOfMemory, "there are already %u live tensors, the most one thread can hold", kHandleIndexMask);
  entries_.emplace_back();
  entries_.back().generation = firstGeneration_;
  return static_cast<uint32_t>(entries_.size() - 1);
}

Storage* HandleTable::newStorage() {
  if (freeStorages_.empty()) return new Storage;
  Storage* storage = freeStorages_.back().release();
  freeStorages_.pop_back();
  storage->references.store(1, std::memory_order_relaxed);
  return storage;
}

uint32_t HandleTable::create(uint8_t device, DType dtype, int ndim, const int64_t* shape, int64_t bytes) {
  // What can throw comes first, so that nothing is left half done.
  std::unique_ptr<Storage> storage(newStorage());
  const uint32_t index = newEntry();
  HandleEntry& entry = entries_[index];
  const auto giveBack = [&] {
    entry.next = firstFree_;
    firstFree_ = index;
  };
  void* data = nullptr;
  try {
    data = allocators_.of[device]->allocate(bytes);
  } catch (...) {  // the device is lost
    giveBack();
    throw;
  }
  if (!data) {
    giveBack();
    return 0;
  }
  entry.storage = storage.release();
  entry.storage->data = static_cast<char*>(data);
  entry.storage->bytes = bytes;
  entry.storage->device = device;
  entry.storage->epoch = epoch;
  entry.keeper = kNoKeeper;
  TensorView& view = entry.view;
  view.data = static_cast<char*>(data);
  view.dtype = dtype;
  view.defined = true;
  view.ndim = static_cast<uint8_t>(ndim);
  view.device = device;
  int64_t stride = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    view.shape[d] = shape[d];
    view.strides[d] = stride;
    stride *= shape[d] > 0 ? shape[d] : 1;
  }
  liveTensors_++;
  Use& use = uses_[device];
  use.tensors++;
  use.bytes += bytes;
  if (use.bytes > use.peakBytes) use.peakBytes = use.bytes;
  return handleOf(index);
}

void HandleTable::setStrides(uint32_t handle, const int64_t* strides) {
  TensorView& view = entries_[handle & kHandleIndexMask].view;
  for (int d = 0; d < view.ndim; d++) view.strides[d] = strides[d];
}

uint32_t HandleTable::createView(uint32_t base, int ndim, const int64_t* shape, const int64_t* strides,
                                 int64_t offset) {
  Storage* storage = get(base, "view").storage;
  const DType dtype = get(base, "view").view.dtype;
  const int64_t capacity = storage->bytes / itemSize(dtype);
  int64_t last = offset;
  bool empty = false, overflow = offset < 0 || offset > capacity;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] < 0 || strides[d] < 0) overflow = true;
    if (shape[d] == 0) empty = true;
  }
  for (int d = 0; d < ndim && !empty && !overflow; d++) {
    int64_t span;
    overflow = __builtin_mul_overflow(shape[d] - 1, strides[d], &span) || __builtin_add_overflow(last, span, &last);
  }
  if (overflow || (!empty && last >= capacity))
    fail(ErrorKind::Shape, "view: offset %lld and strides reach outside the storage of %lld elements",
         static_cast<long long>(offset), static_cast<long long>(capacity));
  const uint32_t index = newEntry();
  HandleEntry& entry = entries_[index];
  storage->references.fetch_add(1, std::memory_order_relaxed);
  entry.storage = storage;
  entry.keeper = kNoKeeper;
  TensorView& view = entry.view;
  view.data = storage->data + offset * itemSize(dtype);
  view.dtype = dtype;
  view.defined = true;
  view.ndim = static_cast<uint8_t>(ndim);
  view.device = storage->device;
  for (int d = 0; d < ndim; d++) {
    view.shape[d] = shape[d];
    // A step that is never taken may be any number: kept small, so that size times stride cannot overflow.
    view.strides[d] = empty           ? std::min<int64_t>(strides[d], 1)
                      : shape[d] == 1 ? std::min(strides[d], capacity)
                                      : strides[d];
  }
  liveTensors_++;
  uses_[storage->device].tensors++;
  return handleOf(index);
}

bool HandleTable::isLive(uint32_t handle) const {
  const uint32_t index = handle & kHandleIndexMask;
  return index != 0 && index < entries_.size() && entries_[index].storage &&
         entries_[index].generation == handle >> kHandleIndexBits;
}

const HandleEntry& HandleTable::get(uint32_t handle, const char* op) const {
  if (!isLive(handle))
    fail(ErrorKind::Disposed, "%s: %u is not the handle of a live tensor of this thread", op, handle);
  return entries_[handle & kHandleIndexMask];
}

void HandleTable::free(uint32_t handle) {
  if (isLive(handle)) freeIndex(handle & kHandleIndexMask);
}

void HandleTable::freeIndex(uint32_t index) {
  HandleEntry& entry = entries_[index];
  if (entry.keeper != kNoKeeper) {
    Keeper& keeper = keepers_[entry.keeper];
    if (entry.previous)
      entries_[entry.previous].next = entry.next;
    else
      keeper.first = entry.next;
    if (entry.next) entries_[entry.next].previous = entry.previous;
    keeper.count--;
    if (keeper.count == 0 && !keeper.open) releaseKeeper(entry.keeper);
    entry.keeper = kNoKeeper;
  }
  Storage* storage = entry.storage;
  entry.storage = nullptr;
  uses_[storage->device].tensors--;
  release(storage);
  entry.generation = (entry.generation + 1) % kHandleGenerations;
  entry.next = firstFree_;
  firstFree_ = index;
  liveTensors_--;
}

void HandleTable::release(Storage* storage) {
  Use& use = uses_[storage->device];
  if (storage->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    allocators_.of[storage->device]->release(storage->data, storage->bytes);
    use.bytes -= storage->bytes;
    freeStorages_.emplace_back(storage);
  }
}

uint32_t HandleTable::addKeeper(void* reference, bool open) {
  uint32_t index;
  if (freeKeepers_.empty()) {
    index = static_cast<uint32_t>(keepers_.size());
    keepers_.emplace_back();
  } else {
    index = freeKeepers_.back();
    freeKeepers_.pop_back();
  }
  Keeper& keeper = keepers_[index];
  keeper.reference = reference;
  keeper.first = keeper.count = 0;
  keeper.live = true;
  keeper.open = open;
  return index;
}

void HandleTable::releaseKeeper(uint32_t index) {
  Keeper& keeper = keepers_[index];
  released.push_back(keeper.reference);
  keeper.reference = nullptr;
  keeper.live = keeper.open = false;
  freeKeepers_.push_back(index);
}

void HandleTable::closeKeeper(uint32_t index) {
  if (index >= keepers_.size() || !keepers_[index].live) return;
  keepers_[index].open = false;
  if (keepers_[index].count == 0) releaseKeeper(index);
}

void HandleTable::assignKeeper(uint32_t handle, uint32_t keeperIndex) {
  const uint32_t index = handle & kHandleIndexMask;
  HandleEntry& entry = entries_[index];
  Keeper& keeper = keepers_[keeperIndex];
  entry.keeper = keeperIndex;
  entry.previous = 0;
  entry.next = keeper.first;
  if (keeper.first) entries_[keeper.first].previous = index;
  keeper.first = index;
  keeper.count++;
}

void HandleTable::freeAll() {
  for (uint32_t index = 1; index < entries_.size(); index++)
    if (entries_[index].storage) freeIndex(index);
}

}  // namespace thalweg
