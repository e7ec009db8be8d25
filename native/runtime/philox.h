// Philox 4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw ("Parallel random numbers: as easy as
// 1, 2, 3", SC11), and how tensors draw from it. The same seed gives the same numbers on every device.
//
// The generator maps a 128-bit counter and a 64-bit key to one block of four 32-bit words. The key is the seed. Block b
// of a tensor has the counter offset + b (wrapping at 2^64) in words 0 and 1, low word first; words 2 and 3 are 0.
// Elements are numbered in row-major order, whatever the strides. "Word i" is word i % 4 of block i / 4. "Wide word i"
// is 64 bits of block i / 2: word 2 * (i % 2) is its low half, the next word its high half.
//
//   kind                            drawn from    element i
//   uniform [low, high), float32,   word i        u = (word >> 8) * 2^-24; low + u * (high - low), two roundings in
//     float16, bfloat16                           float32, then rounded to the type; never high: the largest value
//                                                 below it is taken instead (low, if low == high)
//   uniform, float64                wide word i   the same in float64 with u = (wide >> 11) * 2^-53
//   normal, float32, float16,       words 2j,     mean + std * radius * cos(2 pi u2) for i = 2j, sin for i = 2j + 1;
//     bfloat16                      2j + 1        radius = sqrt(-2 ln u1); word 2j: u1 = (float(word >> 1) + 1)
//                                                 * 2^-31; word 2j + 1: u2 = (word >> 8) * 2^-24
//   normal, float64                 wide words    the same in float64: u1 = ((wide >> 11) + 1) * 2^-53,
//                                   2j, 2j + 1    u2 = (wide >> 11) * 2^-53
//   bernoulli, any type             word i        1 when word < probability * 2^32, else 0
//   integers [low, high),           word i        low + (word * (high - low) >> 32)
//     high - low <= 2^32
//   wider integers                  wide word i   low + (wide * (high - low) >> 64)
//   permutation                     wide word i   indices sorted by (wide word, index)
//
// Only normal numbers may differ between devices, in their last bits.
#pragma once
#include <cstdint>

#include "runtime/dtype.h"

namespace thalweg {

struct PhiloxBlock {
  uint32_t words[4];
};

constexpr int kPhiloxRounds = 10;
constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;  // added to the key in each round

constexpr PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  uint32_t c0 = counter.words[0], c1 = counter.words[1], c2 = counter.words[2], c3 = counter.words[3];
  for (int round = 0; round < kPhiloxRounds; round++) {
    const uint64_t product0 = static_cast<uint64_t>(kPhiloxMultiplier0) * c0;
    const uint64_t product1 = static_cast<uint64_t>(kPhiloxMultiplier1) * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<uint32_t>(product0);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

// Block number `counter` (offset + b) of a seed.
constexpr PhiloxBlock philox(uint64_t seed, uint64_t counter) {
  return philox({{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}},
                static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

enum class RandomKind : uint8_t { Uniform, Normal, Bernoulli, Integers, WideIntegers, Permutation };

// Elements that one block serves.
constexpr int64_t philoxElementsPerBlock(RandomKind kind, DType dtype) {
  switch (kind) {
    case RandomKind::Uniform:
    case RandomKind::Normal: return dtype == DType::Float64 ? 2 : 4;
    case RandomKind::Bernoulli:
    case RandomKind::Integers: return 4;
    case RandomKind::WideIntegers:
    case RandomKind::Permutation: break;
  }
  return 2;
}

// Blocks that n elements use up: by how much whoever keeps the offset advances it.
constexpr int64_t philoxBlocks(RandomKind kind, DType dtype, int64_t n) {
  const int64_t each = philoxElementsPerBlock(kind, dtype);
  return n / each + (n % each != 0);
}

}  // namespace thalweg
