// What a block of Philox words becomes: the values of each kind of random number (runtime/philox.h).
#pragma once
#include <cmath>
#include <limits>

#include "cuda/launch.h"
#include "runtime/philox.h"

namespace thalweg::cuda {
namespace {

// a * b + c in two roundings: contracted to one it would be another number than the CPU's.
__device__ inline float productPlus(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fadd_rn(__fmul_rn(a, b), c);
#else
  return a * b + c;
#endif
}
__device__ inline double productPlus(double a, double b, double c) {
#ifdef __CUDA_ARCH__
  return __dadd_rn(__dmul_rn(a, b), c);
#else
  return a * b + c;
#endif
}
__device__ inline uint64_t highProduct(uint64_t a, uint64_t b) { return __umul64hi(a, b); }

// Word 2k of a block is the low half of wide word k.
__device__ inline uint64_t wideOf(const PhiloxBlock& block, int k) {
  return static_cast<uint64_t>(block.words[2 * k + 1]) << 32 | block.words[2 * k];
}

// -- uniform: clamping to the largest value of the result's type below high also takes care of rounding to a 16-bit
// type: whatever lies above it would become it, or high.

struct UniformFloat {
  using Value = float;
  static constexpr int kEach = 1;
  float low, scale, top;
  __device__ void operator()(const PhiloxBlock& block, float (&values)[4]) const {
    for (int k = 0; k < 4; k++) {
      const float u = static_cast<float>(block.words[k] >> 8) * 0x1p-24f, x = productPlus(u, scale, low);
      values[k] = x > top ? top : x;
    }
  }
};

struct UniformDouble {
  using Value = double;
  static constexpr int kEach = 2;
  double low, scale, top;
  __device__ void operator()(const PhiloxBlock& block, double (&values)[2]) const {
    for (int k = 0; k < 2; k++) {
      const double u = static_cast<double>(wideOf(block, k) >> 11) * 0x1p-53, x = productPlus(u, scale, low);
      values[k] = x > top ? top : x;
    }
  }
};

// -- normal
// -------------------------------------------------------------------------------------------------------------

struct NormalFloat {
  using Value = float;
  static constexpr int kEach = 1;
  float mean, std;

  __device__ void pair(uint32_t even, uint32_t odd, float& x, float& y) const {
    const float u = (static_cast<float>(even >> 1) + 1.f) * 0x1p-31f;
    const float radius = ::sqrtf(::logf(u) * -2.f);
    // The angle in quarter turns, exact: its nearest integer, and what is left in [-1/2, 1/2].
    const float turns = static_cast<float>(odd >> 8) * 0x1p-22f;
    const int quarter = static_cast<int>(turns + 0.5f);
    const float r = turns - static_cast<float>(quarter), z = r * r;
    float s = z * -4.602149213e-03f + 7.968021765e-02f;
    s = s * z - 6.459634777e-01f;
    s = (s * z + 1.570796322e+00f) * r;
    float c = z * 9.067398956e-04f - 2.086152834e-02f;
    c = c * z + 2.536694104e-01f;
    c = c * z - 1.233700549e+00f;
    c = c * z + 1.f;
    float sine = quarter & 1 ? c : s, cosine = quarter & 1 ? s : c;
    if ((quarter + 1) & 2) cosine = -cosine;
    if (quarter & 2) sine = -sine;
    x = cosine * radius * std + mean;
    y = sine * radius * std + mean;
  }
  __device__ void operator()(const PhiloxBlock& block, float (&values)[4]) const {
    pair(block.words[0], block.words[1], values[0], values[1]);
    pair(block.words[2], block.words[3], values[2], values[3]);
  }
};

struct NormalDouble {
  using Value = double;
  static constexpr int kEach = 2;
  double mean, std;
  __device__ void operator()(const PhiloxBlock& block, double (&values)[2]) const {
    const uint64_t first = wideOf(block, 0) >> 11, second = wideOf(block, 1) >> 11;
    const double radius = ::sqrt(-2 * ::log(static_cast<double>(first + 1) * 0x1p-53));
    const double angle = static_cast<double>(second) * 0x1p-53 * 6.283185307179586476925;
    values[0] = mean + this->std * (radius * ::cos(angle));
    values[1] = mean + this->std * (radius * ::sin(angle));
  }
};

// -- bernoulli and integers
// ----------------------------------------------------------------------------------------------

struct Bernoulli {
  using Value = uint8_t;
  static constexpr int kEach = 1;
  uint64_t threshold;
  __device__ void operator()(const PhiloxBlock& block, uint8_t (&values)[4]) const {
    for (int k = 0; k < 4; k++) values[k] = block.words[k] < threshold;
  }
};

struct Integers {
  using Value = int64_t;
  static constexpr int kEach = 1;
  uint64_t first, range;
  __device__ void operator()(const PhiloxBlock& block, int64_t (&values)[4]) const {
    for (int k = 0; k < 4; k++) values[k] = static_cast<int64_t>(first + (block.words[k] * range >> 32));
  }
};

struct WideIntegers {
  using Value = int64_t;
  static constexpr int kEach = 2;
  uint64_t first, range;
  __device__ void operator()(const PhiloxBlock& block, int64_t (&values)[2]) const {
    for (int k = 0; k < 2; k++) values[k] = static_cast<int64_t>(first + highProduct(wideOf(block, k), range));
  }
};

}  // namespace
}  // namespace thalweg::cuda
