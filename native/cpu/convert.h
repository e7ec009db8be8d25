// Runs of elements between memory of any dtype and tiles of a compute type.
//
// Widening is exact, except int64 to a float type. Narrowing: floats round to nearest even; integers wrap; a float to
// an integer truncates, saturates, and takes NaN to 0; bool is "not zero".
#pragma once
#include <limits>

#include "cpu/simd.h"
#include "runtime/dtype.h"

namespace thalweg::cpu::THALWEG_ISA {

template <class I, class F>
THALWEG_INLINE I saturate(F x) {
  // The largest F below 2^(bits of I - sign): converting it is defined, and nothing lies between it and the limit.
  constexpr F limit = static_cast<F>(std::numeric_limits<I>::max() / 2 + 1) * 2;
  constexpr F low = static_cast<F>(std::numeric_limits<I>::min());
  constexpr bool exact = std::numeric_limits<I>::digits <= std::numeric_limits<F>::digits;
  constexpr F high =
      exact ? limit - 1 : limit - limit / static_cast<F>(uint64_t{1} << (std::numeric_limits<F>::digits - 1)) / 2;
  F c = x == x ? x : F(0);
  c = c < low ? low : c;
  c = c > high ? high : c;
  const I i = static_cast<I>(c);
  return x >= limit ? std::numeric_limits<I>::max() : i;
}

template <class To, class From>
THALWEG_INLINE To convertValue(From x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>)
    return convertValue<To>(toFloat(x));
  else if constexpr (std::is_same_v<From, Boolean>)
    return static_cast<To>(x.byte != 0);
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
THALWEG_INLINE void withType(DType dtype, F&& f) {
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

template <class T>
constexpr DType dtypeOf = std::is_same_v<T, float>    ? DType::Float32
                          : std::is_same_v<T, double> ? DType::Float64
                                                      : DType::Int64;

// dst[i] = src[i * stride]
template <class T>
void loadRun(T* dst, DType dtype, const char* src, int64_t stride, int64_t n);
// dst[i * stride] = src[i]
template <class T>
void storeRun(const T* src, DType dtype, char* dst, int64_t stride, int64_t n);

extern template void loadRun<float>(float*, DType, const char*, int64_t, int64_t);
extern template void loadRun<double>(double*, DType, const char*, int64_t, int64_t);
extern template void loadRun<int64_t>(int64_t*, DType, const char*, int64_t, int64_t);
extern template void storeRun<float>(const float*, DType, char*, int64_t, int64_t);
extern template void storeRun<double>(const double*, DType, char*, int64_t, int64_t);
extern template void storeRun<int64_t>(const int64_t*, DType, char*, int64_t, int64_t);

}  // namespace thalweg::cpu::THALWEG_ISA
