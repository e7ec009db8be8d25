// What the kernels of normalisation share.
#pragma once
#include "cpu/conv_shape.h"
#include "cpu/stream_store.h"
#include "operands/norm.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

inline bool streamed(const TensorView& t) { return t.numel() * itemSize(t.dtype) >= kStreamBytes; }

template <class T>
void clear(const TensorView& t) {
  if (t.defined) std::memset(t.data, 0, static_cast<size_t>(t.numel()) * sizeof(T));
}

template <class T>
T* normScratch(int slot, int64_t count) {
  return reinterpret_cast<T*>(threadScratch(slot, count * static_cast<int64_t>(sizeof(T))));
}
// Slots of threadScratch.
constexpr int kPartialSlot = 4, kColumnSlot = 5;

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
