// Running sums and products of a piece in memory, a vector at a time: log2(lanes) steps within the vector, and only the
// total goes from one vector to the next.
#pragma once
#include <utility>

#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Lane i of the result is lane i - by of v, and start in the first lanes.
template <int by, class V, int... i>
THALWEG_INLINE V shiftLanes(V v, V start, std::integer_sequence<int, i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(v, start, (i < by ? n + i : i - by)...);
}
template <class V, int... i>
THALWEG_INLINE V reverseLanes(V v, std::integer_sequence<int, i...>) {
  constexpr int n = sizeof...(i);
  return __builtin_shufflevector(v, v, (n - 1 - i)...);
}

template <class Op, class V, class Lanes>
THALWEG_INLINE V scanWithin(V v, V start, Lanes sequence) {
  constexpr int n = static_cast<int>(Lanes::size());
  v = Op::join(shiftLanes<1>(v, start, sequence), v);
  if constexpr (n > 2) v = Op::join(shiftLanes<2>(v, start, sequence), v);
  if constexpr (n > 4) v = Op::join(shiftLanes<4>(v, start, sequence), v);
  return v;
}

// piece[i] = the state after piece[i], in the order of the scan. Does nothing and returns false unless `allowed` and Op
// can.
template <class Op>
THALWEG_INLINE bool scanVectors(typename Op::Value* piece, int64_t n, bool reverse, bool allowed,
                                typename Op::State& state) {
  if constexpr (!requires(Vec<double> v) { Op::join(v, v); }) {
    return false;
  } else {
    if (!allowed) return false;
    using T = typename Op::Value;
    // Integers wrap.
    using M = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;
    using V = Vec<M>;
    constexpr int L = lanes<M>;
    constexpr auto sequence = std::make_integer_sequence<int, L>();
    M* p = reinterpret_cast<M*>(piece);
    const V start = broadcast(static_cast<M>(Op::start()));
    V before = broadcast(static_cast<M>(state));
    const int64_t whole = n / L * L;
    if (reverse) {
      for (int64_t i = n; i > n - whole; i -= L) {
        const V v = scanWithin<Op>(reverseLanes(load(p + i - L), sequence), start, sequence);
        store(p + i - L, reverseLanes(Op::join(before, v), sequence));
        before = Op::join(before, broadcast(static_cast<M>(v[L - 1])));
      }
    } else {
      for (int64_t i = 0; i < whole; i += L) {
        const V v = scanWithin<Op>(load(p + i), start, sequence);
        store(p + i, Op::join(before, v));
        before = Op::join(before, broadcast(static_cast<M>(v[L - 1])));
      }
    }
    M last = before[0];
    for (int64_t i = whole; i < n; i++) {
      M& x = p[reverse ? n - 1 - i : i];
      x = last = Op::join(last, x);
    }
    state = static_cast<typename Op::State>(last);
    return true;
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
