// Between storage and the compute type, a vector or a part of one at a time: widening is exact, narrowing rounds to
// nearest even.
#pragma once
#include "cpu/matmul_tile.h"
#include "runtime/dtype.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// The type in which sums of S are kept.
template <class S>
struct ComputeOf {
  using type = float;
};
template <>
struct ComputeOf<double> {
  using type = double;
};
template <class S>
using Compute = typename ComputeOf<S>::type;

// Sixteen bits for each lane of a float vector.
typedef uint16_t HalfVector __attribute__((vector_size(kVectorBytes / 2)));

THALWEG_INLINE float widen(float x) { return x; }
THALWEG_INLINE double widen(double x) { return x; }
THALWEG_INLINE float widen(Half x) { return toFloat(x); }
THALWEG_INLINE float widen(BFloat16 x) { return toFloat(x); }

template <class S>
THALWEG_INLINE S narrow(Compute<S> x) {
  if constexpr (std::is_same_v<S, Half>) {
    return toHalf(x);
  } else if constexpr (std::is_same_v<S, BFloat16>) {
    return toBFloat16(x);
  } else {
    return x;
  }
}

template <class S>
THALWEG_INLINE HalfVector loadBits(const S* p) {
  HalfVector bits;
  std::memcpy(&bits, p, sizeof bits);
  return bits;
}
// The first n lanes, the others 0; never reads past p[n-1].
template <class S>
THALWEG_INLINE HalfVector loadBitsFirst(const S* p, int n) {
#if defined(__AVX512F__)
  return reinterpret_cast<HalfVector>(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p));
#else
  HalfVector bits{};
  std::memcpy(&bits, p, static_cast<size_t>(n) * sizeof(S));
  return bits;
#endif
}

THALWEG_INLINE Vec<uint32_t> zeroExtend(HalfVector bits) { return __builtin_convertvector(bits, Vec<uint32_t>); }

THALWEG_INLINE Vec<float> widenBits(HalfVector bits, BFloat16) {
  return reinterpret_cast<Vec<float>>(zeroExtend(bits) << 16);
}
THALWEG_INLINE Vec<float> widenBits(HalfVector bits, Half) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec<float>>(_mm512_maskz_cvtph_ps(0xffff, reinterpret_cast<__m256i>(bits)));
#elif defined(__F16C__) && defined(__AVX2__)
  return reinterpret_cast<Vec<float>>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(bits)));
#else
  Vec<float> v;
  for (int i = 0; i < lanes<float>; i++) v[i] = toFloat(Half{bits[i]});
  return v;
#endif
}

THALWEG_INLINE HalfVector narrowBits(Vec<float> x, BFloat16) {
  const Vec<uint32_t> bits = reinterpret_cast<Vec<uint32_t>>(x);
  const Vec<uint32_t> rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, quiet = (bits >> 16) | 0x40u;
  const Vec<uint32_t> isNaN = reinterpret_cast<Vec<uint32_t>>((bits & 0x7fffffffu) > 0x7f800000u);
  return __builtin_convertvector((quiet & isNaN) | (rounded & ~isNaN), HalfVector);
}
THALWEG_INLINE HalfVector narrowBits(Vec<float> x, Half) {
#if defined(__AVX512F__)
  return reinterpret_cast<HalfVector>(
      _mm512_maskz_cvtps_ph(0xffff, reinterpret_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__) && defined(__AVX2__)
  return reinterpret_cast<HalfVector>(_mm256_cvtps_ph(reinterpret_cast<__m256>(x), _MM_FROUND_TO_NEAREST_INT));
#else
  HalfVector bits;
  for (int i = 0; i < lanes<float>; i++) bits[i] = toHalf(x[i]).bits;
  return bits;
#endif
}

// A whole vector of the compute type from storage.
template <class S>
THALWEG_INLINE Vec<Compute<S>> loadWide(const S* p) {
  if constexpr (std::is_same_v<S, Compute<S>>) {
    return load(p);
  } else {
    return widenBits(loadBits(p), S{});
  }
}

// The first n lanes from storage, the others 0; never reads past p[n-1].
template <class S>
THALWEG_INLINE Vec<Compute<S>> loadWideFirst(const S* p, int n) {
  if constexpr (!std::is_same_v<S, Compute<S>>) {
    return widenBits(loadBitsFirst(p, n), S{});
  } else {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<S, float>)
      return reinterpret_cast<Vec<S>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
    else
      return reinterpret_cast<Vec<S>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p));
#else
    Vec<S> v{};
    for (int i = 0; i < n; i++) v[i] = p[i];
    return v;
#endif
  }
}

template <class S>
THALWEG_INLINE void storeNarrow(S* p, Vec<Compute<S>> x) {
  if constexpr (std::is_same_v<S, Compute<S>>) {
    store(p, x);
  } else {
    const HalfVector bits = narrowBits(x, S{});
    std::memcpy(p, &bits, sizeof bits);
  }
}

// The first n lanes only.
template <class S>
THALWEG_INLINE void storeNarrowFirst(S* p, Vec<Compute<S>> x, int n) {
  if constexpr (!std::is_same_v<S, Compute<S>>) {
    const HalfVector bits = narrowBits(x, S{});
#if defined(__AVX512F__)
    _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m256i>(bits));
#else
    std::memcpy(p, &bits, static_cast<size_t>(n) * sizeof(S));
#endif
  } else {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<S, float>)
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(x));
    else
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), reinterpret_cast<__m512d>(x));
#else
    for (int i = 0; i < n; i++) p[i] = x[i];
#endif
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
