// Special functions of one number in double precision: those that the C library does not have.
#pragma once
#include <cmath>
#include <limits>

// Out of line: the instructions' loops over the lanes of a vector would otherwise repeat them for each lane.
#if defined(__CUDACC__)
#define THALWEG_SPECIAL __host__ __device__ static inline
#else
#define THALWEG_SPECIAL static inline __attribute__((noinline))
#endif

namespace thalweg::special {

constexpr double kPi = 3.14159265358979323846;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The normal distribution function, erfc(-x / sqrt(2)) / 2. What rounding takes from the argument is given back: erfc's
// relative change is 2 z times the argument's.
THALWEG_SPECIAL double normalCdf(double x) {
  constexpr double root = 0.70710678118654752440, rest = -4.8336466567264567e-17;  // sqrt(1/2)
  const double z = -x * root;
  const double y = 0.5 * std::erfc(z);
  if (!(std::fabs(x) < 40)) return y;
  const double lost = std::fma(-x, root, -z) - x * rest;
  return y - 0.56418958354775628695 * std::exp(-z * z) * lost;  // 1 / sqrt(pi)
}

// The y with erf(y) = x: Winitzki's approximation (2e-3), then two steps of Halley's method, each of which triples the
// digits. Near 1 the equation is that of erfc, whose right side 1 - |x| is exact.
THALWEG_SPECIAL double erfinv(double x) {
  const double a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(kInfinity, x) : kNaN;
  const double l = std::log1p(-a * a);
  const double t = 2 / (kPi * 0.147) + l / 2;
  // sqrt(t^2 - l / 0.147) - t, without its cancellation for small x
  double y = std::sqrt(-l / 0.147 / (std::sqrt(t * t - l / 0.147) + t));
  for (int step = 0; step < 2; step++) {
    const double excess = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double d = excess / (1.12837916709551257390 * std::exp(-y * y));  // 2 / sqrt(pi)
    y -= d / (1 + y * d);
  }
  return std::copysign(y, x);
}

// The derivative of log(gamma(x)): recurrence up to 10, then the asymptotic series, whose coefficients are B_2k / 2k;
// below 0 by reflection.
THALWEG_SPECIAL double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  double result = 0;
  if (x < 0) {
    const double fraction = x - std::trunc(x);
    if (!(std::fabs(fraction) > 0)) return kNaN;  // a pole, or -inf
    result = -kPi / std::tan(kPi * fraction);
    x = 1 - x;
  }
  for (; x < 10; x += 1) result -= 1 / x;
  if (x == kInfinity) return x;
  const double z = 1 / (x * x);
  double series = 1. / 12;
  series = series * z - 691. / 32760;
  series = series * z + 1. / 132;
  series = series * z - 1. / 240;
  series = series * z + 1. / 252;
  series = series * z - 1. / 120;
  series = series * z + 1. / 12;
  return result + (std::log(x) - 0.5 / x - series * z);
}

// The Hurwitz zeta function, the sum of (a + k)^-s over k >= 0, for a > 0 and a whole s >= 2: Euler-Maclaurin from
// where the terms fall fast.
THALWEG_SPECIAL double zeta(double s, double a) {
  if (a == kInfinity) return 0;
  const double from = s + 11;
  double sum = 0;
  for (; a < from; a += 1) {
    const double term = std::pow(a, -s);
    sum += term;
    if (term == 0 || term == kInfinity) return sum;
  }
  double factor = std::pow(a, -s);
  sum += factor * (a / (s - 1) + 0.5);
  // B_2k / (2k)! s (s + 1) ... (s + 2k - 2) a^(1 - s - 2k)
  constexpr double bernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6, -3617. / 510};
  factor *= s / (2 * a);
  for (int k = 1; k <= 8; k++) {
    sum += bernoulli[k - 1] * factor;
    const double top = s + 2 * k - 1;
    factor *= top / a * ((top + 1) / a) / ((2. * k + 1) * (2. * k + 2));
  }
  return sum;
}

// The n-th derivative of digamma: (-1)^(n + 1) n! zeta(n + 1, x). Below 0 the sum is split at 0 into sums of positive
// terms: zeta(s, x) = zeta(s, u) + (-1)^s (zeta(s, v) - zeta(s, 1 - x)), u = x - floor(x), v = 1 - u.
THALWEG_SPECIAL double polygamma(double n, double x) {
  if (n == 0) return digamma(x);
  if (!(n > 0) || n != std::trunc(n) || n > 1000 || x != x || x == -kInfinity) return kNaN;
  const double s = n + 1;
  const bool evenOrder = std::fmod(n, 2) == 0;
  double value;
  if (x > 0) {
    value = zeta(s, x);
  } else if (x == std::trunc(x)) {
    value = kInfinity;
  } else {
    const double rest = zeta(s, std::ceil(x) - x) - zeta(s, 1 - x);
    value = zeta(s, x - std::floor(x)) + (evenOrder ? -rest : rest);
  }
  return (evenOrder ? -1 : 1) * std::tgamma(s) * value;
}

}  // namespace thalweg::special
