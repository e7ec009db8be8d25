// Every opcode on floats. float64 uses libm, since its purpose is accuracy.
#pragma once
#include "functors_approximate.h"
#include "functors_wide.h"
#include "special.h"

namespace thalweg {

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

}  // namespace thalweg
