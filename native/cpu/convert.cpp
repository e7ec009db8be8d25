#include "cpu/convert.h"

#include <type_traits>

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Contiguous runs are loops of their own, so that they are compiled to vector code.
template <class To, class From>
void convertLoop(To* __restrict dst, int64_t dstStride, const From* __restrict src, int64_t srcStride, int64_t n) {
  if (dstStride == 1 && srcStride == 1) {
    for (int64_t i = 0; i < n; i++) dst[i] = convertValue<To>(src[i]);
  } else if (dstStride == 1) {
    for (int64_t i = 0; i < n; i++) dst[i] = convertValue<To>(src[i * srcStride]);
  } else {
    for (int64_t i = 0; i < n; i++) dst[i * dstStride] = convertValue<To>(src[i]);
  }
}

#if defined(__AVX2__)
// Float16 by the hardware's conversion, as many as fill whole vectors; returns how many.
int64_t loadHalves(float* dst, const Half* src, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(dst + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(src + i))));
  return i;
}
int64_t storeHalves(Half* dst, const float* src, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(src + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  return i;
}
#else
int64_t loadHalves(float*, const Half*, int64_t) { return 0; }
int64_t storeHalves(Half*, const float*, int64_t) { return 0; }
#endif

}  // namespace

template <class T>
void loadRun(T* dst, DType dtype, const char* src, int64_t stride, int64_t n) {
  if (dtype == dtypeOf<T> && stride == 1) {
    std::memcpy(dst, src, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  withType(dtype, [&](auto* type) {
    using S = std::remove_pointer_t<decltype(type)>;
    const S* from = reinterpret_cast<const S*>(src);
    if (stride == 0) {
      const T value = convertValue<T>(*from);
      for (int64_t i = 0; i < n; i++) dst[i] = value;
      return;
    }
    int64_t done = 0;
    if constexpr (std::is_same_v<S, Half> && std::is_same_v<T, float>)
      if (stride == 1) done = loadHalves(dst, from, n);
    convertLoop(dst + done, 1, from + done * stride, stride, n - done);
  });
}

template <class T>
void storeRun(const T* src, DType dtype, char* dst, int64_t stride, int64_t n) {
  if (dtype == dtypeOf<T> && stride == 1) {
    std::memcpy(dst, src, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  withType(dtype, [&](auto* type) {
    using D = std::remove_pointer_t<decltype(type)>;
    D* to = reinterpret_cast<D*>(dst);
    int64_t done = 0;
    if constexpr (std::is_same_v<D, Half> && std::is_same_v<T, float>)
      if (stride == 1) done = storeHalves(to, src, n);
    convertLoop(to + done * stride, stride, src + done, 1, n - done);
  });
}

template void loadRun<float>(float*, DType, const char*, int64_t, int64_t);
template void loadRun<double>(double*, DType, const char*, int64_t, int64_t);
template void loadRun<int64_t>(int64_t*, DType, const char*, int64_t, int64_t);
template void storeRun<float>(const float*, DType, char*, int64_t, int64_t);
template void storeRun<double>(const double*, DType, char*, int64_t, int64_t);
template void storeRun<int64_t>(const int64_t*, DType, char*, int64_t, int64_t);

}  // namespace thalweg::cpu::THALWEG_ISA
