// The register tiles: a few positions times a panel of channels. Inputs are read where they lie, weights as packed.
#pragma once
#include "cpu/conv_panels.h"
#include "cpu/conv_window.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// out[i] = start + the sum over all segments of position i's elements times the panel's rows; Accumulate: out[i] += it.
template <class T, int NV, bool Accumulate>
__attribute__((noinline)) void productTile(const Segment* segments, int64_t count, const T* const* positions,
                                           const T* __restrict panel, const T* start, T* const* out) {
  constexpr int MR = kTilePositions[NV], L = lanes<T>;
  Vec<T> sums[MR][NV];
  THALWEG_UNROLL for (int i = 0; i < MR; i++) THALWEG_UNROLL for (int j = 0; j < NV; j++) {
    sums[i][j] = load((Accumulate ? out[i] : start) + j * L);
  }
  for (int64_t s = 0; s < count; s++) {
    const T* from[MR];
    THALWEG_UNROLL for (int i = 0; i < MR; i++) from[i] = positions[i] + segments[s].offset;
    for (int64_t k = 0; k < segments[s].length; k++) {
      Vec<T> row[NV];
      THALWEG_UNROLL for (int j = 0; j < NV; j++) row[j] = load(panel + j * L);
      THALWEG_UNROLL for (int i = 0; i < MR; i++) {
        const Vec<T> x = broadcast(from[i][k]);
        THALWEG_UNROLL for (int j = 0; j < NV; j++) sums[i][j] += x * row[j];
      }
      panel += NV * L;
    }
  }
  THALWEG_UNROLL for (int i = 0; i < MR; i++) THALWEG_UNROLL for (int j = 0; j < NV; j++) {
    store(out[i] + j * L, sums[i][j]);
  }
}

// One panel for all positions. valid: its channels, fewer than its vectors hold in the last panel.
template <class T, int NV>
__attribute__((noinline)) void productPanel(const Reads<T>& reads, const Segment* segments, int64_t count,
                                            const T* base, const T* panel, const T* start, T* out, int64_t valid,
                                            bool accumulate) {
  constexpr int MR = kTilePositions[NV], width = NV * lanes<T>;
  T spare[MR * width];
  int64_t p = 0;
  if (valid == width)
    for (; p + MR <= reads.count; p += MR) {
      const T* from[MR];
      T* to[MR];
      THALWEG_UNROLL for (int i = 0; i < MR; i++) {
        from[i] = base + reads.in[p + i];
        to[i] = out + reads.out[p + i];
      }
      if (accumulate) {
        productTile<T, NV, true>(segments, count, from, panel, start, to);
      } else {
        productTile<T, NV, false>(segments, count, from, panel, start, to);
      }
    }
  // Partial tiles: what is not wanted goes to spare places.
  for (; p < reads.count; p += MR) {
    const int64_t rows = std::min<int64_t>(MR, reads.count - p);
    const bool whole = valid == width;
    const T* from[MR];
    T* to[MR];
    for (int i = 0; i < MR; i++) {
      const int64_t at = p + std::min<int64_t>(i, rows - 1);
      from[i] = base + reads.in[at];
      to[i] = whole && i < rows ? out + reads.out[at] : spare + i * width;
      if (accumulate && to[i] == spare + i * width)
        for (int64_t j = 0; j < valid; j++) to[i][j] = out[reads.out[at] + j];
    }
    if (accumulate) {
      for (int i = 0; i < MR; i++)
        if (to[i] == spare + i * width)
          for (int64_t j = valid; j < width; j++) to[i][j] = 0;
      productTile<T, NV, true>(segments, count, from, panel, start, to);
    } else {
      productTile<T, NV, false>(segments, count, from, panel, start, to);
    }
    if (!whole)
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < valid; j++) out[reads.out[p + i] + j] = spare[i * width + j];
  }
}

// Sums of products over positions: to[r][j] += position p's element `offsets[r]` times row p of the panel, for MR rows.
template <class T, int MR, int NV>
__attribute__((noinline)) void outerTile(int64_t count, const int64_t* positions, const T* base, const int64_t* offsets,
                                         const T* __restrict panel, int64_t panelStep, T* to, int64_t stride) {
  constexpr int L = lanes<T>;
  Vec<T> sums[MR][NV];
  const T* from[MR];
  THALWEG_UNROLL for (int i = 0; i < MR; i++) {
    from[i] = base + offsets[i];
    THALWEG_UNROLL for (int j = 0; j < NV; j++) sums[i][j] = load(to + i * stride + j * L);
  }
  for (int64_t p = 0; p < count; p++) {
    const int64_t at = positions[p];
    Vec<T> row[NV];
    THALWEG_UNROLL for (int j = 0; j < NV; j++) row[j] = load(panel + j * L);
    THALWEG_UNROLL for (int i = 0; i < MR; i++) {
      const Vec<T> x = broadcast(from[i][at]);
      THALWEG_UNROLL for (int j = 0; j < NV; j++) sums[i][j] += x * row[j];
    }
    panel += panelStep;
  }
  THALWEG_UNROLL for (int i = 0; i < MR; i++) THALWEG_UNROLL for (int j = 0; j < NV; j++) {
    store(to + i * stride + j * L, sums[i][j]);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
