// Means and variances, and the sums of a normalisation's gradient, as threads gather and join them. Values are taken
// relative to a number near their mean, so that a large mean does not spoil the variance; parts are joined in float64
// (Chan et al. 1979).
#pragma once
#include "cuda/row_access.h"
#include "cuda/team.h"

namespace thalweg::cuda {
namespace {

// m2: the sum of squares around the mean. Without constructors: they lie in shared memory.
struct Moments {
  double mean, m2, count;

  __device__ double variance() const { return m2 / count; }
  __device__ double meanSquare() const { return m2 / count + mean * mean; }
};
__device__ inline Moments shuffleXor(Moments m, int lanes) {
  return {cuda::shuffleXor(m.mean, lanes), cuda::shuffleXor(m.m2, lanes), cuda::shuffleXor(m.count, lanes)};
}
struct JoinMoments {
  __device__ Moments operator()(Moments a, Moments b) const {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    const double count = a.count + b.count, share = b.count / count, delta = b.mean - a.mean;
    return {a.mean + delta * share, a.m2 + b.m2 + delta * delta * share * a.count, count};
  }
};

// Of a gradient g: sum g and sum g (x - mean).
struct Sums {
  double first, second;
};
__device__ inline Sums shuffleXor(Sums s, int lanes) {
  return {cuda::shuffleXor(s.first, lanes), cuda::shuffleXor(s.second, lanes)};
}
struct JoinSums {
  __device__ Sums operator()(Sums a, Sums b) const { return {a.first + b.first, a.second + b.second}; }
};

// What one thread has seen of values: kPer at a time, so that float64 is needed once for all of them.
template <class T>
struct Gathered {
  T around = 0;
  double sum = 0, squares = 0, count = 0;

  template <int kPer>
  __device__ void add(const T (&values)[kPer], const bool (&has)[kPer]) {
    T s = 0, q = 0;
    int m = 0;
    if (count == 0) {
      THALWEG_UNROLL
      for (int k = 0; k < kPer; k++) {
        s += has[k] ? values[k] : T(0);
        m += has[k];
      }
      if (m == 0) return;
      around = s / static_cast<T>(m);
      s = 0;
      m = 0;
    }
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) {
      const T d = has[k] ? values[k] - around : T(0);
      s += d;
      q += d * d;
      m += has[k];
    }
    sum += static_cast<double>(s);
    squares += static_cast<double>(q);
    count += m;
  }
  __device__ Moments moments() const {
    if (count == 0) return {0, 0, 0};
    const double off = sum / count;
    return {static_cast<double>(around) + off, squares - sum * off, count};
  }
};

// A division of 64 bits takes four times as long as one of 32; `narrow`: both numbers fit.
__device__ inline int64_t quotient(int64_t a, int64_t b, bool narrow) {
  return narrow ? static_cast<int64_t>(static_cast<uint32_t>(a) / static_cast<uint32_t>(b)) : a / b;
}

}  // namespace
}  // namespace thalweg::cuda
