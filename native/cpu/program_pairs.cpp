// The bodies of pairs of instructions, in float: the first one's result stays in a machine register.
#include "cpu/program_bodies.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

using V = Vec<float>;
using Ops = FloatOps<VectorMath<float>>;

#define OPCODE(name, arity)        \
  struct Apply_##name {            \
    template <class... W>          \
    THALWEG_MATH V apply(W... w) { \
      return Ops::name(w...);      \
    }                              \
  };
#include "opcodes.def"
#undef OPCODE

template <class F, int arity>
THALWEG_INLINE V first(V a, V b, V c) {
  if constexpr (arity == 1)
    return F::apply(a);
  else if constexpr (arity == 2)
    return F::apply(a, b);
  else
    return F::apply(a, b, c);
}
// x is operand `at`; d and e are the others.
template <class G, int arity, int at>
THALWEG_INLINE V second(V x, V d, V e) {
  if constexpr (arity == 1)
    return G::apply(x);
  else if constexpr (arity == 2)
    return at == 0 ? G::apply(x, d) : G::apply(d, x);
  else
    return at == 0 ? G::apply(x, d, e) : at == 1 ? G::apply(d, x, e) : G::apply(d, e, x);
}

template <class F, int firstArity, class G, int secondArity, int at>
void runPair(const Step& s, const TileRegister<float>* r, int64_t n) {
  constexpr int kOperands = firstArity + secondArity - 1;
  float* dst = r[s.dst].data;
  const auto at0 = [&](int k) { return r[s.operands[k < kOperands ? k : 0]]; };
  TileRegister<float> a = at0(0), b = at0(1), c = at0(2), d = at0(firstArity), e = at0(firstArity + 1);
  for (int64_t k = 0; k < n; k += lanes<float>) {
    const V x = first<F, firstArity>(load<float>(a.data), firstArity > 1 ? load<float>(b.data) : V{},
                                     firstArity > 2 ? load<float>(c.data) : V{});
    store<float>(dst + k, second<G, secondArity, at>(x, secondArity > 1 ? load<float>(d.data) : V{},
                                                     secondArity > 2 ? load<float>(e.data) : V{}));
    a.data += a.step, b.data += b.step, c.data += c.step, d.data += d.step, e.data += e.step;
  }
}

template <class F, int firstArity>
constexpr StepBody<float> kRow[] = {
#define SECOND(name, arity, at) &runPair<F, firstArity, Apply_##name, arity, at>,
#include "pairs.def"
};
constexpr const StepBody<float>* kRows[] = {
#define FIRST(name, arity) kRow<Apply_##name, arity>,
#include "pairs.def"
};

}  // namespace

StepBody<float> pairBody(int pair) { return kRows[pair / kPairSeconds][pair % kPairSeconds]; }

}  // namespace thalweg::cpu::THALWEG_ISA
