// Stores that go past the caches: for results that are too large to be found there again. An ordinary store first reads
// the line that it is about to overwrite.
#pragma once
#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {

constexpr int64_t kStreamBytes = 16 << 20;  // outputs from this size on go past the caches

// A vector to memory that is aligned to vectors.
template <class T>
THALWEG_INLINE void streamStore(T* to, Vec<T> v) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), __builtin_bit_cast(__m512i, v));
#elif defined(__AVX2__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), __builtin_bit_cast(__m256i, v));
#elif defined(__x86_64__)
  _mm_stream_si128(reinterpret_cast<__m128i*>(to), __builtin_bit_cast(__m128i, v));
#else
  store(to, v);
#endif
}

// n values, whole vectors of them, to memory that is aligned to a vector.
template <class T>
THALWEG_INLINE void streamStore(T* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; i += lanes<T>) streamStore(to + i, load(from + i));
}

// Other threads see what was streamed before, once they have been told by an ordinary store.
THALWEG_INLINE void streamFence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

}  // namespace thalweg::cpu::THALWEG_ISA
