// The largest of some values, and the sum of the exponentials of their distances from it: what softmax and cross
// entropy need of a row, in one pass.
#pragma once
#include <cmath>
#include <limits>

#include "cuda/team.h"

namespace thalweg::cuda {
namespace {

template <class C>
__device__ constexpr C minusInfinity() {
  return -std::numeric_limits<C>::infinity();
}

// Without constructors: it lies in shared memory. Of -inf alone the sum is 0: only the whole row says whether that is
// all there is.
template <class C>
struct Peak {
  C largest;
  double sum;

  __device__ void add(C value) {
    if (!(value <= largest)) {
      // 1 for this one, or a NaN if it is infinite.
      sum = sum * static_cast<double>(std::exp(largest - value)) + static_cast<double>(value - value + 1);
      largest = value;
    } else if (value != minusInfinity<C>()) {
      sum += static_cast<double>(std::exp(value - largest));
    }
  }
  // Several at once, of which those beyond the row are -inf.
  template <int kPer>
  __device__ void add(const C (&values)[kPer]) {
    C most = values[0], part = 0;
    THALWEG_UNROLL
    for (int k = 1; k < kPer; k++) most = TakeLarger()(most, values[k]);
    if (most == minusInfinity<C>()) return;
    THALWEG_UNROLL
    for (int k = 0; k < kPer; k++) part += std::exp(values[k] - most);
    *this = join(*this, {most, static_cast<double>(part)});
  }
  static __device__ Peak join(Peak a, Peak b) {
    const C most = TakeLarger()(a.largest, b.largest);
    if (most == minusInfinity<C>()) return {most, 0};
    return {most, a.sum * static_cast<double>(std::exp(a.largest - most)) +
                      b.sum * static_cast<double>(std::exp(b.largest - most))};
  }
};
template <class C>
__device__ inline Peak<C> noPeak() {
  return {minusInfinity<C>(), 0};
}
template <class C>
__device__ inline Peak<C> shuffleXor(Peak<C> p, int lanes) {
  return {cuda::shuffleXor(p.largest, lanes), cuda::shuffleXor(p.sum, lanes)};
}
struct JoinPeaks {
  template <class C>
  __device__ Peak<C> operator()(Peak<C> a, Peak<C> b) const {
    return Peak<C>::join(a, b);
  }
};

}  // namespace
}  // namespace thalweg::cuda
