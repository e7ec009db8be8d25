// Depthwise convolutions: each channel by itself, so that vectors of channels are multiplied by vectors of weights.
#pragma once
#include "cpu/conv_forward.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kPositionsTogether = 8;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTapsTogether = 9;
#else
constexpr int kTapsTogether = 5;
#endif

inline bool isDepthwise(const Correlation& c) { return c.groups > 1 && c.cin == 1 && c.cout == 1; }

// out[i] = bias + the sum over taps of the weight's row times what position i reads, for one vector of channels.
template <class T>
THALWEG_INLINE void depthwiseVectors(const T* const* from, const Segment* taps, int64_t count, const T* weight,
                                     int64_t channels, Vec<T> bias, Vec<T> (&sums)[kPositionsTogether]) {
  THALWEG_UNROLL for (int i = 0; i < kPositionsTogether; i++) sums[i] = bias;
  for (int64_t t = 0; t < count; t++) {
    const Vec<T> w = load(weight + t * channels);
    const int64_t at = taps[t].offset;
    THALWEG_UNROLL for (int i = 0; i < kPositionsTogether; i++) sums[i] += w * load(from[i] + at);
  }
}

// weight: a row of all channels for each tap.
template <class T>
__attribute__((noinline)) void depthwisePositions(const Reads<T>& reads, const T* base, const T* weight, const T* bias,
                                                  int64_t channels, T* out) {
  constexpr int L = lanes<T>, P = kPositionsTogether;
  const int64_t whole = channels / L * L;
  for (int64_t p = 0; p < reads.count; p += P) {
    const T* from[P];
    T* to[P];
    for (int i = 0; i < P; i++) {
      const int64_t at = std::min(p + i, reads.count - 1);  // positions beyond the last repeat it
      from[i] = base + reads.in[at];
      to[i] = out + reads.out[at];
    }
    for (int64_t c = 0; c < whole; c += L) {
      Vec<T> sums[P];
      depthwiseVectors(from, reads.segments, reads.segmentCount, weight + c, channels, load(bias + c), sums);
      THALWEG_UNROLL for (int i = 0; i < P; i++) {
        store(to[i] + c, sums[i]);
        from[i] += L;
      }
    }
    for (int i = 0; i < P; i++)
      for (int64_t c = whole; c < channels; c++) {
        T sum = bias[c];
        for (int64_t t = 0; t < reads.segmentCount; t++)
          sum += weight[t * channels + c] * from[i][reads.segments[t].offset + c - whole];
        to[i][c] = sum;
      }
  }
}

template <class T>
void depthwise(Context& ctx, const Correlation& c, const Images<const T>& x, const T* weight, const T* bias,
               const Images<T>& out) {
  const int64_t channels = c.groups;
  // Grids after each other, the taps of a grid in order.
  T* packed = convScratch<T>(kSlotPacked, (c.usedTaps() + 1) * channels);
  T* start = packed + c.usedTaps() * channels;
  for (int64_t i = 0; i < channels; i++) start[i] = bias != nullptr ? bias[i] : T(0);
  for (int64_t i = 0; i < c.grids(); i++) {
    const Grid grid = c.grid(i);
    const GridLine* l = grid.line;
    T* row = packed + c.tapsBefore(grid) * channels;
    for (int64_t z = 0; z < l[0].taps; z++)
      for (int64_t y = 0; y < l[1].taps; y++)
        for (int64_t k = 0; k < l[2].taps; k++, row += channels) {
          const int64_t tap =
              ((l[0].kernel + z * l[0].kernelStep) * c.kernel[1] + l[1].kernel + y * l[1].kernelStep) * c.kernel[2] +
              l[2].kernel + k * l[2].kernelStep;
          for (int64_t o = 0; o < channels; o++) row[o] = weight[o * c.taps + tap];
        }
  }
  const Pieces pieces(c, sizeof(T), kPieceBytes, kWantedTasks);
  parallelFor(ctx.pool, pieces.count,
              static_cast<int64_t>(kTaskFlops / 4 * static_cast<double>(pieces.count) / (c.flops() + 1)) + 1,
              [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; i++) {
                  const Piece piece(c, pieces, i);
                  Window<T> window(c, x, piece);
                  if (window.suits && !window.inPlace) {
                    T* copy = convScratch<T>(kSlotWindow, window.elements(piece));
                    window.fill(c, x, piece, 0, window.rows(piece), copy);
                    window.base = copy;
                  }
                  for (int64_t g = 0; g < c.grids(); g++) {
                    const Grid grid = c.grid(g);
                    const Reads<T> reads = listReads(c, grid, piece, x, window, out.image, out.at);
                    if (reads.count == 0) continue;
                    depthwisePositions(reads, window.base, packed + c.tapsBefore(grid) * channels, start, channels,
                                       out.data);
                  }
                }
              });
}

// sums[t][c] += g[p][c] times what tap t of position p reads, for NV vectors of channels and some taps.
template <class T, int NV>
__attribute__((noinline)) void depthwiseOuter(const Reads<T>& reads, const T* base, const T* g, int64_t channels,
                                              int64_t firstTap, T* sums) {
  constexpr int L = lanes<T>, K = kTapsTogether;
  Vec<T> totals[K][NV] = {};
  const T* from[K];
  const int64_t last = reads.segmentCount - 1;
  THALWEG_UNROLL for (int t = 0; t < K; t++) from[t] = base + reads.segments[std::min(firstTap + t, last)].offset;
  for (int64_t p = 0; p < reads.count; p++, g += channels) {
    const int64_t at = reads.in[p];
    Vec<T> v[NV];
    THALWEG_UNROLL for (int j = 0; j < NV; j++) v[j] = load(g + j * L);
    THALWEG_UNROLL for (int t = 0; t < K; t++) THALWEG_UNROLL for (int j = 0; j < NV; j++) {
      totals[t][j] += v[j] * load(from[t] + at + j * L);
    }
  }
  for (int64_t t = 0; t < K && firstTap + t <= last; t++)
    for (int j = 0; j < NV; j++) {
      T* to = sums + (firstTap + t) * channels + j * L;
      store(to, load(to) + totals[t][j]);
    }
}

template <class T>
void depthwiseWeight(Context& ctx, const Correlation& c, const Images<const T>& x, const Images<const T>& g, T* out) {
  constexpr int L = lanes<T>;
  const int64_t channels = c.groups, area = c.out[0] * c.out[1] * c.out[2], size = c.taps * channels;
  const T* gradient = asChannelsLast(ctx, g, c.images, channels, area, kSlotShared);
  const Pieces pieces(c, sizeof(T), kPieceBytes, kWantedTasks);
  // Parts by size alone, each with sums of its own, which are added up in order.
  const int64_t parts = std::min(pieces.count, kWantedTasks);
  T* sums = convScratch<T>(kSlotSums, parts * size);
  for (int64_t i = 0; i < parts * size; i++) sums[i] = 0;
  const Grid grid = c.grid(0);
  parallelFor(ctx.pool, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; part++)
      for (int64_t i = pieces.count * part / parts; i < pieces.count * (part + 1) / parts; i++) {
        const Piece piece(c, pieces, i);
        Window<T> window(c, x, piece);
        if (window.suits && !window.inPlace) {
          T* copy = convScratch<T>(kSlotWindow, window.elements(piece));
          window.fill(c, x, piece, 0, window.rows(piece), copy);
          window.base = copy;
        }
        const Reads<T> reads = listReads(c, grid, piece, x, window, 0, c.in);
        if (reads.count == 0) continue;
        int64_t first = piece.begin;
        for (int d = piece.axis + 1; d < 3; d++) first *= c.out[d];
        const T* rows = gradient + (first + piece.image * area) * channels;
        T* to = sums + part * size;
        int64_t o = 0;
        for (; o + 2 * L <= channels; o += 2 * L)
          for (int64_t t = 0; t < c.taps; t += kTapsTogether)
            depthwiseOuter<T, 2>(reads, window.base + o, rows + o, channels, t, to + o);
        for (; o + L <= channels; o += L)
          for (int64_t t = 0; t < c.taps; t += kTapsTogether)
            depthwiseOuter<T, 1>(reads, window.base + o, rows + o, channels, t, to + o);
        if (o == channels) continue;
        for (int64_t t = 0; t < c.taps; t++)
          for (int64_t p = 0; p < reads.count; p++)
            for (int64_t i = o; i < channels; i++)
              to[t * channels + i] += rows[p * channels + i] * window.base[reads.in[p] + reads.segments[t].offset + i];
      }
  });
  for (int64_t o = 0; o < channels; o++)
    for (int64_t t = 0; t < c.taps; t++) {
      T sum = 0;
      for (int64_t part = 0; part < parts; part++) sum += sums[part * size + t * channels + o];
      out[o * c.taps + t] = sum;
    }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
