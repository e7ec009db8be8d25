// What the reductions compute. Each operation has
//   State        the reduction of some elements; combine() joins two, the second one's elements coming later or
//   elsewhere add          takes kVector elements that follow each other along the reduction, of which the first n
//   count addColumns   takes one element of each of kVector reductions; `seen`: how many each of them had before first,
//   second   the results (the second one of the operations that have two outputs)
// T is the compute type. Sums of float32 are taken over a vector in float32 and from there on in float64.
#pragma once
#include "../reduce_kind.h"
#include "cuda/vectors.h"

namespace thalweg::cuda {

// The types of accumulation (unsigned for integers: they wrap) and of results.
template <class T>
struct ReduceTypes {
  using Acc = double;
  using Value = double;
};
template <>
struct ReduceTypes<int64_t> {
  using Acc = uint64_t;
  using Value = int64_t;
};
template <class T>
using AccOf = typename ReduceTypes<T>::Acc;
template <class T>
using ValueOf = typename ReduceTypes<T>::Value;

template <class T>
struct SumOp {
  using Compute = T;
  using Value = ValueOf<T>;
  using Second = Value;
  struct State {
    AccOf<T> sum;
  };
  double divisor;  // of mean: the count

  __device__ State start() const { return {0}; }
  __device__ void combine(State& a, const State& b) const { a.sum += b.sum; }
  __device__ Value first(const State& s) const {
    if constexpr (std::is_same_v<T, int64_t>)
      return static_cast<int64_t>(s.sum);
    else
      return s.sum / divisor;
  }
  __device__ Second second(const State&) const { return 0; }

  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t) const {
    constexpr int V = kVector<T>;
    if constexpr (std::is_same_v<T, float>) {
      if (n == V) {
        s.sum += static_cast<double>((x[0] + x[1]) + (x[2] + x[3]));
        return;
      }
    }
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++)
      if (v < n) s.sum += static_cast<AccOf<T>>(x[v]);
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) s[v].sum += static_cast<AccOf<T>>(x[v]);
  }
};

template <class T>
struct ProdOp {
  using Compute = T;
  using Value = ValueOf<T>;
  using Second = Value;
  struct State {
    AccOf<T> product;
  };

  __device__ State start() const { return {1}; }
  __device__ void combine(State& a, const State& b) const { a.product *= b.product; }
  __device__ Value first(const State& s) const { return static_cast<Value>(s.product); }
  __device__ Second second(const State&) const { return 0; }

  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++)
      if (v < n) s.product *= static_cast<AccOf<T>>(x[v]);
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) s[v].product *= static_cast<AccOf<T>>(x[v]);
  }
};

// The order of maxima, or turned around for minima.
template <class T>
__device__ inline T flipped(T x, bool minimum) {
  if constexpr (std::is_same_v<T, int64_t>)
    return minimum ? ~x : x;
  else
    return minimum ? -x : x;
}
template <class T>
__device__ constexpr T lowest() {
  if constexpr (std::is_same_v<T, int64_t>)
    return std::numeric_limits<T>::min();
  else
    return -std::numeric_limits<T>::infinity();
}

// The maximum, or the minimum. A NaN wins over everything.
template <class T>
struct MaxOp {
  using Compute = T;
  using Value = ValueOf<T>;
  using Second = Value;
  struct State {
    T best;
  };
  bool minimum;

  __device__ static T larger(T x, T best) { return x > best || x != x ? x : best; }

  __device__ State start() const { return {lowest<T>()}; }
  __device__ void combine(State& a, const State& b) const { a.best = larger(b.best, a.best); }
  __device__ Value first(const State& s) const { return static_cast<Value>(flipped(s.best, minimum)); }
  __device__ Second second(const State&) const { return 0; }

  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++)
      if (v < n) s.best = larger(flipped(x[v], minimum), s.best);
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) s[v].best = larger(flipped(x[v], minimum), s[v].best);
  }
};

// The maximum and where it is. Of equal values, and of NaNs, the first counts.
template <class T>
struct ArgOp {
  using Compute = T;
  using Value = ValueOf<T>;
  using Second = int64_t;
  struct State {
    T best;
    int64_t index;  // -1: nothing seen
  };
  bool minimum;

  __device__ static bool beats(T x, T best) { return x > best || (x != x && best == best); }

  __device__ State start() const { return {lowest<T>(), -1}; }
  __device__ void combine(State& a, const State& b) const {
    if (b.index < 0) return;
    const bool same = b.best == a.best || (b.best != b.best && a.best != a.best);
    if (a.index < 0 || beats(b.best, a.best) || (same && b.index < a.index)) a = b;
  }
  __device__ Value first(const State& s) const { return static_cast<Value>(flipped(s.best, minimum)); }
  __device__ Second second(const State& s) const { return s.index; }

  __device__ void take(State& s, T value, int64_t index) const {
    const T x = flipped(value, minimum);
    if (s.index < 0 || beats(x, s.best)) s = {x, index};
  }
  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t index) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++)
      if (v < n) take(s, x[v], index + v);
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t, int64_t index) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) take(s[v], x[v], index);
  }
};

// Whether all, or any, elements differ from 0.
template <class T>
struct LogicOp {
  using Compute = T;
  using Value = int64_t;
  using Second = int64_t;
  struct State {
    int zero, nonzero;  // seen
  };
  bool all;

  __device__ State start() const { return {0, 0}; }
  __device__ void combine(State& a, const State& b) const {
    a.zero |= b.zero;
    a.nonzero |= b.nonzero;
  }
  __device__ Value first(const State& s) const { return all ? !s.zero : s.nonzero; }
  __device__ Second second(const State&) const { return 0; }

  __device__ static void take(State& s, T x) {
    s.zero |= x == 0;
    s.nonzero |= x != 0;
  }
  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++)
      if (v < n) take(s, x[v]);
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t, int64_t) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) take(s[v], x[v]);
  }
};

// Variance, of floats: vectors in two passes, joined in float64 by Chan, Golub and LeVeque's formula ("Updating
// formulae and a pairwise algorithm for computing sample variances", 1979); of columns element by element, which is
// Welford's.
template <class T>
struct VarOp {
  using Compute = T;
  using Value = double;
  using Second = double;
  struct State {
    double n, mean, m2;
  };
  double correction;

  __device__ State start() const { return {0, 0, 0}; }
  __device__ void combine(State& a, const State& b) const {
    if (b.n == 0) return;
    if (a.n == 0) {
      a = b;
      return;
    }
    const double n = a.n + b.n, delta = b.mean - a.mean, share = b.n / n;
    a.mean += delta * share;
    a.m2 += b.m2 + delta * delta * (a.n * share);
    a.n = n;
  }
  // n - correction <= 0 divides by 0: NaN or infinity. An infinite element makes it NaN: mean - mean does.
  __device__ Value first(const State& s) const {
    return (s.m2 + (s.mean - s.mean)) / (s.n > correction ? s.n - correction : 0.0);
  }
  __device__ Second second(const State& s) const {
    return s.n == 0 ? std::numeric_limits<double>::quiet_NaN() : s.mean;
  }

  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t) const {
    constexpr int V = kVector<T>;
    T sum = 0;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++)
      if (v < n) sum += x[v];
    // Around the rounded mean k; what the rounding left is taken out again.
    const T share = n == V ? T(1) / T(V) : T(1) / static_cast<T>(n), k = sum * share;
    T rest = 0, squares = 0;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < V; v++)
      if (v < n) {
        rest += x[v] - k;
        squares += (x[v] - k) * (x[v] - k);
      }
    const double size = n, off = static_cast<double>(rest) * static_cast<double>(share);
    const double m2 = static_cast<double>(squares) - static_cast<double>(rest) * off;
    combine(s, {size, static_cast<double>(k) + off, m2 < 0 ? 0 : m2});
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t seen, int64_t) const {
    const double n = static_cast<double>(seen + 1), share = 1 / n;
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector<T>; v++) {
      const double value = static_cast<double>(x[v]), delta = value - s[v].mean;
      s[v].mean += delta * share;
      s[v].m2 += delta * (value - s[v].mean);
      s[v].n = n;
    }
  }
};

// Any of them, chosen at run time: for interpreted programs, which have other things that take time.
template <class T>
struct AnyOp {
  using Compute = T;
  using Value = ValueOf<T>;
  using Second = ValueOf<T>;
  struct State {
    alignas(8) char bytes[24];
  };
  ReduceKind kind;
  double number;  // the divisor, or the correction

  template <class Op>
  __device__ static typename Op::State& as(State& s) {
    static_assert(sizeof(typename Op::State) <= sizeof(State));
    return reinterpret_cast<typename Op::State&>(s);
  }
  template <class Op>
  __device__ static const typename Op::State& as(const State& s) {
    return reinterpret_cast<const typename Op::State&>(s);
  }
  // Calls f with the operation.
  template <class F>
  __device__ void with(F f) const {
    switch (kind) {
      case ReduceKind::Sum:
      case ReduceKind::Mean: return f(SumOp<T>{number});
      case ReduceKind::Prod: return f(ProdOp<T>{});
      case ReduceKind::Max: return f(MaxOp<T>{false});
      case ReduceKind::Min: return f(MaxOp<T>{true});
      case ReduceKind::ArgMax:
      case ReduceKind::MaxIndex: return f(ArgOp<T>{false});
      case ReduceKind::ArgMin:
      case ReduceKind::MinIndex: return f(ArgOp<T>{true});
      case ReduceKind::All: return f(LogicOp<T>{true});
      case ReduceKind::Any: return f(LogicOp<T>{false});
      case ReduceKind::Var:
        if constexpr (!std::is_same_v<T, int64_t>) f(VarOp<T>{number});
        return;
    }
  }

  __device__ State start() const {
    State s = {};
    with([&](auto op) { as<decltype(op)>(s) = op.start(); });
    return s;
  }
  __device__ void combine(State& a, const State& b) const {
    with([&](auto op) { op.combine(as<decltype(op)>(a), as<decltype(op)>(b)); });
  }
  __device__ Value first(const State& s) const {
    Value value = 0;
    with([&](auto op) { value = static_cast<Value>(op.first(as<decltype(op)>(s))); });
    return value;
  }
  __device__ Second second(const State& s) const {
    Second value = 0;
    with([&](auto op) { value = static_cast<Second>(op.second(as<decltype(op)>(s))); });
    return value;
  }
  __device__ void add(State& s, const T (&x)[kVector<T>], int n, int64_t index) const {
    with([&](auto op) { op.add(as<decltype(op)>(s), x, n, index); });
  }
  __device__ void addColumns(State (&s)[kVector<T>], const T (&x)[kVector<T>], int64_t seen, int64_t index) const {
    with([&](auto op) {
      using Op = decltype(op);
      typename Op::State own[kVector<T>];
      for (int v = 0; v < kVector<T>; v++) own[v] = as<Op>(s[v]);
      op.addColumns(own, x, seen, index);
      for (int v = 0; v < kVector<T>; v++) as<Op>(s[v]) = own[v];
    });
  }
};

}  // namespace thalweg::cuda
