// A convolution or its transpose: pieces of the images, and for each of them the products of what its positions read
// with one panel of weights after the other.
#pragma once
#include "cpu/conv_tile.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kPieceBytes = 256 << 10;  // of input: with a panel of weights, what the second-level cache holds
constexpr int64_t kHeavyWeights = 1 << 20;  // bytes, from which on larger pieces pay: each piece reads all weights
constexpr int64_t kHeavyPieceBytes = 640 << 10;
constexpr double kTaskFlops = 1e6;
constexpr int64_t kWantedTasks = 16;

template <class T>
void correlatePiece(const Correlation& c, const Panels<T>& panels, const Packed<T>& packed, const Piece& piece,
                    const Images<const T>& x, const Images<T>& out, int64_t firstPanel, int64_t lastPanel) {
  constexpr int64_t most = kProductBytes / static_cast<int64_t>(sizeof(T));
  Window<T> window(c, x, piece);
  if (window.suits && !window.inPlace) {
    T* copy = convScratch<T>(kSlotWindow, window.elements(piece));
    window.fill(c, x, piece, 0, window.rows(piece), copy);
    window.base = copy;
  }
  for (int64_t i = 0; i < c.grids(); i++) {
    const Grid grid = c.grid(i);
    const Reads<T> reads = listReads(c, grid, piece, x, window, out.image, out.at);
    if (reads.count == 0) continue;
    for (int64_t group = 0; group < c.groups; group++) {
      const T* base = window.base + group * c.cin;
      int64_t segment = 0, row = 0;
      do {
        int64_t end = segment, length = 0;
        while (end < reads.segmentCount && (end == segment || length + reads.segments[end].length <= most))
          length += reads.segments[end++].length;
        for (int64_t p = firstPanel; p < lastPanel; p++) {
          const int width = panels.width(p);
          const T* rows = packed.weights + packedAt(c, panels, grid, group, p) + row * width * lanes<T>;
          const T* start = packed.bias + group * panels.padded() + panels.first(p);
          T* to = out.data + group * c.cout + panels.first(p);
          withVectors(width, [&](auto vectors) {
            productPanel<T, vectors.value>(reads, reads.segments + segment, end - segment, base, rows, start, to,
                                           panels.valid(p), segment > 0);
          });
        }
        row += length;
        segment = end;
      } while (segment < reads.segmentCount);
    }
  }
}

template <class T>
void correlate(Context& ctx, const Correlation& c, const Images<const T>& x, const T* weight, const T* bias,
               const Images<T>& out) {
  const Panels<T> panels(c.cout);
  const Packed<T> packed = packWeights(ctx, c, panels, weight, bias);
  const int64_t weights = c.usedTaps() * c.cin * c.groups * c.cout * static_cast<int64_t>(sizeof(T));
  const double affordable = c.flops() / kTaskFlops + 1;
  const int64_t wanted = affordable < kWantedTasks ? static_cast<int64_t>(affordable) : kWantedTasks;
  const Pieces pieces(c, sizeof(T), weights > kHeavyWeights ? kHeavyPieceBytes : kPieceBytes, wanted);
  // Panels apart only if there are too few pieces: each part prepares the window again.
  const int64_t parts = std::min(panels.count, std::max<int64_t>(wanted / pieces.count, 1));
  parallelFor(ctx.pool, pieces.count * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; task++) {
      const int64_t part = task % parts;
      correlatePiece(c, panels, packed, Piece(c, pieces, task / parts), x, out, panels.count * part / parts,
                     panels.count * (part + 1) / parts);
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
