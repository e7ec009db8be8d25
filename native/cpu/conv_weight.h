// The gradient of the weight: for each tap and input channel the sum over all positions of what the tap reads there
// times the gradient of the result. Taken in chunks of positions: first all threads lay a chunk out, then each of them
// adds it to some rows of the sums.
#pragma once
#include "cpu/conv_tile.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kChunkBytes = 512 << 10;  // of input; more if the sums are larger, which each chunk reads and writes
constexpr int64_t kMostChunkBytes = int64_t{32} << 20;
constexpr int64_t kPositionsAtOnce = 256;
constexpr int64_t kWantedTiles = 16;
constexpr double kTaskFlopsOfSums = 5e5;

// The sums: for each part, group and panel a row for each tap and channel, some rows more to fill the last tile.
template <class T>
struct WeightSums {
  const Panels<T>& panels;
  int64_t groups, rows, padded, size, tiles, parts;  // padded: rows; tiles: of all panels and groups
  T* sums;
  int64_t* offsets;  // of the rows in the window

  WeightSums(const Correlation& c, const Panels<T>& panels) : panels(panels), groups(c.groups) {
    rows = c.taps * c.cin;
    padded = 0;
    tiles = 0;
    for (int64_t p = 0; p < panels.count; p++) {
      padded = std::max(padded, roundUp(rows, kTilePositions[panels.width(p)]));
      tiles += groups * divideUp(rows, kTilePositions[panels.width(p)]);
    }
    size = groups * padded * panels.padded();
    parts = tiles >= kWantedTiles ? 1 : divideUp(kWantedTiles, tiles);
    sums = convScratch<T>(kSlotSums, parts * size);
    offsets = convScratch<int64_t>(kSlotProducts, padded);
  }
  T* at(int64_t part, int64_t group, int64_t panel) const {
    return sums + part * size + padded * (group * panels.padded() + panels.first(panel));
  }
  void listRows(const Reads<T>& reads) const {
    int64_t row = 0;
    for (int64_t s = 0; s < reads.segmentCount; s++)
      for (int64_t i = 0; i < reads.segments[s].length; i++) offsets[row++] = reads.segments[s].offset + i;
    for (; row < padded; row++) offsets[row] = offsets[rows - 1];
  }
};

// Rows [begin, end) of one group's panel of the gradient at positions [first, ...): whole vectors, zeros behind the
// last channel.
template <class T>
__attribute__((noinline)) void packGradient(const Images<const T>& g, int64_t channels, int64_t size, int64_t first,
                                            int64_t begin, int64_t end, int64_t channel, int64_t valid, int width,
                                            const T* last, T* to) {
  constexpr int L = lanes<T>;
  const int64_t step = width * L;
  if (g.channelsLast()) {
    for (int64_t p = begin; p < end; p++) {
      const T* from = g.data + (first + p) * channels + channel;
      T* row = to + p * step;
      for (int64_t v = 0; v < step; v += L)
        store(row + v, v + L <= valid ? load(from + v) : loadPartial(from + v, static_cast<int>(valid - v)));
    }
    return;
  }
  for (int64_t p = begin; p < end;) {
    const int64_t image = (first + p) / size, at = (first + p) % size;
    const int64_t columns = std::min<int64_t>({L, end - p, size - at});
    for (int64_t v = 0; v < step; v += L)
      forColumns(g.data + image * g.image + (channel + v) * g.channel + at, g.channel,
                 static_cast<int>(std::min<int64_t>(L, valid - v)), static_cast<int>(columns), last,
                 [&](int j, Vec<T> vector) { store(to + (p + j) * step + v, vector); });
    p += columns;
  }
}

// Adds positions [begin, end) to tile `tile` of one panel.
template <class T, int NV>
THALWEG_INLINE void addOuter(const WeightSums<T>& s, const Reads<T>& reads, const T* base, int64_t tile,
                             const T* gradient, int64_t gradientStep, int64_t begin, int64_t end, T* sums) {
  constexpr int MR = kTilePositions[NV], width = NV * lanes<T>;
  const int64_t row = tile * MR;
  const T* rows = gradient + begin * gradientStep;
  if (MR > 2 && s.rows - row <= MR / 2) {
    outerTile<T, (MR + 1) / 2, NV>(end - begin, reads.in + begin, base, s.offsets + row, rows, gradientStep,
                                   sums + row * width, width);
  } else {
    outerTile<T, MR, NV>(end - begin, reads.in + begin, base, s.offsets + row, rows, gradientStep, sums + row * width,
                         width);
  }
}

// out[o][channel][tap] from the sums of all parts.
template <class T>
__attribute__((noinline)) void writeWeight(const Correlation& c, const WeightSums<T>& s, int64_t group, int64_t panel,
                                           int64_t begin, int64_t end, T* out) {
  constexpr int L = lanes<T>;
  const int width = s.panels.width(panel);
  const int64_t first = s.panels.first(panel), rows = s.rows;
  for (int64_t j = begin; j < end; j += L)
    for (int v = 0; v < width; v++) {
      const int columns = static_cast<int>(std::min<int64_t>(L, end - j));
      Vec<T> square[L] = {};
      for (int i = 0; i < columns; i++) {
        const int64_t row = (j + i) % c.taps * c.cin + (j + i) / c.taps;
        for (int64_t part = 0; part < s.parts; part++)
          square[i] += load(s.at(part, group, panel) + row * width * L + v * L);
      }
      transposeSquare<T>(square);
      for (int64_t o = 0; o < std::min<int64_t>(L, c.cout - first - v * L); o++)
        storePartial(out + (group * c.cout + first + v * L + o) * rows + j, square[o], columns);
    }
}

template <class T>
void correlateWeight(Context& ctx, const Correlation& c, const Images<const T>& x, const Images<const T>& g, T* out) {
  const Panels<T> panels(c.cout);
  const WeightSums<T> s(c, panels);
  for (int64_t i = 0; i < s.parts * s.size; i++) s.sums[i] = 0;
  const int64_t bytes = 2 * s.size * static_cast<int64_t>(sizeof(T)), channels = c.groups * c.cout;
  const Pieces pieces(c, sizeof(T), std::max(kChunkBytes, std::min(bytes, kMostChunkBytes)), 1);
  const int64_t area = c.out[0] * c.out[1] * c.out[2];
  const bool direct = g.channelsLast() && c.groups == 1 && panels.count == 1 && panels.padded() == c.cout;
  const T* last = g.data + c.images * channels * area;
  const Grid grid = c.grid(0);
  bool listed = false;
  for (int64_t chunk = 0; chunk < pieces.count; chunk++) {
    const Piece piece(c, pieces, chunk);
    Window<T> window(c, x, piece);
    T* copy = window.suits && !window.inPlace ? convScratch<T>(kSlotShared, window.elements(piece)) : nullptr;
    if (copy != nullptr) window.base = copy;
    const Reads<T> reads = listReads(c, grid, piece, x, window, 0, c.in);
    if (reads.count == 0) continue;
    // The segments are the same for all chunks, but the rows of a window are not: it may be in place, or narrower.
    if (!listed || pieces.perImage > 1) s.listRows(reads);
    listed = true;
    int64_t first = piece.begin;  // the first position of the chunk in g
    for (int d = piece.axis + 1; d < 3; d++) first *= c.out[d];
    first += piece.image * area;
    const T* gradient = g.data + first * channels;
    int64_t gradientStep = channels;
    T* packed = direct ? nullptr : convScratch<T>(kSlotPacked, reads.count * c.groups * panels.padded());
    if (packed != nullptr) gradient = packed;
    const int64_t rows = copy != nullptr ? window.rows(piece) : 0;
    constexpr int64_t kSlices = 16;
    if (copy != nullptr || packed != nullptr)
      parallelFor(ctx.pool, kSlices, reads.count < 64 ? kSlices : 1, [&](int64_t begin, int64_t end) {
        if (copy != nullptr) window.fill(c, x, piece, rows * begin / kSlices, rows * end / kSlices, copy);
        if (packed == nullptr) return;
        const int64_t from = reads.count * begin / kSlices, to = reads.count * end / kSlices;
        for (int64_t group = 0; group < c.groups; group++)
          for (int64_t p = 0; p < panels.count; p++)
            packGradient(g, channels, area, first, from, to, group * c.cout + panels.first(p), panels.valid(p),
                         panels.width(p), last, packed + reads.count * (group * panels.padded() + panels.first(p)));
      });
    const int64_t blocks = divideUp(reads.count, kPositionsAtOnce);
    const double work = 2.0 * static_cast<double>(reads.count) * static_cast<double>(s.size) / kTaskFlopsOfSums;
    const int64_t tasks = std::min(s.tiles, std::max<int64_t>(1, static_cast<int64_t>(std::min(work, 64.0))));
    parallelFor(ctx.pool, tasks * s.parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; task++) {
        const int64_t part = task % s.parts, share = task / s.parts;
        const int64_t from = s.tiles * share / tasks, to = s.tiles * (share + 1) / tasks;
        for (int64_t block = part; block < blocks; block += s.parts) {
          const int64_t p0 = block * kPositionsAtOnce, p1 = std::min(reads.count, p0 + kPositionsAtOnce);
          int64_t at = 0;  // the first tile of a panel
          for (int64_t group = 0; group < c.groups; group++)
            for (int64_t p = 0; p < panels.count; p++) {
              const int width = panels.width(p);
              const int64_t tiles = divideUp(s.rows, kTilePositions[width]);
              const int64_t low = std::max(from, at), high = std::min(to, at + tiles);
              const int64_t step = packed != nullptr ? width * lanes<T> : gradientStep;
              const T* panel =
                  packed != nullptr ? packed + reads.count * (group * panels.padded() + panels.first(p)) : gradient;
              for (int64_t tile = low; tile < high; tile++)
                withVectors(width, [&](auto vectors) {
                  addOuter<T, vectors.value>(s, reads, window.base + group * c.cin, tile - at, panel, step, p0, p1,
                                             s.at(part, group, p));
                });
              at += tiles;
            }
        }
      }
    });
  }
  const int64_t shares = divideUp(s.rows, 128), tasks = c.groups * panels.count * shares;
  parallelFor(ctx.pool, tasks, 8, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t share = task % shares, panel = task / shares % panels.count;
      writeWeight(c, s, task / shares / panels.count, panel, share * 128, std::min(s.rows, share * 128 + 128), out);
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
