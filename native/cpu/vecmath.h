// The policy with which functors.h computes on whole vectors: the few operations that need an ISA's own instruction.
#pragma once
#include "cpu/simd.h"
#include "functors.h"

namespace thalweg::cpu::THALWEG_ISA {

// A conversion between vectors, lane by lane.
template <class To, class From>
THALWEG_INLINE To reinterpret(From x) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, x);
}

#if defined(__AVX512F__)
// The masked forms of the intrinsics: the plain ones have an undefined operand, of which GCC 12 warns.
constexpr int kAllLanes = -1;
#endif

template <class T>
struct VectorMath {
  using Real = T;
  using Int = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  using V = Vec<T>;
  using I = Vec<Int>;
  using U = Vec<std::make_unsigned_t<Int>>;
  using Mask = I;
  static constexpr bool single = std::is_same_v<T, float>;
  // The build lets the compiler contract products and sums.
#if defined(__FMA__) || defined(__aarch64__)
  static constexpr bool fused = true;
#else
  static constexpr bool fused = false;
#endif

  THALWEG_MATH V set(T x) { return broadcast(x); }
  template <class W>
  THALWEG_MATH W select(Mask m, W a, W b) {
    return m ? a : b;
  }
  THALWEG_MATH bool any(Mask m) {
#if defined(__AVX512F__)
    return single ? _mm512_test_epi32_mask(reinterpret<__m512i>(m), reinterpret<__m512i>(m)) != 0
                  : _mm512_test_epi64_mask(reinterpret<__m512i>(m), reinterpret<__m512i>(m)) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_epi8(reinterpret<__m256i>(m)) != 0;
#elif defined(__x86_64__)
    return _mm_movemask_epi8(reinterpret<__m128i>(m)) != 0;
#else
    using Words = Vec<uint64_t>;
    const Words w = reinterpret<Words>(m);
    uint64_t all = 0;
    for (int i = 0; i < lanes<uint64_t>; i++) all |= w[i];
    return all != 0;
#endif
  }
  THALWEG_MATH bool all(Mask m) { return !any(~m); }
  THALWEG_MATH I bits(V x) { return reinterpret<I>(x); }
  THALWEG_MATH V fromBits(I x) { return reinterpret<V>(x); }
  THALWEG_MATH V toFloat(I x) { return __builtin_convertvector(x, V); }

  template <class F>
  THALWEG_MATH V map(F f, V x) {
    V r{};
    for (int i = 0; i < lanes<T>; i++) r[i] = f(x[i]);
    return r;
  }
  template <class F>
  THALWEG_MATH V map(F f, V x, V y) {
    V r{};
    for (int i = 0; i < lanes<T>; i++) r[i] = f(x[i], y[i]);
    return r;
  }

  THALWEG_MATH V sqrt(V x) {
#if defined(__AVX512F__)
    if constexpr (single)
      return reinterpret<V>(_mm512_maskz_sqrt_ps(kAllLanes, reinterpret<__m512>(x)));
    else
      return reinterpret<V>(_mm512_maskz_sqrt_pd(kAllLanes, reinterpret<__m512d>(x)));
#elif defined(__AVX2__)
    if constexpr (single)
      return reinterpret<V>(_mm256_sqrt_ps(reinterpret<__m256>(x)));
    else
      return reinterpret<V>(_mm256_sqrt_pd(reinterpret<__m256d>(x)));
#elif defined(__x86_64__)
    if constexpr (single)
      return reinterpret<V>(_mm_sqrt_ps(reinterpret<__m128>(x)));
    else
      return reinterpret<V>(_mm_sqrt_pd(reinterpret<__m128d>(x)));
#else
    return map([](T v) { return std::sqrt(v); }, x);
#endif
  }

#if defined(__AVX512F__)
#define THALWEG_ROUND(name, mode)                                                                  \
  THALWEG_MATH V name(V x) {                                                                       \
    if constexpr (single)                                                                          \
      return reinterpret<V>(_mm512_maskz_roundscale_ps(kAllLanes, reinterpret<__m512>(x), mode));  \
    else                                                                                           \
      return reinterpret<V>(_mm512_maskz_roundscale_pd(kAllLanes, reinterpret<__m512d>(x), mode)); \
  }
#elif defined(__AVX2__)
#define THALWEG_ROUND(name, mode)                                            \
  THALWEG_MATH V name(V x) {                                                 \
    if constexpr (single)                                                    \
      return reinterpret<V>(_mm256_round_ps(reinterpret<__m256>(x), mode));  \
    else                                                                     \
      return reinterpret<V>(_mm256_round_pd(reinterpret<__m256d>(x), mode)); \
  }
#endif
#if defined(THALWEG_ROUND)
  THALWEG_ROUND(roundEven, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
  THALWEG_ROUND(floor, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
  THALWEG_ROUND(ceil, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)
  THALWEG_ROUND(trunc, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)
#undef THALWEG_ROUND
#else
  // Adding and taking away 2^(mantissa bits) rounds to an integer; from there on x is one already (or inf, NaN).
  static constexpr T wholeFrom = single ? T(0x1p23) : T(0x1p52);
  THALWEG_MATH I signBits(V x) { return bits(x) & bits(set(T(-0.0))); }
  THALWEG_MATH V magnitude(V x) { return fromBits(bits(x) & ~bits(set(T(-0.0)))); }
  THALWEG_MATH V roundEven(V x) {
    const V a = magnitude(x);
    const V r = fromBits(bits((a + wholeFrom) - wholeFrom) | signBits(x));
    return select(a < wholeFrom, r, x);
  }
  THALWEG_MATH V floor(V x) {
    const V r = roundEven(x);
    const V down = fromBits(bits(r - T(1)) | signBits(x));
    return select(r > x, down, r);
  }
  THALWEG_MATH V ceil(V x) {
    const V r = roundEven(x);
    const V up = fromBits(bits(r + T(1)) | signBits(x));
    return select(r < x, up, r);
  }
  THALWEG_MATH V trunc(V x) {
    const V a = magnitude(x);
    const V r = roundEven(a);
    return fromBits(bits(select(r > a, r - T(1), r)) | signBits(x));
  }
#endif

  // p * 2^e, e = -256 .. 256, with one rounding; n is e as a float.
  THALWEG_MATH V scale(V p, V n, I e) {
#if defined(__AVX512F__)
    (void)e;
    return reinterpret<V>(_mm512_maskz_scalef_ps(kAllLanes, reinterpret<__m512>(p), reinterpret<__m512>(n)));
#else
    (void)n;
    const I half = e >> 1;
    return p * fromBits((half + 127) << 23) * fromBits((e - half + 127) << 23);
#endif
  }

  // f, a function of vectors of doubles, of a vector of floats; rounded once.
  using Double = VectorMath<double>;
  template <class F, class... Vs>
  THALWEG_MATH V wide(F f, V x, Vs... ys) {
    typedef float Narrow __attribute__((vector_size(kVectorBytes / 2)));
    const auto half = [](V v, int h) {
      Narrow part[2];
      std::memcpy(part, &v, sizeof part);
      return __builtin_convertvector(part[h], Vec<double>);
    };
    Narrow results[2];
    THALWEG_UNROLL
    for (int h = 0; h < 2; h++) results[h] = __builtin_convertvector(f(half(x, h), half(ys, h)...), Narrow);
    V result;
    std::memcpy(&result, results, sizeof result);
    return result;
  }

  THALWEG_MATH V reduceHalfPi(V x, I& quadrant) {
    using Wide = Vec<double>;
    constexpr int half = lanes<double>;
    typedef float Narrow __attribute__((vector_size(kVectorBytes / 2)));
    typedef int32_t NarrowInt __attribute__((vector_size(kVectorBytes / 2)));
    Narrow part[2], reduced[2];
    NarrowInt q[2];
    std::memcpy(part, &x, sizeof part);
    THALWEG_UNROLL
    for (int h = 0; h < 2; h++) {
      Wide shifted;
      const Wide r = reduceHalfPiWide(__builtin_convertvector(part[h], Wide), shifted);
      reduced[h] = __builtin_convertvector(r, Narrow);
      q[h] = __builtin_convertvector(reinterpret<Vec<int64_t>>(shifted), NarrowInt);
    }
    static_assert(half * 2 == lanes<float>);
    V result;
    std::memcpy(&result, reduced, sizeof result);
    std::memcpy(&quadrant, q, sizeof quadrant);
    return result;
  }
};

}  // namespace thalweg::cpu::THALWEG_ISA
