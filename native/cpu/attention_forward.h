// Attention forward: rows of queries against block after block of keys, with the largest score so far and the sum
// relative to it (Milakov and Gimelshein 2018).
#pragma once
#include "cpu/attention_problem.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class T>
class Forward {
 public:
  Forward(const Attention<T>& a, const Heads<T>& out, T* logSums) : a(a), s(a.sizes), out(out), logSums(logSums) {}

  void run(ThreadPool& pool) const {
    const int64_t groupRows = s.batch * s.heads >= kManyHeads ? kMostRows : kBlockRows;
    const int64_t groups = (s.rows + groupRows - 1) / groupRows;
    const double flops = 2.0 * static_cast<double>(least(groupRows, s.rows)) * static_cast<double>(s.keys) *
                         (static_cast<double>(s.width + s.valueWidth) + 16);
    parallelFor(pool, s.batch * s.heads * groups, grainOf(flops), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        const int64_t head = t / groups, i0 = t % groups * groupRows;
        rows(head / s.heads, head % s.heads, i0, least(groupRows, s.rows - i0));
      }
    });
  }

 private:
  static constexpr int L = lanes<T>;
  // Scores of a block stay in the first-level cache; the keys are packed for all rows of a task.
  static constexpr int64_t kRows = 32, kKeys = kMostKeys, kStride = scoreStride(kKeys);
  static constexpr int64_t kBlockRows = 4 * kRows, kMostRows = 16 * kRows;
  const Attention<T>& a;
  const Sizes& s;
  const Heads<T>& out;
  T* logSums;

  struct State {
    T* sums;  // [rows, padded], of values times their probabilities, relative to max
    int64_t padded;
    T* max;
    double* total;
  };

  void rows(int64_t b, int64_t h, int64_t i0, int64_t count) const {
    const int64_t end = a.visible(i0 + count - 1), kh = h / s.group(), padded = wholeVectors<T>(s.valueWidth);
    T max[kMostRows];
    double total[kMostRows];
    const State state{scratchOf<T>(kSumSlot, count * padded), padded, max, total};
    for (int64_t i = 0; i < count; i++) {
      max[i] = kMinusInfinity<T>;
      total[i] = 0;
    }
    T* packed = scratchOf<T>(kPackedSlot, packedElements<T>(s.width, kKeys) + packedElements<T>(kKeys, s.valueWidth));
    T* packedValues = packed + packedElements<T>(s.width, kKeys);
    for (int64_t j0 = 0; j0 < end; j0 += kKeys) {
      const int64_t keys = least(kKeys, end - j0);
      const Panels<T> k = packPanels(packed, a.k.row(b, kh, j0), a.k.strides[3], a.k.strides[2], s.width, keys);
      const Panels<T> v =
          packPanels(packedValues, a.v.row(b, kh, j0), a.v.strides[2], a.v.strides[3], keys, s.valueWidth);
      for (int64_t r = 0; r < count; r += kRows) {
        const int64_t m = least(kRows, count - r), n = least(keys, a.visible(i0 + r + m - 1) - j0);
        if (n > 0) block(b, h, i0 + r, m, j0, n, k, v, {state.sums + r * padded, padded, max + r, total + r});
      }
    }
    for (int64_t i = 0; i < count; i++) finishRow(b, h, i0 + i, end == 0, state.sums + i * padded, max[i], total[i]);
  }

  void block(int64_t b, int64_t h, int64_t i0, int64_t m, int64_t j0, int64_t n, const Panels<T>& k, const Panels<T>& v,
             const State& state) const {
    T* scores = scratchOf<T>(kScoreSlot, kRows * kStride);
    multiplyPanels(m, a.q.row(b, h, i0), a.q.strides[2], a.q.strides[3], k, 0, k.countFor(n), scores, kStride);
    for (int64_t i = 0; i < m; i++) {
      T* row = scores + i * kStride;
      const T blockMax = a.finishScores(row, b, h, i0 + i, j0, n);
      const T newMax = blockMax > state.max[i] ? blockMax : state.max[i];
      // Where all is -infinity so far, any finite number will do.
      const T base = newMax == kMinusInfinity<T> ? T(0) : newMax;
      if (j0 > 0 && newMax != state.max[i]) {
        const T factor = std::exp(state.max[i] - base);
        state.total[i] *= static_cast<double>(factor);
        scaleRow(state.sums + i * state.padded, state.padded, factor);
      }
      state.max[i] = newMax;
      Vec<T> total{};
      for (int64_t c = 0; c < n; c += L) {
        const Vec<T> p = vectorExp<T>(load(row + c) - base);
        store(row + c, p);
        total += p;
      }
      state.total[i] += joinSum<T>(total);
      if (a.dropout.active) {
        alignas(64) T kept[kMostKeys];
        a.keptRow(kept, b, h, i0 + i, j0, n);
        multiplyRow(row, kept, n);
      }
    }
    multiplyPanels(m, scores, kStride, 1, v.firstRows(n), state.sums, state.padded, j0 > 0);
  }

  void finishRow(int64_t b, int64_t h, int64_t i, bool nothing, const T* sums, T max, double total) const {
    T* row = out.row(b, h, i);
    T& logSum = logSums[(b * s.heads + h) * s.rows + i];
    logSum = total == 0 ? std::numeric_limits<T>::infinity() : max + static_cast<T>(std::log(total));
    const T factor = total == 0 ? T(1) : static_cast<T>(1 / total);
    for (int64_t c = 0; c < s.valueWidth; c++) row[c] = nothing ? T(0) : sums[c] * factor;
  }
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
