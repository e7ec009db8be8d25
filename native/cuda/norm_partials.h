// Moments and gradient sums of what lies in runs or in columns, cut into pieces so that many blocks have work: each
// block leaves what it found in scratch memory, and what belongs together is joined in a fixed order (norm_finish.h).
// The cuts depend on sizes only.
#pragma once
#include <algorithm>
#include <initializer_list>

#include "cuda/kernel.h"
#include "cuda/moments.h"
#include "cuda/norm_operands.h"

namespace thalweg::cuda {
namespace {

constexpr int kNormThreads = 256;
constexpr int kNormPer = 8;                                     // elements of a thread at a time
constexpr int64_t kNormBlocks = 2048;                           // as many keep any device busy
constexpr int64_t kPieceOfRun = 8192;                           // elements that are worth a block of their own
constexpr int64_t kPieceOfRows = 128;                           // rows of columns that are
constexpr int kPartialSlot = 0, kStatSlot = 1, kSlopeSlot = 2;  // of scratch memory

// Where moments or sums lie: [batch, pieces, columns]. Groups of `each` neighbouring columns belong together, and all
// pieces of them.
struct Partials {
  int64_t batch, pieces, columns, groups;

  int64_t each() const { return columns / groups; }
  int64_t count() const { return batch * pieces * columns; }
};

// -- runs
// ---------------------------------------------------------------------------------------------------------------

// [outer, groups, inner]: the `outer` runs of a group belong together.
struct Runs {
  int64_t outer, groups, inner;
  int64_t pieces = 1, piece = 0;
  bool vectors = false, narrow = false;

  Runs(int64_t outer, int64_t groups, int64_t inner) : outer(outer), groups(groups), inner(inner) {
    const int64_t elements = outer * inner;
    pieces = std::min(divideUp(elements, kPieceOfRun), divideUp(kNormBlocks, groups));
    piece = divideUp(divideUp(elements, pieces), 16) * 16;
    pieces = divideUp(elements, piece);
    narrow = elements <= INT32_MAX;
  }
  Partials partials() const { return {groups, pieces, 1, 1}; }
};

// Whether the T of all of them can be moved 16 bytes at a time, runs of `inner` being apart.
template <class T>
bool aligned(int64_t inner, std::initializer_list<const T*> pointers) {
  bool fits = inner % Pack<T>::kCount == 0;
  for (const T* p : pointers) fits = fits && isAligned(p);
  return fits;
}

// Calls f(addresses, which of them are there) for the elements of this block's piece, kNormPer at a time.
template <class T, class F>
__device__ inline void forPiece(const Runs& r, int64_t group, int64_t piece, F&& f) {
  constexpr int V = Pack<T>::kCount;
  const int64_t begin = piece * r.piece, elements = r.outer * r.inner;
  const int64_t end = begin + r.piece < elements ? begin + r.piece : elements;
  const auto addressOf = [&](int64_t e) {
    if (r.outer == 1) return group * r.inner + e;
    const int64_t run = quotient(e, r.inner, r.narrow);
    return (run * r.groups + group) * r.inner + (e - run * r.inner);
  };
  for (int64_t from = begin; from < end; from += static_cast<int64_t>(blockDim.x) * kNormPer) {
    int64_t at[kNormPer];
    bool has[kNormPer];
    THALWEG_UNROLL
    for (int k = 0; k < kNormPer; k++) {
      const int64_t e = r.vectors ? from + (static_cast<int64_t>(k / V) * blockDim.x + threadIdx.x) * V + k % V
                                  : from + static_cast<int64_t>(k) * blockDim.x + threadIdx.x;
      has[k] = e < end;
      if (r.vectors && k % V != 0)
        at[k] = at[k - 1] + 1;
      else
        at[k] = has[k] ? addressOf(e) : 0;
    }
    f(at, has);
  }
}
template <class T>
__device__ inline void loadPiece(T (&values)[kNormPer], const T* from, const int64_t (&at)[kNormPer],
                                 const bool (&has)[kNormPer], bool vectors) {
  constexpr int V = Pack<T>::kCount;
  if (vectors) {
    THALWEG_UNROLL
    for (int k = 0; k < kNormPer; k += V) {
      Pack<T> pack = {};
      if (has[k]) pack = *reinterpret_cast<const Pack<T>*>(from + at[k]);
      THALWEG_UNROLL
      for (int j = 0; j < V; j++) values[k + j] = pack.at[j];
    }
    return;
  }
  THALWEG_UNROLL
  for (int k = 0; k < kNormPer; k++) values[k] = has[k] ? from[at[k]] : T(0);
}

template <class T>
__global__ void __launch_bounds__(kNormThreads) momentsOfRunsKernel(Moments* partials, const T* x, Runs r) {
  __shared__ Moments shared[kMostWarps];
  for (int64_t unit = blockIdx.x; unit < r.groups * r.pieces; unit += gridDim.x) {
    const int64_t group = unit / r.pieces;
    Gathered<T> gathered;
    forPiece<T>(r, group, unit - group * r.pieces, [&](const auto& at, const auto& has) {
      T values[kNormPer];
      loadPiece(values, x, at, has, r.vectors);
      gathered.add(values, has);
    });
    const Moments all = joinBlock(gathered.moments(), JoinMoments(), shared);
    if (threadIdx.x == 0) partials[unit] = all;
  }
}

// mean: of group / perMean, or 0 without it. weight: of the element at each address, modulo `channels`; or 1.
template <class T>
struct RunSums {
  const T *g, *x, *mean, *weight;
  int64_t perMean, channels;
};
template <class T>
__global__ void __launch_bounds__(kNormThreads) sumsOfRunsKernel(Sums* partials, RunSums<T> t, Runs r) {
  __shared__ Sums shared[kMostWarps];
  for (int64_t unit = blockIdx.x; unit < r.groups * r.pieces; unit += gridDim.x) {
    const int64_t group = unit / r.pieces;
    const T mean = t.mean ? t.mean[group / t.perMean] : T(0);
    Sums sums = {0, 0};
    forPiece<T>(r, group, unit - group * r.pieces, [&](const auto& at, const auto& has) {
      T gs[kNormPer], xs[kNormPer], first = 0, second = 0;
      loadPiece(gs, t.g, at, has, r.vectors);
      loadPiece(xs, t.x, at, has, r.vectors);
      THALWEG_UNROLL
      for (int k = 0; k < kNormPer; k++) {
        T g = gs[k];
        if (t.weight && has[k]) g *= t.weight[at[k] % t.channels];
        first += g;
        second += has[k] ? g * (xs[k] - mean) : T(0);
      }
      sums.first += static_cast<double>(first);
      sums.second += static_cast<double>(second);
    });
    sums = joinBlock(sums, JoinSums(), shared);
    if (threadIdx.x == 0) partials[unit] = sums;
  }
}

// Short runs by a warp each.
template <class T>
__global__ void __launch_bounds__(kNormThreads) sumsOfShortRunsKernel(Sums* partials, RunSums<T> t, Runs r) {
  const Team<kWarp> team;
  for (int64_t group = team.first(); group < r.groups; group += team.step()) {
    const T mean = t.mean ? t.mean[group / t.perMean] : T(0);
    Sums sums = {0, 0};
    for (int64_t e = team.lane(); e < r.inner; e += kWarp) {
      const int64_t at = group * r.inner + e;
      const T g = t.weight ? t.g[at] * t.weight[at % t.channels] : t.g[at];
      sums.first += static_cast<double>(g);
      sums.second += static_cast<double>(g * (t.x[at] - mean));
    }
    sums = team.join(sums, JoinSums(), static_cast<Sums*>(nullptr));
    if (team.lane() == 0) partials[group] = sums;
  }
}

template <class T>
Moments* momentsOfRuns(Queue& queue, const T* x, Runs r) {
  Moments* partials = queue.scratch<Moments>(kPartialSlot, r.partials().count());
  r.vectors = aligned<T>(r.inner, {x});
  LAUNCH((momentsOfRunsKernel<T>), gridFor(queue, r.partials().count() * kNormThreads, kNormThreads), kNormThreads, 0,
         queue, partials, x, r);
  return partials;
}
template <class T>
Sums* sumsOfRuns(Queue& queue, const RunSums<T>& t, Runs r) {
  Sums* partials = queue.scratch<Sums>(kPartialSlot, r.partials().count());
  r.vectors = aligned<T>(r.inner, {t.g, t.x});
  if (r.outer == 1 && r.inner <= 512)
    LAUNCH((sumsOfShortRunsKernel<T>), gridFor(queue, r.groups * kWarp, kNormThreads), kNormThreads, 0, queue, partials,
           t, r);
  else
    LAUNCH((sumsOfRunsKernel<T>), gridFor(queue, r.partials().count() * kNormThreads, kNormThreads), kNormThreads, 0,
           queue, partials, t, r);
  return partials;
}

// -- columns
// ------------------------------------------------------------------------------------------------------------

// [batch, rows, columns]
struct Columns {
  int64_t batch, rows, columns;
  int64_t pieces = 1, piece = 0, tiles = 0;
  int width = kWarp;  // columns of a block

  Columns(int64_t batch, int64_t rows, int64_t columns) : batch(batch), rows(rows), columns(columns) {
    while (width / 2 >= columns) width /= 2;
    tiles = divideUp(columns, width);
    pieces = std::min(divideUp(rows, kPieceOfRows), divideUp(kNormBlocks, batch * tiles));
    piece = divideUp(rows, pieces);
    pieces = divideUp(rows, piece);
  }
  dim3 block() const { return dim3(static_cast<unsigned>(width), static_cast<unsigned>(kNormThreads / width)); }
  int64_t units() const { return batch * pieces * tiles; }
  int64_t count() const { return batch * pieces * columns; }
  Partials partials(int64_t groups) const { return {batch, pieces, columns, groups}; }
};

// Calls f(row of the item, ...) as forPiece does, with addresses, for a column of this block's piece of rows.
template <class F>
__device__ inline void forRowsOfPiece(const Columns& c, int64_t item, int64_t piece, int64_t column, F&& f) {
  const int64_t begin = piece * c.piece, end = begin + c.piece < c.rows ? begin + c.piece : c.rows;
  for (int64_t row = begin + threadIdx.y; row < end; row += static_cast<int64_t>(blockDim.y) * kNormPer) {
    int64_t at[kNormPer];
    bool has[kNormPer];
    THALWEG_UNROLL
    for (int k = 0; k < kNormPer; k++) {
      const int64_t r = row + static_cast<int64_t>(k) * blockDim.y;
      has[k] = r < end && column < c.columns;
      at[k] = has[k] ? (item * c.rows + r) * c.columns + column : 0;
    }
    f(at, has);
  }
}

template <class T>
__global__ void __launch_bounds__(kNormThreads) momentsOfColumnsKernel(Moments* partials, const T* x, Columns c) {
  __shared__ Moments shared[kNormThreads];
  for (int64_t unit = blockIdx.x; unit < c.batch * c.pieces * c.tiles; unit += gridDim.x) {
    const int64_t part = unit / c.tiles, item = part / c.pieces;
    const int64_t column = (unit - part * c.tiles) * c.width + threadIdx.x;
    Gathered<T> gathered;
    forRowsOfPiece(c, item, part - item * c.pieces, column, [&](const auto& at, const auto& has) {
      T values[kNormPer];
      loadPiece(values, x, at, has, false);
      gathered.add(values, has);
    });
    const Moments all = joinColumn(gathered.moments(), JoinMoments(), shared);
    if (threadIdx.y == 0 && column < c.columns) partials[part * c.columns + column] = all;
  }
}

// mean: of item * groups + column / each; or, if perMean is given, of the element's address / perMean, and then the
// second sum is that of g (x - mean) rstd.
template <class T>
struct ColumnSums {
  const T *g, *x, *mean, *rstd;
  int64_t groups, each, perMean;
};
template <class T>
__global__ void __launch_bounds__(kNormThreads) sumsOfColumnsKernel(Sums* partials, ColumnSums<T> t, Columns c) {
  __shared__ Sums shared[kNormThreads];
  for (int64_t unit = blockIdx.x; unit < c.batch * c.pieces * c.tiles; unit += gridDim.x) {
    const int64_t part = unit / c.tiles, item = part / c.pieces;
    const int64_t column = (unit - part * c.tiles) * c.width + threadIdx.x;
    const T mean = t.perMean || column >= c.columns ? T(0) : t.mean[item * t.groups + column / t.each];
    Sums sums = {0, 0};
    forRowsOfPiece(c, item, part - item * c.pieces, column, [&](const auto& at, const auto& has) {
      T gs[kNormPer], xs[kNormPer], first = 0, second = 0;
      loadPiece(gs, t.g, at, has, false);
      loadPiece(xs, t.x, at, has, false);
      THALWEG_UNROLL
      for (int k = 0; k < kNormPer; k++) {
        first += gs[k];
        if (!has[k]) continue;
        if (t.perMean) {
          const int64_t row = at[k] / t.perMean;
          second += gs[k] * ((xs[k] - (t.mean ? t.mean[row] : T(0))) * t.rstd[row]);
        } else {
          second += gs[k] * (xs[k] - mean);
        }
      }
      sums.first += static_cast<double>(first);
      sums.second += static_cast<double>(second);
    });
    sums = joinColumn(sums, JoinSums(), shared);
    if (threadIdx.y == 0 && column < c.columns) partials[part * c.columns + column] = sums;
  }
}

template <class T>
Moments* momentsOfColumns(Queue& queue, const T* x, const Columns& c) {
  Moments* partials = queue.scratch<Moments>(kPartialSlot, c.count());
  LAUNCH((momentsOfColumnsKernel<T>), gridFor(queue, c.units() * kNormThreads, kNormThreads), c.block(), 0, queue,
         partials, x, c);
  return partials;
}
template <class T>
Sums* sumsOfColumns(Queue& queue, const ColumnSums<T>& t, const Columns& c) {
  Sums* partials = queue.scratch<Sums>(kPartialSlot, c.count());
  LAUNCH((sumsOfColumnsKernel<T>), gridFor(queue, c.units() * kNormThreads, kNormThreads), c.block(), 0, queue,
         partials, t, c);
  return partials;
}

}  // namespace
}  // namespace thalweg::cuda
