// The bodies of single instructions.
#include "cpu/program_bodies.h"

#include "cpu/stream_store.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class T>
using Registers = const TileRegister<T>*;

// Where results go: to the caches, or past them.
struct Store {
  template <class T>
  static THALWEG_INLINE void put(T* to, Vec<T> v) {
    store(to, v);
  }
};
struct Stream {
  template <class T>
  static THALWEG_INLINE void put(T* to, Vec<T> v) {
    streamStore(to, v);
  }
};

template <class T, class F, class To = Store>
void run1(const Step& s, Registers<T> r, int64_t n) {
  T* dst = r[s.dst].data;
  const T* a = r[s.operands[0]].data;
  const int as = r[s.operands[0]].step;
  for (int64_t k = 0; k < n; k += lanes<T>, a += as) To::template put<T>(dst + k, F::apply(load<T>(a)));
}
template <class T, class F, class To = Store>
void run2(const Step& s, Registers<T> r, int64_t n) {
  T* dst = r[s.dst].data;
  const T *a = r[s.operands[0]].data, *b = r[s.operands[1]].data;
  const int as = r[s.operands[0]].step, bs = r[s.operands[1]].step;
  for (int64_t k = 0; k < n; k += lanes<T>, a += as, b += bs)
    To::template put<T>(dst + k, F::apply(load<T>(a), load<T>(b)));
}
template <class T, class F, class To = Store>
void run3(const Step& s, Registers<T> r, int64_t n) {
  T* dst = r[s.dst].data;
  const T *a = r[s.operands[0]].data, *b = r[s.operands[1]].data, *c = r[s.operands[2]].data;
  const int as = r[s.operands[0]].step, bs = r[s.operands[1]].step, cs = r[s.operands[2]].step;
  for (int64_t k = 0; k < n; k += lanes<T>, a += as, b += bs, c += cs)
    To::template put<T>(dst + k, F::apply(load<T>(a), load<T>(b), load<T>(c)));
}

#define OPCODE(name, arity)           \
  template <class Ops>                \
  struct Apply_##name {               \
    template <class... V>             \
    THALWEG_MATH auto apply(V... v) { \
      return Ops::name(v...);         \
    }                                 \
  };
#include "opcodes.def"
#undef OPCODE

template <class T>
struct Table {
  StepBody<T> bodies[kOpcodeCount] = {};
  constexpr StepBody<T>& operator[](Opcode op) { return bodies[static_cast<int>(op)]; }
  constexpr const StepBody<T>& operator[](Opcode op) const { return bodies[static_cast<int>(op)]; }
};

template <class T>
constexpr Table<T> makeTable() {
  using Ops = FloatOps<VectorMath<T>>;
  return {{
#define OPCODE(name, arity) &run##arity<T, Apply_##name<Ops>>,
#include "opcodes.def"
#undef OPCODE
  }};
}

struct Identity {
  THALWEG_MATH auto apply(Vec<int64_t> v) { return v; }
};
template <int value>
struct Constant {
  THALWEG_MATH auto apply(Vec<int64_t>) { return broadcast<int64_t>(value); }
};

// On integers some opcodes share a body, and those that mean nothing have none.
template <>
constexpr Table<int64_t> makeTable<int64_t>() {
  using Ops = IntegerOps<VectorMath<int64_t>>;
  Table<int64_t> t;
#define BODY(name, arity) t[Opcode::name] = &run##arity<int64_t, Apply_##name<Ops>>
  BODY(neg, 1), BODY(abs, 1), BODY(sign, 1), BODY(square, 1), BODY(logicalNot, 1), BODY(bitwiseNot, 1);
  BODY(add, 2), BODY(sub, 2), BODY(mul, 2), BODY(div, 2), BODY(floorDiv, 2), BODY(remainder, 2), BODY(fmod, 2);
  BODY(pow, 2), BODY(maximum, 2), BODY(minimum, 2), BODY(eq, 2), BODY(ne, 2), BODY(lt, 2), BODY(le, 2), BODY(gt, 2);
  BODY(ge, 2), BODY(bitwiseAnd, 2), BODY(bitwiseOr, 2), BODY(bitwiseXor, 2), BODY(bitwiseLeftShift, 2);
  BODY(bitwiseRightShift, 2), BODY(fma, 3), BODY(select, 3);
#undef BODY
  t[Opcode::fmax] = t[Opcode::maximum];
  t[Opcode::fmin] = t[Opcode::minimum];
  for (Opcode op : {Opcode::floor, Opcode::ceil, Opcode::round, Opcode::trunc}) t[op] = &run1<int64_t, Identity>;
  for (Opcode op : {Opcode::isnan, Opcode::isinf}) t[op] = &run1<int64_t, Constant<0>>;
  t[Opcode::isfinite] = &run1<int64_t, Constant<1>>;
  return t;
}

template <class T>
constexpr Table<T> kBodies = makeTable<T>();

}  // namespace

template <class T>
StepBody<T> bodyOf(uint16_t code) {
  return code < kOpcodeCount ? kBodies<T>.bodies[code] : nullptr;
}
template <>
StepBody<float> bodyOf<float>(uint16_t code) {
  return code < kOpcodeCount ? kBodies<float>.bodies[code] : pairBody(code - kOpcodeCount);
}

StepBody<float> streamingBodyOf(uint16_t code) {
  using Ops = FloatOps<VectorMath<float>>;
  switch (static_cast<Opcode>(code)) {
#define BODY(name, arity) \
  case Opcode::name: return &run##arity<float, Apply_##name<Ops>, Stream>
    BODY(neg, 1);
    BODY(abs, 1);
    BODY(square, 1);
    BODY(sqrt, 1);
    BODY(add, 2);
    BODY(sub, 2);
    BODY(mul, 2);
    BODY(div, 2);
    BODY(maximum, 2);
    BODY(minimum, 2);
    BODY(fma, 3);
#undef BODY
    default: return nullptr;
  }
}

template StepBody<double> bodyOf<double>(uint16_t);
template StepBody<int64_t> bodyOf<int64_t>(uint16_t);

}  // namespace thalweg::cpu::THALWEG_ISA
