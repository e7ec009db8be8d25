// Some neighbouring elements of any dtype as values of a compute type, and back: in one access where memory is aligned
// for it. The dtype is a number at run time; where the compiler knows it, only one of the cases stays.
#pragma once
#include "cuda/convert.h"

#if defined(__CUDACC__)
#define THALWEG_UNROLL_LOOP _Pragma("unroll")
#define THALWEG_UNROLL_BODY _Pragma("unroll Body::kUnroll")
#define THALWEG_NO_UNROLL _Pragma("unroll 1")
#else
#define THALWEG_UNROLL_LOOP
#define THALWEG_UNROLL_BODY
#define THALWEG_NO_UNROLL
#endif

namespace thalweg::cuda {

// Elements that one thread takes at a time: 16 bytes of the compute type.
template <class C>
constexpr int kVector = 16 / static_cast<int>(sizeof(C));

template <class T, int V>
struct alignas(sizeof(T) * V) Packed {
  T at[V];
};

template <class C, class T, int V>
__device__ inline void loadPacked(const char* data, int64_t at, C (&to)[V]) {
  const T* from = reinterpret_cast<const T*>(data) + at;
  if constexpr (sizeof(T) * V <= 16) {
    const Packed<T, V> packed = *reinterpret_cast<const Packed<T, V>*>(from);
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++) to[v] = convert<C>(packed.at[v]);
  } else {
    for (int v = 0; v < V; v++) to[v] = convert<C>(from[v]);
  }
}
template <class C, class T, int V>
__device__ inline void storePacked(char* data, int64_t at, const C (&values)[V]) {
  T* to = reinterpret_cast<T*>(data) + at;
  if constexpr (sizeof(T) * V <= 16) {
    Packed<T, V> packed;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++) packed.at[v] = convert<T>(values[v]);
    *reinterpret_cast<Packed<T, V>*>(to) = packed;
  } else {
    for (int v = 0; v < V; v++) to[v] = convert<T>(values[v]);
  }
}

// Elements at .. at + V - 1; `data` and `at` are aligned to V elements.
template <class C, int V>
__device__ inline void loadVector(const char* data, DType dtype, int64_t at, C (&to)[V]) {
  switch (dtype) {
    case DType::Float32: return loadPacked<C, float>(data, at, to);
    case DType::Float64: return loadPacked<C, double>(data, at, to);
    case DType::Float16: return loadPacked<C, Half>(data, at, to);
    case DType::BFloat16: return loadPacked<C, BFloat16>(data, at, to);
    case DType::Int32: return loadPacked<C, int32_t>(data, at, to);
    case DType::Int64: return loadPacked<C, int64_t>(data, at, to);
    case DType::UInt8: return loadPacked<C, uint8_t>(data, at, to);
    case DType::Bool: return loadPacked<C, Boolean>(data, at, to);
  }
}
template <class C, int V>
__device__ inline void storeVector(char* data, DType dtype, int64_t at, const C (&values)[V]) {
  switch (dtype) {
    case DType::Float32: return storePacked<C, float>(data, at, values);
    case DType::Float64: return storePacked<C, double>(data, at, values);
    case DType::Float16: return storePacked<C, Half>(data, at, values);
    case DType::BFloat16: return storePacked<C, BFloat16>(data, at, values);
    case DType::Int32: return storePacked<C, int32_t>(data, at, values);
    case DType::Int64: return storePacked<C, int64_t>(data, at, values);
    case DType::UInt8: return storePacked<C, uint8_t>(data, at, values);
    case DType::Bool: return storePacked<C, Boolean>(data, at, values);
  }
}

// V elements `stride` apart from `at` on, of which the first n are there: the lanes behind repeat the last one, so that
// whatever is found wrong with a lane's values is wrong with those of an element. `packed`: see loadVector.
template <class C, int V>
__device__ inline void loadLanes(const char* data, DType dtype, int64_t at, int64_t stride, int n, bool packed,
                                 C (&to)[V]) {
  if (packed && n == V) return loadVector(data, dtype, at, to);
  if (stride == 0) {
    const C value = loadAny<C>(data, dtype, at);
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++) to[v] = value;
    return;
  }
  THALWEG_UNROLL_LOOP
  for (int v = 0; v < V; v++) to[v] = loadAny<C>(data, dtype, at + (v < n ? v : n - 1) * stride);
}
template <class C, int V>
__device__ inline void storeLanes(char* data, DType dtype, int64_t at, int64_t stride, int n, bool packed,
                                  const C (&values)[V]) {
  if (packed && n == V) return storeVector(data, dtype, at, values);
  THALWEG_UNROLL_LOOP
  for (int v = 0; v < V; v++)
    if (v < n) storeAny<C>(data, dtype, at + v * stride, values[v]);
}

}  // namespace thalweg::cuda
