// From tiles of channels-last images to values at the points of Winograd's algorithm, and from gradients. Points says
// how many there are in each dimension, kPatch, and evaluates lines of a tile at them: `input` kPatch inputs,
// `gradient` kTile gradients of results. Tiles finds the elements of a tile. See conv_winograd.h and conv_strided.h.
#pragma once
#include "cpu/conv_forward.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int kTile = 4;  // results of a tile, in each dimension

using V = Vec<float>;

template <class Points, class Tiles>
__attribute__((noinline)) void transformInput(const Tiles& tiles, const float* x, int64_t tile, const float* zeros,
                                              float* to, int64_t plane) {
  constexpr int L = lanes<float>, kPatch = Points::kPatch;
  const float* from[kPatch * kPatch];
  tiles.find(x, tile, kPatch, zeros, from);
  for (int64_t c = 0; c < tiles.channels; c += L) {
    V columns[kPatch * kPatch];
    THALWEG_UNROLL for (int j = 0; j < kPatch; j++) {
      V d[kPatch];
      THALWEG_UNROLL for (int i = 0; i < kPatch; i++) d[i] = load(from[i * kPatch + j] + c);
      Points::input(d, 1, columns + j, kPatch);
    }
    THALWEG_UNROLL for (int i = 0; i < kPatch; i++) {
      V row[kPatch];
      Points::input(columns + i * kPatch, 1, row, 1);
      THALWEG_UNROLL for (int j = 0; j < kPatch; j++) store(to + (i * kPatch + j) * plane + c, row[j]);
    }
  }
}

// Channel o of point q goes to to[q * plane + place(o)].
template <class Points, class Tiles, class Place>
__attribute__((noinline)) void transformGradient(const Tiles& tiles, const float* g, int64_t tile, const float* zeros,
                                                 float* to, int64_t plane, const Place& place) {
  constexpr int L = lanes<float>, kPatch = Points::kPatch;
  const float* from[kTile * kTile];
  tiles.find(g, tile, kTile, zeros, from);
  for (int64_t c = 0; c < tiles.channels; c += L) {
    V columns[kPatch * kTile];
    THALWEG_UNROLL for (int j = 0; j < kTile; j++) {
      V d[kTile];
      THALWEG_UNROLL for (int i = 0; i < kTile; i++) d[i] = load(from[i * kTile + j] + c);
      Points::gradient(d, 1, columns + j, kTile);
    }
    float* at = to + place(c);
    THALWEG_UNROLL for (int i = 0; i < kPatch; i++) {
      V row[kPatch];
      Points::gradient(columns + i * kTile, 1, row, 1);
      THALWEG_UNROLL for (int j = 0; j < kPatch; j++) store(at + (i * kPatch + j) * plane, row[j]);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
