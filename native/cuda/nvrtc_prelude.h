// What the kernels' headers use of the C++ library and of launch.h, for NVRTC, which brings no headers. It stands in
// the place of each of those, so that it guards itself by a name.
#ifndef THALWEG_NVRTC_PRELUDE
#define THALWEG_NVRTC_PRELUDE

using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
using uintptr_t = unsigned long long;
#define INT32_MAX 2147483647
#define UINT32_MAX 4294967295u
#define INT64_MAX 9223372036854775807ll

namespace std {

template <class A, class B>
inline constexpr bool is_same_v = false;
template <class A>
inline constexpr bool is_same_v<A, A> = true;
template <class T>
inline constexpr bool is_floating_point_v = is_same_v<T, float> || is_same_v<T, double>;
template <class T>
inline constexpr bool is_integral_v = is_same_v<T, bool> || is_same_v<T, uint8_t> || is_same_v<T, int32_t> ||
                                      is_same_v<T, uint32_t> || is_same_v<T, int64_t> || is_same_v<T, uint64_t> ||
                                      is_same_v<T, long> || is_same_v<T, unsigned long> || is_same_v<T, uint16_t>;
template <bool condition, class A, class B>
struct Choice {
  using type = A;
};
template <class A, class B>
struct Choice<false, A, B> {
  using type = B;
};
template <bool condition, class A, class B>
using conditional_t = typename Choice<condition, A, B>::type;
template <class T>
struct Unsigned;
template <>
struct Unsigned<int32_t> {
  using type = uint32_t;
};
template <>
struct Unsigned<int64_t> {
  using type = uint64_t;
};
template <class T>
using make_unsigned_t = typename Unsigned<T>::type;

template <class To, class From>
constexpr To bit_cast(const From& x) {
  return __builtin_bit_cast(To, x);
}

template <class T>
struct numeric_limits {
  static constexpr T max() {
    if constexpr (T(-1) > T(0))
      return T(-1);
    else
      return static_cast<T>((1ull << (8 * sizeof(T) - 1)) - 1);
  }
  static constexpr T min() {
    if constexpr (T(-1) > T(0))
      return 0;
    else
      return static_cast<T>(-max() - 1);
  }
};
template <>
struct numeric_limits<float> {
  static constexpr float infinity() { return __builtin_bit_cast(float, 0x7f800000u); }
  static constexpr float quiet_NaN() { return __builtin_bit_cast(float, 0x7fc00000u); }
};
template <>
struct numeric_limits<double> {
  static constexpr double infinity() { return __builtin_bit_cast(double, 0x7ff0000000000000ull); }
  static constexpr double quiet_NaN() { return __builtin_bit_cast(double, 0x7ff8000000000000ull); }
};

// The compiler knows these by itself, for float and double.
using ::acos;
using ::acosh;
using ::asin;
using ::asinh;
using ::atan;
using ::atan2;
using ::atanh;
using ::ceil;
using ::copysign;
using ::cos;
using ::cosh;
using ::erf;
using ::erfc;
using ::exp;
using ::exp2;
using ::expm1;
using ::fabs;
using ::floor;
using ::fma;
using ::fmod;
using ::hypot;
using ::ldexp;
using ::lgamma;
using ::log;
using ::log10;
using ::log1p;
using ::log2;
using ::nearbyint;
using ::pow;
using ::sin;
using ::sinh;
using ::sqrt;
using ::tan;
using ::tanh;
using ::tgamma;
using ::trunc;

}  // namespace std

namespace thalweg::cuda {
constexpr unsigned kFullMask = 0xffffffffu;
constexpr int kWarp = 32;
}  // namespace thalweg::cuda

#endif
