// How far to split the sums of a product, so that the device has work even where the product has few results.
#pragma once
#include <algorithm>

#include "cuda/queue.h"

namespace thalweg::cuda {

constexpr int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Split {
  int count;
  int64_t steps;  // of each but the last
};

// `tiles` is the work there is without, `unit` what the steps are a multiple of, `bytes` the size of one set of sums.
// Depends on the device and the sizes alone: so do the results' last bits.
inline Split splitFor(const Queue& queue, int64_t tiles, int64_t k, int64_t unit, int64_t bytes) {
  constexpr int64_t kLeastSteps = 256, kMostSplits = 64, kMostBytes = int64_t{64} << 20;
  if (tiles >= queue.multiprocessors || k < 2 * kLeastSteps) return {1, k};
  const int64_t wanted =
      std::min({2 * queue.multiprocessors / tiles, k / kLeastSteps, kMostBytes / bytes, kMostSplits});
  if (wanted <= 1) return {1, k};
  const int64_t steps = divideUp(divideUp(k, wanted), unit) * unit;
  return {static_cast<int>(divideUp(k, steps)), steps};
}

}  // namespace thalweg::cuda
