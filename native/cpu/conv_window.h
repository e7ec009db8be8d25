// The input of a piece as the products want it: channels side by side, and zeros where taps reach beyond the image.
// That is the input itself if no tap does; else a copy with a border; else, if padding or dilation would make that much
// larger than the image, a row of patches for each position.
#pragma once
#include "cpu/conv_correlation.h"
#include "cpu/conv_layout.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Images with the channels last: themselves, or a copy.
template <class T>
const T* asChannelsLast(Context& ctx, const Images<const T>& x, int64_t images, int64_t channels, int64_t size,
                        int slot) {
  if (x.channelsLast()) return x.data;
  T* copy = convScratch<T>(slot, images * size * channels);
  parallelFor(ctx.pool, images, (int64_t{1} << 15) / (size * channels) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++)
      interleave(x.data + n * x.image, x.channel, size, channels, x.data + images * x.image,
                 copy + n * size * channels);
  });
  return copy;
}

// Element (image, z, y, x, channel) of the input is base[image * step + (z - low) * at ... + channel].
template <class T>
struct Window {
  const T* base = nullptr;
  int64_t image = 0, at[3], low[3] = {0, 0, 0}, extent[3];
  bool suits = true, inPlace = false;
  int64_t channels;

  Window() {}
  // images: of the piece.
  Window(const Correlation& c, const Images<const T>& x, const Piece& piece) {
    channels = c.groups * c.cin;
    inPlace = x.channelsLast();
    double size = static_cast<double>(channels), real = size;
    for (int d = 0; d < 3; d++) {
      int64_t least = INT64_MAX, most = INT64_MIN;
      for (int64_t i = 0; i < c.lineCount[d]; i++) {
        const GridLine& line = c.lines[d][i];
        const int64_t from = piece.from(d, line), to = piece.to(d, line);
        if (from >= to || line.taps == 0) continue;
        least = std::min(least, line.low(from, c.step[d]));
        most = std::max(most, line.high(to - 1, c.step[d]));
      }
      if (least > most) least = most = 0;
      if (least < 0 || most >= c.in[d]) inPlace = false;
      low[d] = least;
      extent[d] = most - least + 1;
      size *= static_cast<double>(extent[d]);
      real *= static_cast<double>(d == piece.axis ? std::min(c.in[d], (piece.end - piece.begin) * c.step[d]) : c.in[d]);
    }
    if (inPlace) {
      base = x.data + piece.image * x.image;
      image = x.image;
      for (int d = 0; d < 3; d++) {
        at[d] = x.at[d];
        low[d] = 0;
      }
      return;
    }
    suits = size <= 4.0 * real + 65536;
    if (!suits) return;
    at[2] = channels;
    at[1] = at[2] * extent[2];
    at[0] = at[1] * extent[1];
    image = at[0] * extent[0];
  }

  // Rows [begin, end) of all the images' rows into memory at `to`.
  void fill(const Correlation& c, const Images<const T>& x, const Piece& piece, int64_t begin, int64_t end,
            T* to) const {
    const int64_t left = std::min(std::max(-low[2], int64_t{0}), extent[2]);
    const int64_t first = low[2] + left, right = std::max(std::min(c.in[2], low[2] + extent[2]), first);
    const T* last = x.data + (c.images - 1) * x.image + (channels - 1) * x.channel;
    for (int d = 0; d < 3; d++) last += (c.in[d] - 1) * x.at[d];
    const int64_t row = extent[2] * channels;
    for (int64_t r = begin; r < end; r++) {
      const int64_t n = r / (extent[0] * extent[1]);
      const int64_t z = r / extent[1] % extent[0] + low[0], y = r % extent[1] + low[1];
      T* target = to + r * row;
      if (z < 0 || z >= c.in[0] || y < 0 || y >= c.in[1] || first >= right) {
        std::memset(target, 0, static_cast<size_t>(row) * sizeof(T));
        continue;
      }
      const T* from = x.data + (piece.image + n) * x.image + z * x.at[0] + y * x.at[1] + first * x.at[2];
      std::memset(target, 0, static_cast<size_t>(left * channels) * sizeof(T));
      T* middle = target + left * channels;
      if (x.channelsLast()) {
        std::memcpy(middle, from, static_cast<size_t>((right - first) * channels) * sizeof(T));
      } else {
        interleave(from, x.channel, right - first, channels, last + 1, middle);
      }
      T* tail = middle + (right - first) * channels;
      std::memset(tail, 0, static_cast<size_t>(target + row - tail) * sizeof(T));
    }
  }
  int64_t rows(const Piece& piece) const { return piece.images * extent[0] * extent[1]; }
  int64_t elements(const Piece& piece) const { return piece.images * image; }
};

// Contiguous elements that each position reads, at an offset from its own.
struct Segment {
  int64_t offset, length;
};

// The places of a piece's positions in the window and in the result, and the segments that they read, of group 0.
template <class T>
struct Reads {
  int64_t count = 0;  // positions
  int64_t *in = nullptr, *out = nullptr;
  Segment* segments = nullptr;
  int64_t segmentCount = 0;
};

constexpr int64_t kProductBytes = 2560;  // of the inner dimension that is taken at once

// Segments of the grid: in a window, taps of a row that lie side by side are one, unless they are too long.
template <class T>
void listSegments(const Correlation& c, const Grid& grid, const Window<T>& window, Reads<T>& reads) {
  constexpr int64_t longest = kProductBytes / static_cast<int64_t>(sizeof(T));
  const GridLine* l = grid.line;
  const int64_t pieces = divideUp(c.cin, longest), channels = window.channels;
  reads.segments = convScratch<Segment>(kSlotSegments, grid.taps() * pieces + 1);
  const bool merged =
      window.suits && c.groups == 1 && l[2].distance == 1 && window.at[2] == channels && l[2].taps * c.cin <= longest;
  int64_t n = 0, tap = 0;
  for (int64_t z = 0; z < l[0].taps; z++)
    for (int64_t y = 0; y < l[1].taps; y++)
      for (int64_t x = 0; x < (merged ? 1 : l[2].taps); x++, tap++) {
        const int64_t offset = window.suits ? z * l[0].distance * window.at[0] + y * l[1].distance * window.at[1] +
                                                  x * l[2].distance * window.at[2]
                                            : tap * channels;
        const int64_t total = merged ? l[2].taps * c.cin : c.cin, parts = divideUp(total, longest);
        for (int64_t i = 0; i < parts; i++) {
          const int64_t from = total * i / parts;
          reads.segments[n++] = {offset + from, total * (i + 1) / parts - from};
        }
      }
  reads.segmentCount = n;
}

// What the taps of one position read, all channels for each of them.
template <class T>
__attribute__((noinline)) void gatherPatch(const Correlation& c, const Grid& grid, const Images<const T>& x,
                                           int64_t image, int64_t j0, int64_t j1, int64_t j2, T* to) {
  const GridLine* l = grid.line;
  const int64_t channels = c.groups * c.cin, j[3] = {j0, j1, j2};
  int64_t tap[3];
  for (tap[0] = 0; tap[0] < l[0].taps; tap[0]++)
    for (tap[1] = 0; tap[1] < l[1].taps; tap[1]++)
      for (tap[2] = 0; tap[2] < l[2].taps; tap[2]++, to += channels) {
        const T* from = x.data + image * x.image;
        bool inside = true;
        for (int d = 0; d < 3; d++) {
          const int64_t at = l[d].low(j[d], c.step[d]) + tap[d] * l[d].distance;
          inside = inside && at >= 0 && at < c.in[d];
          from += inside ? at * x.at[d] : 0;
        }
        for (int64_t i = 0; i < channels; i++) to[i] = inside ? from[i * x.channel] : T(0);
      }
}

// Of a window that does not suit, the patches are gathered into scratch memory and become its base.
template <class T>
Reads<T> listReads(const Correlation& c, const Grid& grid, const Piece& piece, const Images<const T>& x,
                   Window<T>& window, int64_t outImage, const int64_t* outAt) {
  Reads<T> reads;
  const GridLine* l = grid.line;
  int64_t from[3], to[3], count = piece.images;
  for (int d = 0; d < 3; d++) {
    from[d] = piece.from(d, l[d]);
    to[d] = piece.to(d, l[d]);
    count *= std::max<int64_t>(to[d] - from[d], 0);
  }
  reads.count = count;
  if (count == 0) return reads;
  reads.in = convScratch<int64_t>(kSlotTable, 2 * count);
  reads.out = reads.in + count;
  const int64_t taps = grid.taps(), patch = taps * window.channels;
  T* patches = window.suits ? nullptr : convScratch<T>(kSlotWindow, count * patch + 1);
  if (patches != nullptr) window.base = patches;
  int64_t p = 0;
  for (int64_t n = 0; n < piece.images; n++)
    for (int64_t z = from[0]; z < to[0]; z++)
      for (int64_t y = from[1]; y < to[1]; y++) {
        const int64_t line = (piece.image + n) * outImage + (l[0].first + z * c.outStep[0]) * outAt[0] +
                             (l[1].first + y * c.outStep[1]) * outAt[1] + l[2].first * outAt[2];
        const int64_t row = n * window.image +
                            (l[0].low(z, c.step[0]) - window.low[0]) * (window.suits ? window.at[0] : 0) +
                            (l[1].low(y, c.step[1]) - window.low[1]) * (window.suits ? window.at[1] : 0);
        const int64_t n2 = to[2] - from[2], outStep = c.outStep[2] * outAt[2];
        for (int64_t i = 0; i < n2; i++) reads.out[p + i] = line + (from[2] + i) * outStep;
        if (taps == 0) {
          for (int64_t i = 0; i < n2; i++) reads.in[p + i] = 0;
        } else if (patches == nullptr) {
          const int64_t start = row + (l[2].low(from[2], c.step[2]) - window.low[2]) * window.at[2];
          const int64_t step = c.step[2] * window.at[2];
          for (int64_t i = 0; i < n2; i++) reads.in[p + i] = start + i * step;
        } else {
          for (int64_t i = 0; i < n2; i++) {
            reads.in[p + i] = (p + i) * patch;
            gatherPatch(c, grid, x, piece.image + n, z, y, from[2] + i, patches + (p + i) * patch);
          }
        }
        p += n2;
      }
  listSegments(c, grid, window, reads);
  return reads;
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
