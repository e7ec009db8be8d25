// How one product is spread over threads: in pieces of C, in parts of K, or block by block with shared packed operands.
#pragma once
#include "cpu/matmul_gemm.h"
#include "cpu/matmul_pairs.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Floating-point operations worth a task of their own: some 20 us of one core.
constexpr double kTaskFlops = 2e6;

template <class S>
double flopsOf(const Problem<S>& p) {
  return 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

template <class Scheme, class S = typename Scheme::Storage>
void multiplySerial(const Problem<S>& p, const Plan<Scheme>& plan) {
  if (plan.dot) {
    dotSerial<Scheme>(p.accumulatingByBias(), plan.far);
  } else {
    Gemm<Scheme>(p, plan).serial();
  }
}

// How a product is cut into pieces: whole row tiles by whole vectors of columns.
struct Pieces {
  Tiling rows, columns;
  int64_t count() const { return rows.count * columns.count; }
};

template <class Scheme, class S = typename Scheme::Storage>
Pieces cutIntoPieces(const Problem<S>& p, const Plan<Scheme>& plan) {
  using T = typename Scheme::Sum;
  const double flops = flopsOf(p);
  const int64_t wanted = flops < 2 * kTaskFlops    ? 1
                         : flops > 64 * kTaskFlops ? 64
                                                   : static_cast<int64_t>(flops / kTaskFlops);
  const int64_t vectors = ceilDiv(p.n, lanes<T>), panels = ceilDiv(vectors, NV), tiles = ceilDiv(p.m, MR);
  int64_t columnPieces, rowPieces;
  if (!plan.packB && p.m >= 4 * p.n) {
    columnPieces = 1;
    rowPieces = wanted;
  } else {
    columnPieces = wanted;
    rowPieces = ceilDiv(wanted, least(wanted, panels));
    // Each piece of rows packs its panels of B again.
    if (plan.packB) rowPieces = least(rowPieces, ceilDiv(p.m, 256));
  }
  // What a piece keeps in scratch memory stays in cache.
  if (!Scheme::inPlace) columnPieces = most(columnPieces, ceilDiv(panels, 8));
  if (plan.packA) rowPieces = most(rowPieces, ceilDiv(p.m, MC<T>));
  columnPieces = least(columnPieces, panels);
  rowPieces = least(rowPieces, ceilDiv(tiles, 4));
  return {Tiling(p.m, ceilDiv(tiles, rowPieces) * MR), Tiling(vectors, ceilDiv(panels, columnPieces) * NV)};
}

template <class Scheme, class S = typename Scheme::Storage>
void multiplyInPieces(ThreadPool& pool, const Problem<S>& p, const Plan<Scheme>& plan) {
  constexpr int L = lanes<typename Scheme::Sum>;
  const Pieces pieces = cutIntoPieces<Scheme>(p, plan);
  parallelFor(pool, pieces.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = i / pieces.columns.count, column = i % pieces.columns.count;
      multiplySerial<Scheme>(p.part(pieces.rows.begin(row), pieces.rows.begin(row + 1),
                                    pieces.columns.begin(column) * L, least(pieces.columns.begin(column + 1) * L, p.n)),
                             plan);
    }
  });
}

// Few sums of many terms leave too few pieces of C: K is cut instead, in parts that depend on its length alone, and the
// parts' sums are added up in order.
constexpr int64_t kSplitDepth = 4096, kPartDepth = 1024, kMaxParts = 32;

template <class Scheme, class S = typename Scheme::Storage>
bool worthSplitting(const Problem<S>& p) {
  return Scheme::inPlace && p.k >= kSplitDepth && p.m * p.n <= 128 * 128;
}

template <class T>
void multiplySplitK(ThreadPool& pool, const Problem<T>& p) {
  const int64_t depth = most(kPartDepth, ceilDiv(p.k, kMaxParts)), parts = ceilDiv(p.k, depth);
  constexpr int64_t L = lanes<T>;
  const int64_t ld = ceilDiv(p.n, L) * L, size = p.m * ld;
  T* sums = scratchOf<T>(kSlotParts, parts * size);
  parallelFor(pool, parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      Problem<T> part = p;
      part.k = least(depth, p.k - i * depth);
      part.a += i * depth * p.acs;
      part.b += i * depth * p.brs;
      part.c = sums + i * size;
      part.crs = ld;
      part.ccs = 1;
      part.bias = nullptr;
      part.activation = Activation::None;
      Plan<Single<T>> plan(part);
      plan.far = isFar(p);
      multiplySerial<Single<T>>(part, plan);
    }
  });
  for (int64_t i = 0; i < p.m; i++) {
    for (int64_t j = 0; j < p.n; j += NR<T>) {
      const int columns = static_cast<int>(least(p.n - j, NR<T>));
      alignas(64) T total[NR<T>] = {};
      for (int64_t part = 0; part < parts; part++)
        for (int c = 0; c < columns; c++) total[c] += sums[part * size + i * ld + j + c];
      if (p.hasEpilogue()) finishTile(p, i, j, 1, columns, static_cast<int>(ceilDiv(columns, L)), total, NR<T>);
      storeTile(p, i, j, 1, columns, total, NR<T>);
    }
  }
}

// When operands outgrow the second-level cache, reading them at their strides costs more than packing them. And what
// has to be packed anyway is packed once.
template <class Scheme, class S = typename Scheme::Storage>
bool worthSharing(const Problem<S>& p) {
  if (!Scheme::inPlace) return p.m >= 64 && p.n >= 64;
  constexpr int64_t kSide = 3072 / sizeof(S);
  return p.ccs == 1 && p.m >= 256 && p.n >= 256 && p.k >= 64 && (p.m >= kSide || p.n >= kSide || p.k >= kSide);
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
