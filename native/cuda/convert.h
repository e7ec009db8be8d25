// Elements of any dtype as values of a compute type, and back, with the CPU's rules (cpu/convert.h): floats round to
// nearest even; integers wrap; a float to an integer truncates, saturates, and takes NaN to 0; bool is "not zero".
#pragma once
#include <limits>
#include <type_traits>

#include "cuda/launch.h"
#include "runtime/dtype.h"

namespace thalweg::cuda {

template <class I, class F>
__host__ __device__ inline I saturate(F x) {
  if (!(x == x)) return 0;
  constexpr F limit = static_cast<F>(std::numeric_limits<I>::max() / 2 + 1) * 2;
  constexpr F low = static_cast<F>(std::numeric_limits<I>::min());
  if (x >= limit) return std::numeric_limits<I>::max();
  if (x <= low) return std::numeric_limits<I>::min();
  return static_cast<I>(x);
}

template <class To, class From>
__host__ __device__ inline To convert(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>)
    return convert<To>(toFloat(x));
  else if constexpr (std::is_same_v<From, Boolean>)
    return convert<To>(static_cast<uint8_t>(x.byte != 0));  // a 16-bit float would take the bits
  else if constexpr (std::is_same_v<To, Half>)
    return toHalf(static_cast<float>(x));
  else if constexpr (std::is_same_v<To, BFloat16>)
    return toBFloat16(static_cast<float>(x));
  else if constexpr (std::is_same_v<To, Boolean>)
    return Boolean{static_cast<uint8_t>(x != 0)};
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>)
    return saturate<To>(x);
  else
    return static_cast<To>(x);
}

// Calls f with a null pointer to the C++ type of a dtype.
template <class F>
void withType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::Float32: return f(static_cast<float*>(nullptr));
    case DType::Float64: return f(static_cast<double*>(nullptr));
    case DType::Float16: return f(static_cast<Half*>(nullptr));
    case DType::BFloat16: return f(static_cast<BFloat16*>(nullptr));
    case DType::Int32: return f(static_cast<int32_t*>(nullptr));
    case DType::Int64: return f(static_cast<int64_t*>(nullptr));
    case DType::UInt8: return f(static_cast<uint8_t*>(nullptr));
    case DType::Bool: return f(static_cast<Boolean*>(nullptr));
  }
}

// An element whose dtype is known at run time only: for kernels that would otherwise be built for every pair of dtypes.
template <class C>
__device__ inline C loadAny(const char* data, DType dtype, int64_t at) {
  switch (dtype) {
    case DType::Float32: return convert<C>(reinterpret_cast<const float*>(data)[at]);
    case DType::Float64: return convert<C>(reinterpret_cast<const double*>(data)[at]);
    case DType::Float16: return convert<C>(reinterpret_cast<const Half*>(data)[at]);
    case DType::BFloat16: return convert<C>(reinterpret_cast<const BFloat16*>(data)[at]);
    case DType::Int32: return convert<C>(reinterpret_cast<const int32_t*>(data)[at]);
    case DType::Int64: return convert<C>(reinterpret_cast<const int64_t*>(data)[at]);
    case DType::UInt8: return convert<C>(reinterpret_cast<const uint8_t*>(data)[at]);
    case DType::Bool: return convert<C>(reinterpret_cast<const Boolean*>(data)[at]);
  }
  return C(0);
}
template <class C>
__device__ inline void storeAny(char* data, DType dtype, int64_t at, C value) {
  switch (dtype) {
    case DType::Float32: reinterpret_cast<float*>(data)[at] = convert<float>(value); return;
    case DType::Float64: reinterpret_cast<double*>(data)[at] = convert<double>(value); return;
    case DType::Float16: reinterpret_cast<Half*>(data)[at] = convert<Half>(value); return;
    case DType::BFloat16: reinterpret_cast<BFloat16*>(data)[at] = convert<BFloat16>(value); return;
    case DType::Int32: reinterpret_cast<int32_t*>(data)[at] = convert<int32_t>(value); return;
    case DType::Int64: reinterpret_cast<int64_t*>(data)[at] = convert<int64_t>(value); return;
    case DType::UInt8: reinterpret_cast<uint8_t*>(data)[at] = convert<uint8_t>(value); return;
    case DType::Bool: reinterpret_cast<Boolean*>(data)[at] = convert<Boolean>(value); return;
  }
}

}  // namespace thalweg::cuda
