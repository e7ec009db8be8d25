// What the kernels of attention have in common: the operands, the mask, dropout, and scores of a block made final.
#pragma once
#include <cmath>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/panel.h"
#include "cpu/philox_words.h"
#include "cpu/reduce_softmax.h"
#include "operands/attention.h"
#include "runtime/pool.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr double kTaskFlops = 2e6;  // that are worth a task of their own
// From so many heads on, each is one task.
constexpr int64_t kManyHeads = 16;
constexpr int64_t kMostKeys = 256;  // of a block
// Of blocks of scores: not a power of two apart, for the columns of one would share a few lines of the cache.
constexpr int64_t scoreStride(int64_t keys) { return keys + 16; }
constexpr int64_t kWords = ((kMostKeys + 6) / 4 + kStepBlocks) * 4;  // of a row of a block, whatever its alignment

// Slots of threadScratch: of a block; of packed operands; of sums.
enum Slot { kScoreSlot = 4, kPackedSlot, kSumSlot };

template <class T>
T* scratchOf(Slot slot, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
}
int64_t grainOf(double flops) { return flops >= kTaskFlops ? 1 : static_cast<int64_t>(kTaskFlops / (flops + 1)); }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// A 4-d operand: strides of batch, head, row, column.
template <class T>
struct Heads {
  T* data = nullptr;
  int64_t strides[4] = {};

  Heads() {}
  explicit Heads(const TensorView& view) : data(view.as<T>()) {
    if (view.numel() == 0) return;  // its address may be null: no steps from there
    for (int d = 0; d < 4; d++) strides[d] = view.strides[d];
  }
  T* row(int64_t b, int64_t h, int64_t i) const { return data + b * strides[0] + h * strides[1] + i * strides[2]; }
};

using Sizes = AttentionSizes;
using Dropout = AttentionDropout;

template <class T>
struct Attention {
  Sizes sizes;
  Heads<const T> q, k, v;
  const OptionalTensor* mask;
  bool causal;
  T scale;
  Dropout dropout;

  // One past the last key that row i sees.
  int64_t visible(int64_t i) const { return causal ? least(i + 1, sizes.keys) : sizes.keys; }

  // What is added to the scores of row i with keys [j, j + n).
  void maskRow(T* out, int64_t b, int64_t h, int64_t i, int64_t j, int64_t n) const {
    const int64_t* strides = mask->strides;
    const int64_t step = strides[3];
    const char* p = mask->data + (b * strides[0] + h * strides[1] + i * strides[2] + j * step) * itemSize(mask->dtype);
    if (mask->dtype != DType::Bool) return loadRun(out, mask->dtype, p, step, n);
    for (int64_t c = 0; c < n; c++) out[c] = p[c * step] ? T(0) : kMinusInfinity<T>;
  }

  // 1 / (1 - p) or 0 for the probabilities of row i with keys [j, j + n); some more may be written, up to whole
  // vectors.
  void keptRow(T* out, int64_t b, int64_t h, int64_t i, int64_t j, int64_t n) const {
    alignas(64) uint32_t words[kWords];
    const uint64_t first = static_cast<uint64_t>(((b * sizes.heads + h) * sizes.rows + i) * sizes.keys + j);
    const int64_t skip = static_cast<int64_t>(first % 4);
    philoxWords(words, dropout.seed, dropout.offset + first / 4, (skip + n + 3) / 4);
    const T kept = dropout.never ? T(0) : static_cast<T>(dropout.keepScale);
    for (int64_t c = 0; c < n; c++) out[c] = words[skip + c] <= dropout.last ? kept : T(0);
  }

  // Scales and masks the n first scores of a row whose keys start at j; the rest, up to a multiple of the vector length
  // of `width`, becomes -infinity. Returns the largest.
  T finishScores(T* scores, int64_t b, int64_t h, int64_t i, int64_t j, int64_t width) const {
    constexpr int64_t L = lanes<T>;
    alignas(64) T added[kMostKeys];
    int64_t n = visible(i) - j;
    n = n < 0 ? 0 : least(n, width);
    if (mask->defined) maskRow(added, b, h, i, j, n);
    const Vec<T> factor = broadcast(scale);
    Vec<T> max = broadcast(kMinusInfinity<T>);
    for (int64_t c = 0; c < width; c += L) {
      Vec<T> s = load(scores + c) * factor;
      if (mask->defined) s += load(added + c);
      if (c + L > n)
        s = n > c ? (lanesBelow<T>(static_cast<int>(n - c)) ? s : broadcast(kMinusInfinity<T>))
                  : broadcast(kMinusInfinity<T>);
      store(scores + c, s);
      max = s > max ? s : max;  // a NaN is left to the sum
    }
    return joinLanes<T>(max, [](auto a, auto c) { return a > c ? a : c; });
  }
};

// row[0, n) *= kept[0, n)
template <class T>
THALWEG_INLINE void multiplyRow(T* row, const T* kept, int64_t n) {
  for (int64_t c = 0; c < n; c++) row[c] *= kept[c];
}
template <class T>
THALWEG_INLINE void scaleRow(T* row, int64_t n, T factor) {
  for (int64_t c = 0; c < n; c++) row[c] *= factor;
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
