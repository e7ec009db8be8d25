// The gradients of a recurrent layer's weights and biases: sums over all rows of all steps, a chunk at a time.
#pragma once
#include "cpu/rnn_step.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Rows of gates lie this many elements apart: not a power of two, or a column of them would share a few lines of the
// cache.
template <class T>
constexpr int64_t gateStride(int64_t columns) {
  constexpr int64_t line = 64 / sizeof(T);
  const int64_t lines = (columns + line - 1) / line;
  return (lines % 2 == 0 ? lines + 1 : lines) * line;
}

// result [columns, width] = the sum over rows of d[row, :] x[row, :].
template <class T>
class WeightGradient {
 public:
  WeightGradient(T* result, int64_t columns, int64_t width)
      : result_(width > 0 ? result : nullptr),
        columns_(columns),
        width_(width),
        padded_(wholeVectors<T>(width)),
        // Larger ones are better left to gemm, which packs both sides.
        own_(columns * padded_ * static_cast<int64_t>(sizeof(T)) <= kMostBytes) {}

  bool wanted() const { return result_ != nullptr; }
  int64_t elements(int64_t rows) const { return wanted() && own_ ? (columns_ + rows) * padded_ : 0; }
  // Memory of that many elements, for sums and for packed rows.
  void use(T* memory) { sums_ = memory; }

  void add(ThreadPool& pool, const T* d, int64_t stride, const T* x, int64_t xrs, int64_t xcs, int64_t rows,
           bool first) const {
    if (!wanted()) return;
    if (!own_) {
      gemm(pool, Product<T>{columns_, width_, rows, d, 1, stride, x, xrs, xcs, result_, width_, !first});
      return;
    }
    T* packed = sums_ + columns_ * padded_;
    const int64_t blocks = (rows + kBlock - 1) / kBlock;
    const auto blockBegin = [&](int64_t block) { return block * kBlock < rows ? block * kBlock : rows; };
    parallelFor(pool, blocks, 1 + (1 << 14) / (kBlock * padded_), [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; block++) {
        const int64_t row = blockBegin(block);
        packPanels(packed + row * padded_, x + row * xrs, xrs, xcs, blockBegin(block + 1) - row, width_);
      }
    });
    const int64_t groups = (columns_ + kGroup - 1) / kGroup;
    const double flops = 2.0 * kGroup * static_cast<double>(padded_ * rows);
    const int64_t grain = flops >= kTaskFlops ? 1 : static_cast<int64_t>(kTaskFlops / flops);
    parallelFor(pool, groups, grain, [&](int64_t begin, int64_t end) {
      const int64_t column = columns_ * begin / groups, count = columns_ * end / groups - column;
      for (int64_t block = 0; block < blocks; block++) {
        const int64_t row = blockBegin(block);
        const Panels<T> panels{packed + row * padded_, blockBegin(block + 1) - row, width_};
        multiplyPanels(count, d + row * stride + column, 1, stride, panels, sums_ + column * padded_, padded_,
                       !first || block > 0);
      }
    });
  }

  void finish() const {
    if (!wanted() || !own_) return;
    for (int64_t i = 0; i < columns_; i++)
      std::memcpy(result_ + i * width_, sums_ + i * padded_, static_cast<size_t>(width_) * sizeof(T));
  }

 private:
  static constexpr int64_t kBlock = 128, kGroup = 8 * kTileRows, kMostBytes = 1 << 21;
  T* result_;
  int64_t columns_, width_, padded_;
  bool own_;
  T* sums_ = nullptr;
};

// Adds the sums of columns to `totals`.
template <class T>
void addColumnSums(ThreadPool& pool, double* totals, const T* rows, int64_t stride, int64_t count, int64_t columns) {
  constexpr int64_t strip = 4 * lanes<T>;
  parallelFor(pool, (columns + strip - 1) / strip, 1 + (1 << 18) / (count * strip), [&](int64_t begin, int64_t end) {
    for (int64_t j0 = begin * strip; j0 < end * strip && j0 < columns; j0 += strip) {
      const int64_t n = columns - j0 < strip ? columns - j0 : strip;
      alignas(64) T sums[strip] = {};
      if (n == strip) {
        Vec<T> sum[4] = {};
        for (int64_t i = 0; i < count; i++) {
          const T* row = rows + i * stride + j0;
          THALWEG_UNROLL for (int j = 0; j < 4; j++) sum[j] += load(row + j * lanes<T>);
        }
        THALWEG_UNROLL for (int j = 0; j < 4; j++) store(sums + j * lanes<T>, sum[j]);
      } else {
        for (int64_t i = 0; i < count; i++)
          for (int64_t j = 0; j < n; j++) sums[j] += rows[i * stride + j0 + j];
      }
      for (int64_t j = 0; j < n; j++) totals[j0 + j] += static_cast<double>(sums[j]);
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
