// The opcodes that mean something on int64.
#pragma once
#include "functors_scalar.h"

namespace thalweg {

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
