// The math of elementwise programs, each function written once: as templates over a policy M that says what a value is.
// With ScalarMath<T> a value is a T (for a device compiler); the CPU kernels use VectorMath<T> of cpu/vecmath.h, in the
// namespace of their ISA, where a value is a whole vector. Names and meanings are those of opcodes.def.
//
// float32 polynomials were fitted to a minimum of the largest relative error (Remez) and checked over all of float32;
// float64 uses libm, since its purpose is accuracy.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "special.h"

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

// -- float32 approximations -----------------------------------------------------------------------------------------

template <class M>
struct Approximate {
  using V = typename M::V;
  using I = typename M::I;
  using U = typename M::U;

  // Bit patterns of NaN and negative numbers overflow here: wrap.
  THALWEG_MATH I minus(I a, uint32_t b) { return (I)((U)a - b); }

  // exp(x) = 2^e (1 + expPolynomial(result - n ln2Low)), |x| <= 104; n is e as a float.
  static constexpr float ln2Low = 1.42860682e-6f;
  THALWEG_MATH V splitExp(V x, V& n, I& e) {
    const V shifted = x * 1.44269504f + 12582912.f;
    n = shifted - 12582912.f;
    e = minus(M::bits(shifted), 0x4b400000u);
    return x - n * 0x1.62e4p-1f;  // ln 2 in two parts, the first short enough for an exact product
  }
  // exp(r) - 1, |r| <= ln(2) / 2
  THALWEG_MATH V expPolynomial(V r) {
    V p = r * 1.395171741e-3f + 8.369598538e-3f;
    p = p * r + 4.166618735e-2f;
    p = p * r + 1.666651219e-1f;
    p = p * r + 0.5f;
    return p * (r * r) + r;
  }
  // exp(x) = 2^e (1 + result)
  THALWEG_MATH V expReduced(V x, V& n, I& e) {
    const V r = splitExp(x, n, e);
    return expPolynomial(r - n * ln2Low);
  }
  THALWEG_MATH V clamp(V x, float low, float high) {  // NaN stays
    x = M::select(x > high, M::set(high), x);
    return M::select(x < low, M::set(low), x);
  }
  THALWEG_MATH V exp(V x) {
    V n;
    I e;
    const V p = expReduced(clamp(x, -104.f, 89.f), n, e);
    return M::scale(p + 1.f, n, e);
  }
  THALWEG_MATH V exp2(V x) {
    x = clamp(x, -151.f, 129.f);
    const V shifted = x + 12582912.f;
    const V n = shifted - 12582912.f;
    const V r = x - n;
    V p = r * 1.547776192e-4f + 1.340161194e-3f;
    p = p * r + 9.617999196e-3f;
    p = p * r + 5.550324544e-2f;
    p = p * r + 2.402265072e-1f;
    p = p * r + 6.931471825e-1f;
    return M::scale(p * r + 1.f, n, minus(M::bits(shifted), 0x4b400000u));
  }
  THALWEG_MATH V expm1(V x) {
    V n;
    I e;
    const V p = expReduced(clamp(x, -30.f, 89.f), n, e);
    const auto top = n > 127.f;  // 2^128 is no float: double at the end instead
    const V s = M::fromBits((M::select(top, e - 1, e) + 127) << 23);
    V y = s * p + (s - 1.f);
    y = M::select(top, y + y, y);
    return M::select(x == 0.f, x, y);
  }
  // log(1 + f) - f for 1 + f in [sqrt(1/2), sqrt(2)].
  THALWEG_MATH V logTail(V f) {
    const V z = f * f;
    V p = f * -7.634013891e-2f + 1.278088242e-1f;
    p = p * f - 1.316931248e-1f;
    p = p * f + 1.419979781e-1f;
    p = p * f - 1.662228554e-1f;
    p = p * f + 2.000127286e-1f;
    p = p * f - 2.500084937e-1f;
    p = p * f + 3.333333135e-1f;
    return z * f * p - z * 0.5f;
  }
  // x = 2^e (1 + f) for x > 0, subnormals included.
  THALWEG_MATH void splitLog(V x, V& f, V& e) {
    const auto tiny = x < 0x1p-126f;
    x = M::select(tiny, x * 0x1p23f, x);
    const I i = minus(M::bits(x), 0x3f3504f3u);  // sqrt(1/2)
    e = M::toFloat(i >> 23) - M::select(tiny, M::set(23.f), M::set(0.f));
    f = M::fromBits((i & 0x7fffff) + 0x3f3504f3) - 1.f;
  }
  THALWEG_MATH V logEdges(V x, V y) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    y = M::select(x < inf, y, x);  // inf and NaN
    y = M::select(x < 0.f, M::set(std::numeric_limits<float>::quiet_NaN()), y);
    return M::select(x == 0.f, M::set(-inf), y);
  }
  THALWEG_MATH V log(V x) {
    V f, e;
    splitLog(x, f, e);
    const V y = logTail(f) + e * 1.42860682e-6f;
    return logEdges(x, e * 0x1.62e4p-1f + (f + y));
  }
  THALWEG_MATH V log2(V x) {
    V f, e;
    splitLog(x, f, e);
    const V y = logTail(f);
    // log2(e) = 1 + 0.44...: the 1 needs no multiplication
    return logEdges(x, ((((y * 0.44269504f) + f * 0.44269504f) + y) + f) + e);
  }
  THALWEG_MATH V log10(V x) {
    V f, e;
    splitLog(x, f, e);
    const V y = logTail(f);
    V r = e * 4.6050390e-6f;                          // log10(2) = 0x1.3440p-2 + this
    r = r + y * 7.00731903e-4f + f * 7.00731903e-4f;  // log10(e) = 0.43359375 + this
    r = r + y * 0.43359375f;
    r = r + f * 0.43359375f;
    return logEdges(x, r + e * 0x1.344p-2f);
  }
  THALWEG_MATH V log1p(V x) {
    const V u = x + 1.f;
    V f, e;
    splitLog(u, f, e);
    // what rounding took from 1 + x
    const V lost = M::select(x > 1.f, 1.f - (u - x), x - (u - 1.f));
    const auto near = (x > -0.29f) & (x < 0.41f);
    f = M::select(near, x, f);
    e = M::select(near, M::set(0.f), e);
    const V correction = M::select(near, M::set(0.f), lost / u);
    const V y = logTail(f) + (e * 1.42860682e-6f + correction);
    return M::select(x == 0.f, x, logEdges(u, e * 0x1.62e4p-1f + (f + y)));
  }
  THALWEG_MATH V tanh(V x) {
    const V a = M::fromBits(M::bits(x) & 0x7fffffff);
    const V z = x * x;
    V p = z * -5.895151291e-3f + 2.079596557e-2f;
    p = p * z - 5.378382653e-2f;
    p = p * z + 1.333192438e-1f;
    p = p * z - 3.333329856e-1f;
    const V small = x + x * (z * p);
    V n;
    I e;
    const V t = expReduced(M::select(a > 10.f, M::set(20.f), a + a), n, e);
    const V large = 1.f - 2.f / (M::fromBits((e + 127) << 23) * (t + 1.f) + 1.f);
    const V y = M::select(a < 0.6f, small, large);
    return M::select(x == 0.f, x, withSign(y, x));
  }
  THALWEG_MATH V sigmoid(V x) {
    const V e = exp(M::fromBits(M::bits(x) | static_cast<int32_t>(0x80000000)));  // exp(-|x|): no overflow
    return M::select(x < 0.f, e, M::set(1.f)) / (e + 1.f);
  }
  THALWEG_MATH V erf(V x) {
    const V a = M::fromBits(M::bits(x) & 0x7fffffff);
    const V z = x * x;
    V p = z * 7.853862189e-5f - 8.010193706e-4f;
    p = p * z + 5.188327748e-3f;
    p = p * z - 2.685381100e-2f;
    p = p * z + 1.128358543e-1f;
    p = p * z - 3.761262596e-1f;
    p = p * z + 1.283791661e-1f;
    const V small = x * p + x;
    // 1 - erf = exp(-t Q(t))
    const V t = M::select(a > 4.f, M::set(4.f), a);
    V q = t * 1.365915523e-5f - 3.474555269e-4f;
    q = q * t + 3.744266229e-3f;
    q = q * t - 2.398104966e-2f;
    q = q * t + 1.064957827e-1f;
    q = q * t + 6.349917054e-1f;
    q = q * t + 1.128688574e+0f;
    V n;
    I e;
    const V r = expReduced(-(t * q), n, e);
    const V s = M::fromBits((e + 127) << 23);
    const V large = 1.f - s - s * r;
    return M::select(x == 0.f, x, withSign(M::select(a < 1.f, small, large), x));
  }
  // x without its last 12 bits: products with other short numbers are exact.
  THALWEG_MATH V shortened(V x) { return M::fromBits(M::bits(x) & static_cast<int32_t>(0xfffff000)); }
  // exp(-a^2 scale) times P(q) / (1 + t), the tail of the normal distribution from t + beyond on.
  // a^2 is taken in two parts: the error of one rounding would be as large as the exponent.
  THALWEG_MATH V normalTail(V a, V t, V beyond, float scale) {
    const V q = (t - 4.f) / (t + 4.f);
    V p = q * 6.390246563e-04f - 3.431169025e-04f;
    p = p * q - 4.985924345e-03f;
    p = p * q + 1.794778556e-02f;
    p = p * q - 3.220101446e-02f;
    p = p * q + 2.859964408e-02f;
    p = p * q + 1.399994735e-02f;
    p = p * q - 9.670347720e-02f;
    // P = first + p q, and exp = 2^n (1 + f). Their product, and what rounding took from 1 + t, are summed up before
    // the large first coefficient: it is rounded once.
    constexpr float first = 4.720532000e-01f;
    p = p * q;
    const V high = shortened(a);
    const V rest = (a - high) * (a + high) * scale;
    V n;
    I e;
    const V r = splitExp(high * high * -scale, n, e);
    const V f = expPolynomial(r - (n * ln2Low + rest));
    const V u = t + 1.f, lost = (t - (u - 1.f)) + beyond;
    V sum = f * (p + first) + p;
    sum = sum - (sum + first) * (lost / u);
    return M::scale((sum + first) / u, n, e);
  }
  THALWEG_MATH V erfc(V x) {
    const V a = M::fromBits(M::bits(x) & 0x7fffffff);
    const V z = x * x;
    V p = z * -7.258057012e-04f + 5.167701747e-03f;
    p = p * z - 2.685421333e-02f;
    p = p * z + 1.128366739e-01f;
    p = p * z - 3.761263192e-01f;
    p = p * z + 1.128379226e+00f;
    const V small = 1.f - x * p;
    const V t = M::select(a > 10.2f, M::set(10.2f), a);  // 0 from there on
    const V high = shortened(t);
    const V main = high * 1.4140625f, minor = high * 1.51062373e-4f + (t - high) * 1.41421356f;
    const V scaled = main + minor;  // t sqrt(2)
    const V tail = normalTail(t, scaled, (main - scaled) + minor, 1.f);
    const V twice = tail + tail;
    return M::select(a < 0.47f, small, M::select(x < 0.f, 2.f - twice, twice));
  }
  THALWEG_MATH V normalCdf(V x) {
    const V a = M::fromBits(M::bits(x) & 0x7fffffff);
    const V z = x * x;
    V p = z * -7.530306902e-06f + 1.131436511e-04f;
    p = p * z - 1.185984700e-03f;
    p = p * z + 9.973171167e-03f;
    p = p * z - 6.649032980e-02f;
    p = p * z + 3.989422917e-01f;
    const V small = x * p + 0.5f;
    const V t = M::select(a > 14.42f, M::set(14.42f), a);
    const V tail = normalTail(t, t, V{}, 0.5f);
    return M::select(a < 0.6f, small, M::select(x < 0.f, tail, 1.f - tail));
  }
  THALWEG_MATH V sin(V x) {
    return trigonometric(
        x, [](float v) { return std::sin(v); }, 0);
  }
  THALWEG_MATH V cos(V x) {
    return trigonometric(
        x, [](float v) { return std::cos(v); }, 1);
  }

 private:
  THALWEG_MATH V withSign(V magnitude, V sign) {
    constexpr int32_t top = static_cast<int32_t>(0x80000000);
    return M::fromBits((M::bits(magnitude) & 0x7fffffff) | (M::bits(sign) & top));
  }
  template <class Libm>
  THALWEG_MATH V trigonometric(V x, Libm libm, int shift) {
    const V a = M::fromBits(M::bits(x) & 0x7fffffff);
    const auto reducible = a < 0x1p27f;
    if (!M::all(reducible)) return M::map(libm, x);  // huge, infinite, NaN: rare
    I quadrant;
    const V r = M::reduceHalfPi(x, quadrant);
    quadrant = quadrant + shift;
    const V z = r * r;
    V s = z * -1.951083977e-4f + 8.332131431e-3f;
    s = s * z - 1.666665375e-1f;
    s = r + r * (z * s);
    V c = z * 2.443120502e-5f - 1.388730598e-3f;
    c = c * z + 4.166664556e-2f;
    c = z * z * c + (1.f - z * 0.5f);
    const V y = M::select((quadrant & 1) == 0, s, c);
    const V signedY = M::fromBits(M::bits(y) ^ ((quadrant & 2) << 30));
    return shift == 0 ? M::select(x == 0.f, x, signedY) : signedY;
  }
};

// -- float32 functions computed in float64 ----------------------------------------------------------------------------

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

// -- floats: every opcode -------------------------------------------------------------------------------------------

template <class M>
struct FloatOps {
  using T = typename M::Real;
  using V = typename M::V;
  using I = typename M::I;
  using Mask = typename M::Mask;
  using A = Approximate<M>;
  using W = Wide<typename M::Double>;
  static constexpr bool single = std::is_same_v<T, float>;
  static constexpr T inf = std::numeric_limits<T>::infinity();
  static constexpr I magnitudeMask() {
    return I{} + std::numeric_limits<std::conditional_t<single, int32_t, int64_t>>::max();
  }

  THALWEG_MATH V truth(Mask m) { return M::select(m, M::set(T(1)), M::set(T(0))); }

  THALWEG_MATH V neg(V x) { return -x; }
  THALWEG_MATH V abs(V x) { return M::fromBits(M::bits(x) & magnitudeMask()); }
  THALWEG_MATH V sign(V x) { return M::select(x == x, truth(x > T(0)) - truth(x < T(0)), x); }
  THALWEG_MATH V square(V x) { return x * x; }
  THALWEG_MATH V sqrt(V x) { return M::sqrt(x); }
  THALWEG_MATH V rsqrt(V x) { return T(1) / M::sqrt(x); }
  THALWEG_MATH V reciprocal(V x) { return T(1) / x; }

#define THALWEG_APPROXIMATE(name)                         \
  THALWEG_MATH V name(V x) {                              \
    if constexpr (single)                                 \
      return A::name(x);                                  \
    else                                                  \
      return M::map([](T v) { return std::name(v); }, x); \
  }
#define THALWEG_LIBM(name)                              \
  THALWEG_MATH V name(V x) {                            \
    return M::map([](T v) { return std::name(v); }, x); \
  }
#define THALWEG_WIDE(name)                                  \
  THALWEG_MATH V name(V x) {                                \
    if constexpr (single)                                   \
      return M::wide([](auto v) { return W::name(v); }, x); \
    else                                                    \
      return M::map([](T v) { return std::name(v); }, x);   \
  }
#define THALWEG_LIBM2(name)                                        \
  THALWEG_MATH V name(V x, V y) {                                  \
    return M::map([](T v, T w) { return std::name(v, w); }, x, y); \
  }
  THALWEG_APPROXIMATE(exp)
  THALWEG_APPROXIMATE(exp2)
  THALWEG_APPROXIMATE(expm1)
  THALWEG_APPROXIMATE(log)
  THALWEG_APPROXIMATE(log2)
  THALWEG_APPROXIMATE(log10)
  THALWEG_APPROXIMATE(log1p)
  THALWEG_APPROXIMATE(sin)
  THALWEG_APPROXIMATE(cos)
  THALWEG_MATH V tan(V x) {
    if constexpr (single) {
      if (M::all(abs(x) < T(0x1p27))) return M::wide([](auto v) { return W::tan(v); }, x);
    }
    return M::map([](T v) { return std::tan(v); }, x);
  }
  THALWEG_WIDE(asin)
  THALWEG_WIDE(acos)
  THALWEG_WIDE(atan)
  THALWEG_WIDE(sinh)
  THALWEG_WIDE(cosh)
  THALWEG_APPROXIMATE(tanh)
  THALWEG_WIDE(asinh)
  THALWEG_WIDE(acosh)
  THALWEG_WIDE(atanh)
  THALWEG_APPROXIMATE(erf)
  THALWEG_APPROXIMATE(erfc)
  THALWEG_MATH V normalCdf(V x) {
    if constexpr (single)
      return A::normalCdf(x);
    else
      return M::map([](T v) { return special::normalCdf(v); }, x);
  }
  // In double for float32 too: rare, and the last bits are worth more than the time.
  THALWEG_MATH V erfinv(V x) {
    return M::map([](T v) { return static_cast<T>(special::erfinv(v)); }, x);
  }
  // In double too: near its zeros the float function of the C library loses most digits.
  THALWEG_MATH V lgamma(V x) {
    return M::map([](T v) { return static_cast<T>(std::lgamma(static_cast<double>(v))); }, x);
  }
  THALWEG_MATH V digamma(V x) {
    return M::map([](T v) { return static_cast<T>(special::digamma(v)); }, x);
  }
  THALWEG_MATH V sigmoid(V x) {
    if constexpr (single)
      return A::sigmoid(x);
    else
      return M::map(
          [](T v) {
            const T e = std::exp(-std::fabs(v));
            return (v < 0 ? e : T(1)) / (T(1) + e);
          },
          x);
  }
  THALWEG_MATH V floor(V x) { return M::floor(x); }
  THALWEG_MATH V ceil(V x) { return M::ceil(x); }
  THALWEG_MATH V round(V x) { return M::roundEven(x); }
  THALWEG_MATH V trunc(V x) { return M::trunc(x); }
  THALWEG_MATH V isnan(V x) { return truth(x != x); }
  THALWEG_MATH V isinf(V x) { return truth(abs(x) == inf); }
  THALWEG_MATH V isfinite(V x) { return truth(abs(x) < inf); }
  THALWEG_MATH V logicalNot(V x) { return truth(x == T(0)); }

  THALWEG_MATH V add(V x, V y) { return x + y; }
  THALWEG_MATH V sub(V x, V y) { return x - y; }
  THALWEG_MATH V mul(V x, V y) { return x * y; }
  THALWEG_MATH V div(V x, V y) { return x / y; }
  THALWEG_MATH V floorDiv(V x, V y) {
    return M::map(
        [](T a, T b) {
          if (b == 0) return a / b;
          // Python's: from the exact remainder, so that 1 // 0.1 is 9
          T rest = std::fmod(a, b);
          T quotient = (a - rest) / b;
          if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
          if (quotient == 0) return std::copysign(T(0), a / b);
          const T whole = std::floor(quotient);
          return quotient - whole > T(0.5) ? whole + 1 : whole;
        },
        x, y);
  }
  THALWEG_MATH V remainder(V x, V y) {
    return M::map(
        [](T a, T b) {
          const T rest = std::fmod(a, b);
          return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
        },
        x, y);
  }
  THALWEG_LIBM2(fmod)
  THALWEG_MATH V pow(V x, V y) {
    // The usual exponents; +0 and the selects keep pow's own answers at -0 and -inf.
    if (M::all(y == T(2))) return x * x;
    if (M::all(y == T(3))) return x * x * x;
    if (M::all(y == T(1))) return x;
    if (M::all(y == T(-1))) return T(1) / x;
    if (M::all(y == T(0.5))) return M::select(x == -inf, M::set(inf), M::sqrt(x + T(0)));
    if constexpr (single) {
      if (M::all((x > T(0)) & (x < inf) & (abs(y) < inf)))
        return M::wide([](auto a, auto b) { return W::pow(a, b); }, x, y);
    }
    return M::map([](T a, T b) { return std::pow(a, b); }, x, y);
  }
  THALWEG_MATH V polygamma(V n, V x) {
    return M::map([](T order, T v) { return static_cast<T>(special::polygamma(order, v)); }, n, x);
  }
  THALWEG_LIBM2(atan2)
  THALWEG_LIBM2(hypot)
  THALWEG_MATH V maximum(V x, V y) { return M::select((x > y) | (x != x), x, y); }
  THALWEG_MATH V minimum(V x, V y) { return M::select((x < y) | (x != x), x, y); }
  THALWEG_MATH V fmax(V x, V y) { return M::select((x >= y) | (y != y), x, y); }
  THALWEG_MATH V fmin(V x, V y) { return M::select((x <= y) | (y != y), x, y); }
  THALWEG_MATH V copysign(V x, V y) {
    return M::fromBits((M::bits(x) & magnitudeMask()) | (M::bits(y) & ~magnitudeMask()));
  }
  THALWEG_MATH V eq(V x, V y) { return truth(x == y); }
  THALWEG_MATH V ne(V x, V y) { return truth(x != y); }
  THALWEG_MATH V lt(V x, V y) { return truth(x < y); }
  THALWEG_MATH V le(V x, V y) { return truth(x <= y); }
  THALWEG_MATH V gt(V x, V y) { return truth(x > y); }
  THALWEG_MATH V ge(V x, V y) { return truth(x >= y); }
  // Bits of the values as integers: truth values combined inside a float program mean the same as outside it.
  THALWEG_MATH int64_t integer(T x) {
    if (!(x >= T(-0x1p63))) return x < 0 ? std::numeric_limits<int64_t>::min() : 0;
    return x < T(0x1p63) ? static_cast<int64_t>(x) : std::numeric_limits<int64_t>::max();
  }
  THALWEG_MATH V bitwiseNot(V x) {
    return M::map([](T a) { return static_cast<T>(~integer(a)); }, x);
  }
  THALWEG_MATH V bitwiseAnd(V x, V y) {
    return M::map([](T a, T b) { return static_cast<T>(integer(a) & integer(b)); }, x, y);
  }
  THALWEG_MATH V bitwiseOr(V x, V y) {
    return M::map([](T a, T b) { return static_cast<T>(integer(a) | integer(b)); }, x, y);
  }
  THALWEG_MATH V bitwiseXor(V x, V y) {
    return M::map([](T a, T b) { return static_cast<T>(integer(a) ^ integer(b)); }, x, y);
  }
  THALWEG_MATH V bitwiseLeftShift(V x, V y) {
    return M::map([](T a, T b) { return static_cast<T>(shiftLeft(integer(a), integer(b))); }, x, y);
  }
  THALWEG_MATH V bitwiseRightShift(V x, V y) {
    return M::map([](T a, T b) { return static_cast<T>(shiftRight(integer(a), integer(b))); }, x, y);
  }
  THALWEG_MATH V fma(V x, V y, V z) { return x * y + z; }
  THALWEG_MATH V select(V x, V y, V z) { return M::select(x != T(0), y, z); }
};

// -- int64: the opcodes that mean something on integers ---------------------------------------------------------------

template <class M>
struct IntegerOps {
  using V = typename M::V;
  using U = typename M::U;
  using Mask = typename M::Mask;

  THALWEG_MATH V truth(Mask m) { return M::select(m, M::set(1), M::set(0)); }

  // Through unsigned: overflow wraps.
  THALWEG_MATH V add(V x, V y) { return (V)((U)x + (U)y); }
  THALWEG_MATH V sub(V x, V y) { return (V)((U)x - (U)y); }
  THALWEG_MATH V mul(V x, V y) { return (V)((U)x * (U)y); }
  THALWEG_MATH V neg(V x) { return sub(M::set(0), x); }
  THALWEG_MATH V abs(V x) { return M::select(x < 0, neg(x), x); }
  THALWEG_MATH V sign(V x) { return truth(x > 0) - truth(x < 0); }
  THALWEG_MATH V square(V x) { return mul(x, x); }
  THALWEG_MATH V identity(V x) { return x; }  // floor, ceil, round, trunc
  THALWEG_MATH V zero(V) { return M::set(0); }
  THALWEG_MATH V one(V) { return M::set(1); }
  THALWEG_MATH V logicalNot(V x) { return truth(x == 0); }
  THALWEG_MATH V bitwiseNot(V x) { return ~x; }

  // A divisor of 0 gives 0 here; the interpreter has refused it before.
  THALWEG_MATH int64_t quotient(int64_t a, int64_t b) {
    if (b == 0) return 0;
    return b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
  }
  THALWEG_MATH int64_t rest(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
  THALWEG_MATH V div(V x, V y) {
    return M::map([](int64_t a, int64_t b) { return quotient(a, b); }, x, y);
  }
  THALWEG_MATH V fmod(V x, V y) {
    return M::map([](int64_t a, int64_t b) { return rest(a, b); }, x, y);
  }
  THALWEG_MATH V floorDiv(V x, V y) {
    return M::map(
        [](int64_t a, int64_t b) {
          const int64_t r = rest(a, b);
          return quotient(a, b) - (r != 0 && (r < 0) != (b < 0) ? 1 : 0);
        },
        x, y);
  }
  THALWEG_MATH V remainder(V x, V y) {
    return M::map(
        [](int64_t a, int64_t b) {
          const int64_t r = rest(a, b);
          return r != 0 && (r < 0) != (b < 0) ? r + b : r;
        },
        x, y);
  }
  THALWEG_MATH V pow(V x, V y) {
    return M::map(
        [](int64_t a, int64_t b) -> int64_t {
          if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;  // 1 / a^-b, truncated
          uint64_t result = 1, factor = static_cast<uint64_t>(a);
          for (uint64_t n = static_cast<uint64_t>(b); n != 0; n >>= 1, factor *= factor)
            if (n & 1) result *= factor;
          return static_cast<int64_t>(result);
        },
        x, y);
  }
  THALWEG_MATH V maximum(V x, V y) { return M::select(x > y, x, y); }
  THALWEG_MATH V minimum(V x, V y) { return M::select(x < y, x, y); }
  THALWEG_MATH V eq(V x, V y) { return truth(x == y); }
  THALWEG_MATH V ne(V x, V y) { return truth(x != y); }
  THALWEG_MATH V lt(V x, V y) { return truth(x < y); }
  THALWEG_MATH V le(V x, V y) { return truth(x <= y); }
  THALWEG_MATH V gt(V x, V y) { return truth(x > y); }
  THALWEG_MATH V ge(V x, V y) { return truth(x >= y); }
  THALWEG_MATH V bitwiseAnd(V x, V y) { return x & y; }
  THALWEG_MATH V bitwiseOr(V x, V y) { return x | y; }
  THALWEG_MATH V bitwiseXor(V x, V y) { return x ^ y; }
  THALWEG_MATH V bitwiseLeftShift(V x, V y) {
    return M::map([](int64_t a, int64_t b) { return shiftLeft(a, b); }, x, y);
  }
  THALWEG_MATH V bitwiseRightShift(V x, V y) {
    return M::map([](int64_t a, int64_t b) { return shiftRight(a, b); }, x, y);
  }
  THALWEG_MATH V fma(V x, V y, V z) { return add(mul(x, y), z); }
  THALWEG_MATH V select(V x, V y, V z) { return M::select(x != 0, y, z); }
};

}  // namespace thalweg
