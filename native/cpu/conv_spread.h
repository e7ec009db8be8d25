// The transpose of a convolution to few channels, such as the images that a network makes: a vector of output channels
// would be mostly empty. So each position of y is multiplied with the weights of all taps at once, and what comes out
// is added to the result around it.
#pragma once
#include "cpu/conv_tile.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kSpreadPositions = 96;  // taken at once

// Each image is a task, so there must be some.
template <class T>
bool spreadSuits(const ConvShape& s) {
  return s.groups == 1 && s.images >= 4 && s.cin <= lanes<T> / 2 && s.cout >= 16 && s.taps * s.cin >= lanes<T> / 2;
}

// Adds a position's products, [taps, channels], to the image.
template <class T>
void addTaps(const ConvShape& s, int64_t position, const T* __restrict products, T* __restrict image) {
  const int64_t at[3] = {position / (s.out[1] * s.out[2]), position / s.out[2] % s.out[1], position % s.out[2]};
  int64_t low[3];
  for (int d = 0; d < 3; d++) low[d] = at[d] * s.stride[d] - s.padding[d];
  for (int64_t kz = 0; kz < s.kernel[0]; kz++) {
    const int64_t z = low[0] + kz * s.dilation[0];
    if (z < 0 || z >= s.in[0]) continue;
    for (int64_t ky = 0; ky < s.kernel[1]; ky++) {
      const int64_t y = low[1] + ky * s.dilation[1];
      if (y < 0 || y >= s.in[1]) continue;
      const T* from = products + (kz * s.kernel[1] + ky) * s.kernel[2] * s.cin;
      T* row = image + (z * s.in[1] + y) * s.in[2] * s.cin;
      if (s.dilation[2] == 1) {
        // The taps of a row meet neighbours.
        const int64_t begin = std::max<int64_t>(0, -low[2]), end = std::min(s.kernel[2], s.in[2] - low[2]);
        T* to = row + low[2] * s.cin;
        for (int64_t i = begin * s.cin; i < end * s.cin; i++) to[i] += from[i];
        continue;
      }
      for (int64_t kx = 0; kx < s.kernel[2]; kx++) {
        const int64_t x = low[2] + kx * s.dilation[2];
        if (x < 0 || x >= s.in[2]) continue;
        for (int64_t i = 0; i < s.cin; i++) row[x * s.cin + i] += from[kx * s.cin + i];
      }
    }
  }
}

template <class T>
void spread(Context& ctx, const ConvShape& s, const Images<const T>& y, const T* weight, const T* bias, T* out) {
  const int64_t columns = s.taps * s.cin;
  const Panels<T> panels(columns);
  const int64_t padded = panels.padded();
  // In panels, a row for each channel of y: all taps, and for each tap the channels of the result. Zeros behind.
  T* packed = convScratch<T>(kSlotPacked, (s.cout + 1) * padded);
  T* zeros = packed + s.cout * padded;
  for (int64_t i = 0; i < padded; i++) zeros[i] = 0;
  for (int64_t p = 0; p < panels.count; p++) {
    const int64_t width = panels.width(p) * lanes<T>, first = panels.first(p);
    T* to = packed + first * s.cout;
    for (int64_t c = 0; c < s.cout; c++)
      for (int64_t j = 0; j < width; j++) {
        const int64_t tap = (first + j) / s.cin, channel = (first + j) % s.cin;
        *to++ = first + j < columns ? weight[c * columns + channel * s.taps + tap] : T(0);
      }
  }
  const T* input = asChannelsLast(ctx, y, s.images, s.cout, s.outSize, kSlotShared);
  int64_t* places = convScratch<int64_t>(kSlotTable, 2 * kSpreadPositions);
  for (int64_t i = 0; i < kSpreadPositions; i++) {
    places[i] = i * s.cout;
    places[kSpreadPositions + i] = i * padded;
  }
  constexpr int64_t most = kProductBytes / static_cast<int64_t>(sizeof(T));
  const int64_t segments = divideUp(s.cout, most);
  // Positions of a row that are so far apart add to different places: the processor need not wait for what it has just
  // written.
  const int64_t apart = divideUp((s.kernel[2] - 1) * s.dilation[2] + 1, s.stride[2]);
  parallelFor(ctx.pool, s.images, 1, [&](int64_t begin, int64_t end) {
    T* products = convScratch<T>(kSlotWindow, kSpreadPositions * padded);
    for (int64_t n = begin; n < end; n++) {
      T* image = out + n * s.inSize * s.cin;
      for (int64_t i = 0; i < s.inSize; i++)
        for (int64_t c = 0; c < s.cin; c++) image[i * s.cin + c] = bias != nullptr ? bias[c] : T(0);
      for (int64_t first = 0; first < s.outSize; first += kSpreadPositions) {
        Reads<T> reads;
        reads.count = std::min(kSpreadPositions, s.outSize - first);
        reads.in = places;
        reads.out = places + kSpreadPositions;
        for (int64_t i = 0; i < segments; i++) {
          const int64_t from = s.cout * i / segments;
          const Segment segment{from, s.cout * (i + 1) / segments - from};
          for (int64_t p = 0; p < panels.count; p++)
            withVectors(panels.width(p), [&](auto vectors) {
              constexpr int64_t width = vectors.value * lanes<T>;
              productPanel<T, vectors.value>(reads, &segment, 1, input + (n * s.outSize + first) * s.cout,
                                             packed + panels.first(p) * s.cout + from * width, zeros,
                                             products + panels.first(p), width, i > 0);
            });
        }
        for (int64_t k = 0; k < apart; k++)
          for (int64_t i = k; i < reads.count; i += apart) addTaps(s, first + i, products + i * padded, image);
      }
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
