// Rows of operands read into registers and written from them. T is the elements' type, C what is computed with.
#pragma once
#include <type_traits>

#include "cuda/convert.h"
#include "runtime/tensor.h"

namespace thalweg::cuda {

template <class T>
using ComputeOf = std::conditional_t<std::is_same_v<std::remove_const_t<T>, double>, double, float>;

// 16 bytes of elements, moved at once.
template <class T>
struct alignas(16) Pack {
  static constexpr int kCount = static_cast<int>(16 / sizeof(T));
  T at[kCount];
};

template <class T>
struct TypedData {
  using Compute = ComputeOf<T>;
  static constexpr int kVector = Pack<T>::kCount;
  T* data;

  static TypedData of(const TensorView& view) { return {view.as<T>()}; }
  __device__ Compute load(int64_t at) const { return convert<Compute>(data[at]); }
  __device__ void store(int64_t at, Compute value) const { data[at] = convert<T>(value); }
  __device__ void loadVector(int64_t at, Compute* to) const {
    const Pack<T> pack = *reinterpret_cast<const Pack<T>*>(data + at);
    for (int k = 0; k < kVector; k++) to[k] = convert<Compute>(pack.at[k]);
  }
  __device__ void storeVector(int64_t at, const Compute* from) const {
    Pack<T> pack;
    for (int k = 0; k < kVector; k++) pack.at[k] = convert<T>(from[k]);
    *reinterpret_cast<Pack<T>*>(data + at) = pack;
  }
};

// Of a dtype that is known at run time only: where operands' dtypes differ.
template <class C>
struct AnyData {
  using Compute = C;
  static constexpr int kVector = 1;
  char* data;
  DType dtype;

  static AnyData of(const TensorView& view) { return {view.data, view.dtype}; }
  __device__ C load(int64_t at) const { return loadAny<C>(data, dtype, at); }
  __device__ void store(int64_t at, C value) const { storeAny<C>(data, dtype, at, value); }
};

inline bool isAligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

// The elements of a row that a thread has: kPer of them, from `begin` on. Elements lie `stride` apart; `vectors`: they
// lie side by side, 16 bytes are aligned, and n - begin is a multiple of what is in 16 bytes.
template <int kPer>
struct Share {
  int64_t begin, n;
  int lane, lanes;
  bool vectors;

  template <class Data>
  static constexpr bool canBeVectors = Data::kVector > 1 && kPer % Data::kVector == 0;

  // Where element k of a thread is in the row.
  template <class Data>
  __device__ int64_t position(int k) const {
    constexpr int V = Data::kVector;
    if constexpr (canBeVectors<Data>)
      if (vectors) return begin + (static_cast<int64_t>(k / V) * lanes + lane) * V + k % V;
    return begin + static_cast<int64_t>(k) * lanes + lane;
  }
  template <class Data, class C>
  __device__ void load(C (&values)[kPer], const Data& data, int64_t at, int64_t stride, C otherwise) const {
    constexpr int V = Data::kVector;
    if constexpr (canBeVectors<Data>) {
      if (vectors) {
        THALWEG_UNROLL
        for (int k = 0; k < kPer; k += V) {
          const int64_t i = position<Data>(k);
          if (i < n) {
            data.loadVector(at + i, values + k);
          } else {
            for (int j = 0; j < V; j++) values[k + j] = otherwise;
          }
        }
        return;
      }
    }
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) {
      const int64_t i = begin + static_cast<int64_t>(k) * lanes + lane;
      values[k] = i < n ? data.load(at + i * stride) : otherwise;
    }
  }
  template <class Data, class C>
  __device__ void store(const C (&values)[kPer], const Data& data, int64_t at, int64_t stride) const {
    constexpr int V = Data::kVector;
    if constexpr (canBeVectors<Data>) {
      if (vectors) {
        THALWEG_UNROLL
        for (int k = 0; k < kPer; k += V) {
          const int64_t i = position<Data>(k);
          if (i < n) data.storeVector(at + i, values + k);
        }
        return;
      }
    }
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) {
      const int64_t i = begin + static_cast<int64_t>(k) * lanes + lane;
      if (i < n) data.store(at + i * stride, values[k]);
    }
  }
  // Elements of the row are element k of this thread.
  template <class Data>
  __device__ bool has(int k) const {
    return position<Data>(k) < n;
  }
};

}  // namespace thalweg::cuda
