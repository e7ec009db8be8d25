// Attention by blocks, forward and backward (Dao, Fu, Ermon, Rudra and Re 2022, "FlashAttention"; the softmax in one
// pass is that of Milakov and Gimelshein 2018). The scores of a block of rows with a block of keys are made by gemm.h,
// turned into probabilities and used while they are in the cache; memory is linear in the lengths. Backward makes them
// again from the logarithms of the sums.
#include <cmath>

#include "cpu/convert.h"
#include "cpu/gemm.h"
#include "cpu/kernel.h"
#include "cpu/philox_words.h"
#include "cpu/reduce_softmax.h"
#include "cpu/shape_text.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kRows = 128, kKeys = 256;  // of a block: its scores take 128 KB of float32
constexpr double kTaskFlops = 2e6;           // that are worth a task of their own
// From so many batches of key heads on, backward makes each block of scores once, and a head is one task.
constexpr int64_t kManyHeads = 16;
enum Slot { kScoreSlot = kScratchOfCallers, kGradSlot };
constexpr int64_t kWords = ((kKeys + 6) / 4 + kStepBlocks) * 4;  // of a row of a block, whatever its alignment

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

struct Sizes {
  int64_t batch, heads, keyHeads, rows, keys, width, valueWidth;
  int64_t group() const { return heads / keyHeads; }
  int64_t rowBlocks() const { return (rows + kRows - 1) / kRows; }
  int64_t keyBlocks() const { return (keys + kKeys - 1) / kKeys; }
};

struct Dropout {
  bool active = false;
  double keepScale = 1;
  uint32_t last = 0;  // words up to here are kept, if any are
  bool never = false;
  uint64_t seed = 0, offset = 0;
};

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

  // scores[m, n] = rows of q by keys
  void multiplyKeys(ThreadPool& pool, T* scores, int64_t b, int64_t h, int64_t i, int64_t m, int64_t j,
                    int64_t n) const {
    gemm(pool, Product<T>{m, n, sizes.width, q.row(b, h, i), q.strides[2], q.strides[3], k.row(b, h / sizes.group(), j),
                          k.strides[3], k.strides[2], scores, kKeys});
  }

  // Scales and masks the n first scores of a row whose keys start at j; the rest, up to a multiple of the vector length
  // of `width`, becomes -infinity. Returns the largest.
  T finishScores(T* scores, int64_t b, int64_t h, int64_t i, int64_t j, int64_t width) const {
    constexpr int64_t L = lanes<T>;
    alignas(64) T added[kKeys];
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

  void forward(ThreadPool& pool, const Heads<T>& out, T* logSums, int64_t b, int64_t h, int64_t i0) const;
};

template <class T>
T* blockScratch(Slot slot) {
  return reinterpret_cast<T*>(threadScratch(slot, kRows * kKeys * static_cast<int64_t>(sizeof(T))));
}

template <class T>
void clearRows(T* p, int64_t stride, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t c = 0; c < columns; c++) p[i * stride + c] = 0;
}

template <class T>
void scaleRow(T* p, int64_t n, T factor) {
  for (int64_t c = 0; c < n; c++) p[c] *= factor;
}

// A block of rows: its keys, block after block, with the largest score so far and the sum relative to it.
template <class T>
void Attention<T>::forward(ThreadPool& pool, const Heads<T>& out, T* logSums, int64_t b, int64_t h, int64_t i0) const {
  constexpr int64_t L = lanes<T>;
  const int64_t m = least(kRows, sizes.rows - i0), e = sizes.valueWidth, end = visible(i0 + m - 1);
  T* scores = blockScratch<T>(kScoreSlot);
  T* rows = out.row(b, h, i0);
  const int64_t stride = out.strides[2];
  T max[kRows];
  double sum[kRows];
  for (int64_t i = 0; i < m; i++) {
    max[i] = kMinusInfinity<T>;
    sum[i] = 0;
  }
  if (end == 0) clearRows(rows, stride, m, e);
  for (int64_t j0 = 0; j0 < end; j0 += kKeys) {
    const int64_t n = least(kKeys, end - j0);
    multiplyKeys(pool, scores, b, h, i0, m, j0, n);
    for (int64_t i = 0; i < m; i++) {
      T* row = scores + i * kKeys;
      const T blockMax = finishScores(row, b, h, i0 + i, j0, n);
      const T newMax = blockMax > max[i] ? blockMax : max[i];
      // Where all is -infinity so far, any finite number will do.
      const T base = newMax == kMinusInfinity<T> ? T(0) : newMax;
      if (j0 > 0 && newMax != max[i]) {
        const T factor = std::exp(max[i] - base);
        sum[i] *= static_cast<double>(factor);
        scaleRow(rows + i * stride, e, factor);
      }
      max[i] = newMax;
      Vec<T> total{};
      for (int64_t c = 0; c < n; c += L) {
        const Vec<T> p = vectorExp<T>(load(row + c) - base);
        store(row + c, p);
        total += p;
      }
      sum[i] += joinSum<T>(total);
      if (dropout.active) {
        alignas(64) T kept[kKeys];
        keptRow(kept, b, h, i0 + i, j0, n);
        for (int64_t c = 0; c < n; c++) row[c] *= kept[c];
      }
    }
    gemm(pool, Product<T>{m, e, n, scores, kKeys, 1, v.row(b, h / sizes.group(), j0), v.strides[2], v.strides[3], rows,
                          stride, j0 > 0});
  }
  for (int64_t i = 0; i < m; i++) {
    T& logSum = logSums[(b * sizes.heads + h) * sizes.rows + i0 + i];
    if (sum[i] == 0) {
      logSum = std::numeric_limits<T>::infinity();
      continue;  // the row is 0 already
    }
    logSum = max[i] + static_cast<T>(std::log(sum[i]));
    scaleRow(rows + i * stride, e, static_cast<T>(1 / sum[i]));
  }
}

template <class T>
struct Backward {
  Attention<T> a;
  Heads<const T> g, out;
  const T* logSums;
  Heads<T> gq, gk, gv;
  const OptionalTensor* gmask;

  // The probabilities and the gradient of the scores (times the scale) of one block, added to what is wanted of it.
  void block(ThreadPool& pool, int64_t b, int64_t h, int64_t i0, int64_t j0, bool rows, bool keys) const;
  void clearKeys(int64_t b, int64_t kh, int64_t j0) const {
    const int64_t n = least(kKeys, a.sizes.keys - j0);
    if (gk.data) clearRows(gk.row(b, kh, j0), gk.strides[2], n, a.sizes.width);
    if (gv.data) clearRows(gv.row(b, kh, j0), gv.strides[2], n, a.sizes.valueWidth);
  }
  void clearQuery(int64_t b, int64_t h, int64_t i0) const {
    if (gq.data) clearRows(gq.row(b, h, i0), gq.strides[2], least(kRows, a.sizes.rows - i0), a.sizes.width);
  }
  // Of all heads that share a head of keys: the blocks of rows that see the block of keys.
  void keyBlock(ThreadPool& pool, int64_t b, int64_t kh, int64_t j0, bool rows) const {
    clearKeys(b, kh, j0);
    for (int64_t h = kh * a.sizes.group(); h < (kh + 1) * a.sizes.group(); h++)
      for (int64_t i0 = a.causal ? j0 / kRows * kRows : 0; i0 < a.sizes.rows; i0 += kRows)
        block(pool, b, h, i0, j0, rows, true);
  }
  void run(ThreadPool& pool) const;
};

template <class T>
THALWEG_INLINE T dotRows(const T* x, int64_t xs, const T* y, int64_t ys, int64_t n) {
  if (xs == 1 && ys == 1)
    return static_cast<T>(
        sumVectors<T>(n, [&](int64_t i, int m) { return loadLanes(x + i, m, T(0)) * loadLanes(y + i, m, T(0)); }));
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += static_cast<double>(x[i * xs]) * static_cast<double>(y[i * ys]);
  return static_cast<T>(sum);
}

template <class T>
void Backward<T>::block(ThreadPool& pool, int64_t b, int64_t h, int64_t i0, int64_t j0, bool rows, bool keys) const {
  constexpr int64_t L = lanes<T>;
  const Sizes& s = a.sizes;
  const int64_t m = least(kRows, s.rows - i0), e = s.valueWidth, kh = h / s.group();
  const int64_t n = least(kKeys, a.visible(i0 + m - 1) - j0);
  if (n <= 0) return;
  T* p = blockScratch<T>(kScoreSlot);
  T* ds = blockScratch<T>(kGradSlot);
  a.multiplyKeys(pool, p, b, h, i0, m, j0, n);
  gemm(pool, Product<T>{m, n, e, g.row(b, h, i0), g.strides[2], g.strides[3], a.v.row(b, kh, j0), a.v.strides[3],
                        a.v.strides[2], ds, kKeys});
  for (int64_t i = 0; i < m; i++) {
    const int64_t at = i0 + i;
    T* prob = p + i * kKeys;
    T* grad = ds + i * kKeys;
    a.finishScores(prob, b, h, at, j0, n);
    const T logSum = logSums[(b * s.heads + h) * s.rows + at];
    const T delta = dotRows(g.row(b, h, at), g.strides[3], out.row(b, h, at), out.strides[3], e);
    alignas(64) T kept[kKeys];
    if (a.dropout.active) {
      a.keptRow(kept, b, h, at, j0, n);
      for (int64_t c = 0; c < n; c++) grad[c] *= kept[c];
    }
    for (int64_t c = 0; c < n; c += L) {
      const Vec<T> x = vectorExp<T>(load(prob + c) - logSum);
      store(prob + c, x);
      store(grad + c, x * (load(grad + c) - delta));
    }
    if (keys && gmask->defined) {
      const int64_t* steps = gmask->strides;
      const int64_t offset = b * steps[0] + h * steps[1] + at * steps[2] + j0 * steps[3];
      storeRun(grad, gmask->dtype, gmask->data + offset * itemSize(gmask->dtype), steps[3], n);
    }
    scaleRow(grad, n, a.scale);
    if (a.dropout.active)
      for (int64_t c = 0; c < n; c++) prob[c] *= kept[c];
  }
  if (rows && gq.data)
    gemm(pool, Product<T>{m, s.width, n, ds, kKeys, 1, a.k.row(b, kh, j0), a.k.strides[2], a.k.strides[3],
                          gq.row(b, h, i0), gq.strides[2], true});
  if (keys && gk.data)
    gemm(pool, Product<T>{n, s.width, m, ds, 1, kKeys, a.q.row(b, h, i0), a.q.strides[2], a.q.strides[3],
                          gk.row(b, kh, j0), gk.strides[2], true});
  if (keys && gv.data)
    gemm(pool, Product<T>{n, e, m, p, 1, kKeys, g.row(b, h, i0), g.strides[2], g.strides[3], gv.row(b, kh, j0),
                          gv.strides[2], true});
}

int64_t grainOf(double flops) { return flops >= kTaskFlops ? 1 : static_cast<int64_t>(kTaskFlops / (flops + 1)); }

template <class T>
void Backward<T>::run(ThreadPool& pool) const {
  const Sizes& s = a.sizes;
  const double pair = 2.0 * static_cast<double>(s.width + s.valueWidth) + 16;
  const int64_t keyHeads = s.batch * s.keyHeads, rowBlocks = s.rowBlocks(), keyBlocks = s.keyBlocks();
  const double rows = static_cast<double>(s.rows), keys = static_cast<double>(s.keys);
  if (keyHeads >= kManyHeads || rowBlocks * keyBlocks == 1) {
    const double flops = 2.5 * pair * rows * keys * static_cast<double>(s.group());
    parallelFor(pool, keyHeads, grainOf(flops), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; t++) {
        const int64_t b = t / s.keyHeads, kh = t % s.keyHeads;
        for (int64_t h = kh * s.group(); h < (kh + 1) * s.group(); h++)
          for (int64_t i0 = 0; i0 < s.rows; i0 += kRows) clearQuery(b, h, i0);
        for (int64_t j0 = 0; j0 < s.keys; j0 += kKeys) keyBlock(pool, b, kh, j0, true);
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
        keyBlock(pool, head / s.keyHeads, head % s.keyHeads, t % keyBlocks * kKeys, false);
      }
    });
  }
  if (!gq.data) return;
  const double flops = 1.5 * pair * static_cast<double>(least(kRows, s.rows)) * keys;
  parallelFor(pool, s.batch * s.heads * rowBlocks, grainOf(flops), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t head = t / rowBlocks, b = head / s.heads, h = head % s.heads, i0 = t % rowBlocks * kRows;
      clearQuery(b, h, i0);
      for (int64_t j0 = 0; j0 < s.keys; j0 += kKeys) block(pool, b, h, i0, j0, true, false);
    }
  });
}

// -- checks -----------------------------------------------------------------------------------------------------------

void checkOperand(const char* op, const char* name, const TensorView& view, DType dtype, int64_t d0, int64_t d1,
                  int64_t d2, int64_t d3) {
  const int64_t shape[4] = {d0, d1, d2, d3};
  bool fits = view.ndim == 4;
  for (int d = 0; d < 4 && fits; d++) fits = view.shape[d] == shape[d];
  if (!fits)
    fail(ErrorKind::Shape, "%s: %s has shape %s, expected [%lld, %lld, %lld, %lld]", op, name, shapeText(view).c_str(),
         static_cast<long long>(d0), static_cast<long long>(d1), static_cast<long long>(d2),
         static_cast<long long>(d3));
  if (view.dtype != dtype)
    fail(ErrorKind::DType, "%s: %s is %s, expected %s", op, name, dtypeName(view.dtype), dtypeName(dtype));
}

// What the blocks of a product are stored in.
void checkResult(const char* op, const char* name, const TensorView& view) {
  if (view.shape[3] > 1 && view.strides[3] != 1)
    fail(ErrorKind::Shape, "%s: the last dimension of %s must lie contiguously", op, name);
}

Sizes checkSizes(const char* op, const TensorView& q, const TensorView& k, const TensorView& v,
                 const OptionalTensor& mask, bool causal) {
  if (q.ndim != 4 || k.ndim != 4 || v.ndim != 4)
    fail(ErrorKind::Shape, "%s: q %s, k %s and v %s must have 4 dimensions", op, shapeText(q).c_str(),
         shapeText(k).c_str(), shapeText(v).c_str());
  if (q.dtype != DType::Float32 && q.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: takes float32 or float64, not %s", op, dtypeName(q.dtype));
  const Sizes s{q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], q.shape[3], v.shape[3]};
  if (s.keyHeads == 0 ? s.heads != 0 : s.heads % s.keyHeads != 0)
    fail(ErrorKind::Shape, "%s: %lld heads of keys do not divide %lld heads", op, static_cast<long long>(s.keyHeads),
         static_cast<long long>(s.heads));
  checkOperand(op, "k", k, q.dtype, s.batch, s.keyHeads, s.keys, s.width);
  checkOperand(op, "v", v, q.dtype, s.batch, s.keyHeads, s.keys, s.valueWidth);
  if (mask.defined) {
    checkOperand(op, "mask", mask, mask.dtype == DType::Bool ? DType::Bool : q.dtype, s.batch, s.heads, s.rows, s.keys);
    if (causal) fail(ErrorKind::Native, "%s: causal excludes a mask", op);
  }
  return s;
}

void checkLogSums(const char* op, const TensorView& logSums, const Sizes& s, DType dtype) {
  if (logSums.ndim != 3 || logSums.shape[0] != s.batch || logSums.shape[1] != s.heads || logSums.shape[2] != s.rows)
    fail(ErrorKind::Shape, "%s: logSums has shape %s, expected [%lld, %lld, %lld]", op, shapeText(logSums).c_str(),
         static_cast<long long>(s.batch), static_cast<long long>(s.heads), static_cast<long long>(s.rows));
  if (logSums.dtype != dtype || !logSums.isContiguous())
    fail(ErrorKind::DType, "%s: logSums must be contiguous and of dtype %s", op, dtypeName(dtype));
}

Dropout dropoutOf(const char* op, double p, Scalar seed, int64_t offset) {
  if (!(p >= 0 && p <= 1)) fail(ErrorKind::Native, "%s: dropout %g is not between 0 and 1", op, p);
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  Dropout dropout;
  dropout.active = p > 0;
  const double threshold = std::ceil((1 - p) * 0x1p32);
  dropout.never = threshold < 1;
  dropout.keepScale = dropout.never ? 0 : 1 / (1 - p);
  dropout.last = dropout.never ? 0 : static_cast<uint32_t>(static_cast<uint64_t>(threshold) - 1);
  dropout.seed = static_cast<uint64_t>(seed.integer);
  dropout.offset = static_cast<uint64_t>(offset);
  return dropout;
}

template <class T>
Attention<T> attentionOf(const Sizes& sizes, const TensorView& q, const TensorView& k, const TensorView& v,
                         const OptionalTensor& mask, bool causal, double scale, const Dropout& dropout) {
  Attention<T> a;
  a.sizes = sizes;
  a.q = Heads<const T>(q);
  a.k = Heads<const T>(k);
  a.v = Heads<const T>(v);
  a.mask = &mask;
  a.causal = causal;
  a.scale = static_cast<T>(scale);
  a.dropout = dropout;
  return a;
}

template <class T>
void forwardOf(Context& ctx, const Attention<T>& a, const TensorView& out, const TensorView& logSums) {
  const Sizes& s = a.sizes;
  const Heads<T> rows(out);
  const int64_t blocks = s.rowBlocks();
  const double flops = 2.0 * static_cast<double>(least(kRows, s.rows)) * static_cast<double>(s.keys) *
                       (static_cast<double>(s.width + s.valueWidth) + 16);
  parallelFor(ctx.pool, s.batch * s.heads * blocks, grainOf(flops), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t head = t / blocks;
      a.forward(ctx.pool, rows, logSums.as<T>(), head / s.heads, head % s.heads, t % blocks * kRows);
    }
  });
}

}  // namespace

void attention(Context& ctx, const TensorView& out, const TensorView& logSums, const TensorView& q, const TensorView& k,
               const TensorView& v, const OptionalTensor& mask, bool causal, double scale, double dropout, Scalar seed,
               int64_t offset) {
  const char* op = "attention";
  const Sizes s = checkSizes(op, q, k, v, mask, causal);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkResult(op, "out", out);
  checkLogSums(op, logSums, s, q.dtype);
  const Dropout drop = dropoutOf(op, dropout, seed, offset);
  if (logSums.numel() == 0) return;
  if (q.dtype == DType::Float64)
    forwardOf(ctx, attentionOf<double>(s, q, k, v, mask, causal, scale, drop), out, logSums);
  else
    forwardOf(ctx, attentionOf<float>(s, q, k, v, mask, causal, scale, drop), out, logSums);
}

void attentionBackward(Context& ctx, const OptionalTensor& gq, const OptionalTensor& gk, const OptionalTensor& gv,
                       const OptionalTensor& gmask, const TensorView& g, const TensorView& q, const TensorView& k,
                       const TensorView& v, const OptionalTensor& mask, const TensorView& out,
                       const TensorView& logSums, bool causal, double scale, double dropout, Scalar seed,
                       int64_t offset) {
  const char* op = "attentionBackward";
  const Sizes s = checkSizes(op, q, k, v, mask, causal);
  checkOperand(op, "g", g, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkOperand(op, "out", out, q.dtype, s.batch, s.heads, s.rows, s.valueWidth);
  checkLogSums(op, logSums, s, q.dtype);
  const auto checkGradient = [&](const char* name, const OptionalTensor& view, const TensorView& of) {
    if (!view.defined) return;
    checkOperand(op, name, view, q.dtype, of.shape[0], of.shape[1], of.shape[2], of.shape[3]);
    checkResult(op, name, view);
  };
  checkGradient("gq", gq, q);
  checkGradient("gk", gk, k);
  checkGradient("gv", gv, v);
  if (gmask.defined) {
    if (!mask.defined || mask.dtype == DType::Bool) fail(ErrorKind::Native, "%s: gmask without a float mask", op);
    checkGradient("gmask", gmask, mask);
  }
  const Dropout drop = dropoutOf(op, dropout, seed, offset);
  if (s.batch * s.keyHeads == 0) return;
  const auto run = [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    Backward<T> backward;
    backward.a = attentionOf<T>(s, q, k, v, mask, causal, scale, drop);
    backward.g = Heads<const T>(g);
    backward.out = Heads<const T>(out);
    backward.logSums = logSums.as<T>();
    if (gq.defined) backward.gq = Heads<T>(gq);
    if (gk.defined) backward.gk = Heads<T>(gk);
    if (gv.defined) backward.gv = Heads<T>(gv);
    backward.gmask = &gmask;
    backward.run(ctx.pool);
  };
  if (q.dtype == DType::Float64)
    run(static_cast<double*>(nullptr));
  else
    run(static_cast<float*>(nullptr));
}

}  // namespace thalweg::cpu::THALWEG_ISA
