// Softmax and its gradient, and their logarithmic forms, over one contiguous row, or over the columns of a block whose
// rows lie `width` apart (a multiple of the vector length). T is the compute type: float or double.
#pragma once
#include <cmath>

#include "cpu/reduce_ops.h"
#include "cpu/stream_store.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kSoftmaxLanes = 256;  // the widest block

template <class T>
THALWEG_INLINE Vec<T> vectorExp(Vec<T> x) {
  return FloatOps<VectorMath<T>>::exp(x);
}

// The lanes below n, n < lanes: true (all bits) or false.
template <class T>
THALWEG_INLINE Vec<MaskOf<T>> lanesBelow(int n) {
  Vec<MaskOf<T>> index;
  for (int i = 0; i < lanes<T>; i++) index[i] = i;
  return index < broadcast(static_cast<MaskOf<T>>(n));
}

// Masked loads and stores where there are instructions for them; a copy of a few bytes through memory takes longer than
// the rest of a short row.
#if defined(__AVX512F__)
THALWEG_INLINE Vec<float> loadFilled(const float* p, int n, float fill) {
  const __mmask16 mask = static_cast<__mmask16>((1u << n) - 1);
  return reinterpret_cast<Vec<float>>(_mm512_mask_loadu_ps(_mm512_set1_ps(fill), mask, p));
}
THALWEG_INLINE Vec<double> loadFilled(const double* p, int n, double fill) {
  const __mmask8 mask = static_cast<__mmask8>((1u << n) - 1);
  return reinterpret_cast<Vec<double>>(_mm512_mask_loadu_pd(_mm512_set1_pd(fill), mask, p));
}
THALWEG_INLINE void storeFirst(float* p, Vec<float> v, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(v));
}
THALWEG_INLINE void storeFirst(double* p, Vec<double> v, int n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), reinterpret_cast<__m512d>(v));
}
#elif defined(__AVX2__)
THALWEG_INLINE Vec<float> loadFilled(const float* p, int n, float fill) {
  const Vec<int32_t> mask = lanesBelow<float>(n);
  const Vec<float> v = reinterpret_cast<Vec<float>>(_mm256_maskload_ps(p, reinterpret_cast<__m256i>(mask)));
  return mask ? v : broadcast(fill);
}
THALWEG_INLINE Vec<double> loadFilled(const double* p, int n, double fill) {
  const Vec<int64_t> mask = lanesBelow<double>(n);
  const Vec<double> v = reinterpret_cast<Vec<double>>(_mm256_maskload_pd(p, reinterpret_cast<__m256i>(mask)));
  return mask ? v : broadcast(fill);
}
THALWEG_INLINE void storeFirst(float* p, Vec<float> v, int n) {
  _mm256_maskstore_ps(p, reinterpret_cast<__m256i>(lanesBelow<float>(n)), reinterpret_cast<__m256>(v));
}
THALWEG_INLINE void storeFirst(double* p, Vec<double> v, int n) {
  _mm256_maskstore_pd(p, reinterpret_cast<__m256i>(lanesBelow<double>(n)), reinterpret_cast<__m256d>(v));
}
#else
template <class T>
THALWEG_INLINE Vec<T> loadFilled(const T* p, int n, T fill) {
  Vec<T> v = broadcast(fill);
  for (int i = 0; i < n; i++) v[i] = p[i];
  return v;
}
template <class T>
THALWEG_INLINE void storeFirst(T* p, Vec<T> v, int n) {
  for (int i = 0; i < n; i++) p[i] = v[i];
}
#endif

template <class T>
constexpr T kMinusInfinity = -std::numeric_limits<T>::infinity();

template <class T>
THALWEG_INLINE double joinSum(Vec<T> v) {
  return joinLanes<T>(v, [](auto a, auto b) { return a + b; });
}

// f(vector, lanes) over a row: whole vectors, then what is left with its number of lanes. Sums of 64 vectors at a time
// go into float64.
template <class T, class F>
THALWEG_INLINE double sumVectors(int64_t n, F term) {
  constexpr int L = lanes<T>;
  double sum = 0;
  int64_t i = 0;
  while (i + L <= n) {
    const int64_t end = n - i < 64 * L ? n : i + 64 * L;
    Vec<T> a = {}, b = {};
    for (; i + 2 * L <= end; i += 2 * L) {
      a += term(i, L);
      b += term(i + L, L);
    }
    for (; i + L <= end; i += L) a += term(i, L);
    sum += joinSum<T>(a + b);
  }
  if (i < n) sum += joinSum<T>(term(i, static_cast<int>(n - i)));
  return sum;
}

template <class T, class F>
THALWEG_INLINE void mapVectors(int64_t n, T* out, F value) {
  constexpr int L = lanes<T>;
  int64_t i = 0;
  for (; i + L <= n; i += L) store(out + i, value(i, L));
  if (i < n) storeFirst(out + i, value(i, static_cast<int>(n - i)), static_cast<int>(n - i));
}

// The same with stores past the caches, if asked for and if `out` is aligned to vectors.
template <class T, class F>
THALWEG_INLINE void mapVectors(int64_t n, T* out, bool stream, F value) {
  constexpr int L = lanes<T>;
  if (!stream || reinterpret_cast<uintptr_t>(out) % kVectorBytes != 0) return mapVectors(n, out, value);
  int64_t i = 0;
  for (; i + L <= n; i += L) streamStore(out + i, value(i, L));
  if (i < n) storeFirst(out + i, value(i, static_cast<int>(n - i)), static_cast<int>(n - i));
}

template <class T>
THALWEG_INLINE Vec<T> loadLanes(const T* p, int n, T fill) {
  return n == lanes<T> ? load(p) : loadFilled(p, n, fill);
}

// n >= a vector's lanes; NaN if there is one.
template <class T>
THALWEG_INLINE T rowMaximum(const T* x, int64_t n) {
  constexpr int L = lanes<T>;
  Vec<T> m[4];
  THALWEG_UNROLL for (int u = 0; u < 4; u++) m[u] = load(x);
  int64_t i = L;
  for (; i + 4 * L <= n; i += 4 * L)
    THALWEG_UNROLL for (int u = 0; u < 4; u++) m[u] = larger(load(x + i + u * L), m[u]);
  for (; i + L <= n; i += L) m[0] = larger(load(x + i), m[0]);
  // What is left, with some of what was seen.
  if (i < n) m[1] = larger(load(x + n - L), m[1]);
  const auto join = [](auto a, auto b) { return larger(b, a); };
  return joinLanes<T>(join(join(m[0], m[1]), join(m[2], m[3])), join);
}

// n >= 1; out may be x
template <class T>
void softmaxRow(T* out, const T* x, int64_t n, bool log) {
  constexpr int L = lanes<T>;
  if (n < L) {
    const int m = static_cast<int>(n);
    const Vec<T> v = loadFilled(x, m, kMinusInfinity<T>);
    const T max = joinLanes<T>(v, [](auto a, auto b) { return larger(b, a); });
    const Vec<T> d = v - max;
    // The lanes beyond the row are -inf - max, a NaN where max is -inf: only the row itself shall count.
    const Vec<T> e = lanesBelow<T>(m) ? vectorExp<T>(d) : Vec<T>{};
    const double sum = joinSum<T>(e);
    storeFirst(out, log ? d - static_cast<T>(std::log(sum)) : e * static_cast<T>(1 / sum), m);
    return;
  }
  const T max = rowMaximum(x, n);
  if (log) {
    const double sum =
        sumVectors<T>(n, [&](int64_t i, int m) { return vectorExp<T>(loadLanes(x + i, m, kMinusInfinity<T>) - max); });
    const T logSum = static_cast<T>(std::log(sum));
    mapVectors(n, out, [&](int64_t i, int m) { return (loadLanes(x + i, m, T(0)) - max) - logSum; });
    return;
  }
  const double sum = sumVectors<T>(n, [&](int64_t i, int m) {
    const Vec<T> e = vectorExp<T>(loadLanes(x + i, m, kMinusInfinity<T>) - max);
    if (m == lanes<T>)
      store(out + i, e);
    else
      storeFirst(out + i, e, m);
    return e;
  });
  const T scale = static_cast<T>(1 / sum);
  mapVectors(n, out, [&](int64_t i, int m) { return loadLanes(out + i, m, T(0)) * scale; });
}

// out may be g or y
template <class T>
void softmaxBackwardRow(T* out, const T* g, const T* y, int64_t n, bool log) {
  if (log) {
    const T sum = static_cast<T>(sumVectors<T>(n, [&](int64_t i, int m) { return loadLanes(g + i, m, T(0)); }));
    mapVectors(n, out, [&](int64_t i, int m) {
      return loadLanes(g + i, m, T(0)) - vectorExp<T>(loadLanes(y + i, m, T(0))) * sum;
    });
    return;
  }
  const T sum = static_cast<T>(
      sumVectors<T>(n, [&](int64_t i, int m) { return loadLanes(g + i, m, T(0)) * loadLanes(y + i, m, T(0)); }));
  mapVectors(n, out, [&](int64_t i, int m) { return loadLanes(y + i, m, T(0)) * (loadLanes(g + i, m, T(0)) - sum); });
}

template <class T>
THALWEG_INLINE void addWidened(double* sum, Vec<T> v) {
  const Widened<T> w = widen<T>(v);
  THALWEG_UNROLL
  for (int k = 0; k < Widened<T>::kParts; k++) {
    double* s = sum + k * lanes<double>;
    store(s, load(s) + w.part[k]);
  }
}

// In place over n rows of `width` columns.
template <class T>
void softmaxColumns(T* block, int64_t n, int width, bool log) {
  constexpr int L = lanes<T>;
  alignas(kVectorBytes) T max[kSoftmaxLanes], factor[kSoftmaxLanes];
  alignas(kVectorBytes) double sum[kSoftmaxLanes];
  std::memcpy(max, block, static_cast<size_t>(width) * sizeof(T));
  for (int64_t r = 1; r < n; r++)
    for (int j = 0; j < width; j += L) store(max + j, larger(load(block + r * width + j), load(max + j)));
  for (int j = 0; j < width; j++) sum[j] = 0;
  for (int64_t r = 0; r < n; r++) {
    for (int j = 0; j < width; j += L) {
      T* p = block + r * width + j;
      const Vec<T> d = load(p) - load(max + j), e = vectorExp<T>(d);
      addWidened<T>(sum + j, e);
      store(p, log ? d : e);
    }
  }
  for (int j = 0; j < width; j++) factor[j] = static_cast<T>(log ? std::log(sum[j]) : 1 / sum[j]);
  for (int64_t r = 0; r < n; r++) {
    for (int j = 0; j < width; j += L) {
      T* p = block + r * width + j;
      store(p, log ? load(p) - load(factor + j) : load(p) * load(factor + j));
    }
  }
}

// The result replaces g.
template <class T>
void softmaxBackwardColumns(T* g, const T* y, int64_t n, int width, bool log) {
  constexpr int L = lanes<T>;
  alignas(kVectorBytes) T total[kSoftmaxLanes];
  alignas(kVectorBytes) double sum[kSoftmaxLanes];
  for (int j = 0; j < width; j++) sum[j] = 0;
  for (int64_t r = 0; r < n; r++) {
    for (int j = 0; j < width; j += L) {
      const Vec<T> v = load(g + r * width + j);
      addWidened<T>(sum + j, log ? v : v * load(y + r * width + j));
    }
  }
  for (int j = 0; j < width; j++) total[j] = static_cast<T>(sum[j]);
  for (int64_t r = 0; r < n; r++) {
    for (int j = 0; j < width; j += L) {
      T* p = g + r * width + j;
      const Vec<T> v = load(p), w = load(y + r * width + j), t = load(total + j);
      store(p, log ? v - vectorExp<T>(w) * t : w * (v - t));
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
