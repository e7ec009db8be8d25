// What the kernels of attention have in common: the operands, the mask, dropout, and the final score of one pair. S is
// the elements' type; 16-bit floats are computed in float32.
#pragma once
#include <cmath>
#include <limits>

#include "cuda/kernel.h"
#include "cuda/row_access.h"
#include "operands/attention.h"
#include "runtime/philox.h"

namespace thalweg::cuda {
namespace {

// A 4-d operand: strides of batch, head, row, column.
template <class S>
struct Heads {
  S* data = nullptr;
  int64_t strides[4] = {};

  Heads() {}
  explicit Heads(const TensorView& view) : data(view.as<S>()) {
    if (view.numel() == 0) return;  // its address may be null: no steps from there
    for (int d = 0; d < 4; d++) strides[d] = view.strides[d];
  }
  __device__ S* row(int64_t b, int64_t h, int64_t i) const {
    return data + b * strides[0] + h * strides[1] + i * strides[2];
  }
};

using Sizes = AttentionSizes;

struct Dropout : AttentionDropout {
  const uint64_t* shift = nullptr;  // Queue::philoxShift

  __device__ PhiloxBlock block(int64_t b) const {
    return philox(seed, offset + (shift ? *shift : 0) + static_cast<uint64_t>(b));
  }
};

// Passed to kernels by value.
template <class S>
struct Attention {
  using T = ComputeOf<S>;
  Sizes sizes;
  Heads<const S> q, k, v;
  Heads<const S> mask;           // added to the scores, if its data is not null
  Heads<const uint8_t> allowed;  // or false: left out
  bool causal;
  T scale;
  Dropout dropout;

  // One past the last key that row i sees.
  __device__ int64_t visible(int64_t i) const { return causal && i + 1 < sizes.keys ? i + 1 : sizes.keys; }

  // From q . k to what the softmax takes: -infinity where row i does not see key j, or one of them is not there.
  __device__ T finishScore(T product, int64_t b, int64_t h, int64_t i, int64_t j) const {
    if (i >= sizes.rows || j >= visible(i)) return -std::numeric_limits<T>::infinity();
    T score = product * scale;
    if (mask.data) score += convert<T>(mask.row(b, h, i)[j * mask.strides[3]]);
    if (allowed.data && !allowed.row(b, h, i)[j * allowed.strides[3]]) score += -std::numeric_limits<T>::infinity();
    return score;
  }

  // Whether dropout keeps the probabilities of the N rows from i on with the N keys from j on: bit N r + c. Not
  // unrolled, for the generator's state would take the registers of the sums.
  template <int N>
  __device__ uint32_t keptBits(int64_t b, int64_t h, int64_t i, int64_t j) const {
    uint32_t bits = 0;
    if (dropout.never) return bits;
#pragma unroll 1
    for (int r = 0; r < N; r++) {
      const uint64_t first = static_cast<uint64_t>(((b * sizes.heads + h) * sizes.rows + i + r) * sizes.keys + j);
      PhiloxBlock block = dropout.block(first / 4);
#pragma unroll 1
      for (int c = 0; c < N; c++) {
        const uint64_t word = first + static_cast<uint64_t>(c);
        if (c > 0 && word % 4 == 0) block = dropout.block(word / 4);
        const uint32_t low = word % 2 ? block.words[1] : block.words[0];
        const uint32_t high = word % 2 ? block.words[3] : block.words[2];
        bits |= static_cast<uint32_t>((word % 4 < 2 ? low : high) <= dropout.last) << (r * N + c);
      }
    }
    return bits;
  }
};

}  // namespace
}  // namespace thalweg::cuda
