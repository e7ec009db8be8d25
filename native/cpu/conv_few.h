// Convolutions of few positions, such as one small image: the weights are read once, where they lie, because packing
// them would take longer than the products do.
//
// Forward: what each position reads is gathered in the order of the weights, and is multiplied by them as a matrix.
// Transposed: each position of the input is multiplied by all taps of all output channels, and the products are added
// to the positions that they belong to.
#pragma once
#include "cpu/conv_window.h"
#include "cpu/gemm.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Scratch of the calling thread, where gemm leaves it alone.
constexpr int kSlotPatches = kScratchOfCallers, kSlotInput = kScratchOfCallers + 1;
constexpr int64_t kGatherGrain = int64_t{1} << 15;  // elements that are worth a task

// The elements that are moved beside the products decide: of the patches here, of the weights where they are packed.
// A patch element is written by itself, weights go in vectors.
constexpr int64_t kWeightsForPatch = 4;
inline bool fewPositions(const ConvShape& s) {
  const bool depthwise = s.groups > 1 && s.cin == 1 && s.cout == 1;
  return !depthwise && kWeightsForPatch * s.images * s.outSize <= s.cout;
}
// Products here; all of the weights once for each grid where they are packed. Both go in vectors.
inline bool fewPositionsTransposed(const ConvShape& s) {
  const bool depthwise = s.groups > 1 && s.cin == 1 && s.cout == 1;
  int64_t grids = 1;
  for (int d = 0; d < 3; d++) grids *= std::min(s.stride[d], s.in[d]);
  return !depthwise && s.images * s.outSize <= grids * s.cout;
}

// Position i of a grid of `size` positions, along each dimension.
struct Place {
  int64_t image, at[3];
  Place(int64_t i, const int64_t* size) {
    for (int d = 2; d >= 0; d--) {
      at[d] = i % size[d];
      i /= size[d];
    }
    image = i;
  }
};

// Calls f(tap, z, y, x) for the taps with which position j of the result meets the image, at (z, y, x) of it.
template <class F>
THALWEG_INLINE void forTapsInside(const ConvShape& s, const int64_t* j, F&& f) {
  int64_t first[3], begin[3], end[3];
  for (int d = 0; d < 3; d++) {
    first[d] = j[d] * s.stride[d] - s.padding[d];
    begin[d] = first[d] >= 0 ? 0 : std::min(divideUp(-first[d], s.dilation[d]), s.kernel[d]);
    end[d] = s.in[d] > first[d] ? std::min(divideUp(s.in[d] - first[d], s.dilation[d]), s.kernel[d]) : 0;
  }
  for (int64_t z = begin[0]; z < end[0]; z++)
    for (int64_t y = begin[1]; y < end[1]; y++)
      for (int64_t x = begin[2]; x < end[2]; x++)
        f((z * s.kernel[1] + y) * s.kernel[2] + x, first[0] + z * s.dilation[0], first[1] + y * s.dilation[1],
          first[2] + x * s.dilation[2]);
}

// out = bias, at all positions, or zero.
template <class T>
void startPositions(const Images<T>& out, int64_t positions, int64_t channels, const T* bias) {
  for (int64_t p = 0; p < positions; p++) {
    T* to = out.data + p * channels;
    if (bias != nullptr) {
      std::memcpy(to, bias, static_cast<size_t>(channels) * sizeof(T));
    } else {
      std::memset(to, 0, static_cast<size_t>(channels) * sizeof(T));
    }
  }
}

// out [positions, groups * cout] = bias + patches [positions, groups, cin * taps] by the weights
// [groups * cout, cin * taps]; out is channels-last.
template <class T>
void convolveFew(Context& ctx, const ConvShape& s, const Images<const T>& x, const T* weight, const T* bias,
                 const Images<T>& out) {
  const int64_t positions = s.images * s.outSize, length = s.cin * s.taps, channels = s.groups * s.cin;
  const int64_t row = s.groups * length, outputs = s.groups * s.cout;
  T* patches = convScratch<T>(kSlotPatches, positions * row);
  parallelFor(ctx.pool, positions, kGatherGrain / row + 1, [&](int64_t begin, int64_t end) {
    std::memset(patches + begin * row, 0, static_cast<size_t>((end - begin) * row) * sizeof(T));
    for (int64_t p = begin; p < end; p++) {
      const Place place(p, s.out);
      forTapsInside(s, place.at, [&](int64_t tap, int64_t z, int64_t y, int64_t column) {
        const T* from = x.data + place.image * x.image + z * x.at[0] + y * x.at[1] + column * x.at[2];
        T* to = patches + p * row + tap;
        for (int64_t c = 0; c < channels; c++) to[c * s.taps] = from[c * x.channel];
      });
    }
  });
  startPositions(out, positions, outputs, bias);
  for (int64_t g = 0; g < s.groups; g++)
    gemm(ctx.pool, Product<T>{positions, s.cout, length, patches + g * length, row, 1, weight + g * s.cout * length, 1,
                              length, out.data + g * s.cout, outputs, true});
}

// x and out change places: x has the positions s.out and s.cout channels, out the positions s.in and s.cin channels.
// out[place, channel] = bias + the sum over positions and taps that meet there of products[position, channel, tap].
template <class T>
void addProducts(Context& ctx, const ConvShape& s, const T* products, int64_t group, const Images<T>& out) {
  constexpr int L = lanes<T>;
  const int64_t positions = s.images * s.outSize, row = s.cin * s.taps;
  const T* end = products + positions * row;
  // Positions meet at places, so the channels are what tasks divide.
  const int64_t vectors = divideUp(s.cin, L);
  parallelFor(ctx.pool, vectors, kGatherGrain / (positions * L * s.taps) + 1, [&](int64_t begin, int64_t last) {
    T* turned = convScratch<T>(kSlotSegments, s.taps * L);
    for (int64_t p = 0; p < positions; p++) {
      const Place place(p, s.out);
      for (int64_t v = begin; v < last; v++) {
        const int n = static_cast<int>(std::min<int64_t>(L, s.cin - v * L));
        for (int64_t t = 0; t < s.taps; t += L)
          forColumns(products + p * row + v * L * s.taps + t, s.taps, n,
                     static_cast<int>(std::min<int64_t>(L, s.taps - t)), end,
                     [&](int j, Vec<T> vector) { store(turned + (t + j) * L, vector); });
        T* corner = out.data + place.image * out.image + group * s.cin + v * L;
        forTapsInside(s, place.at, [&](int64_t tap, int64_t z, int64_t y, int64_t column) {
          T* to = corner + z * out.at[0] + y * out.at[1] + column * out.at[2];
          const Vec<T> add = load(turned + tap * L);
          if (n == L) {
            store(to, load(to) + add);
          } else {
            for (int i = 0; i < n; i++) to[i] += add[i];
          }
        });
      }
    }
  });
}

template <class T>
void convolveFewTransposed(Context& ctx, const ConvShape& s, const Images<const T>& x, const T* weight, const T* bias,
                           const Images<T>& out) {
  const int64_t positions = s.images * s.outSize, row = s.cin * s.taps, inputs = s.groups * s.cout;
  const T* rows = asChannelsLast(ctx, x, s.images, inputs, s.outSize, kSlotInput);
  T* products = convScratch<T>(kSlotPatches, positions * row);
  startPositions(out, s.images * s.inSize, s.groups * s.cin, bias);
  for (int64_t g = 0; g < s.groups; g++) {
    gemm(ctx.pool, Product<T>{positions, row, s.cout, rows + g * s.cout, inputs, 1, weight + g * s.cout * row, row, 1,
                              products, row});
    addProducts(ctx, s, products, g, out);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
