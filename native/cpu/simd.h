// The compiler's vector types behind one small header. Everything here is in the ISA's namespace: a vector type has a
// different width, and a function different instructions, in each of them.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define THALWEG_UNROLL _Pragma("clang loop unroll(full)")
#else
#define THALWEG_UNROLL _Pragma("GCC unroll 64")
#endif
#define THALWEG_INLINE inline __attribute__((always_inline))

namespace thalweg::cpu::THALWEG_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
  typedef T unaligned __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
};
template <class T>
using Vec = typename VectorOf<T>::type;

template <class T>
constexpr int lanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
THALWEG_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
}
template <class T>
THALWEG_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VectorOf<T>::unaligned*>(p) = v;
}
template <class T>
THALWEG_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};
}
// First n lanes from memory, the rest 0; never reads past p[n-1].
template <class T>
THALWEG_INLINE Vec<T> loadPartial(const T* p, int n) {
  Vec<T> v{};
  std::memcpy(&v, p, static_cast<size_t>(n) * sizeof(T));
  return v;
}
template <class T>
THALWEG_INLINE void storePartial(T* p, Vec<T> v, int n) {
  std::memcpy(p, &v, static_cast<size_t>(n) * sizeof(T));
}

}  // namespace thalweg::cpu::THALWEG_ISA
