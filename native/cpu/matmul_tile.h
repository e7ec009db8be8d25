// The size of the register tile, and prefetching.
#pragma once
#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// MR * NV accumulators, NV vectors of B and a broadcast fit the register file (32, 16 or, without FMA, 16 and a
// product).
#if defined(__AVX512F__)
constexpr int MR = 8, NV = 3;
#elif defined(__aarch64__)
constexpr int MR = 6, NV = 4;
#elif defined(__AVX2__)
constexpr int MR = 6, NV = 2;
#else
constexpr int MR = 2, NV = 4;
#endif
template <class T>
constexpr int NR = NV * lanes<T>;

// Prefetching takes addresses as integers: they may be past the end of the array.
template <class T>
THALWEG_INLINE uintptr_t addressOf(const T* p, int64_t elements) {
  return reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(elements) * sizeof(T);
}

template <int Write, class T>
THALWEG_INLINE void prefetch(const T* p, int64_t elements, int bytes) {
  __builtin_prefetch(reinterpret_cast<const char*>(addressOf(p, elements) + static_cast<uintptr_t>(bytes)), Write);
}

// Into the second-level cache: lines a power of two apart would throw each other out of the first.
template <class T>
THALWEG_INLINE void prefetchFar(const T* p, int64_t elements) {
  __builtin_prefetch(reinterpret_cast<const char*>(addressOf(p, elements)), 0, 2);
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
