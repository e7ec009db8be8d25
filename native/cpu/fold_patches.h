// Walks over the patches of contiguous images.
#pragma once
#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Where the taps of a patch row lie: for each of `channels` channels and each tap a row, in it the positions [p0, p1)
// in runs along the last dimension. Calls run(row, column, n, begin, end, offset): of the n columns from `column`,
// those of [begin, end) are in x, the first of them at `offset`; the others are padding.
template <class Run>
THALWEG_INLINE void forPatchRuns(const ConvShape& s, int64_t channels, int64_t p0, int64_t p1, Run&& run) {
  const int64_t width = s.out[2], step = s.stride[2];
  const int64_t x0 = p0 % width, y0 = p0 / width % s.out[1], z0 = p0 / width / s.out[1];
  int64_t row = 0;
  for (int64_t c = 0; c < channels; c++)
    for (int64_t kz = 0; kz < s.kernel[0]; kz++)
      for (int64_t ky = 0; ky < s.kernel[1]; ky++)
        for (int64_t kx = 0; kx < s.kernel[2]; kx++, row++) {
          const int64_t base = kx * s.dilation[2] - s.padding[2];
          const int64_t low = base >= 0 ? 0 : divideUp(-base, step);
          const int64_t high = base >= s.in[2] ? 0 : divideUp(s.in[2] - base, step);
          int64_t ox = x0, oy = y0, oz = z0;
          for (int64_t at = p0; at < p1;) {
            const int64_t n = std::min(width - ox, p1 - at);
            const int64_t iz = oz * s.stride[0] - s.padding[0] + kz * s.dilation[0];
            const int64_t iy = oy * s.stride[1] - s.padding[1] + ky * s.dilation[1];
            int64_t begin = 0, end = 0, offset = 0;
            if (iz >= 0 && iz < s.in[0] && iy >= 0 && iy < s.in[1]) {
              begin = std::min(std::max(low - ox, int64_t{0}), n);
              end = std::max(begin, std::min(high - ox, n));
              offset = ((c * s.in[0] + iz) * s.in[1] + iy) * s.in[2] + (ox + begin) * step + base;
            }
            run(row, at - p0, n, begin, end, offset);
            at += n;
            ox = 0;
            if (++oy == s.out[1]) {
              oy = 0;
              oz++;
            }
          }
        }
}

// The patch matrix of `channels` channels from x on, positions [p0, p1): a row for each channel and tap.
template <class T>
__attribute__((noinline)) void gatherPatches(const ConvShape& s, const T* x, int64_t channels, int64_t p0, int64_t p1,
                                             T* tile, int64_t ld) {
  const int64_t step = s.stride[2];
  forPatchRuns(s, channels, p0, p1,
               [=](int64_t row, int64_t column, int64_t n, int64_t begin, int64_t end, int64_t offset) {
                 T* to = tile + row * ld + column;
                 for (int64_t i = 0; i < begin; i++) to[i] = 0;
                 if (begin < end) {
                   const T* from = x + offset;
                   if (step == 1) {
                     for (int64_t i = begin; i < end; i++) to[i] = from[i - begin];
                   } else {
                     for (int64_t i = begin; i < end; i++) to[i] = from[(i - begin) * step];
                   }
                 }
                 for (int64_t i = end; i < n; i++) to[i] = 0;
               });
}

// The reverse: adds the patch matrix to the places that its elements came from.
template <class T>
__attribute__((noinline)) void addPatches(const ConvShape& s, T* x, int64_t channels, int64_t p0, int64_t p1,
                                          const T* tile, int64_t ld) {
  const int64_t step = s.stride[2];
  forPatchRuns(s, channels, p0, p1,
               [=](int64_t row, int64_t column, int64_t, int64_t begin, int64_t end, int64_t offset) {
                 if (begin >= end) return;
                 const T* __restrict from = tile + row * ld + column + begin;
                 T* __restrict to = x + offset;
                 const int64_t n = end - begin;
                 if (step == 1) {
                   for (int64_t i = 0; i < n; i++) to[i] += from[i];
                 } else {
                   for (int64_t i = 0; i < n; i++) to[i * step] += from[i];
                 }
               });
}

template <class T>
void fillRows(T* out, int64_t rows, int64_t n, int64_t stride, const T* bias) {
  for (int64_t r = 0; r < rows; r++) {
    const T value = bias != nullptr ? bias[r] : T(0);
    for (int64_t i = 0; i < n; i++) out[r * stride + i] = value;
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
