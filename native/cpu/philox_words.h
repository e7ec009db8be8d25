// Philox words (runtime/philox.h), several blocks in each vector.
#pragma once
#include "cpu/vecmath.h"
#include "runtime/philox.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

using Wide = Vec<uint64_t>;
using Words = Vec<uint32_t>;
constexpr int kWideLanes = lanes<uint64_t>;
constexpr uint64_t kLowHalf = 0xffffffffu;

// The 64-bit products of the low halves of each lane; the high halves do not matter.
THALWEG_INLINE Wide multiplyLow(Wide a, Wide b) {
#if defined(__AVX512F__)
  return reinterpret<Wide>(_mm512_maskz_mul_epu32(0xff, reinterpret<__m512i>(a), reinterpret<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret<Wide>(_mm256_mul_epu32(reinterpret<__m256i>(a), reinterpret<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret<Wide>(_mm_mul_epu32(reinterpret<__m128i>(a), reinterpret<__m128i>(b)));
#else
  return (a & kLowHalf) * (b & kLowHalf);
#endif
}

// Pairs of even lanes (a0 b0 a2 b2 ...), and of odd ones.
#if defined(__AVX512F__)
#define THALWEG_EVEN 0, 8, 2, 10, 4, 12, 6, 14
#define THALWEG_ODD 1, 9, 3, 11, 5, 13, 7, 15
#elif defined(__AVX2__)
#define THALWEG_EVEN 0, 4, 2, 6
#define THALWEG_ODD 1, 5, 3, 7
#else
#define THALWEG_EVEN 0, 2
#define THALWEG_ODD 1, 3
#endif
THALWEG_INLINE Wide evenPairs(Wide a, Wide b) { return __builtin_shufflevector(a, b, THALWEG_EVEN); }
THALWEG_INLINE Wide oddPairs(Wide a, Wide b) { return __builtin_shufflevector(a, b, THALWEG_ODD); }

// Four words a lane are the state of one block. A word lives in the low half of a 64-bit lane, where the multiplication
// wants it; what is in the high half never gets into a product, so it need not be cleared. Several vectors at once,
// since one round waits for the one before.
constexpr int kSets = kVectorBytes == 64 ? 4 : 2;
constexpr int64_t kStepBlocks = kSets * kWideLanes;
// Writes `blocks` blocks, and up to the next multiple of kStepBlocks.
void philoxWords(uint32_t* out, uint64_t seed, uint64_t counter, int64_t blocks) {
  uint32_t keys[kPhiloxRounds][2];
  for (int round = 0; round < kPhiloxRounds; round++) {
    keys[round][0] = static_cast<uint32_t>(seed) + static_cast<uint32_t>(round) * kPhiloxWeyl0;
    keys[round][1] = static_cast<uint32_t>(seed >> 32) + static_cast<uint32_t>(round) * kPhiloxWeyl1;
  }
  // Even lanes hold the first half of a vector's blocks, odd lanes the second: what evenPairs makes is in order then.
  Wide lane{};
  for (int i = 0; i < kWideLanes; i++) lane[i] = static_cast<uint64_t>(i / 2 + i % 2 * (kWideLanes / 2));
  const Wide multiplier0 = broadcast(uint64_t{kPhiloxMultiplier0}),
             multiplier1 = broadcast(uint64_t{kPhiloxMultiplier1});
  for (int64_t block = 0; block < blocks; block += kStepBlocks) {
    Wide c0[kSets], c1[kSets], c2[kSets], c3[kSets];
    THALWEG_UNROLL
    for (int s = 0; s < kSets; s++) {
      c0[s] = lane + (counter + static_cast<uint64_t>(block) + static_cast<uint64_t>(s * kWideLanes));
      c1[s] = c0[s] >> 32;
      c2[s] = c3[s] = Wide{};
    }
    for (int round = 0; round < kPhiloxRounds; round++) {
      const Wide key0 = broadcast(uint64_t{keys[round][0]}), key1 = broadcast(uint64_t{keys[round][1]});
      THALWEG_UNROLL
      for (int s = 0; s < kSets; s++) {
        const Wide product0 = multiplyLow(c0[s], multiplier0);
        const Wide product1 = multiplyLow(c2[s], multiplier1);
        c0[s] = (product1 >> 32) ^ c1[s] ^ key0;
        c1[s] = product1;
        c2[s] = (product0 >> 32) ^ c3[s] ^ key1;
        c3[s] = product0;
      }
    }
    uint64_t* p = reinterpret_cast<uint64_t*>(out + 4 * block);
    THALWEG_UNROLL
    for (int s = 0; s < kSets; s++) {
      const Wide a = (c0[s] & kLowHalf) | (c1[s] << 32), b = (c2[s] & kLowHalf) | (c3[s] << 32);
      store(p + 2 * s * kWideLanes, evenPairs(a, b));
      store(p + (2 * s + 1) * kWideLanes, oddPairs(a, b));
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
