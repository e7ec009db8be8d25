// Attention backward (Dao, Fu, Ermon, Rudra and Re 2022): the probabilities of a block are made again from the
// logarithms of the sums, and used for all gradients while they are in the cache.
#pragma once
#include "cpu/attention_problem.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class T>
THALWEG_INLINE T dotRows(const T* x, int64_t xs, const T* y, int64_t ys, int64_t n) {
  if (xs == 1 && ys == 1)
    return static_cast<T>(
        sumVectors<T>(n, [&](int64_t i, int m) { return loadLanes(x + i, m, T(0)) * loadLanes(y + i, m, T(0)); }));
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += static_cast<double>(x[i * xs]) * static_cast<double>(y[i * ys]);
  return static_cast<T>(sum);
}

// to[0, n) = or += from
template <class T>
THALWEG_INLINE void addRow(T* to, const T* from, int64_t n, bool first) {
  if (first)
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  else
    for (int64_t c = 0; c < n; c++) to[c] += from[c];
}

template <class T>
struct Backward {
  Attention<T> a;
  Heads<const T> g, out;
  const T* logSums;
  Heads<T> gq, gk, gv;
  const OptionalTensor* gmask;

  void run(ThreadPool& pool) const;

 private:
  static constexpr int L = lanes<T>;
  static constexpr int64_t kRows = 64, kKeys = 128, kStride = scoreStride(kKeys);

  // A block of keys, packed for the products that it takes part in.
  struct Keys {
    int64_t j0, n;
    Panels<T> scores, gradients, queries;  // q k^T, g v^T, and (gradient of the scores) k
    T* behind;                             // where a block packs its rows
  };
  Keys packKeys(int64_t b, int64_t kh, int64_t j0, bool queries) const;
  // The probabilities and the gradient of the scores (times the scale) of one block, added to what is wanted of it.
  // keySums, valueSums: the gradients of the keys and values of the block, or null.
  void block(int64_t b, int64_t h, int64_t i0, const Keys& keys, bool queries, bool ofMask, T* keySums,
             T* valueSums) const;
  void finishBlock(T* p, T* ds, int64_t b, int64_t h, int64_t i0, int64_t m, int64_t j0, int64_t n, bool ofMask) const;
  void keyBlock(int64_t b, int64_t kh, int64_t j0, bool queries) const;
  void queryBlock(int64_t b, int64_t h, int64_t i0) const;
  void storeSums(const Heads<T>& to, int64_t b, int64_t kh, int64_t j0, int64_t n, const T* sums, int64_t width) const {
    for (int64_t j = 0; j < n; j++) addRow(to.row(b, kh, j0 + j), sums + j * wholeVectors<T>(width), width, true);
  }
  // Without keys nothing else writes them.
  void clearQueries(int64_t b, int64_t h) const {
    if (!gq.data || a.sizes.keys > 0) return;
    for (int64_t i = 0; i < a.sizes.rows; i++)
      for (int64_t c = 0; c < a.sizes.width; c++) gq.row(b, h, i)[c] = 0;
  }
};

template <class T>
typename Backward<T>::Keys Backward<T>::packKeys(int64_t b, int64_t kh, int64_t j0, bool queries) const {
  const Sizes& s = a.sizes;
  const int64_t n = least(kKeys, s.keys - j0);
  const int64_t ofScores = packedElements<T>(s.width, kKeys), ofGradients = packedElements<T>(s.valueWidth, kKeys);
  T* packed = scratchOf<T>(kPackedSlot, ofScores + ofGradients + packedElements<T>(kKeys, s.width) +
                                            packedElements<T>(kRows, s.width) + packedElements<T>(kRows, s.valueWidth));
  const Heads<const T>&k = a.k, &v = a.v;
  Keys keys{j0, n, {}, {}, {}, packed + ofScores + ofGradients + packedElements<T>(kKeys, s.width)};
  keys.scores = packPanels(packed, k.row(b, kh, j0), k.strides[3], k.strides[2], s.width, n);
  keys.gradients = packPanels(packed + ofScores, v.row(b, kh, j0), v.strides[3], v.strides[2], s.valueWidth, n);
  if (queries)
    keys.queries =
        packPanels(packed + ofScores + ofGradients, k.row(b, kh, j0), k.strides[2], k.strides[3], n, s.width);
  return keys;
}

// From scores and the gradients of the probabilities to probabilities and the gradients of the scores.
template <class T>
void Backward<T>::finishBlock(T* p, T* ds, int64_t b, int64_t h, int64_t i0, int64_t m, int64_t j0, int64_t n,
                              bool ofMask) const {
  const Sizes& s = a.sizes;
  for (int64_t i = 0; i < m; i++) {
    const int64_t at = i0 + i;
    T* prob = p + i * kStride;
    T* grad = ds + i * kStride;
    a.finishScores(prob, b, h, at, j0, n);
    const T logSum = logSums[(b * s.heads + h) * s.rows + at];
    const T delta = dotRows(g.row(b, h, at), g.strides[3], out.row(b, h, at), out.strides[3], s.valueWidth);
    alignas(64) T kept[kMostKeys];
    if (a.dropout.active) {
      a.keptRow(kept, b, h, at, j0, n);
      multiplyRow(grad, kept, n);
    }
    const bool scaled = !(ofMask && gmask->defined);  // the mask's gradient is not scaled
    const T factor = scaled ? a.scale : T(1);
    for (int64_t c = 0; c < n; c += L) {
      const Vec<T> x = vectorExp<T>(load(prob + c) - logSum);
      store(prob + c, x);
      store(grad + c, x * (load(grad + c) - delta) * factor);
    }
    if (!scaled) {
      const int64_t* steps = gmask->strides;
      const int64_t offset = b * steps[0] + h * steps[1] + at * steps[2] + j0 * steps[3];
      storeRun(grad, gmask->dtype, gmask->data + offset * itemSize(gmask->dtype), steps[3], n);
      scaleRow(grad, n, a.scale);
    }
    if (a.dropout.active) multiplyRow(prob, kept, n);
  }
}

template <class T>
void Backward<T>::block(int64_t b, int64_t h, int64_t i0, const Keys& keys, bool queries, bool ofMask, T* keySums,
                        T* valueSums) const {
  const Sizes& s = a.sizes;
  const int64_t m = least(kRows, s.rows - i0), n = least(keys.n, a.visible(i0 + m - 1) - keys.j0);
  if (n <= 0) return;
  const int64_t width = wholeVectors<T>(s.width), valueWidth = wholeVectors<T>(s.valueWidth);
  T* p = scratchOf<T>(kScoreSlot, kRows * (2 * kStride + width));
  T* ds = p + kRows * kStride;
  T* ofQueries = ds + kRows * kStride;
  const T *q = a.q.row(b, h, i0), *grad = g.row(b, h, i0);
  const int64_t *qs = a.q.strides, *gs = g.strides;
  multiplyPanels(m, q, qs[2], qs[3], keys.scores, 0, keys.scores.countFor(n), p, kStride);
  multiplyPanels(m, grad, gs[2], gs[3], keys.gradients, 0, keys.gradients.countFor(n), ds, kStride);
  finishBlock(p, ds, b, h, i0, m, keys.j0, n, ofMask);
  if (queries) {
    multiplyPanels(m, ds, kStride, 1, keys.queries.firstRows(n), ofQueries, width);
    for (int64_t i = 0; i < m; i++) addRow(gq.row(b, h, i0 + i), ofQueries + i * width, s.width, keys.j0 == 0);
  }
  T* packed = keys.behind;
  if (keySums) multiplyPanels(n, ds, 1, kStride, packPanels(packed, q, qs[2], qs[3], m, s.width), keySums, width, true);
  if (valueSums)
    multiplyPanels(n, p, 1, kStride,
                   packPanels(packed + packedElements<T>(kRows, s.width), grad, gs[2], gs[3], m, s.valueWidth),
                   valueSums, valueWidth, true);
}

// Of all heads that share a head of keys: the blocks of rows that see the block of keys.
template <class T>
void Backward<T>::keyBlock(int64_t b, int64_t kh, int64_t j0, bool queries) const {
  const Sizes& s = a.sizes;
  const int64_t width = wholeVectors<T>(s.width), valueWidth = wholeVectors<T>(s.valueWidth);
  const Keys keys = packKeys(b, kh, j0, queries);
  T* sums = scratchOf<T>(kSumSlot, kKeys * (width + valueWidth));
  std::memset(sums, 0, static_cast<size_t>(kKeys * (width + valueWidth)) * sizeof(T));
  T* valueSums = sums + kKeys * width;
  for (int64_t h = kh * s.group(); h < (kh + 1) * s.group(); h++)
    for (int64_t i0 = a.causal ? j0 / kRows * kRows : 0; i0 < s.rows; i0 += kRows)
      block(b, h, i0, keys, queries, true, gk.data ? sums : nullptr, gv.data ? valueSums : nullptr);
  if (gk.data) storeSums(gk, b, kh, j0, keys.n, sums, s.width);
  if (gv.data) storeSums(gv, b, kh, j0, keys.n, valueSums, s.valueWidth);
}

template <class T>
void Backward<T>::queryBlock(int64_t b, int64_t h, int64_t i0) const {
  const int64_t end = a.visible(least(i0 + kRows, a.sizes.rows) - 1);
  for (int64_t j0 = 0; j0 < end; j0 += kKeys)
    block(b, h, i0, packKeys(b, h / a.sizes.group(), j0, true), true, false, nullptr, nullptr);
}

template <class T>
void Backward<T>::run(ThreadPool& pool) const {
  const Sizes& s = a.sizes;
  const double pair = 2.0 * static_cast<double>(s.width + s.valueWidth) + 16;
  const int64_t keyHeads = s.batch * s.keyHeads;
  const int64_t rowBlocks = (s.rows + kRows - 1) / kRows, keyBlocks = (s.keys + kKeys - 1) / kKeys;
  const double rows = static_cast<double>(s.rows), keys = static_cast<double>(s.keys);
  if (keyHeads >= kManyHeads || rowBlocks * keyBlocks <= 1) {
    const double flops = 2.5 * pair * rows * keys * static_cast<double>(s.group());
    parallelFor(pool, keyHeads, grainOf(flops), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        const int64_t b = t / s.keyHeads, kh = t % s.keyHeads;
        for (int64_t h = kh * s.group(); h < (kh + 1) * s.group(); h++) clearQueries(b, h);
        for (int64_t j0 = 0; j0 < s.keys; j0 += kKeys) keyBlock(b, kh, j0, gq.data != nullptr);
      }
    });
    return;
  }
  // Few heads: blocks of keys and blocks of rows are the tasks. The scores are made twice, but nothing is shared.
  if (gk.data || gv.data || gmask->defined) {
    const double flops = 2 * pair * rows * static_cast<double>(least(kKeys, s.keys) * s.group());
    parallelFor(pool, keyHeads * keyBlocks, grainOf(flops), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        const int64_t head = t / keyBlocks;
        keyBlock(head / s.keyHeads, head % s.keyHeads, t % keyBlocks * kKeys, false);
      }
    });
  }
  if (!gq.data) return;
  const double flops = 1.5 * pair * static_cast<double>(least(kRows, s.rows)) * keys;
  parallelFor(pool, s.batch * s.heads * rowBlocks, grainOf(flops), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t head = t / rowBlocks, b = head / s.heads, h = head % s.heads;
      if (t % rowBlocks == 0) clearQueries(b, h);
      queryBlock(b, h, t % rowBlocks * kRows);
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
