// What the kernels of convolution and pooling share: scratch memory, and images with their data.
#pragma once
#include <algorithm>

#include "cpu/kernel.h"
#include "cpu/simd.h"
#include "operands/conv.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Slots of threadScratch of pools; see kScratchOfCallers.
constexpr int kSlotTile = 4, kSlotPlane = 5;

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t roundUp(int64_t a, int64_t b) { return divideUp(a, b) * b; }

template <class T>
T* convScratch(int slot, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
}

// Where a batch of images lies, and how.
template <class T>
struct Images : ImageLayout {
  T* data = nullptr;
};

// Of a tensor without empty dimensions; one that has both orders counts as channels-last.
template <class T>
Images<T> imagesOf(const char* op, const char* name, const TensorView& view, bool onlyChannelsLast) {
  return {readImages(op, name, view, onlyChannelsLast), view.as<T>()};
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
