// Inclusive and exclusive scans over the lanes of a warp and the threads of a block, of any associative operation. An
// operation has a State (a plain type of whole 8-byte words, or a number), start() and combine(earlier, later), which
// need not be commutative.
#pragma once
#include <cstring>
#include <type_traits>

#include "cuda/launch.h"

namespace thalweg::cuda {

// Passes each 8-byte word of a state, or the number that it is, through a shuffle of the warp.
template <class State, class Shuffle>
__device__ inline State shuffled(State state, Shuffle shuffle) {
  if constexpr (std::is_arithmetic_v<State>) {
    return shuffle(state);
  } else {
    static_assert(sizeof(State) % sizeof(unsigned long long) == 0);
    constexpr int words = sizeof(State) / sizeof(unsigned long long);
    unsigned long long bits[words];
    std::memcpy(bits, &state, sizeof state);
    THALWEG_UNROLL
    for (int k = 0; k < words; k++) bits[k] = shuffle(bits[k]);
    std::memcpy(&state, bits, sizeof state);
    return state;
  }
}
// The state of the lane `delta` below (its own in the lowest lanes), and of one lane.
template <class State>
__device__ inline State shuffleUp(State state, int delta) {
  return shuffled(state, [delta](auto word) { return __shfl_up_sync(kFullMask, word, static_cast<unsigned>(delta)); });
}
template <class State>
__device__ inline State shuffleFrom(State state, int lane) {
  return shuffled(state, [lane](auto word) { return __shfl_sync(kFullMask, word, lane); });
}

template <class Op>
__device__ inline typename Op::State warpInclusive(typename Op::State state, int lane) {
  for (int delta = 1; delta < kWarp; delta *= 2) {
    const typename Op::State before = shuffleUp(state, delta);
    if (lane >= delta) state = Op::combine(before, state);
  }
  return state;
}

// What the states of the threads before combine to, and what those of all threads do. Every thread of a block of
// Threads takes part; `warps` is shared memory for one state a warp, free again after the block's next barrier.
template <class Op, int Threads>
__device__ inline typename Op::State blockExclusive(typename Op::State state, typename Op::State* warps,
                                                    typename Op::State& all) {
  using State = typename Op::State;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
  const State inclusive = warpInclusive<Op>(state, lane);
  State exclusive = shuffleUp(inclusive, 1);
  if (lane == 0) exclusive = Op::start();
  if (lane == kWarp - 1) warps[warp] = inclusive;
  __syncthreads();
  State before = Op::start();
  all = Op::start();
  for (int w = 0; w < Threads / kWarp; w++) {
    if (w == warp) before = all;
    all = Op::combine(all, warps[w]);
  }
  return Op::combine(before, exclusive);
}

template <class T>
struct CountSum {
  using State = T;
  static __device__ State start() { return 0; }
  static __device__ State combine(State a, State b) { return a + b; }
};

}  // namespace thalweg::cuda
