// Prints how far the float64 functions that are our own are from the truth, in units of the last place: the second
// table of docs/accuracy.md. The truth is computed in long double, which on x86 has 11 bits more than double; elsewhere
// it may have none, and the program says so. An argument: how many arguments each function is tried with.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "special.h"

namespace {

using Long = long double;
namespace special = thalweg::special;

const Long kPi = std::acos(-1.0L);

double sigmoid(double x) {  // as functors_float.h has it
  const double e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}
Long trueSigmoid(Long x) { return 1 / (1 + std::exp(-x)); }

// What rounding takes from the argument is given back, as in special.h: it counts for more than all the rest.
Long trueNormalCdf(Long x) {
  const Long root = std::sqrt(0.5L), low = std::fma(-root, root, 0.5L) / (2 * root), z = -x * root;
  const Long lost = std::fma(-x, root, -z) - x * low;
  return 0.5L * std::erfc(z) - std::exp(-z * z) * lost / std::sqrt(kPi);
}

// Newton's method, from a result that is nearly right.
Long trueErfinv(Long x) {
  const Long a = std::fabs(x);
  Long y = std::fabs(special::erfinv(static_cast<double>(x)));
  for (int step = 0; step < 2; step++) {
    const Long excess = a < 0.5L ? std::erf(y) - a : (1 - a) - std::erfc(y);
    y -= excess / (2 / std::sqrt(kPi) * std::exp(-y * y));
  }
  return std::copysign(y, x);
}

// From B_2 on.
constexpr Long kBernoulli[] = {1.L / 6,       -1.L / 30, 1.L / 42,      -1.L / 30,     5.L / 66,
                               -691.L / 2730, 7.L / 6,   -3617.L / 510, 43867.L / 798, -174611.L / 330};

// The recurrence to 40, then the asymptotic series; below 0 by reflection.
Long trueDigamma(Long x) {
  Long result = 0;
  if (x < 0) {
    result = -kPi / std::tan(kPi * (x - std::trunc(x)));
    x = 1 - x;
  }
  for (; x < 40; x += 1) result -= 1 / x;
  Long power = 1;
  result += std::log(x) - 0.5L / x;
  for (int k = 1; k <= 10; k++) {
    power /= x * x;
    result -= kBernoulli[k - 1] / (2 * k) * power;
  }
  return result;
}

// (-1)^(n + 1) n! times the sum of (x + k)^-(n + 1), for x > 0: Euler-Maclaurin from 60 terms on.
template <int n>
Long truePolygamma(Long x) {
  const Long s = n + 1;
  Long sum = 0, factorial = 1;
  for (int k = 2; k <= n; k++) factorial *= k;
  for (const Long last = x + 60; x < last; x += 1) sum += std::pow(x, -s);
  Long factor = std::pow(x, -s);
  sum += factor * (x / (s - 1) + 0.5L);
  factor *= s / (2 * x);
  for (int k = 1; k <= 10; k++) {
    sum += kBernoulli[k - 1] * factor;
    factor *= (s + 2 * k - 1) * (s + 2 * k) / (x * x) / ((2 * k + 1) * (2 * k + 2));
  }
  return (n % 2 == 0 ? -1 : 1) * factorial * sum;
}
template <int n>
double polygamma(double x) {
  return special::polygamma(n, x);
}

// The distance of neighbouring doubles at x.
Long ulp(Long x) {
  int exponent;
  std::frexp(x, &exponent);
  return std::ldexp(1.0L, std::max(exponent - 1, DBL_MIN_EXP - 1) - (DBL_MANT_DIG - 1));
}

struct Worst {
  Long error = 0;
  double at = 0;
  void see(double x, double result, Long truth) {
    const Long error = std::fabs(result - truth) / ulp(truth);
    if (error <= this->error) return;
    this->error = error;
    at = x;
  }
};

// Evenly spread values between the bounds, and evenly spread bit patterns of either sign.
void measure(const char* name, double low, double high, int64_t count, double (*f)(double), Long (*truth)(Long)) {
  Worst worst;
  const auto look = [&](double x) {
    if (x >= low && x <= high && x != 0) worst.see(x, f(x), truth(x));
  };
  for (int64_t i = 0; i < count; i++)
    look(low + (high - low) * ((static_cast<double>(i) + 0.5) / static_cast<double>(count)));
  const double largest = std::max(std::fabs(low), std::fabs(high));
  uint64_t from = 0, to;
  const double smallest = std::max(1e-300, low > 0 ? low : 0);
  std::memcpy(&from, &smallest, sizeof from);
  std::memcpy(&to, &largest, sizeof to);
  for (int64_t i = 0; i < count; i++) {
    const uint64_t bits = from + (to - from) / static_cast<uint64_t>(count) * static_cast<uint64_t>(i);
    double x;
    std::memcpy(&x, &bits, sizeof x);
    look(x);
    look(-x);
  }
  std::printf("| %s | %.2Lf | %.10g |\n", name, worst.error, worst.at);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t count = argc > 1 ? std::atoll(argv[1]) : 200000;
  if (LDBL_MANT_DIG < 64) std::printf("long double is no more precise than double here: the numbers mean little.\n");
  std::printf("| float64 function | worst ulp | at |\n| --- | --- | --- |\n");
  measure("sigmoid", -700, 700, count, sigmoid, trueSigmoid);
  measure("normal distribution", -37, 10, count, special::normalCdf, trueNormalCdf);
  measure("erfinv", -1 + 1e-15, 1 - 1e-15, count, special::erfinv, trueErfinv);
  measure("digamma, x > 2", 2, 1e15, count, special::digamma, trueDigamma);
  measure("digamma, 0 < x < 1", 1e-15, 1, count, special::digamma, trueDigamma);
  measure("polygamma(1, x), x > 0", 1e-10, 1e10, count, polygamma<1>, truePolygamma<1>);
  measure("polygamma(2, x), x > 0", 1e-10, 1e10, count, polygamma<2>, truePolygamma<2>);
  measure("polygamma(5, x), x > 0", 1e-10, 1e10, count, polygamma<5>, truePolygamma<5>);
}
