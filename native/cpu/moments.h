// Means, variances and the sums of a normalisation's gradient, over runs and over columns. Moments are taken block by
// block, each around its own mean while it is in the cache, and joined in float64 (Chan et al. 1979), so that a large
// mean does not spoil the variance.
#pragma once
#include <algorithm>

#include "cpu/kernel.h"
#include "cpu/reduce_softmax.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kMomentBlock = 4096;   // elements of a run that stay in the first-level cache
constexpr int64_t kColumnTile = 256;     // columns that are worked on at once,
constexpr int64_t kColumnBlock = 32;     // and rows of them that stay in the first-level cache
constexpr int64_t kGradientBlock = 256;  // rows that are added up in T

struct Moments {
  double mean = 0, m2 = 0;
  int64_t count = 0;

  THALWEG_INLINE void join(double mean2, double more, int64_t n) {
    if (n == 0) return;
    const double share = static_cast<double>(n) / static_cast<double>(count + n), delta = mean2 - mean;
    m2 += more + delta * delta * share * static_cast<double>(count);
    mean += delta * share;
    count += n;
  }
  void join(const Moments& other) { join(other.mean, other.m2, other.count); }
  double variance() const { return m2 / static_cast<double>(count); }
};

// Of a gradient g: sum g and sum g (x - mean).
struct Sums {
  double first = 0, second = 0;

  void join(const Sums& other) {
    first += other.first;
    second += other.second;
  }
};

// -- runs -------------------------------------------------------------------------------------------------------------

template <class T>
THALWEG_NOINLINE void addRun(Moments& moments, const T* x, int64_t n) {
  for (int64_t i = 0; i < n; i += kMomentBlock) {
    const int64_t count = std::min(n - i, kMomentBlock);
    const T* p = x + i;
    const double mean =
        sumVectors<T>(count, [&](int64_t j, int m) { return loadLanes(p + j, m, T(0)); }) / static_cast<double>(count);
    const T around = static_cast<T>(mean);
    const double m2 = sumVectors<T>(count, [&](int64_t j, int m) {
      const Vec<T> d = loadLanes(p + j, m, around) - around;
      return d * d;
    });
    // m2 is around the rounded mean.
    const double rounding = mean - static_cast<double>(around);
    moments.join(mean, m2 - static_cast<double>(count) * rounding * rounding, count);
  }
}

// Two sums in one pass: term(i, lanes, a, b) gives two vectors.
template <class T, class F>
THALWEG_INLINE Sums sumPairs(int64_t n, F term) {
  constexpr int L = lanes<T>;
  Sums sums;
  Vec<T> x, y;
  int64_t i = 0;
  while (i + L <= n) {
    const int64_t end = std::min<int64_t>(n, i + 64 * L);
    Vec<T> a[2] = {}, b[2] = {};
    for (; i + 2 * L <= end; i += 2 * L) {
      THALWEG_UNROLL
      for (int k = 0; k < 2; k++) {
        term(i + k * L, L, x, y);
        a[k] += x;
        b[k] += y;
      }
    }
    for (; i + L <= end; i += L) {
      term(i, L, x, y);
      a[0] += x;
      b[0] += y;
    }
    sums.first += joinSum<T>(a[0] + a[1]);
    sums.second += joinSum<T>(b[0] + b[1]);
  }
  if (i < n) {
    term(i, static_cast<int>(n - i), x, y);
    sums.first += joinSum<T>(x);
    sums.second += joinSum<T>(y);
  }
  return sums;
}

template <class T>
THALWEG_NOINLINE Sums gradientSums(const T* g, const T* x, int64_t n, T mean) {
  return sumPairs<T>(n, [&](int64_t i, int m, Vec<T>& a, Vec<T>& b) {
    a = loadLanes(g + i, m, T(0));
    b = a * (loadLanes(x + i, m, mean) - mean);
  });
}

// out = (x - mean) scale + shift
template <class T>
THALWEG_NOINLINE void affineRun(T* out, const T* x, int64_t n, T mean, T scale, T shift, bool stream) {
  mapVectors(n, out, stream, [&](int64_t i, int m) { return (loadLanes(x + i, m, T(0)) - mean) * scale + shift; });
}

// gx = a g - b - d (x - mean)
template <class T>
THALWEG_NOINLINE void gradientRun(T* gx, const T* g, const T* x, int64_t n, T mean, T a, T b, T d, bool stream) {
  mapVectors(n, gx, stream, [&](int64_t i, int m) {
    return (loadLanes(g + i, m, T(0)) * a - b) - (loadLanes(x + i, m, T(0)) - mean) * d;
  });
}

// -- columns ----------------------------------------------------------------------------------------------------------

// Calls f(k, lanes, std::integral_constant<int, vectors>) for the vectors of `width` columns, four at a time where
// there are as many: independent sums of them stay in registers.
template <class T, class F>
THALWEG_INLINE void forColumnVectors(int64_t width, F&& f) {
  constexpr int L = lanes<T>;
  int64_t k = 0;
  for (; k + 4 * L <= width; k += 4 * L) f(k, L, std::integral_constant<int, 4>());
  for (; k + L <= width; k += L) f(k, L, std::integral_constant<int, 1>());
  if (k < width) f(k, static_cast<int>(width - k), std::integral_constant<int, 1>());
}

// Adds the moments of rows of `width` <= kColumnTile columns, which lie `stride` apart, to those of `count` rows.
template <class T>
THALWEG_NOINLINE void addColumns(const T* x, int64_t rows, int64_t stride, int64_t width, double* mean, double* m2,
                                 int64_t count) {
  constexpr int L = lanes<T>;
  T around[kColumnTile], squares[kColumnTile], rest[kColumnTile];
  for (int64_t i = 0; i < rows; i += kColumnBlock) {
    const int64_t n = std::min(rows - i, kColumnBlock);
    const T *block = x + i * stride, share = 1 / static_cast<T>(n);
    forColumnVectors<T>(width, [&](int64_t k, int m, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      Vec<T> sum[V] = {}, square[V] = {}, off[V] = {};
      for (int64_t r = 0; r < n; r++)
        THALWEG_UNROLL for (int v = 0; v < V; v++) sum[v] += loadLanes(block + r * stride + k + v * L, m, T(0));
      THALWEG_UNROLL for (int v = 0; v < V; v++) sum[v] *= share;
      // Around a rounded mean, so that the sum of differences is what is missing from it.
      for (int64_t r = 0; r < n; r++) {
        THALWEG_UNROLL
        for (int v = 0; v < V; v++) {
          const Vec<T> d = loadLanes(block + r * stride + k + v * L, m, T(0)) - sum[v];
          square[v] += d * d;
          off[v] += d;
        }
      }
      THALWEG_UNROLL
      for (int v = 0; v < V; v++) {
        storeFirst(around + k + v * L, sum[v], m);
        storeFirst(squares + k + v * L, square[v], m);
        storeFirst(rest + k + v * L, off[v], m);
      }
    });
    const double portion = static_cast<double>(n) / static_cast<double>(count + n), before = static_cast<double>(count);
    for (int64_t k = 0; k < width; k++) {
      const double r = static_cast<double>(rest[k]), off = r / static_cast<double>(n);
      const double delta = static_cast<double>(around[k]) + off - mean[k];
      m2[k] += static_cast<double>(squares[k]) - r * off + delta * delta * portion * before;
      mean[k] += delta * portion;
    }
    count += n;
  }
}

// Adds sum g and sum g (x - mean) of each column.
template <class T>
THALWEG_NOINLINE void addColumnSums(const T* g, const T* x, int64_t rows, int64_t stride, int64_t width, const T* mean,
                                    double* first, double* second) {
  constexpr int L = lanes<T>;
  T a[kColumnTile], b[kColumnTile];
  for (int64_t i = 0; i < rows; i += kGradientBlock) {
    const int64_t n = std::min(rows - i, kGradientBlock);
    const T *gs = g + i * stride, *xs = x + i * stride;
    forColumnVectors<T>(width, [&](int64_t k, int m, auto vectors) {
      constexpr int V = decltype(vectors)::value;
      Vec<T> sum[V] = {}, product[V] = {}, centre[V];
      THALWEG_UNROLL for (int v = 0; v < V; v++) centre[v] = loadLanes(mean + k + v * L, m, T(0));
      for (int64_t r = 0; r < n; r++) {
        THALWEG_UNROLL
        for (int v = 0; v < V; v++) {
          const int64_t at = r * stride + k + v * L;
          const Vec<T> value = loadLanes(gs + at, m, T(0));
          sum[v] += value;
          product[v] += value * (loadLanes(xs + at, m, T(0)) - centre[v]);
        }
      }
      THALWEG_UNROLL
      for (int v = 0; v < V; v++) {
        storeFirst(a + k + v * L, sum[v], m);
        storeFirst(b + k + v * L, product[v], m);
      }
    });
    for (int64_t k = 0; k < width; k++) {
      first[k] += static_cast<double>(a[k]);
      second[k] += static_cast<double>(b[k]);
    }
  }
}

// One row whose columns have their own coefficients: out = (x - mean) scale + shift.
template <class T>
THALWEG_NOINLINE void affineColumns(T* out, const T* x, int64_t n, const T* mean, const T* scale, const T* shift,
                                    bool stream) {
  mapVectors(n, out, stream, [&](int64_t k, int m) {
    return (loadLanes(x + k, m, T(0)) - loadLanes(mean + k, m, T(0))) * loadLanes(scale + k, m, T(0)) +
           loadLanes(shift + k, m, T(0));
  });
}

// gx = a g - b - d (x - mean)
template <class T>
THALWEG_NOINLINE void gradientColumns(T* gx, const T* g, const T* x, int64_t n, const T* mean, const T* a, const T* b,
                                      const T* d, bool stream) {
  mapVectors(n, gx, stream, [&](int64_t k, int m) {
    const Vec<T> centred = loadLanes(x + k, m, T(0)) - loadLanes(mean + k, m, T(0));
    return (loadLanes(g + k, m, T(0)) * loadLanes(a + k, m, T(0)) - loadLanes(b + k, m, T(0))) -
           centred * loadLanes(d + k, m, T(0));
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
