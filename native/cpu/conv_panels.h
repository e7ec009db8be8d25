// Weights packed for the products: output channels in panels of a few vectors, a panel's rows (one for each input
// channel of each tap) one after the other.
#pragma once
#include "cpu/conv_correlation.h"
#include "cpu/conv_layout.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Of a register tile: the vectors of a panel, and for each width the positions that share them. The accumulators fill
// most of the register file, at least as many as two multipliers keep busy.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kPanelVectors = 4;
constexpr int kTilePositions[kPanelVectors + 1] = {0, 12, 12, 8, 6};
#elif defined(__AVX2__)
constexpr int kPanelVectors = 2;
constexpr int kTilePositions[kPanelVectors + 1] = {0, 8, 6};
#else
constexpr int kPanelVectors = 4;
constexpr int kTilePositions[kPanelVectors + 1] = {0, 6, 4, 3, 2};
#endif

// Calls f(integral constant) with the width of a panel.
template <int NV = kPanelVectors, class F>
THALWEG_INLINE void withVectors(int vectors, F&& f) {
  if (NV == 1 || vectors == NV) {
    f(std::integral_constant<int, NV>());
  } else if constexpr (NV > 1) {
    withVectors<NV - 1>(vectors, f);
  }
}

// n channels in panels of about equal width.
template <class T>
struct Panels {
  static constexpr int L = lanes<T>;
  int64_t channels, vectors, count, narrow, wide;  // the first `wide` have a vector more than `narrow`
  explicit Panels(int64_t channels) : channels(channels) {
    vectors = divideUp(channels, L);
    count = divideUp(vectors, kPanelVectors);
    narrow = vectors / count;
    wide = vectors % count;
  }
  int width(int64_t i) const { return static_cast<int>(narrow + (i < wide)); }     // in vectors
  int64_t first(int64_t i) const { return (i * narrow + std::min(i, wide)) * L; }  // its first channel
  int64_t valid(int64_t i) const { return std::min<int64_t>(width(i) * L, channels - first(i)); }
  int64_t padded() const { return vectors * L; }
};

// Where the packed rows of a grid, a group and a panel begin.
template <class T>
int64_t packedAt(const Correlation& c, const Panels<T>& panels, const Grid& grid, int64_t group, int64_t panel) {
  return (c.tapsBefore(grid) * c.groups + group * grid.taps()) * c.cin * panels.padded() +
         panels.first(panel) * grid.taps() * c.cin;
}

// A vector of one group's output channels, in its place in all grids. Vectors of output channels are squares turned
// around: the elements that lie side by side in memory are taps, and in a convolution, but not in its transpose, the
// input channels as well.
template <class T>
__attribute__((noinline)) void packVector(const Correlation& c, const Panels<T>& panels, int64_t group, int64_t vector,
                                          const T* weight, const T* end, T* to) {
  constexpr int L = lanes<T>;
  const int64_t o = vector * L;
  int64_t panel = 0;
  while (panel + 1 < panels.count && panels.first(panel + 1) <= o) panel++;
  const int64_t row = panels.width(panel) * L;
  // Where the row of the first input channel begins, by tap; -1: no grid has the tap.
  int64_t* place = convScratch<int64_t>(kSlotTable, c.taps);
  for (int64_t i = 0; i < c.taps; i++) place[i] = -1;
  for (int64_t i = 0; i < c.grids(); i++) {
    const Grid grid = c.grid(i);
    if (grid.taps() == 0) continue;
    const GridLine* l = grid.line;
    int64_t at = packedAt(c, panels, grid, group, panel) + o - panels.first(panel);
    for (int64_t z = 0; z < l[0].taps; z++)
      for (int64_t y = 0; y < l[1].taps; y++)
        for (int64_t x = 0; x < l[2].taps; x++, at += c.cin * row)
          place[((l[0].kernel + z * l[0].kernelStep) * c.kernel[1] + l[1].kernel + y * l[1].kernelStep) * c.kernel[2] +
                l[2].kernel + x * l[2].kernelStep] = at;
  }
  const bool plain = c.taps == 1 && c.weightOut == 1;  // output channels side by side
  const bool merged = c.weightIn == c.taps && !plain;  // input channels
  const int64_t run = merged ? c.cin * c.taps : c.taps, runs = merged ? 1 : c.cin;
  const int rows = static_cast<int>(std::min<int64_t>(L, panels.channels - o));
  for (int64_t r = 0; r < runs; r++) {
    const T* from = weight + o * c.weightOut + r * c.weightIn;
    if (plain) {
      if (place[0] >= 0) store(to + place[0] + r * row, rows == L ? load(from) : loadPartial(from, rows));
      continue;
    }
    int64_t channel = r, tap = 0;
    for (int64_t q = 0; q < run; q += L) {
      const int columns = static_cast<int>(std::min<int64_t>(L, run - q));
      forColumns(from + q, c.weightOut, rows, columns, end, [&](int, Vec<T> values) {
        if (place[tap] >= 0) store(to + place[tap] + channel * row, values);
        if (++tap == c.taps) {
          tap = 0;
          channel++;
        }
      });
    }
  }
}

// All weights, and behind them zeros or the bias, padded to whole vectors for each group.
template <class T>
struct Packed {
  const T* weights;
  const T* bias;
};

template <class T>
Packed<T> packWeights(Context& ctx, const Correlation& c, const Panels<T>& panels, const T* weight, const T* bias) {
  const int64_t size = c.usedTaps() * c.cin * c.groups * panels.padded(), padded = panels.padded();
  T* to = convScratch<T>(kSlotPacked, size + c.groups * padded);
  const T* end = weight + c.groups * c.cin * c.cout * c.taps;
  for (int64_t i = 0; i < c.groups * padded; i++) {
    const int64_t o = i % padded;
    to[size + i] = bias != nullptr && o < c.cout ? bias[i / padded * c.cout + o] : T(0);
  }
  const int64_t tasks = c.groups * panels.vectors;
  const int64_t grain = (int64_t{1} << 15) * tasks / (size + 1) + 1;
  parallelFor(ctx.pool, tasks, grain, [&](int64_t begin, int64_t last) {
    for (int64_t task = begin; task < last; task++) {
      const int64_t group = task / panels.vectors;
      packVector(c, panels, group, task % panels.vectors, weight + group * c.cin * c.cout * c.taps, end, to);
    }
  });
  return {to, to + size};
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
