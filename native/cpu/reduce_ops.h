// What the reductions compute. Each operation has
//   State    the reduction of some elements; combine() joins two
//   tile     reduces n contiguous elements into a State; `index` is the position of the first
//   Lanes    reductions of up to kMaxLanes neighbouring columns at once; step() takes M rows of one vector of columns
//   first, second   the results (the second one of the operations that have two outputs)
// T is the compute type. Sums of float32 are taken over a few hundred elements in float32 and from there on in float64.
#pragma once
#include <limits>

#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Called once for a few hundred elements: inlining it everywhere costs build time and gains nothing.
#define THALWEG_NOINLINE __attribute__((noinline))

constexpr int kMaxLanes = 1024;

// The type of arithmetic (unsigned for integers: they wrap), of accumulation, of results, and of lane masks.
template <class T>
struct ReduceTypes {
  using Math = T;
  using Acc = double;
  using Value = double;
  using Mask = int64_t;
};
template <>
struct ReduceTypes<float> {
  using Math = float;
  using Acc = double;
  using Value = double;
  using Mask = int32_t;
};
template <>
struct ReduceTypes<int64_t> {
  using Math = uint64_t;
  using Acc = uint64_t;
  using Value = int64_t;
  using Mask = int64_t;
};
template <class T>
using MathOf = typename ReduceTypes<T>::Math;
template <class T>
using AccOf = typename ReduceTypes<T>::Acc;
template <class T>
using ValueOf = typename ReduceTypes<T>::Value;
template <class T>
using MaskOf = typename ReduceTypes<T>::Mask;

template <class T, int kBytes>
struct VectorOfBytes {
  typedef T type __attribute__((vector_size(kBytes)));
};

// Joins the lanes pairwise: halves, quarters, ...
template <class T, int kBytes = kVectorBytes, class F>
THALWEG_INLINE T joinLanes(typename VectorOfBytes<T, kBytes>::type v, F join) {
  if constexpr (kBytes == 2 * static_cast<int>(sizeof(T))) {
    return join(static_cast<T>(v[0]), static_cast<T>(v[1]));
  } else {
    typename VectorOfBytes<T, kBytes / 2>::type low, high;
    std::memcpy(&low, &v, kBytes / 2);
    std::memcpy(&high, reinterpret_cast<const char*>(&v) + kBytes / 2, kBytes / 2);
    return joinLanes<T, kBytes / 2>(join(low, high), join);
  }
}

// A vector of Math as vectors of Acc: the same one, or the two halves of a float32 vector as float64.
template <class T>
struct Widened {
  static constexpr int kParts = static_cast<int>(sizeof(AccOf<T>) / sizeof(T));
  Vec<AccOf<T>> part[kParts];
};
template <class T>
THALWEG_INLINE Widened<T> widen(Vec<MathOf<T>> v) {
  Widened<T> w;
  if constexpr (Widened<T>::kParts == 1) {
    w.part[0] = v;
  } else {
    typename VectorOfBytes<T, kVectorBytes / 2>::type half[2];
    std::memcpy(half, &v, kVectorBytes);
    w.part[0] = __builtin_convertvector(half[0], Vec<double>);
    w.part[1] = __builtin_convertvector(half[1], Vec<double>);
  }
  return w;
}

template <class T>
THALWEG_INLINE const MathOf<T>* asMath(const T* p) {
  return reinterpret_cast<const MathOf<T>*>(p);
}

// The sum of n elements; at most 16 of them follow each other in one lane.
template <class T>
constexpr int64_t kSumBlock = 16 * 8 * lanes<T>;
template <class T, class F>
THALWEG_INLINE AccOf<T> sumBlock(const T* p, int64_t n, F value) {
  using Math = MathOf<T>;
  constexpr int L = lanes<T>;
  const Math* q = asMath(p);
  const auto add = [](auto a, auto b) { return a + b; };
  AccOf<T> sum = 0;
  int64_t i = 0;
  if (n >= L) {
    Vec<Math> acc[8] = {};
    for (; i + 8 * L <= n; i += 8 * L) {
      THALWEG_UNROLL
      for (int u = 0; u < 8; u++) acc[u] += value(load(q + i + u * L));
    }
    for (; i + L <= n; i += L) acc[0] += value(load(q + i));
    sum = joinLanes<Math>(((acc[0] + acc[1]) + (acc[2] + acc[3])) + ((acc[4] + acc[5]) + (acc[6] + acc[7])), add);
  }
  for (; i < n; i++) sum += value(q[i]);
  return sum;
}

template <class T>
struct SumOp {
  using Value = ValueOf<T>;
  using Second = Value;
  using Acc = AccOf<T>;
  struct State {
    Acc sum;
  };
  struct Lanes {
    alignas(kVectorBytes) Acc sum[kMaxLanes];
  };
  double divisor = 1;  // of mean: the count

  State start() const { return {0}; }
  void combine(State& a, const State& b) const { a.sum += b.sum; }
  Value first(const State& s) const {
    if constexpr (std::is_same_v<T, int64_t>)
      return static_cast<int64_t>(s.sum);
    else
      return s.sum / divisor;
  }
  Second second(const State&) const { return 0; }

  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t) const {
    for (int64_t i = 0; i < n; i += kSumBlock<T>)
      s.sum += sumBlock(p + i, n - i < kSumBlock<T> ? n - i : kSumBlock<T>, [](auto x) { return x; });
  }

  void startLanes(Lanes& l, int w) const { std::memset(l.sum, 0, static_cast<size_t>(w) * sizeof(Acc)); }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t) const {
    const MathOf<T>* q = asMath(p);
    Vec<MathOf<T>> v = load(q);
    if constexpr (M == 8) {
      v = ((v + load(q + stride)) + (load(q + 2 * stride) + load(q + 3 * stride))) +
          ((load(q + 4 * stride) + load(q + 5 * stride)) + (load(q + 6 * stride) + load(q + 7 * stride)));
    }
    const Widened<T> w = widen<T>(v);
    THALWEG_UNROLL
    for (int k = 0; k < Widened<T>::kParts; k++) {
      Acc* sum = l.sum + j + k * lanes<Acc>;
      store(sum, load(sum) + w.part[k]);
    }
  }
  State lane(const Lanes& l, int j, int64_t, int64_t, int64_t) const { return {l.sum[j]}; }
};

template <class T>
struct ProdOp {
  using Value = ValueOf<T>;
  using Second = Value;
  using Acc = AccOf<T>;
  struct State {
    Acc product;
  };
  struct Lanes {
    alignas(kVectorBytes) Acc product[kMaxLanes];
  };

  State start() const { return {1}; }
  void combine(State& a, const State& b) const { a.product *= b.product; }
  Value first(const State& s) const { return static_cast<Value>(s.product); }
  Second second(const State&) const { return 0; }

  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t) const {
    constexpr int L = lanes<T>;
    constexpr int kParts = Widened<T>::kParts;
    const MathOf<T>* q = asMath(p);
    int64_t i = 0;
    if (n >= L) {
      Vec<Acc> acc[2][kParts];
      for (int k = 0; k < kParts; k++) acc[0][k] = acc[1][k] = broadcast<Acc>(1);
      for (; i + L <= n; i += L) {
        const Widened<T> w = widen<T>(load(q + i));
        THALWEG_UNROLL
        for (int k = 0; k < kParts; k++) acc[0][k] *= w.part[k];
        i += L;
        if (i + L > n) break;
        const Widened<T> w2 = widen<T>(load(q + i));
        THALWEG_UNROLL
        for (int k = 0; k < kParts; k++) acc[1][k] *= w2.part[k];
      }
      Vec<Acc> all = acc[0][0] * acc[1][0];
      for (int k = 1; k < kParts; k++) all *= acc[0][k] * acc[1][k];
      s.product *= joinLanes<Acc>(all, [](auto a, auto b) { return a * b; });
    }
    for (; i < n; i++) s.product *= q[i];
  }

  void startLanes(Lanes& l, int w) const {
    for (int j = 0; j < w; j++) l.product[j] = 1;
  }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t) const {
    constexpr int kParts = Widened<T>::kParts;
    const MathOf<T>* q = asMath(p);
    Vec<Acc> acc[kParts];
    for (int k = 0; k < kParts; k++) acc[k] = load(l.product + j + k * lanes<Acc>);
    THALWEG_UNROLL
    for (int r = 0; r < M; r++) {
      const Widened<T> w = widen<T>(load(q + r * stride));
      for (int k = 0; k < kParts; k++) acc[k] *= w.part[k];
    }
    for (int k = 0; k < kParts; k++) store(l.product + j + k * lanes<Acc>, acc[k]);
  }
  State lane(const Lanes& l, int j, int64_t, int64_t, int64_t) const { return {l.product[j]}; }
};

// The maximum, or with `flip` the minimum: an exclusive or with the sign bit (floats) or with all bits (integers) turns
// the order around. A NaN wins over everything.
template <class T>
struct Flip {
  MaskOf<T> bits = 0;
  explicit Flip(bool minimum = false) {
    if (minimum) bits = std::is_same_v<T, int64_t> ? static_cast<MaskOf<T>>(-1) : std::numeric_limits<MaskOf<T>>::min();
  }
  THALWEG_INLINE Vec<T> operator()(Vec<T> v) const {
    return reinterpret_cast<Vec<T>>(reinterpret_cast<Vec<MaskOf<T>>>(v) ^ broadcast<MaskOf<T>>(bits));
  }
  THALWEG_INLINE T operator()(T x) const {
    return std::bit_cast<T>(static_cast<MaskOf<T>>(std::bit_cast<MaskOf<T>>(x) ^ bits));
  }
};

template <class T>
constexpr T kLowest = std::is_same_v<T, int64_t> ? std::numeric_limits<T>::min() : -std::numeric_limits<T>::infinity();

template <class V>
THALWEG_INLINE V larger(V x, V m) {
  m = x > m ? x : m;
  return x != x ? x : m;
}

// n >= 1
template <class T>
THALWEG_NOINLINE T maxOf(const T* p, int64_t n, Flip<T> flip) {
  constexpr int L = lanes<T>;
  const auto join = [](auto a, auto b) { return larger(b, a); };
  T best = kLowest<T>;
  int64_t i = 0;
  if (n >= L) {
    Vec<T> m[4];
    for (int u = 0; u < 4; u++) m[u] = flip(load(p));
    for (; i + 4 * L <= n; i += 4 * L) {
      THALWEG_UNROLL
      for (int u = 0; u < 4; u++) m[u] = larger(flip(load(p + i + u * L)), m[u]);
    }
    for (; i + L <= n; i += L) m[0] = larger(flip(load(p + i)), m[0]);
    best = joinLanes<T>(join(join(m[0], m[1]), join(m[2], m[3])), join);
  }
  for (; i < n; i++) best = larger(flip(p[i]), best);
  return best;
}

template <class T>
struct MaxOp {
  using Value = ValueOf<T>;
  using Second = Value;
  struct State {
    T best;
  };
  struct Lanes {
    alignas(kVectorBytes) T best[kMaxLanes];
  };
  Flip<T> flip;

  State start() const { return {kLowest<T>}; }
  void combine(State& a, const State& b) const { a.best = larger(b.best, a.best); }
  Value first(const State& s) const { return flip(s.best); }
  Second second(const State&) const { return 0; }
  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t) const {
    s.best = larger(maxOf(p, n, flip), s.best);
  }

  void startLanes(Lanes& l, int w) const {
    for (int j = 0; j < w; j++) l.best[j] = kLowest<T>;
  }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t) const {
    Vec<T> m = load(l.best + j);
    THALWEG_UNROLL
    for (int r = 0; r < M; r++) m = larger(flip(load(p + r * stride)), m);
    store(l.best + j, m);
  }
  State lane(const Lanes& l, int j, int64_t, int64_t, int64_t) const { return {l.best[j]}; }
};

// The maximum and where it is. Of equal values, and of NaNs, the first counts.
template <class T>
struct ArgOp {
  using Value = ValueOf<T>;
  using Second = int64_t;
  using Row = MaskOf<T>;  // rows are counted in an integer as wide as T; the driver keeps them below 2^30
  struct State {
    T best;
    int64_t index;  // -1: nothing seen
  };
  struct Lanes {
    alignas(kVectorBytes) T best[kMaxLanes];
    alignas(kVectorBytes) Row row[kMaxLanes];
  };
  Flip<T> flip;

  State start() const { return {kLowest<T>, -1}; }
  static bool beats(T x, T best) { return x > best || (x != x && best == best); }
  void combine(State& a, const State& b) const {
    if (b.index < 0) return;
    const bool same = b.best == a.best || (b.best != b.best && a.best != a.best);
    if (a.index < 0 || beats(b.best, a.best) || (same && b.index < a.index)) a = b;
  }
  Value first(const State& s) const { return flip(s.best); }
  Second second(const State& s) const { return s.index; }

  // Only a tile with a new maximum is searched for its place.
  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t index) const {
    const T best = maxOf(p, n, flip);
    if (s.index >= 0 && !beats(best, s.best)) return;
    const int64_t i = find(p, n, best);
    s = {flip(p[i]), index + i};
  }

  // The first place of `best` in p; it is there.
  int64_t find(const T* p, int64_t n, T best) const {
    constexpr int L = lanes<T>;
    int64_t i = 0;
    if (best != best) {
      while (p[i] == p[i]) i++;
      return i;
    }
    for (; i + 4 * L <= n; i += 4 * L) {
      Vec<Row> found = {};
      THALWEG_UNROLL
      for (int u = 0; u < 4; u++) found |= flip(load(p + i + u * L)) == broadcast(best);
      if (joinLanes<Row>(found, [](auto a, auto b) { return a | b; }) != 0) break;
    }
    while (flip(p[i]) != best) i++;
    return i;
  }

  void startLanes(Lanes& l, int w) const {
    for (int j = 0; j < w; j++) {
      l.best[j] = kLowest<T>;
      l.row[j] = 0;
    }
  }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t row) const {
    Vec<T> best = load(l.best + j);
    Vec<Row> where = load(l.row + j);
    THALWEG_UNROLL
    for (int r = 0; r < M; r++) {
      const Vec<T> x = flip(load(p + r * stride));
      const Vec<Row> here = broadcast<Row>(static_cast<Row>(row + r));
      where = x > best ? here : where;
      best = x > best ? x : best;
      if constexpr (!std::is_same_v<T, int64_t>) {
        where = x != x ? (best == best ? here : where) : where;
        best = x != x ? x : best;
      }
    }
    store(l.best + j, best);
    store(l.row + j, where);
  }
  // Row r of this lane is element base + r * scale of the reduction.
  State lane(const Lanes& l, int j, int64_t, int64_t base, int64_t scale) const {
    return {l.best[j], base + static_cast<int64_t>(l.row[j]) * scale};
  }
};

// Whether all, or any, elements differ from 0.
template <class T>
struct LogicOp {
  using Value = int64_t;
  using Second = int64_t;
  using Mask = MaskOf<T>;
  struct State {
    bool zero, nonzero;  // seen
  };
  struct Lanes {
    alignas(kVectorBytes) Mask zero[kMaxLanes];
    alignas(kVectorBytes) Mask nonzero[kMaxLanes];
  };
  bool all = false;

  State start() const { return {false, false}; }
  void combine(State& a, const State& b) const {
    a.zero |= b.zero;
    a.nonzero |= b.nonzero;
  }
  Value first(const State& s) const { return all ? !s.zero : s.nonzero; }
  Second second(const State&) const { return 0; }

  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t) const {
    constexpr int L = lanes<T>;
    int64_t i = 0;
    Vec<Mask> zero = {}, nonzero = {};
    for (; i + L <= n; i += L) {
      const Vec<T> x = load(p + i);
      zero |= x == Vec<T>{};
      nonzero |= x != Vec<T>{};
    }
    const auto join = [](auto a, auto b) { return a | b; };
    s.zero |= joinLanes<Mask>(zero, join) != 0;
    s.nonzero |= joinLanes<Mask>(nonzero, join) != 0;
    for (; i < n; i++) {
      s.zero |= p[i] == 0;
      s.nonzero |= p[i] != 0;
    }
  }

  void startLanes(Lanes& l, int w) const {
    std::memset(l.zero, 0, static_cast<size_t>(w) * sizeof(Mask));
    std::memset(l.nonzero, 0, static_cast<size_t>(w) * sizeof(Mask));
  }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t) const {
    Vec<Mask> zero = load(l.zero + j), nonzero = load(l.nonzero + j);
    THALWEG_UNROLL
    for (int r = 0; r < M; r++) {
      const Vec<T> x = load(p + r * stride);
      zero |= x == Vec<T>{};
      nonzero |= x != Vec<T>{};
    }
    store(l.zero + j, zero);
    store(l.nonzero + j, nonzero);
  }
  State lane(const Lanes& l, int j, int64_t, int64_t, int64_t) const { return {l.zero[j] != 0, l.nonzero[j] != 0}; }
};

// Variance: tiles in two passes, joined by Chan, Golub and LeVeque's formula ("Updating formulae and a pairwise
// algorithm for computing sample variances", 1979).
template <class T>
struct VarOp {
  using Value = double;
  using Second = double;
  struct State {
    double n, mean, m2;
  };
  struct Lanes {
    alignas(kVectorBytes) double mean[kMaxLanes];
    alignas(kVectorBytes) double m2[kMaxLanes];
  };
  double correction = 1;

  State start() const { return {0, 0, 0}; }
  void combine(State& a, const State& b) const {
    if (b.n == 0) return;
    if (a.n == 0) {
      a = b;
      return;
    }
    const double n = a.n + b.n, delta = b.mean - a.mean;
    a.mean += delta * (b.n / n);
    a.m2 += b.m2 + delta * delta * (a.n * b.n / n);
    a.n = n;
  }
  // n - correction <= 0 divides by 0: NaN or infinity, as PyTorch. An infinite element makes it NaN: mean - mean does.
  Value first(const State& s) const { return (s.m2 + (s.mean - s.mean)) / (s.n > correction ? s.n - correction : 0.0); }
  Second second(const State& s) const { return s.n == 0 ? std::numeric_limits<double>::quiet_NaN() : s.mean; }

  THALWEG_NOINLINE void tile(State& s, const T* p, int64_t n, int64_t) const {
    for (int64_t i = 0; i < n; i += kSumBlock<T>) {
      const int64_t m = n - i < kSumBlock<T> ? n - i : kSumBlock<T>;
      const double size = static_cast<double>(m);
      // Around the rounded mean k; what the rounding left is taken out again.
      const T k = static_cast<T>(sumBlock(p + i, m, [](auto x) { return x; }) / size);
      const double rest = sumBlock(p + i, m, [k](auto x) { return x - k; });
      const double squares = sumBlock(p + i, m, [k](auto x) { return (x - k) * (x - k); });
      const double m2 = squares - rest * rest / size;
      combine(s, {size, k + rest / size, m2 < 0 ? 0 : m2});
    }
  }

  void startLanes(Lanes& l, int w) const {
    std::memset(l.mean, 0, static_cast<size_t>(w) * sizeof(double));
    std::memset(l.m2, 0, static_cast<size_t>(w) * sizeof(double));
  }
  template <int M>
  THALWEG_INLINE void step(Lanes& l, int j, const T* p, int64_t stride, int64_t row) const {
    Vec<T> x[M], sum = {}, squares = {};
    THALWEG_UNROLL
    for (int r = 0; r < M; r++) {
      x[r] = load(p + r * stride);
      sum += x[r];
    }
    const Vec<T> k = sum * (T(1) / M);
    Vec<T> rest = {};
    if constexpr (M > 1) {
      THALWEG_UNROLL
      for (int r = 0; r < M; r++) {
        const Vec<T> d = x[r] - k;
        rest += d;
        squares += d * d;
      }
    }
    const Widened<T> wideK = widen<T>(k), wideRest = widen<T>(rest), wideSquares = widen<T>(squares);
    const double before = static_cast<double>(row), n = before + M;
    THALWEG_UNROLL
    for (int part = 0; part < Widened<T>::kParts; part++) {
      double* mean = l.mean + j + part * lanes<double>;
      double* m2 = l.m2 + j + part * lanes<double>;
      const Vec<double> remainder = wideRest.part[part] * (1.0 / M);
      const Vec<double> delta = wideK.part[part] + remainder - load(mean);
      store(mean, load(mean) + delta * (M / n));
      store(m2,
            load(m2) + (wideSquares.part[part] - remainder * remainder * double(M)) + delta * delta * (before * M / n));
    }
  }
  State lane(const Lanes& l, int j, int64_t rows, int64_t, int64_t) const {
    const double m2 = l.m2[j];
    return {static_cast<double>(rows), l.mean[j], m2 < 0 ? 0 : m2};
  }
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
