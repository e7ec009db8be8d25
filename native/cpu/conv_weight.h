// The gradient of the weight: for each tap and input channel the sum over all positions of what the tap reads there
// times the gradient of the result. Where the sums are small, each task has sums of its own for its part of the
// positions. Else positions are taken in chunks: first all threads lay a chunk out, then each of them adds it to some
// rows of the sums.
#pragma once
#include "cpu/conv_forward.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kChunkBytes = 512 << 10;  // of input; more if the sums are larger, which each chunk reads and writes
constexpr int64_t kMostChunkBytes = int64_t{32} << 20;
constexpr int64_t kPositionsAtOnce = 256;
constexpr int64_t kSmallSums = 256 << 10;  // bytes
constexpr double kTaskFlopsOfSums = 5e5;

// The sums: for each part, group and panel a row for each tap and channel, some rows more to fill the last tile.
template <class T>
struct WeightSums {
  const Panels<T>& panels;
  int64_t groups, rows, padded, size, tiles;  // padded: rows; tiles: of all panels and groups
  int64_t parts;                              // of the positions, with sums of their own; 0: too large for that
  T* sums;

  WeightSums(const Correlation& c, const Panels<T>& panels) : panels(panels), groups(c.groups) {
    rows = c.taps * c.cin;
    padded = 0;
    tiles = 0;
    for (int64_t p = 0; p < panels.count; p++) {
      padded = std::max(padded, roundUp(rows, kTilePositions[panels.width(p)]));
      tiles += groups * divideUp(rows, kTilePositions[panels.width(p)]);
    }
    size = groups * padded * panels.padded();
    const double positions = static_cast<double>(c.images) * static_cast<double>(c.positions());
    const bool small = size * static_cast<int64_t>(sizeof(T)) <= kSmallSums;
    const double affordable = std::min(positions / static_cast<double>(kPositionsAtOnce), 1e9);
    parts = small ? std::max<int64_t>(1, std::min(kWantedTasks, static_cast<int64_t>(affordable))) : 0;
  }
  void clear(int64_t count) {
    parts = count;
    sums = convScratch<T>(kSlotSums, parts * size);
    for (int64_t i = 0; i < parts * size; i++) sums[i] = 0;
  }
  T* at(int64_t part, int64_t group, int64_t panel) const {
    return sums + part * size + padded * (group * panels.padded() + panels.first(panel));
  }
  // Where the rows are in the window.
  const int64_t* listRows(const Reads<T>& reads) const {
    int64_t* offsets = convScratch<int64_t>(kSlotProducts, padded);
    int64_t row = 0;
    for (int64_t s = 0; s < reads.segmentCount; s++)
      for (int64_t i = 0; i < reads.segments[s].length; i++) offsets[row++] = reads.segments[s].offset + i;
    for (; row < padded; row++) offsets[row] = offsets[rows - 1];
    return offsets;
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

// A tile of so many rows, if only `rows` are left: half of the largest, three quarters, or all of it.
constexpr int tileHeight(int most, int64_t rows) {
  const int half = (most + 1) / 2, larger = (3 * most + 3) / 4;
  return rows <= half ? half : rows <= larger ? larger : most;
}

// Adds positions [begin, end) to the tile of one panel that begins at `row`, at most `height` rows.
template <class T, int NV>
THALWEG_INLINE void addOuter(const WeightSums<T>& s, const Reads<T>& reads, const int64_t* offsets, const T* base,
                             int64_t row, int height, const T* gradient, int64_t gradientStep, int64_t begin,
                             int64_t end, T* sums) {
  constexpr int MR = kTilePositions[NV], width = NV * lanes<T>;
  const T* rows = gradient + begin * gradientStep;
  const auto add = [&](auto tile) {
    outerTile<T, tile.value, NV>(end - begin, reads.in + begin, base, offsets + row, rows, gradientStep,
                                 sums + row * width, width);
  };
  constexpr int half = tileHeight(MR, 1), larger = tileHeight(MR, half + 1);
  const int wanted = tileHeight(MR, std::min<int64_t>(height, s.rows - row));
  if (wanted == half) return add(std::integral_constant<int, half>());
  if (wanted == larger) return add(std::integral_constant<int, larger>());
  add(std::integral_constant<int, MR>());
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

// The first position of a piece in g.
inline int64_t firstPosition(const Correlation& c, const Piece& piece) {
  int64_t first = piece.begin;
  for (int d = piece.axis + 1; d < 3; d++) first *= c.out[d];
  return first + piece.image * c.out[0] * c.out[1] * c.out[2];
}

// True if the rows of a gradient are those of a panel.
template <class T>
bool readsAsPanel(const Correlation& c, const Panels<T>& panels, const Images<const T>& g) {
  return g.channelsLast() && c.groups == 1 && panels.count == 1 && panels.padded() == c.cout;
}

// Adds one piece to the sums of a part, block by block, so that what the tiles of a block read stays in the cache.
template <class T>
void addPiece(const Correlation& c, const WeightSums<T>& s, const Images<const T>& x, const Images<const T>& g,
              const Piece& piece, int64_t part) {
  const Panels<T>& panels = s.panels;
  const int64_t channels = c.groups * c.cout, area = c.out[0] * c.out[1] * c.out[2];
  Window<T> window(c, x, piece);
  if (window.suits && !window.inPlace) {
    T* copy = convScratch<T>(kSlotWindow, window.elements(piece));
    window.fill(c, x, piece, 0, window.rows(piece), copy);
    window.base = copy;
  }
  const Reads<T> reads = listReads(c, c.grid(0), piece, x, window, 0, c.in);
  if (reads.count == 0) return;
  const int64_t* offsets = s.listRows(reads);
  const int64_t first = firstPosition(c, piece);
  const bool direct = readsAsPanel(c, panels, g);
  T* packed = direct ? nullptr : convScratch<T>(kSlotPacked, kPositionsAtOnce * panels.padded());
  const T* last = g.data + c.images * channels * area;
  for (int64_t p0 = 0; p0 < reads.count; p0 += kPositionsAtOnce) {
    const int64_t count = std::min(kPositionsAtOnce, reads.count - p0);
    Reads<T> block = reads;
    block.in += p0;
    for (int64_t group = 0; group < c.groups; group++)
      for (int64_t p = 0; p < panels.count; p++) {
        const int width = panels.width(p);
        const T* gradient = g.data + (first + p0) * channels;
        if (packed != nullptr) {
          packGradient(g, channels, area, first + p0, 0, count, group * c.cout + panels.first(p), panels.valid(p),
                       width, last, packed);
          gradient = packed;
        }
        // Tiles of about equal height.
        const int most = kTilePositions[width];
        const int height = tileHeight(most, divideUp(s.rows, divideUp(s.rows, most)));
        for (int64_t row = 0; row < s.rows; row += height)
          withVectors(width, [&](auto vectors) {
            addOuter<T, vectors.value>(s, block, offsets, window.base + group * c.cin, row, height, gradient,
                                       width * lanes<T>, 0, count, s.at(part, group, p));
          });
      }
  }
}

template <class T>
void addParts(Context& ctx, const Correlation& c, WeightSums<T>& s, const Images<const T>& x,
              const Images<const T>& g) {
  const Pieces pieces(c, sizeof(T), kPieceBytes, s.parts);
  s.clear(std::min(s.parts, pieces.count));
  const double work = c.flops() / static_cast<double>(s.parts);
  const int64_t grain = static_cast<int64_t>(kTaskFlopsOfSums / (work + 1)) + 1;
  parallelFor(ctx.pool, s.parts, grain, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++)
      for (int64_t i = pieces.count * part / s.parts; i < pieces.count * (part + 1) / s.parts; i++)
        addPiece(c, s, x, g, Piece(c, pieces, i), part);
  });
}

template <class T>
void addChunks(Context& ctx, const Correlation& c, WeightSums<T>& s, const Images<const T>& x,
               const Images<const T>& g) {
  const Panels<T>& panels = s.panels;
  s.clear(1);
  const int64_t bytes = 2 * s.size * static_cast<int64_t>(sizeof(T)), channels = c.groups * c.cout;
  const Pieces pieces(c, sizeof(T), std::max(kChunkBytes, std::min(bytes, kMostChunkBytes)), 1);
  const int64_t area = c.out[0] * c.out[1] * c.out[2];
  const bool direct = readsAsPanel(c, panels, g);
  const T* last = g.data + c.images * channels * area;
  const Grid grid = c.grid(0);
  const int64_t* offsets = nullptr;
  for (int64_t chunk = 0; chunk < pieces.count; chunk++) {
    const Piece piece(c, pieces, chunk);
    Window<T> window(c, x, piece);
    T* copy = window.suits && !window.inPlace ? convScratch<T>(kSlotShared, window.elements(piece)) : nullptr;
    if (copy != nullptr) window.base = copy;
    const Reads<T> reads = listReads(c, grid, piece, x, window, 0, c.in);
    if (reads.count == 0) continue;
    // The segments are the same for all chunks, but the rows of a window are not: it may be in place, or narrower.
    if (offsets == nullptr || pieces.perImage > 1) offsets = s.listRows(reads);
    const int64_t first = firstPosition(c, piece);
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
    parallelFor(ctx.pool, tasks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; task++) {
        const int64_t from = s.tiles * task / tasks, to = s.tiles * (task + 1) / tasks;
        for (int64_t block = 0; block < blocks; block++) {
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
                  constexpr int most = kTilePositions[vectors.value];
                  addOuter<T, vectors.value>(s, reads, offsets, window.base + group * c.cin, (tile - at) * most, most,
                                             panel, step, p0, p1, s.at(0, group, p));
                });
              at += tiles;
            }
        }
      }
    });
  }
}

template <class T>
void correlateWeight(Context& ctx, const Correlation& c, const Images<const T>& x, const Images<const T>& g, T* out) {
  const Panels<T> panels(c.cout);
  WeightSums<T> s(c, panels);
  if (s.parts > 0) {
    addParts(ctx, c, s, x, g);
  } else {
    addChunks(ctx, c, s, x, g);
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
