// What is scanned: states of stretches of a line, and how those of two neighbouring stretches combine. Element k is the
// k-th in the order of the scan.
#pragma once
#include <cmath>
#include <limits>

#include "cuda/convert.h"
#include "cuda/lines.h"

namespace thalweg::cuda {

// Operands: x and the results, or a, b and the result.
struct ScanProblem {
  Lines<3> lines;
  bool reverse, largest;

  __host__ __device__ int64_t n() const { return lines.size[0]; }
  __device__ int64_t place(int64_t k) const { return reverse ? lines.size[0] - 1 - k : k; }
  template <class C>
  __device__ C load(int operand, const Offsets<3>& at, int64_t k) const {
    return loadAny<C>(lines.data[operand], lines.dtype[operand], at.at[operand] + place(k) * lines.step[operand]);
  }
  template <class C>
  __device__ void store(int operand, const Offsets<3>& at, int64_t k, C value) const {
    storeAny<C>(lines.data[operand], lines.dtype[operand], at.at[operand] + place(k) * lines.step[operand], value);
  }
};

struct SumScan {
  using State = double;
  static __device__ State start() { return 0; }
  static __device__ State combine(State a, State b) { return a + b; }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    return p.load<double>(0, at, k);
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, State s) { p.store(1, at, k, s); }
};

// Integers wrap, as in all kernels.
template <bool Product>
struct IntegerScan {
  using State = unsigned long long;
  static __device__ State start() { return Product ? 1 : 0; }
  static __device__ State combine(State a, State b) { return Product ? a * b : a + b; }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    return static_cast<State>(p.load<int64_t>(0, at, k));
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, State s) {
    p.store(1, at, k, static_cast<int64_t>(s));
  }
};

// A factor that neither overflows nor vanishes: the product of a stretch may be out of a double's range where that of
// the line so far is not (which may be 0).
struct Scaled {
  double fraction;
  int64_t exponent;

  static __device__ Scaled of(double x) {
    int exponent = 0;
    const double fraction = std::frexp(x, &exponent);
    // Of 0, infinity and NaN there is no exponent.
    return std::isfinite(x) && x != 0 ? Scaled{fraction, exponent} : Scaled{x, 0};
  }
  __device__ Scaled operator*(const Scaled& other) const {
    Scaled product = of(fraction * other.fraction);
    product.exponent += exponent + other.exponent;
    return product;
  }
  __device__ double times(double x) const {
    constexpr int64_t most = 5000;
    const int64_t bounded = exponent > most ? most : exponent < -most ? -most : exponent;
    return std::ldexp(fraction * x, static_cast<int>(bounded));
  }
};

struct ProductScan {
  using State = Scaled;
  static __device__ State start() { return {0.5, 1}; }
  static __device__ State combine(const State& a, const State& b) { return a * b; }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    return Scaled::of(p.load<double>(0, at, k));
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, const State& s) {
    p.store(1, at, k, s.times(1.0));
  }
};

// log(sum(exp(x))) as top + log(sum), where top is the largest.
struct LogSumScan {
  struct State {
    double top, sum;
  };
  static __device__ double lowest() { return -std::numeric_limits<double>::infinity(); }
  static __device__ State start() { return {lowest(), 0}; }
  static __device__ State combine(const State& a, const State& b) {
    if (b.sum == 0) return a;
    if (a.sum == 0) return b;
    // Equal tops may be infinite, and then have no difference.
    if (b.top == a.top) return {a.top, a.sum + b.sum};
    if (b.top > a.top) return {b.top, a.sum * std::exp(a.top - b.top) + b.sum};
    return {a.top, a.sum + b.sum * std::exp(b.top - a.top)};  // NaN too
  }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    const double x = p.load<double>(0, at, k);
    return x == lowest() ? start() : State{x, 1};
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, const State& s) {
    p.store(1, at, k, s.sum == 0 ? lowest() : s.top + std::log(s.sum));
  }
};

// The largest or smallest, and where it stood (the latest, if several); NaN stays.
template <class T, bool Largest>
struct ExtremeScan {
  struct State {
    T best;
    int64_t where;
  };
  static __device__ bool wins(T x, T best) {
    if constexpr (std::is_floating_point_v<T>) {
      if (x != x) return true;
      if (best != best) return false;
    }
    return Largest ? x >= best : x <= best;
  }
  static __device__ State start() { return {T{}, -1}; }
  static __device__ State combine(const State& a, const State& b) {
    if (a.where < 0) return b;
    return b.where >= 0 && wins(b.best, a.best) ? b : a;
  }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    return {p.load<T>(0, at, k), k};
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, const State& s) {
    p.store(1, at, k, s.best);
    p.store(2, at, k, s.where);
  }
};

// y[k] = b[k] + a[k] y[k - 1]: what stands before a stretch is multiplied with a factor and added to a term. What
// stands before the first element is multiplied with nothing, not even with NaN.
struct LinearScan {
  struct State {
    Scaled factor;
    double term;
    int64_t length;
  };
  static __device__ State start() { return {{0.5, 1}, 0, 0}; }
  static __device__ State combine(const State& a, const State& b) {
    if (a.length == 0) return b;
    if (b.length == 0) return a;
    return {a.factor * b.factor, b.term + b.factor.times(a.term), a.length + b.length};
  }
  static __device__ State load(const ScanProblem& p, const Offsets<3>& at, int64_t k) {
    return {Scaled::of(p.load<double>(0, at, k)), p.load<double>(1, at, k), 1};
  }
  static __device__ void store(const ScanProblem& p, const Offsets<3>& at, int64_t k, const State& s) {
    p.store(2, at, k, s.term);
  }
};

}  // namespace thalweg::cuda
