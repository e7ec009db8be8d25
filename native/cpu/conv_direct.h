// Convolutions whose groups have one input channel (depthwise ones above all), without a product of matrices.
//
// The plane of a channel is copied into scratch memory with its padding, each row's columns dealt out by their
// remainder modulo the stride: then a tap is an offset, and what neighbouring outputs read lies side by side whatever
// the stride.
#pragma once
#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kRowsAtOnce = 4;          // output rows, for as many independent sums
constexpr int64_t kChannelsAtOnce = 8;  // output channels of a task

template <class T>
struct Plane {
  static constexpr int L = lanes<T>;
  int64_t height, phase, row, size;  // phase: elements of a row that have one remainder; row: all of a row

  explicit Plane(const ConvShape& s) {
    const auto extent = [&](int d) { return (s.out[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1; };
    height = extent(1);
    phase = divideUp(extent(2), s.stride[2]);
    row = phase * s.stride[2];
    const double elements = static_cast<double>(extent(0)) * static_cast<double>(height) * static_cast<double>(row);
    // Not much larger than what it is made from, as it would be with a wide padding or dilation.
    suits = s.cin == 1 && elements <= 4.0 * static_cast<double>(s.inSize + s.outSize) + 65536;
    size = suits ? extent(0) * height * row : 0;
  }

  bool suits;

  // The offsets of the taps.
  const int64_t* offsets(const ConvShape& s) const {
    int64_t* offsets = convScratch<int64_t>(kSlotTaps, s.taps);
    int64_t t = 0;
    for (int64_t kz = 0; kz < s.kernel[0]; kz++)
      for (int64_t ky = 0; ky < s.kernel[1]; ky++)
        for (int64_t kx = 0; kx < s.kernel[2]; kx++) {
          const int64_t x = kx * s.dilation[2];
          offsets[t++] =
              (kz * s.dilation[0] * height + ky * s.dilation[1]) * row + x % s.stride[2] * phase + x / s.stride[2];
        }
    return offsets;
  }
  // Where the output row (z, y) begins.
  int64_t start(const ConvShape& s, int64_t z, int64_t y) const {
    return (z * s.stride[0] * height + y * s.stride[1]) * row;
  }
  T* empty() const {
    // A vector at the last place reads beyond the end.
    T* plane = convScratch<T>(kSlotPlane, size + L);
    for (int64_t i = 0; i < size + L; i++) plane[i] = 0;
    return plane;
  }

  // Calls f(row of the plane, x's row) for the rows that are in both, and forColumns the same in a row.
  template <class F>
  void forRows(const ConvShape& s, F&& f) const {
    const int64_t depth = size / (height * row);
    for (int64_t z = 0; z < s.in[0] && z + s.padding[0] < depth; z++)
      for (int64_t y = 0; y < s.in[1] && y + s.padding[1] < height; y++)
        f(((z + s.padding[0]) * height + y + s.padding[1]) * row, (z * s.in[1] + y) * s.in[2]);
  }
  template <class F>
  void forColumns(const ConvShape& s, F&& f) const {
    const int64_t step = s.stride[2];
    const int64_t n = std::min(s.in[2], row - s.padding[2]);
    if (step == 1) {
      for (int64_t i = 0; i < n; i++) f(i + s.padding[2], i);
      return;
    }
    for (int64_t r = 0; r < step; r++) {
      // The first column whose padded place has remainder r.
      const int64_t first = ((r - s.padding[2]) % step + step) % step;
      int64_t at = r * phase + (first + s.padding[2]) / step;
      for (int64_t i = first; i < n; i += step) f(at++, i);
    }
  }

  const T* load(const ConvShape& s, const T* x) const {
    T* plane = empty();
    forRows(s, [&](int64_t to, int64_t from) {
      T* __restrict target = plane + to;
      const T* __restrict source = x + from;
      forColumns(s, [=](int64_t i, int64_t j) { target[i] = source[j]; });
    });
    return plane;
  }
  void store(const ConvShape& s, const T* plane, T* x, T bias) const {
    fillRows(x, 1, s.inSize, 0, &bias);
    forRows(s, [&](int64_t from, int64_t to) {
      T* __restrict target = x + to;
      const T* __restrict source = plane + from;
      forColumns(s, [=](int64_t i, int64_t j) { target[j] += source[i]; });
    });
  }
};

template <class T>
__attribute__((noinline)) void directChannel(const ConvShape& s, const Plane<T>& plane, const T* x,
                                             const int64_t* offsets, const T* weight, T bias, T* out) {
  constexpr int L = lanes<T>;
  const int64_t width = s.out[2];
  for (int64_t z = 0; z < s.out[0]; z++) {
    for (int64_t y = 0; y < s.out[1]; y += kRowsAtOnce) {
      // Behind the last row it is computed again.
      const T* from[kRowsAtOnce];
      T* to[kRowsAtOnce];
      for (int r = 0; r < kRowsAtOnce; r++) {
        const int64_t line = std::min(y + r, s.out[1] - 1);
        from[r] = x + plane.start(s, z, line);
        to[r] = out + (z * s.out[1] + line) * width;
      }
      for (int64_t i = 0; i < width; i += L) {
        Vec<T> sums[kRowsAtOnce];
        THALWEG_UNROLL for (int r = 0; r < kRowsAtOnce; r++) sums[r] = broadcast(bias);
        for (int64_t t = 0; t < s.taps; t++) {
          const Vec<T> w = broadcast(weight[t]);
          const int64_t at = offsets[t] + i;
          THALWEG_UNROLL for (int r = 0; r < kRowsAtOnce; r++) sums[r] += w * load(from[r] + at);
        }
        const int n = static_cast<int>(std::min<int64_t>(L, width - i));
        for (int r = 0; r < kRowsAtOnce; r++) {
          if (n == L) {
            store(to[r] + i, sums[r]);
          } else {
            storePartial(to[r] + i, sums[r], n);
          }
        }
      }
    }
  }
}

template <class T>
void directForward(Context& ctx, const ConvShape& s, const Plane<T>& plane, T* out, const T* x, const T* weight,
                   const T* bias) {
  const int64_t pieces = divideUp(s.cout, kChannelsAtOnce), tasks = s.images * s.groups * pieces;
  parallelFor(ctx.pool, tasks, convGrain(s, tasks), [&](int64_t begin, int64_t end) {
    const int64_t* offsets = plane.offsets(s);
    for (int64_t task = begin; task < end; task++) {
      const int64_t channel = task / pieces, first = task % pieces * kChannelsAtOnce;
      const T* padded = plane.load(s, x + channel * s.inSize);
      for (int64_t m = first; m < std::min(s.cout, first + kChannelsAtOnce); m++) {
        const int64_t o = channel % s.groups * s.cout + m;
        directChannel(s, plane, padded, offsets, weight + o * s.taps, bias != nullptr ? bias[o] : T(0),
                      out + (channel * s.cout + m) * s.outSize);
      }
    }
  });
}

template <class T>
__attribute__((noinline)) void directBackwardChannel(const ConvShape& s, const Plane<T>& plane, T* x,
                                                     const int64_t* offsets, const T* weight, const T* g) {
  const int64_t width = s.out[2];
  for (int64_t z = 0; z < s.out[0]; z++)
    for (int64_t y = 0; y < s.out[1]; y++, g += width) {
      T* row = x + plane.start(s, z, y);
      for (int64_t t = 0; t < s.taps; t++) {
        T* __restrict to = row + offsets[t];
        const T* __restrict from = g;
        const T w = weight[t];
        for (int64_t i = 0; i < width; i++) to[i] += w * from[i];
      }
    }
}

template <class T>
void directBackwardData(Context& ctx, const ConvShape& s, const Plane<T>& plane, T* out, const T* g, const T* weight,
                        const T* bias) {
  const int64_t tasks = s.images * s.groups;
  parallelFor(ctx.pool, tasks, convGrain(s, tasks), [&](int64_t begin, int64_t end) {
    const int64_t* offsets = plane.offsets(s);
    for (int64_t task = begin; task < end; task++) {
      const int64_t group = task % s.groups;
      T* padded = plane.empty();
      for (int64_t m = 0; m < s.cout; m++)
        directBackwardChannel(s, plane, padded, offsets, weight + (group * s.cout + m) * s.taps,
                              g + (task * s.cout + m) * s.outSize);
      plane.store(s, padded, out + task * s.inSize, bias != nullptr ? bias[group] : T(0));
    }
  });
}

// g: rows of whole vectors, the last filled up.
template <class T>
__attribute__((noinline)) void directBackwardTaps(const ConvShape& s, const Plane<T>& plane, const T* x,
                                                  const int64_t* offsets, const T* g, T* out) {
  constexpr int L = lanes<T>, kTaps = 4;
  const int64_t width = s.out[2], vectors = divideUp(width, L);
  Vec<T> last;  // 1 in the lanes of a last vector that count
  for (int i = 0; i < L; i++) last[i] = (vectors - 1) * L + i < width ? T(1) : T(0);
  for (int64_t t = 0; t < s.taps; t += kTaps) {
    Vec<T> sums[kTaps] = {};
    int64_t at[kTaps];
    for (int k = 0; k < kTaps; k++) at[k] = offsets[std::min(t + k, s.taps - 1)];
    const T* from = g;
    for (int64_t z = 0; z < s.out[0]; z++)
      for (int64_t y = 0; y < s.out[1]; y++) {
        const T* row = x + plane.start(s, z, y);
        for (int64_t i = 0; i + 1 < vectors; i++, from += L, row += L) {
          const Vec<T> v = load(from);
          THALWEG_UNROLL for (int k = 0; k < kTaps; k++) sums[k] += v * load(row + at[k]);
        }
        // A product with what lies beside the row would not be 0 if that is infinite.
        const Vec<T> v = load(from), none{};
        from += L;
        THALWEG_UNROLL for (int k = 0; k < kTaps; k++) sums[k] += v * (last != none ? load(row + at[k]) : none);
      }
    for (int k = 0; k < kTaps && t + k < s.taps; k++) {
      T total = 0;
      for (int i = 0; i < L; i++) total += sums[k][i];
      out[t + k] += total;
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
