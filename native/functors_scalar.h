// What the functions of functors.h are templates over, for values that are single numbers.
#pragma once
#include <cmath>
#include <cstdint>
#include <type_traits>

#if defined(__CUDACC__)
#define THALWEG_MATH __host__ __device__ static inline
#else
#define THALWEG_MATH static inline __attribute__((always_inline))
#endif

namespace thalweg {

// x - q pi/2 with q the nearest integer; q is left in the low bits of `shifted`. pi/2 is split so that q times its
// first part is exact for |q| < 2^28.
template <class D>
THALWEG_MATH D reduceHalfPiWide(D x, D& shifted) {
  shifted = x * 0.63661977236758134308 + 0x1.8p52;
  const D q = shifted - 0x1.8p52;
  return (x - q * 0x1.921fb5p0) - q * 1.58932547735281966916e-8;
}

// Shifts of any distance: by less than 0 or more than 63 nothing is left of a, to the right its sign.
THALWEG_MATH int64_t shiftLeft(int64_t a, int64_t b) {
  return b < 0 || b > 63 ? 0 : static_cast<int64_t>(static_cast<uint64_t>(a) << b);
}
THALWEG_MATH int64_t shiftRight(int64_t a, int64_t b) { return a >> (b < 0 || b > 63 ? 63 : b); }

template <class T>
struct ScalarMath {
  using Real = T;
  using V = T;
  using I = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  using U = std::make_unsigned_t<I>;
  using Mask = bool;
  static constexpr bool fused = false;  // whether a * b + c is certain to be rounded once

  THALWEG_MATH V set(T x) { return x; }
  THALWEG_MATH V select(Mask m, V a, V b) { return m ? a : b; }
  THALWEG_MATH I select(Mask m, I a, I b)
    requires(!std::is_same_v<V, I>)
  {
    return m ? a : b;
  }
  THALWEG_MATH bool any(Mask m) { return m; }
  THALWEG_MATH bool all(Mask m) { return m; }
  THALWEG_MATH I bits(V x) { return __builtin_bit_cast(I, x); }
  THALWEG_MATH V fromBits(I x) { return __builtin_bit_cast(V, x); }
  THALWEG_MATH V toFloat(I x) { return static_cast<V>(x); }
  THALWEG_MATH V sqrt(V x) { return std::sqrt(x); }
  THALWEG_MATH V roundEven(V x) { return std::nearbyint(x); }
  THALWEG_MATH V floor(V x) { return std::floor(x); }
  THALWEG_MATH V ceil(V x) { return std::ceil(x); }
  THALWEG_MATH V trunc(V x) { return std::trunc(x); }
  // p * 2^e for e = -256 .. 256 with a single rounding. The integer is the float's, so e comes in both forms.
  THALWEG_MATH V scale(V p, V e, I) { return std::ldexp(p, static_cast<int>(e)); }
  template <class F>
  THALWEG_MATH V map(F f, V x) {
    return f(x);
  }
  template <class F>
  THALWEG_MATH V map(F f, V x, V y) {
    return f(x, y);
  }
  // f, a function of float64 values, computed in them and rounded once.
  using Double = ScalarMath<double>;
  template <class F>
  THALWEG_MATH V wide(F f, V x) {
    return static_cast<V>(f(static_cast<double>(x)));
  }
  template <class F>
  THALWEG_MATH V wide(F f, V x, V y) {
    return static_cast<V>(f(static_cast<double>(x), static_cast<double>(y)));
  }
  // x = quadrant * pi/2 + the result, |x| < 2^27.
  THALWEG_MATH V reduceHalfPi(V x, I& quadrant) {
    double shifted;
    const double r = reduceHalfPiWide(static_cast<double>(x), shifted);
    quadrant = static_cast<I>(__builtin_bit_cast(int64_t, shifted));
    return static_cast<V>(r);
  }
};

}  // namespace thalweg
