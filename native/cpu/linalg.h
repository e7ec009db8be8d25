// What the factorisations share: matrices of a batch in and out of scratch memory, vector loops, and the failures of
// batch items. A matrix in scratch memory is dense; "columns" means that its columns, not its rows, are contiguous.
#pragma once
#include <cstdio>
#include <limits>

#include "cpu/gemm.h"
#include "cpu/kernel.h"
#include "cpu/simd.h"
#include "operands/linalg.h"

namespace thalweg::cpu::THALWEG_ISA {

THALWEG_INLINE float root(float x) { return __builtin_sqrtf(x); }
THALWEG_INLINE double root(double x) { return __builtin_sqrt(x); }
THALWEG_INLINE float magnitude(float x) { return __builtin_fabsf(x); }
THALWEG_INLINE double magnitude(double x) { return __builtin_fabs(x); }
THALWEG_INLINE float hypotenuse(float a, float b) { return __builtin_hypotf(a, b); }
THALWEG_INLINE double hypotenuse(double a, double b) { return __builtin_hypot(a, b); }
THALWEG_INLINE float withSign(float x, float sign) { return __builtin_copysignf(x, sign); }
THALWEG_INLINE double withSign(double x, double sign) { return __builtin_copysign(x, sign); }

template <class T>
constexpr T kEpsilon = std::numeric_limits<T>::epsilon();
template <class T>
constexpr T kSmallest = std::numeric_limits<T>::min();

// -- vectors ----------------------------------------------------------------------------------------------------------

template <class T>
inline T dot(const T* a, const T* b, int64_t n) {
  constexpr int L = lanes<T>;
  Vec<T> sums[2] = {};
  int64_t i = 0;
  for (; i + 2 * L <= n; i += 2 * L) {
    sums[0] += load(a + i) * load(b + i);
    sums[1] += load(a + i + L) * load(b + i + L);
  }
  for (; i + L <= n; i += L) sums[0] += load(a + i) * load(b + i);
  sums[0] += sums[1];
  T total = 0;
  for (int l = 0; l < L; l++) total += sums[0][l];
  for (; i < n; i++) total += a[i] * b[i];
  return total;
}

// y += s * x
template <class T>
inline void addScaled(T* __restrict y, const T* __restrict x, T s, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += s * x[i];
}

template <class T>
inline void scaleBy(T* x, T s, int64_t n) {
  for (int64_t i = 0; i < n; i++) x[i] *= s;
}

// (x, y) = (c x + s y, c y - s x)
template <class T>
inline void rotate(T* __restrict x, T* __restrict y, T c, T s, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const T a = x[i], b = y[i];
    x[i] = c * a + s * b;
    y[i] = c * b - s * a;
  }
}

template <class T>
inline void swapRows(T* __restrict x, T* __restrict y, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const T a = x[i];
    x[i] = y[i];
    y[i] = a;
  }
}

// NaN if there is one.
template <class T>
inline T largest(const T* x, int64_t n) {
  T result = 0;
  for (int64_t i = 0; i < n; i++) {
    const T size = magnitude(x[i]);
    if (!(size <= result)) result = size;
    if (size != size) return size;
  }
  return result;
}

// The Euclidean norm, whose squares neither overflow nor vanish.
template <class T>
inline T norm(const T* x, int64_t n) {
  const T squares = dot(x, x, n);
  if (squares > kSmallest<T> / kEpsilon<T> && squares < std::numeric_limits<T>::max()) return root(squares);
  const T scale = largest(x, n);
  if (!(scale > 0) || scale > std::numeric_limits<T>::max()) return scale;
  T total = 0;
  for (int64_t i = 0; i < n; i++) total += x[i] / scale * (x[i] / scale);
  return scale * root(total);
}

// The power of two (or 1) that brings the largest of n values near 1; 0 if they are not finite.
template <class T>
inline T scaleFor(const T* x, int64_t n) {
  const T size = largest(x, n);
  if (size == 0) return 1;
  if (!(size <= std::numeric_limits<T>::max())) return 0;
  int exponent;
  __builtin_frexp(static_cast<double>(size), &exponent);
  // Half way for subnormal values, whose inverse is too large.
  const int limit = std::numeric_limits<T>::max_exponent - 2;
  const int shift = exponent < -limit ? limit : -exponent;
  return static_cast<T>(__builtin_ldexp(1.0, shift < -limit ? -limit : shift));
}

// -- operands ---------------------------------------------------------------------------------------------------------

// Element [b, 0, 0] of a view whose last `tail` dimensions are not of the batch.
template <class T>
inline T* itemOf(const TensorView& view, int tail, int64_t b) {
  int64_t offset = 0;
  for (int d = view.ndim - tail - 1; d >= 0; d--) {
    offset += b % view.shape[d] * view.strides[d];
    b /= view.shape[d];
  }
  return view.as<T>() + offset;
}

inline int64_t batchOf(const TensorView& view, int tail) {
  int64_t count = 1;
  for (int d = 0; d < view.ndim - tail; d++) count *= view.shape[d];
  return count;
}

// Matrix b of a batch, by rows or (transposed) by columns.
template <class T>
inline void loadMatrix(T* out, const TensorView& view, int64_t b, bool byColumns = false) {
  const T* x = itemOf<T>(view, 2, b);
  int64_t m = rowsOf(view), n = columnsOf(view);
  int64_t rs = view.strides[view.ndim - 2], cs = view.strides[view.ndim - 1];
  if (byColumns) {
    int64_t swap = m;
    m = n;
    n = swap;
    swap = rs;
    rs = cs;
    cs = swap;
  }
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) out[i * n + j] = x[i * rs + j * cs];
}

// Element (i, j) of matrix b is in[i * rs + j * cs].
template <class T>
inline void storeMatrix(const TensorView& view, int64_t b, const T* in, int64_t rs, int64_t cs) {
  T* x = itemOf<T>(view, 2, b);
  const int64_t m = rowsOf(view), n = columnsOf(view);
  const int64_t xrs = view.strides[view.ndim - 2], xcs = view.strides[view.ndim - 1];
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) x[i * xrs + j * xcs] = in[i * rs + j * cs];
}

template <class T, class U>
inline void storeVector(const TensorView& view, int64_t b, const U* in) {
  T* x = itemOf<T>(view, 1, b);
  const int64_t n = view.shape[view.ndim - 1], stride = view.strides[view.ndim - 1];
  for (int64_t i = 0; i < n; i++) x[i * stride] = static_cast<T>(in[i]);
}

// -- batches ----------------------------------------------------------------------------------------------------------

// Room for `elements` of each of the buffers that one item needs; slot 4 of threadScratch.
template <class T>
class Buffers {
 public:
  explicit Buffers(int64_t elements)
      : next_(reinterpret_cast<T*>(threadScratch(kScratchOfCallers, bytesOf(elements)))) {}
  T* take(int64_t elements) {
    T* result = next_;
    next_ += elements;
    return result;
  }

 private:
  static int64_t bytesOf(int64_t elements) {
    int64_t bytes;
    if (__builtin_mul_overflow(elements, static_cast<int64_t>(sizeof(T)), &bytes) || elements < 0)
      fail(ErrorKind::OutOfMemory, "no memory for a matrix this large");
    return bytes;
  }
  T* next_;
};

// The first item of a batch that failed, and at which step (from 1 to `steps`). It does not depend on threads.
class FirstFailure {
 public:
  explicit FirstFailure(int64_t steps) : steps_(steps + 1) {}
  void report(int64_t item, int64_t step) {
    const int64_t key = item * steps_ + step;
    int64_t known = __atomic_load_n(&key_, __ATOMIC_RELAXED);
    while (key < known && !__atomic_compare_exchange_n(&key_, &known, key, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
  bool happened() const { return key_ != kNone; }
  int64_t step() const { return key_ % steps_; }
  // "(Batch element 3): " where there is a batch.
  const char* where(char (&text)[64], const TensorView& x) const {
    text[0] = 0;
    if (x.ndim > 2) std::snprintf(text, sizeof text, "(Batch element %lld): ", static_cast<long long>(key_ / steps_));
    return text;
  }

 private:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  int64_t steps_, key_ = kNone;
};

// Calls f(b) for each item; `work` is about the number of multiplications of one.
template <class F>
inline void forBatch(Context& ctx, int64_t count, double work, F&& f) {
  const double perChunk = 65536 / (work < 1 ? 1 : work);
  parallelFor(ctx.pool, count, perChunk < 1 ? 1 : static_cast<int64_t>(perChunk), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) f(b);
  });
}

// Calls f with a null pointer to the element type.
template <class F>
inline void withFloat(DType dtype, F&& f) {
  if (dtype == DType::Float32)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<double*>(nullptr));
}

}  // namespace thalweg::cpu::THALWEG_ISA
