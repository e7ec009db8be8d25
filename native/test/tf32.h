// What tensor cores make of a float32 where that is allowed.
#pragma once
#include <cstdint>
#include <cstring>

namespace fake {

// 10 bits behind the point, rounded to nearest.
inline double roundToTF32(double value) {
  const float x = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7f800000u) == 0x7f800000u) return value;
  bits = (bits + 0xfffu + (bits >> 13 & 1u)) & ~0x1fffu;
  float rounded;
  std::memcpy(&rounded, &bits, sizeof bits);
  return rounded;
}

}  // namespace fake
