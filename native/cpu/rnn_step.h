// How the steps of a recurrent layer are divided, and the product that each of them makes with the state.
//
// Time goes by in chunks of steps. The products with the inputs of a chunk are made at once before it (forward) or
// after it (backward), while what they are made of is in the cache. Within a chunk rows of the batch do not meet:
// blocks of them are the tasks, and none waits for another. Where that gives too few tasks of large steps, the columns
// of each step's product are the tasks instead.
#pragma once
#include "cpu/panel.h"
#include "cpu/rnn_sequence.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Slots of threadScratch: of the calling thread for all of the call; and of each thread for a block of rows.
enum Slot { kSlotWeights = kSlotOffsets + 1, kSlotProduct, kSlotChunk };

constexpr double kTaskFlops = 1e6;        // worth a task
constexpr double kWideFlops = 4e6;        // of a step that is worth dividing
constexpr int64_t kChunkBytes = 1 << 20;  // of gates
constexpr int64_t kChunkRows = 512;       // at least: weight gradients are read and written once a chunk
constexpr int64_t kPackSteps = 4;         // from so many on, the weight of the state is packed
constexpr int64_t kPackedInputRows = 96, kPackedInputBytes = 1 << 19;

template <class T>
T* scratchOf(Slot slot, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
}

// Rows of the next steps, in the order in which they are taken: steps step(begin) to step(end - 1).
struct Chunk {
  int64_t begin, end, row0, rows;
};

struct Division {
  bool wide;
  int64_t blockRows, chunkRows;

  explicit Division(const Sequence& s) {
    const int64_t batch = s.steps.batch, item = itemSize(s.dtype);
    // A weight outside the second-level cache is worth reading for many rows at once only.
    const int64_t bytes = s.G * s.H * s.H * item, quarter = (batch + 3) / 4;
    const int64_t many = bytes <= (1 << 22) ? 32 : 64;
    blockRows = bytes > (1 << 19) ? many : quarter < 8 ? 8 : quarter > 16 ? 16 : quarter;
    const double rowFlops = 2.0 * static_cast<double>(s.G * s.H) * static_cast<double>(s.H + 32);
    wide = batch <= 3 * blockRows && rowFlops * static_cast<double>(batch) >= kWideFlops;
    const int64_t fitting = kChunkBytes / (s.G * s.H * item);
    chunkRows = fitting < kChunkRows ? kChunkRows : fitting;
    const int64_t steps = 1 + chunkRows / (batch + 1);
    const double wanted = kTaskFlops / (rowFlops * static_cast<double>(steps < s.steps.count ? steps : s.steps.count));
    if (wanted > static_cast<double>(blockRows))
      blockRows = wanted >= static_cast<double>(batch) ? batch : static_cast<int64_t>(wanted);
    if (wide) blockRows = batch;
  }

  // The rows that any chunk can have.
  int64_t mostRows(const Sequence& s) const {
    const int64_t most = s.steps.batch > chunkRows ? s.steps.batch : chunkRows;
    return most < s.rows ? most : s.rows;
  }
  Chunk chunkFrom(const Sequence& s, int64_t begin) const {
    Chunk chunk{begin, begin, s.steps.offset(s.step(begin)), 0};
    while (chunk.end < s.steps.count) {
      const int64_t t = s.step(chunk.end), rows = s.steps.rows(t);
      if (chunk.end > begin && chunk.rows + rows > chunkRows) break;
      if (s.steps.offset(t) < chunk.row0) chunk.row0 = s.steps.offset(t);
      chunk.rows += rows;
      chunk.end++;
    }
    return chunk;
  }
  // The same from the end.
  Chunk chunkBefore(const Sequence& s, int64_t end) const {
    Chunk chunk{end, end, s.steps.offset(s.step(end - 1)), 0};
    while (chunk.begin > 0) {
      const int64_t t = s.step(chunk.begin - 1), rows = s.steps.rows(t);
      if (chunk.begin < end && chunk.rows + rows > chunkRows) break;
      if (s.steps.offset(t) < chunk.row0) chunk.row0 = s.steps.offset(t);
      chunk.rows += rows;
      chunk.begin--;
    }
    return chunk;
  }
};

// How a product is divided among threads.
enum class Tasks { None, Columns, Rows };

// The products of rows with a matrix [k, n], element (i, j) of which is weight[i * rs + j * cs]. The matrix is packed
// if there are enough of them, and left to gemm otherwise.
template <class T>
class WeightProduct {
 public:
  WeightProduct(bool packed, Tasks tasks, const T* weight, int64_t rs, int64_t cs, int64_t k, int64_t n)
      : packed_(packed), tasks_(tasks), weight_(weight), rs_(rs), cs_(cs), k_(k), n_(n) {}

  int64_t elements() const { return packed_ ? packedElements<T>(k_, n_) : 0; }
  void pack(T* memory) {
    if (packed_) panels_ = packPanels(memory, weight_, rs_, cs_, k_, n_);
  }

  // c = a by the matrix, or c += a by it, but for Tasks::Rows. Where the matrix is packed, whole vectors of c are
  // written, again but for Tasks::Rows.
  void multiply(ThreadPool& pool, int64_t m, const T* a, int64_t ars, int64_t acs, T* c, int64_t ldc,
                bool accumulate = false) const {
    const double flops = 2.0 * static_cast<double>(m * k_);
    if (!packed_) {
      gemm(pool, Product<T>{m, n_, k_, a, ars, acs, weight_, rs_, cs_, c, ldc, accumulate});
    } else if (tasks_ == Tasks::None) {
      multiplyPanels(m, a, ars, acs, panels_, c, ldc, accumulate);
    } else if (tasks_ == Tasks::Columns) {
      parallelFor(pool, panels_.count(), grainOf(flops * kTileVectors * lanes<T>), [&](int64_t first, int64_t last) {
        multiplyPanels(m, a, ars, acs, panels_, first, last, c, ldc, accumulate);
      });
    } else {
      constexpr int64_t rows = 8 * kTileRows;
      const int64_t grain = rows * grainOf(2.0 * rows * static_cast<double>(k_ * n_));
      parallelFor(pool, m, grain, [&](int64_t begin, int64_t end) {
        const T* from = a + begin * ars;
        T* to = c + begin * ldc;
        if (n_ % lanes<T> == 0) return multiplyPanels(end - begin, from, ars, acs, panels_, to, ldc);
        const int64_t padded = wholeVectors<T>(n_);
        T* whole = scratchOf<T>(kSlotProduct, (end - begin) * padded);
        multiplyPanels(end - begin, from, ars, acs, panels_, whole, padded);
        for (int64_t i = 0; i < end - begin; i++)
          std::memcpy(to + i * ldc, whole + i * padded, static_cast<size_t>(n_) * sizeof(T));
      });
    }
  }

 private:
  bool packed_;
  Tasks tasks_;
  const T* weight_;
  int64_t rs_, cs_, k_, n_;
  Panels<T> panels_{};

  static int64_t grainOf(double flops) {
    return flops >= kTaskFlops ? 1 : static_cast<int64_t>(kTaskFlops / (flops + 1));
  }
};

// Of the rows of a step with the state: packed where there are steps enough.
template <class T>
WeightProduct<T> stateProduct(const Sequence& s, bool wide, const T* weight, int64_t rs, int64_t cs, int64_t k,
                              int64_t n) {
  return {s.steps.count >= kPackSteps, wide ? Tasks::Columns : Tasks::None, weight, rs, cs, k, n};
}
// Of all rows of a chunk with the weight of the inputs, or its transpose: packed where the second-level cache has room.
template <class T>
WeightProduct<T> inputProduct(const Sequence& s, const T* weight, int64_t rs, int64_t cs, int64_t k, int64_t n) {
  const bool fits = packedElements<T>(k, n) * static_cast<int64_t>(sizeof(T)) <= kPackedInputBytes;
  return {fits && s.rows >= kPackedInputRows, Tasks::Rows, weight, rs, cs, k, n};
}

// Calls row(r) for the rows of a block at a step: of a wide step on all threads.
template <class F>
THALWEG_INLINE void forRows(ThreadPool& pool, const Sequence& s, bool wide, int64_t rows, F row) {
  if (!wide) {
    for (int64_t r = 0; r < rows; r++) row(r);
    return;
  }
  const int64_t grain = 1 + (1 << 14) / (s.G * s.H);
  parallelFor(pool, rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) row(r);
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
