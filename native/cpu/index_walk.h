// What the kernels that read and write at places named by an index share: walks, checks, and writing in order.
//
// They walk positions of the index. Along its own dimension a place is index value times stride; along the others it
// moves with the position. So a walk carries three offsets, and the dimension in question has stride 0 in the third.
#pragma once
#include <algorithm>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "operands/index.h"

namespace thalweg::cpu::THALWEG_ISA {

constexpr int64_t kGrain = 16384;

// -- walks ------------------------------------------------------------------------------------------------------------

constexpr int kOperands = 3;  // values (out or src), index, places (x or the accumulating out)

struct Walk {
  int ndim = 0;
  int64_t shape[kMaxDims];
  int64_t strides[kMaxDims][kOperands];

  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }
  // Appends a dimension, merged with the one before where the three operands allow it.
  void add(int64_t size, int64_t values, int64_t index, int64_t places) {
    if (size == 1) return;
    const int64_t added[kOperands] = {values, index, places};
    bool merges = ndim > 0;
    for (int k = 0; k < kOperands && merges; k++) merges = strides[ndim - 1][k] == added[k] * size;
    if (!merges) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int k = 0; k < kOperands; k++) strides[ndim - 1][k] = added[k];
  }
  // A walk over nothing but one position has one dimension too.
  void finish() {
    if (ndim > 0) return;
    ndim = 1;
    shape[0] = 1;
    for (int k = 0; k < kOperands; k++) strides[0][k] = 0;
  }
};

struct Offsets {
  int64_t values = 0, index = 0, places = 0;
};

// Calls f(offsets, length) for the runs along the last dimension of positions [begin, begin + n).
template <class F>
THALWEG_INLINE void forWalk(const Walk& walk, int64_t begin, int64_t n, F&& f) {
  const int last = walk.ndim - 1;
  int64_t position[kMaxDims];
  Offsets at;
  const auto move = [&](int d, int64_t steps) {
    at.values += steps * walk.strides[d][0];
    at.index += steps * walk.strides[d][1];
    at.places += steps * walk.strides[d][2];
  };
  for (int d = last; d >= 0; d--) {
    position[d] = d > 0 ? begin % walk.shape[d] : begin;
    begin /= walk.shape[d];
    move(d, position[d]);
  }
  for (;;) {
    const int64_t left = walk.shape[last] - position[last];
    const int64_t run = left < n ? left : n;
    f(at, run);
    n -= run;
    if (n <= 0) return;
    move(last, -position[last]);
    position[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      move(d, 1);
      if (++position[d] < walk.shape[d] || d == 0) break;
      move(d, -walk.shape[d]);
      position[d] = 0;
    }
  }
}

// -- checks -----------------------------------------------------------------------------------------------------------

// The dimension that index values select from; in messages.
struct Selected {
  const char* op;
  int64_t dim, size, stride;
};

[[noreturn]] __attribute__((noinline, cold)) inline void outOfRange(const Selected& selected, int64_t value) {
  fail(ErrorKind::Index, "%s: index %lld is out of range for dimension %lld of size %lld", selected.op,
       static_cast<long long>(value), static_cast<long long>(selected.dim), static_cast<long long>(selected.size));
}

template <class I>
THALWEG_INLINE int64_t placeOf(const Selected& selected, I value) {
  if (static_cast<uint64_t>(int64_t{value}) >= static_cast<uint64_t>(selected.size)) outOfRange(selected, value);
  return value * selected.stride;
}

// -- writing ----------------------------------------------------------------------------------------------------------

// Positions that differ in `apart` never meet in one place, so they may run on different threads. Those that differ
// only in `ordered` may, and are combined in order: `combine(place, value)`.
template <class T, class I, class Combine>
void put(Context& ctx, const Walk& apart, const Walk& ordered, T* out, const I* index, const T* src,
         const Selected& selected, Combine&& combine) {
  const int64_t n = ordered.numel();
  const int64_t* across = apart.strides[apart.ndim - 1];
  const int64_t* along = ordered.strides[ordered.ndim - 1];
  const int64_t src1 = across[0], index1 = across[1], out1 = across[2];
  const int64_t src2 = along[0], index2 = along[1];
  // Every piece reads the whole index, so where the index is the same for a row, a piece is not too small a part of it.
  int64_t grain = std::max<int64_t>(1, 2 * kGrain / n);
  if (index1 == 0) grain = std::max<int64_t>(grain, 64);
  parallelFor(ctx.pool, apart.numel(), grain, [&](int64_t begin, int64_t end) {
    forWalk(apart, begin, end - begin, [&](const Offsets& outer, int64_t rows) {
      forWalk(ordered, 0, n, [&](const Offsets& inner, int64_t columns) {
        const T* from = src + outer.values + inner.values;
        const I* which = index + outer.index + inner.index;
        T* to = out + outer.places;
        if (index1 == 0) {
          for (int64_t j = 0; j < columns; j++) {
            T* place = to + placeOf(selected, which[j * index2]);
            const T* row = from + j * src2;
            if (src1 == 1 && out1 == 1) {
              for (int64_t i = 0; i < rows; i++) combine(place[i], row[i]);
            } else {
              for (int64_t i = 0; i < rows; i++) combine(place[i * out1], row[i * src1]);
            }
          }
        } else if (src2 < src1) {
          for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
              combine(to[placeOf(selected, which[i * index1 + j * index2]) + i * out1], from[i * src1 + j * src2]);
        } else {
          for (int64_t j = 0; j < columns; j++)
            for (int64_t i = 0; i < rows; i++)
              combine(to[placeOf(selected, which[i * index1 + j * index2]) + i * out1], from[i * src1 + j * src2]);
        }
      });
    });
  });
}

// Checks the operands, plans the walks and calls write(apart, ordered, out, index, src, selected), unless there is
// nothing.
template <class F>
void scatterWith(const char* op, const TensorView& outView, const TensorView& indexView, const TensorView& srcView,
                 int64_t dim, F&& write) {
  const TensorView out = atLeast1d(outView), index = atLeast1d(indexView), src = atLeast1d(srcView);
  checkScatter(op, out, index, src, dim);
  if (index.numel() == 0) return;
  Walk apart, ordered;
  for (int d = 0; d < index.ndim; d++) {
    if (d == dim)
      ordered.add(index.shape[d], src.strides[d], index.strides[d], 0);
    else
      apart.add(index.shape[d], src.strides[d], index.strides[d], out.strides[d]);
  }
  apart.finish();
  ordered.finish();
  write(apart, ordered, out, index, src, Selected{op, dim, out.shape[dim], out.strides[dim]});
}

}  // namespace thalweg::cpu::THALWEG_ISA
