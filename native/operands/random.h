// What random numbers are drawn from, checked: ranges and probabilities, and the values that a dtype has.
#pragma once
#include <cmath>
#include <limits>

#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

inline void requireFloating(const char* op, const TensorView& out) {
  if (!isFloating(out.dtype))
    fail(ErrorKind::DType, "%s: the result must have a floating dtype, not %s", op, dtypeName(out.dtype));
}

inline double largestOf(DType dtype) {
  switch (dtype) {
    case DType::Float64: return std::numeric_limits<double>::max();
    case DType::Float16: return 65504;
    case DType::BFloat16: return static_cast<double>(toFloat(BFloat16{0x7f7f}));
    default: return static_cast<double>(std::numeric_limits<float>::max());
  }
}

// The nearest value of a 16-bit float type, or the one below it.
template <class T, class Round>
double below16(double x, Round round) {
  T t = round(static_cast<float>(x));
  if (static_cast<double>(toFloat(t)) < x) return static_cast<double>(toFloat(t));
  const bool negative = t.bits & 0x8000u;
  if ((t.bits & 0x7fffu) == 0)
    t.bits = 0x8001u;
  else
    t.bits = static_cast<uint16_t>(negative ? t.bits + 1 : t.bits - 1);
  return static_cast<double>(toFloat(t));
}

// The largest value of a dtype below x.
inline double below(DType dtype, double x) {
  switch (dtype) {
    case DType::Float64: return std::nextafter(x, -std::numeric_limits<double>::infinity());
    case DType::Float16: return below16<Half>(x, toHalf);
    case DType::BFloat16: return below16<BFloat16>(x, toBFloat16);
    default: break;
  }
  const float f = static_cast<float>(x);
  if (static_cast<double>(f) < x) return static_cast<double>(f);
  return static_cast<double>(std::nextafter(f, -std::numeric_limits<float>::infinity()));
}

inline double rounded(DType dtype, double x) {
  switch (dtype) {
    case DType::Float64: return x;
    case DType::Float16: return static_cast<double>(toFloat(toHalf(static_cast<float>(x))));
    case DType::BFloat16: return static_cast<double>(toFloat(toBFloat16(static_cast<float>(x))));
    default: return static_cast<double>(static_cast<float>(x));
  }
}

// Of numbers from low to below high: the largest that the dtype has.
inline double checkUniform(const char* op, const TensorView& out, double low, double high) {
  requireFloating(op, out);
  const double largest = largestOf(out.dtype);
  if (!(low <= high)) fail(ErrorKind::Native, "%s: low %g is not at most high %g", op, low, high);
  if (!(std::fabs(low) <= largest && std::fabs(high) <= largest && high - low <= largest))
    fail(ErrorKind::Native, "%s: the range from %g to %g is too large for %s", op, low, high, dtypeName(out.dtype));
  const double first = rounded(out.dtype, low), top = below(out.dtype, high);
  return top < first ? first : top;
}

inline void checkNormal(const char* op, const TensorView& out, double mean, double std) {
  requireFloating(op, out);
  if (!std::isfinite(mean)) fail(ErrorKind::Native, "%s: mean %g is not finite", op, mean);
  if (!(std >= 0 && std::isfinite(std)))
    fail(ErrorKind::Native, "%s: std %g is not a finite number from 0 on", op, std);
}

// A word of 32 bits is below it with that probability; at most 2^32. word < probability * 2^32, which is exact, means
// for a whole word: word < its ceiling.
inline uint64_t bernoulliThreshold(const char* op, double probability) {
  if (!(probability >= 0 && probability <= 1))
    fail(ErrorKind::Native, "%s: probability %g is not between 0 and 1", op, probability);
  return static_cast<uint64_t>(std::ceil(probability * 0x1p32));
}

// Integers of magnitude up to this are exact, or the type's own range.
inline void checkIntegers(const TensorView& out, int64_t low, int64_t high) {
  int64_t least, most;
  switch (out.dtype) {
    case DType::Float32: most = int64_t{1} << 24, least = -most; break;
    case DType::Float64: most = int64_t{1} << 53, least = -most; break;
    case DType::Float16: most = int64_t{1} << 11, least = -most; break;
    case DType::BFloat16: most = int64_t{1} << 8, least = -most; break;
    case DType::Int32: least = INT32_MIN, most = INT32_MAX; break;
    case DType::UInt8: least = 0, most = 255; break;
    case DType::Bool: least = 0, most = 1; break;
    default: least = INT64_MIN, most = INT64_MAX; break;
  }
  if (low >= high)
    fail(ErrorKind::Native, "randomIntegers: low %lld is not less than high %lld", static_cast<long long>(low),
         static_cast<long long>(high));
  if (low < least || high - 1 > most)
    fail(ErrorKind::DType, "randomIntegers: integers of [%lld, %lld) do not all fit %s", static_cast<long long>(low),
         static_cast<long long>(high), dtypeName(out.dtype));
}

}  // namespace
}  // namespace THALWEG_KERNELS
