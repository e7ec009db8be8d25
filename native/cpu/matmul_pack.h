// Packing: a strip of an operand, `width` elements across and kc along K, becomes kc contiguous rows of `width`
// elements of the compute type, zero-padded. Contiguous strips are copied, transposed ones go through the registers in
// square blocks, the rest is gathered; 16-bit floats are converted on the way.
#pragma once
#include <utility>

#include "cpu/matmul_tile.h"
#include "runtime/dtype.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// The type in which sums of S are kept.
template <class S>
struct ComputeOf {
  using type = float;
};
template <>
struct ComputeOf<double> {
  using type = double;
};
template <class S>
using Compute = typename ComputeOf<S>::type;

THALWEG_INLINE float widen(float x) { return x; }
THALWEG_INLINE double widen(double x) { return x; }
THALWEG_INLINE float widen(Half x) { return toFloat(x); }
THALWEG_INLINE float widen(BFloat16 x) { return toFloat(x); }

template <class S>
THALWEG_INLINE S narrow(Compute<S> x) {
  if constexpr (std::is_same_v<S, Half>) {
    return toHalf(x);
  } else if constexpr (std::is_same_v<S, BFloat16>) {
    return toBFloat16(x);
  } else {
    return x;
  }
}

// A whole vector of the compute type from storage.
THALWEG_INLINE Vec<float> loadWide(const float* p) { return load(p); }
THALWEG_INLINE Vec<double> loadWide(const double* p) { return load(p); }
THALWEG_INLINE Vec<float> loadWide(const BFloat16* p) {
  typedef uint16_t Narrow __attribute__((vector_size(kVectorBytes / 2)));
  typedef uint32_t Wide __attribute__((vector_size(kVectorBytes)));
  Narrow bits;
  std::memcpy(&bits, p, sizeof bits);
  return reinterpret_cast<Vec<float>>(__builtin_convertvector(bits, Wide) << 16);
}
THALWEG_INLINE Vec<float> loadWide(const Half* p) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec<float>>(
      _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__F16C__) && defined(__AVX2__)
  return reinterpret_cast<Vec<float>>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
  Vec<float> v;
  for (int i = 0; i < lanes<float>; i++) v[i] = toFloat(p[i]);
  return v;
#endif
}

// The first n lanes from storage, the others 0; never reads past p[n-1].
template <class S>
THALWEG_INLINE Vec<Compute<S>> loadWideFirst(const S* p, int n) {
  using T = Compute<S>;
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<S, float>)
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
  if constexpr (std::is_same_v<S, double>)
    return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p));
#endif
  Vec<T> v{};
  for (int i = 0; i < n; i++) v[i] = widen(p[i]);
  return v;
}

// One step of the transpose of a square of vectors: exchanges the off-diagonal quarters of every 2 Step x 2 Step block.
template <int Step, class V, int... I>
THALWEG_INLINE void exchange(V& low, V& high, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  const V x = low, y = high;
  low = __builtin_shufflevector(x, y, ((I & Step) != 0 ? (I ^ Step) + L : I)...);
  high = __builtin_shufflevector(x, y, ((I & Step) != 0 ? I + L : (I | Step))...);
}
template <class T, int Step = 1>
THALWEG_INLINE void transpose(Vec<T> (&rows)[lanes<T>]) {
  if constexpr (Step < lanes<T>) {
    THALWEG_UNROLL for (int i = 0; i < lanes<T>; i++) {
      if ((i & Step) == 0) exchange<Step>(rows[i], rows[i | Step], std::make_integer_sequence<int, lanes<T>>());
    }
    transpose<T, Step * 2>(rows);
  }
}

// K is contiguous: `count` (at most one vector) source rows, into columns of dst.
template <class S, class T>
void packTransposed(const S* src, int64_t stride, int count, int64_t kc, T* dst, int64_t width, int columns) {
  constexpr int L = lanes<T>;
  int64_t k = 0;
  // A store writes a whole vector; the columns it spoils belong to the next row, written later. At the end of the
  // strip, and where other columns follow in the same row, only `columns` are written.
  for (; k + L <= kc; k += L) {
    // Rows are too short a stream for the hardware to follow: the next ones are fetched while these are transposed.
    for (int i = 0; i < count; i++) prefetchFar(src + k, (count + i) * stride);
    Vec<T> rows[L];
    if (count == L) {
      THALWEG_UNROLL for (int i = 0; i < L; i++) rows[i] = loadWide(src + i * stride + k);
    } else {
      THALWEG_UNROLL for (int i = 0; i < L; i++) {
        if (i < count) {
          rows[i] = loadWide(src + i * stride + k);
        } else {
          rows[i] = Vec<T>{};
        }
      }
    }
    transpose<T>(rows);
    if (columns == L || (columns == width && (k + L - 1) * width + L <= kc * width)) {
      THALWEG_UNROLL for (int i = 0; i < L; i++) store(dst + (k + i) * width, rows[i]);
    } else {
      for (int i = 0; i < L; i++)
        for (int j = 0; j < columns; j++) dst[(k + i) * width + j] = rows[i][j];
    }
  }
  for (; k < kc; k++) {
    for (int j = 0; j < columns; j++) dst[k * width + j] = j < count ? widen(src[j * stride + k]) : T(0);
  }
}

// Element (i, k) of the strip, i < count <= width, is src[i * across + k * along].
template <class S, class T>
void packStrip(const S* src, int64_t across, int64_t along, int count, int64_t kc, T* dst, int width) {
  constexpr int L = lanes<T>;
  if (along == 1 && across != 1 && kc >= L) {
    for (int i = 0; i < width; i += L) {
      const int left = count - i < L ? count - i : L;
      packTransposed(src + i * across, across, left > 0 ? left : 0, kc, dst + i, width, width - i < L ? width - i : L);
    }
    return;
  }
  if (across == 1 && count % L == 0) {
    for (int64_t k = 0; k < kc; k++, src += along, dst += width) {
      for (int i = 0; i < count; i += L) store(dst + i, loadWide(src + i));
      for (int i = count; i < width; i++) dst[i] = 0;
    }
    return;
  }
  if (across == 1 && count == MR && width == MR) {
    for (int64_t k = 0; k < kc; k++, src += along, dst += MR) {
      THALWEG_UNROLL for (int i = 0; i < MR; i++) dst[i] = widen(src[i]);
    }
    return;
  }
  for (int64_t k = 0; k < kc; k++, src += along, dst += width) {
    for (int i = 0; i < count; i++) dst[i] = widen(src[i * across]);
    for (int i = count; i < width; i++) dst[i] = 0;
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
