// float32 functions by polynomials in float32, fitted to a minimum of the largest relative error (Remez) and checked
// over all of float32.
#pragma once
#include <limits>

#include "functors_scalar.h"

namespace thalweg {

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
  // y - q u for a q near y / u: exact, or nearly so where a product is rounded.
  THALWEG_MATH V remainder(V y, V q, V u) {
    if constexpr (M::fused) return y - q * u;
    const V high = shortened(q), highU = shortened(u), low = q - high, lowU = u - highU;
    return ((y - high * highU) - high * lowU - low * highU) - low * lowU;
  }
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
    const V inverse = 1.f / u;
    V sum = f * (p + first) + p;
    sum = sum - (sum + first) * (lost * inverse);
    // (first + sum) / u, with what rounding takes from the addition and from the first quotient.
    const V y = sum + first, low = (first - y) + sum, quotient = y * inverse;
    return M::scale(quotient + (remainder(y, quotient, u) + low) * inverse, n, e);
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

}  // namespace thalweg
