// The bodies of the programs of program_listings.h, in float: every value stays in a machine register.
#include "../program_listings.h"

#include <utility>

#include "cpu/program_bodies.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

using V = Vec<float>;
using Ops = FloatOps<VectorMath<float>>;

template <Opcode op>
THALWEG_INLINE V apply(V a, V b, V c) {
  V result{};
  const auto use = [&]<int arity>(std::integral_constant<int, arity>, auto f) {
    if constexpr (arity == 1)
      result = f(a);
    else if constexpr (arity == 2)
      result = f(a, b);
    else
      result = f(a, b, c);
  };
#define OPCODE(name, arity)         \
  if constexpr (op == Opcode::name) \
    use(std::integral_constant<int, arity>(), [](auto... v) { return Ops::name(v...); });
#include "opcodes.def"
#undef OPCODE
  return result;
}

template <int k, int... j>
THALWEG_INLINE void compute(V* values, std::integer_sequence<int, j...>) {
  ((values[kListings[k].code[j].dst] = apply<kListings[k].code[j].op>(
        values[kListings[k].code[j].a], values[kListings[k].code[j].b], values[kListings[k].code[j].c])),
   ...);
}

// Loads of all inputs come before the stores: an output may be the memory of an input.
template <int k>
void runListing(const TileRegister<float>* r, const uint16_t* outputs, int64_t n) {
  constexpr const Listing& l = kListings[k];
  V values[l.values()];
  THALWEG_UNROLL
  for (int i = l.inputs; i < l.inputs + l.scalars; i++) values[i] = load(r[i].data);
  const float* in[l.inputs];
  int step[l.inputs];
  float* out[l.outputs];
  THALWEG_UNROLL
  for (int i = 0; i < l.inputs; i++) {
    in[i] = r[i].data;
    step[i] = r[i].step;
  }
  THALWEG_UNROLL
  for (int i = 0; i < l.outputs; i++) out[i] = r[outputs[i]].data;
  for (int64_t at = 0; at < n; at += lanes<float>) {
    THALWEG_UNROLL
    for (int i = 0; i < l.inputs; i++) {
      values[i] = load(in[i]);
      in[i] += step[i];
    }
    compute<k>(values, std::make_integer_sequence<int, kListings[k].length>());
    THALWEG_UNROLL
    for (int i = 0; i < l.outputs; i++) store(out[i] + at, values[l.results[i]]);
  }
}

template <int... k>
constexpr ListingBody pick(int listing, std::integer_sequence<int, k...>) {
  constexpr ListingBody bodies[] = {&runListing<k>...};
  return bodies[listing];
}

}  // namespace

ListingBody listingBody(int listing) { return pick(listing, std::make_integer_sequence<int, kListingCount>()); }

}  // namespace thalweg::cpu::THALWEG_ISA
