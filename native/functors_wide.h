// float32 functions computed in float64, where intermediate results need more than 24 bits.
#pragma once
#include <limits>

#include "functors_scalar.h"

namespace thalweg {

// Where intermediate results need more than 24 bits. M computes in float64; relative errors are below 1e-11.
template <class M>
struct Wide {
  using V = typename M::V;
  using I = typename M::I;
  using U = typename M::U;

  THALWEG_MATH V magnitude(V x) { return M::fromBits(M::bits(x) & std::numeric_limits<int64_t>::max()); }
  THALWEG_MATH V withSign(V y, V sign) {
    constexpr int64_t top = std::numeric_limits<int64_t>::min();
    return M::fromBits((M::bits(y) & ~top) | (M::bits(sign) & top));
  }
  // |x| < 700
  THALWEG_MATH V exp(V x) {
    const V shifted = x * 1.44269504088896340736 + 0x1.8p52;
    const V n = shifted - 0x1.8p52;
    const V r = (x - n * 0x1.62e42fefap-1) - n * 0x1.cf79abc9e3b39p-40;
    V p = r * 2.7643972040750672e-06 + 2.4882262463919247e-05;
    p = p * r + 0.00019841162475650901;
    p = p * r + 0.001388880761339301;
    p = p * r + 0.008333333389025253;
    p = p * r + 0.041666666988812467;
    p = p * r + 0.16666666666566965;
    p = p * r + 0.49999999999604511;
    const V scale = M::fromBits((I)(((U)M::bits(shifted) + 1023u) << 52));
    return (p * (r * r) + r) * scale + scale;
  }
  // x > 0, finite, not subnormal
  THALWEG_MATH V log(V x) {
    constexpr uint64_t half = 0x3fe6a09e667f3bcd;  // sqrt(1/2)
    constexpr uint64_t mantissa = (uint64_t{1} << 52) - 1;
    const U i = (U)M::bits(x) - half;
    const U biased = (i + (uint64_t{1023} << 52)) >> 52;
    const V e = M::fromBits((I)(biased | uint64_t{0x4330000000000000})) - (0x1p52 + 1023);
    const V m = M::fromBits((I)((i & mantissa) + half));
    const V s = (m - 1.0) / (m + 1.0), z = s * s;
    V p = z * 0.16819642039361649 + 0.18123656418998554;
    p = p * z + 0.22223371291625832;
    p = p * z + 0.2857141713476864;
    p = p * z + 0.40000000052246054;
    p = p * z + 0.66666666666587249;
    return e * 0.69314718055994530942 + (s * z * p + (s + s));
  }
  THALWEG_MATH V atan(V x) {
    const V a = magnitude(x);
    const auto large = a > 1.0;
    const V t = M::select(large, -1.0 / a, a), z = t * t;
    V p = z * -0.00069795010146969649 + 0.0049263170200727208;
    p = p * z - 0.016299354911053096;
    p = p * z + 0.03447574483976678;
    p = p * z - 0.054515856379311924;
    p = p * z + 0.07259432198949578;
    p = p * z - 0.089854370983850101;
    p = p * z + 0.11094503267293573;
    p = p * z - 0.14284167187832963;
    p = p * z + 0.19999927241723114;
    p = p * z - 0.33333332133751969;
    const V y = t * z * p + t;
    return withSign(M::select(large, y + 1.57079632679489661923, y), x);
  }
  THALWEG_MATH V asin(V x) { return atan(x / M::sqrt((1.0 - x) * (1.0 + x))); }
  THALWEG_MATH V acos(V x) { return 2.0 * atan(M::sqrt((1.0 - x) / (1.0 + x))); }
  // |x| < 2^27
  THALWEG_MATH V tan(V x) {
    V shifted;
    const V r = reduceHalfPiWide(x, shifted), z = r * r;
    V p = z * 0.0020398715418308471 - 0.0005929741726201556;
    p = p * z + 0.0049901860669074394;
    p = p * z + 0.0083325426895340463;
    p = p * z + 0.021984391104543054;
    p = p * z + 0.053954666318578363;
    p = p * z + 0.13333410369750706;
    p = p * z + 0.33333331850106218;
    const V t = r * z * p + r;
    return M::select((M::bits(shifted) & 1) == 0, t, -1.0 / t);
  }
  THALWEG_MATH V clamp(V x, double limit) {  // NaN stays
    x = M::select(x > limit, M::set(limit), x);
    return M::select(x < -limit, M::set(-limit), x);
  }
  THALWEG_MATH V sinh(V x) {
    const V z = x * x, e = exp(clamp(x, 100.0));
    const V small = x * z * ((z * (1.0 / 5040) + 1.0 / 120) * z + 1.0 / 6) + x;
    return M::select(magnitude(x) < 0.05, small, 0.5 * (e - 1.0 / e));
  }
  THALWEG_MATH V cosh(V x) {
    const V e = exp(clamp(x, 100.0));
    return 0.5 * (e + 1.0 / e);
  }
  THALWEG_MATH V asinh(V x) {
    const V a = magnitude(x), z = x * x;
    const V small = a * z * ((z * (-15.0 / 336) + 3.0 / 40) * z - 1.0 / 6) + a;
    V y = M::select(a < 0.02, small, log(a + M::sqrt(a * a + 1.0)));
    y = M::select(a < std::numeric_limits<double>::infinity(), y, a);
    return withSign(y, x);
  }
  THALWEG_MATH V acosh(V x) {
    const V y = log(x + M::sqrt((x - 1.0) * (x + 1.0)));
    const V within = M::select(x < std::numeric_limits<double>::infinity(), y, x);
    return M::select(x < 1.0, M::set(std::numeric_limits<double>::quiet_NaN()), within);
  }
  THALWEG_MATH V atanh(V x) {
    const V a = magnitude(x), z = x * x;
    const V small = a * z * ((z * (1.0 / 7) + 1.0 / 5) * z + 1.0 / 3) + a;
    V y = M::select(a < 0.02, small, 0.5 * log((1.0 + a) / (1.0 - a)));
    y = M::select(a == 1.0, M::set(std::numeric_limits<double>::infinity()), y);
    return withSign(M::select(a <= 1.0, y, M::set(std::numeric_limits<double>::quiet_NaN())), x);
  }
  // 0 < x < inf, y finite
  THALWEG_MATH V pow(V x, V y) { return exp(clamp(y * log(x), 110.0)); }
};

}  // namespace thalweg
