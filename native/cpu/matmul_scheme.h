// How the elements of a storage type are multiplied. A scheme says what a packed operand is made of: units of `depth`
// elements that follow each other along K, which one step of the register tile multiplies and adds up.
//
//   Single    one element, in the compute type: float32 and float64, whose operands and results are used where they
//             lie, and 16-bit floats, which are packed as float32
//   Pairs     two bfloat16, for vdpbf16ps of AVX512-BF16 (see matmul_pairs.h)
#pragma once
#include "cpu/matmul_convert.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// `Unit` is the type of a packed unit, `Packed` the one in which strides of packed operands count.
// alongK: L units of a row that has K contiguous. across: one unit each of L neighbours, `along` apart in K.
template <class S>
struct Single {
  using Storage = S;
  using Sum = Compute<S>;
  using Packed = Sum;
  using Unit = Sum;
  static constexpr int depth = 1;
  static constexpr bool inPlace = std::is_same_v<S, Sum>;

  static THALWEG_INLINE Vec<Unit> alongK(const S* p) { return loadWide(p); }
  static THALWEG_INLINE Vec<Unit> across(const S* p, int64_t) { return loadWide(p); }
  static THALWEG_INLINE Vec<Unit> acrossFirst(const S* p, int64_t, int n) { return loadWideFirst(p, n); }
  static THALWEG_INLINE Unit single(const S* p, int64_t) { return widen(*p); }
};

#if defined(__AVX512F__)
#define THALWEG_BF16_PAIRS

struct Pairs {
  using Storage = BFloat16;
  using Sum = float;
  using Packed = BFloat16;
  using Unit = uint32_t;
  static constexpr int depth = 2;
  static constexpr bool inPlace = false;

  static THALWEG_INLINE Vec<Unit> alongK(const BFloat16* p) {
    Vec<Unit> v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static THALWEG_INLINE Vec<Unit> across(const BFloat16* p, int64_t along) {
    return zeroExtend(loadBits(p)) | zeroExtend(loadBits(p + along)) << 16;
  }
  static THALWEG_INLINE Vec<Unit> acrossFirst(const BFloat16* p, int64_t along, int n) {
    return zeroExtend(loadBitsFirst(p, n)) | zeroExtend(loadBitsFirst(p + along, n)) << 16;
  }
  static THALWEG_INLINE Unit single(const BFloat16* p, int64_t along) {
    return p[0].bits | static_cast<uint32_t>(p[along].bits) << 16;
  }
};

inline bool hasPairs() { return __builtin_cpu_supports("avx512bf16"); }
#endif

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
