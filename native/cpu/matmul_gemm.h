// Matrix times matrix. C is cut into row tiles of MR and column panels of NR; K into blocks of KC.
//
// An operand is used where it lies when the micro-kernel can read it there (B: rows contiguous; A: any strides) and is
// small enough to stay in cache at those strides; otherwise it is packed. Two drivers share the tile loop:
//   serial: one thread computes a piece of C, packing what it needs into its own scratch memory. Pieces of one product,
//           or whole products of a batch, are the unit of parallel work.
//   shared: for large products. All threads pack A and B into shared buffers, then all compute from them.
#pragma once
#include "cpu/matmul_dot.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t KC = 512, NC = 3072;
// KC * MC elements take half of a second-level cache of 2 MB.
template <class T>
constexpr int64_t MC = 1920 / sizeof(T);
constexpr int64_t kPackGroup = 4;  // panels or row tiles packed by a task
// Columns of A read in place use a part of each cache line: fewer steps of K fit.
constexpr int64_t kDirectColumnsKC = 128;
// Floating-point operations worth a task of their own: some 20 us of one core.
constexpr double kTaskFlops = 2e6;

enum Slot { kSlotA, kSlotB, kSlotC, kSlotVector, kSlotParts = kSlotVector };  // no product has both a vector and parts

constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// K in nearly equal blocks of at most `limit`.
inline int64_t blockOfK(int64_t k, int64_t limit) {
  return k <= limit ? k : ceilDiv(ceilDiv(k, ceilDiv(k, limit)), 8) * 8;
}

// Cuts n into tiles of `size`; a short last tile shares with the one before it, for a tile of few rows is slow.
struct Tiling {
  int64_t n, size, count;
  Tiling(int64_t n, int64_t size) : n(n), size(size), count(ceilDiv(n, size)) {}
  int64_t begin(int64_t i) const {
    if (i >= count) return n;
    if (i == 0 || i < count - 1) return i * size;
    const int64_t rest = n - (count - 2) * size;
    return (count - 2) * size + (rest + 1) / 2;
  }
};

// How the operands of a product are read.
template <class S>
struct Plan {
  using T = Compute<S>;
  bool packA, packB, directC, dot;
  int64_t kc;

  explicit Plan(const Problem<S>& p) {
    constexpr bool converts = !std::is_same_v<S, T>;
    packA = converts;
    packB = converts || p.bcs != 1;
    directC = !converts && p.ccs == 1;
    kc = blockOfK(p.k, !packA && p.ars == 1 && p.acs != 1 ? kDirectColumnsKC : KC);
    dot = suitsDot(p);
  }
};

// Where a row tile or column panel of an operand lies, for one block of K.
template <class T>
struct Strip {
  const T* data;
  int64_t across, along;
};

template <class S>
class Gemm {
 public:
  using T = Compute<S>;
  static constexpr int L = lanes<T>;

  Gemm(const Problem<S>& p, const Plan<S>& plan)
      : p(p), plan(plan), rowTiles(p.m, MR), vectorPanels(ceilDiv(p.n, L), NV) {}

  int64_t rowTileCount() const { return rowTiles.count; }
  int64_t panelCount() const { return vectorPanels.count; }
  int64_t panelColumn(int64_t panel) const { return vectorPanels.begin(panel) * L; }
  int64_t tileRow(int64_t tile) const { return rowTiles.begin(tile); }

  // Row tiles and panels lie in a packed buffer in order, without gaps.
  void packRowTile(int64_t tile, int64_t k0, int64_t kc, T* dst) const {
    const int64_t row = tileRow(tile);
    const int rows = static_cast<int>(tileRow(tile + 1) - row);
    packStrip(p.a + row * p.ars + k0 * p.acs, p.ars, p.acs, rows, kc, dst, rows);
  }
  void packPanel(int64_t panel, int64_t k0, int64_t kc, T* dst) const {
    const int64_t column = panelColumn(panel);
    packStrip(p.b + column * p.bcs + k0 * p.brs, p.bcs, p.brs, validColumns(panel), kc, dst, vectors(panel) * L);
  }

  // Where rows are contiguous, some rows of all the panels come before the next rows: memory is read along its rows.
  void packPanels(int64_t panel0, int64_t panel1, int64_t k0, int64_t kc, T* dst) const {
    const int64_t rows = p.bcs == 1 ? 16 : kc;
    for (int64_t k = 0; k < kc; k += rows) {
      for (int64_t panel = panel0; panel < panel1; panel++) {
        T* strip = dst + (panelColumn(panel) - panelColumn(panel0)) * kc + k * vectors(panel) * L;
        packPanel(panel, k0 + k, least(rows, kc - k), strip);
      }
    }
  }

  int vectors(int64_t panel) const {
    return static_cast<int>(vectorPanels.begin(panel + 1) - vectorPanels.begin(panel));
  }
  int validColumns(int64_t panel) const {
    const int64_t end = panelColumn(panel + 1);
    return static_cast<int>((end < p.n ? end : p.n) - panelColumn(panel));
  }

  // One panel of B against row tiles [tile0, tile1), over K from k0. packedA: their packed tiles, or null. scratchC:
  // the problem's rows in the compute type, padded to whole vectors, when C is not computed in place.
  void multiplyPanel(int64_t panel, Strip<T> b, int64_t tile0, int64_t tile1, const T* packedA, int64_t k0, int64_t kc,
                     T* scratchC, int64_t scratchLd) const {
    const bool first = k0 == 0 && !p.accumulate, last = k0 + kc == p.k;
    const int columns = validColumns(panel), nv = vectors(panel);
    const int64_t column = panelColumn(panel);
    for (int64_t tile = tile0; tile < tile1; tile++) {
      const int64_t row = tileRow(tile);
      const int rows = static_cast<int>(tileRow(tile + 1) - row);
      Strip<T> a = directRowTile(row, k0);
      if (packedA != nullptr) {
        a = {packedA, 1, rows};
        packedA += rows * kc;
      }
      const MicroKernel<T> kernel = kernelFor<T>(rows, nv, a.across == 1);
      alignas(64) T edge[MR * NR<T>];
      T* c;
      int64_t ld;
      if (scratchC != nullptr) {
        c = scratchC + row * scratchLd + column;
        ld = scratchLd;
      } else if (columns == nv * L) {
        c = inPlace(row, column);
        ld = p.crs;
      } else {
        c = edge;
        ld = NR<T>;
      }
      kernel(kc, a.data, a.across, a.along, b.data, b.along, c, ld, !first && c != edge);
      if (c == edge && !first) addEdge(row, column, rows, columns, edge);
      if (last && p.hasEpilogue()) finishTile(p, row, column, rows, columns, nv, c, ld);
      if (c == edge || (last && scratchC != nullptr)) storeTile(p, row, column, rows, columns, c, ld);
    }
  }

  // Computes all of the problem on this thread.
  void serial() const {
    T* scratchC = nullptr;
    const int64_t scratchLd = ceilDiv(p.n, L) * L;
    if (!plan.directC) scratchC = scratch(kSlotC, p.m * scratchLd);
    T* packedB = scratch(kSlotB, NR<T> * least(plan.kc, p.k));
    for (int64_t k0 = 0; k0 < p.k; k0 += plan.kc) {
      const int64_t kc = least(plan.kc, p.k - k0);
      T* packedA = nullptr;
      if (plan.packA) {
        packedA = scratch(kSlotA, p.m * kc);
        for (int64_t tile = 0; tile < rowTiles.count; tile++) packRowTile(tile, k0, kc, packedA + tileRow(tile) * kc);
      }
      for (int64_t panel = 0; panel < vectorPanels.count; panel++) {
        const Strip<T> b = readPanel(panel, k0, kc, packedB);
        multiplyPanel(panel, b, 0, rowTiles.count, packedA, k0, kc, scratchC, scratchLd);
      }
    }
  }

  // Computes all of the problem on all threads; C in place, A and B packed. A block of A fits the second-level cache.
  void shared(ThreadPool& pool) const {
    const int64_t panelStep = NC / NR<T>, block = blockOfK(p.k, KC);
    const int64_t tileStep = ceilDiv(rowTiles.count, ceilDiv(rowTiles.count, MC<T> / MR));
    for (int64_t panel0 = 0; panel0 < vectorPanels.count; panel0 += panelStep) {
      const int64_t panel1 = least(panel0 + panelStep, vectorPanels.count);
      T* packedB = scratch(kSlotB, (panelColumn(panel1) - panelColumn(panel0)) * block);
      for (int64_t k0 = 0; k0 < p.k; k0 += block) {
        for (int64_t tile0 = 0; tile0 < rowTiles.count; tile0 += tileStep)
          sharedBlock(pool, panel0, panel1, packedB, tile0, least(tile0 + tileStep, rowTiles.count), k0,
                      least(block, p.k - k0));
      }
    }
  }

 private:
  static T* scratch(int slot, int64_t elements) {
    return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
  }

  void sharedBlock(ThreadPool& pool, int64_t panel0, int64_t panel1, T* packedB, int64_t tile0, int64_t tile1,
                   int64_t k0, int64_t kc) const {
    const int64_t column0 = panelColumn(panel0), row0 = tileRow(tile0);
    T* packedA = scratch(kSlotA, (tileRow(tile1) - row0) * kc);
    // B is packed with the first block of A, and kept for the others.
    const int64_t panelGroups = tile0 == 0 ? ceilDiv(panel1 - panel0, kPackGroup) : 0;
    const int64_t tileGroups = ceilDiv(tile1 - tile0, kPackGroup);
    parallelFor(pool, panelGroups + tileGroups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        if (i < panelGroups) {
          const int64_t from = panel0 + i * kPackGroup;
          packPanels(from, least(from + kPackGroup, panel1), k0, kc, packedB + (panelColumn(from) - column0) * kc);
        } else {
          const int64_t from = tile0 + (i - panelGroups) * kPackGroup;
          for (int64_t tile = from; tile < least(from + kPackGroup, tile1); tile++)
            packRowTile(tile, k0, kc, packedA + (tileRow(tile) - row0) * kc);
        }
      }
    });
    parallelFor(pool, panel1 - panel0, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t panel = panel0 + i;
        const Strip<T> b = {packedB + (panelColumn(panel) - column0) * kc, 1, vectors(panel) * L};
        multiplyPanel(panel, b, tile0, tile1, packedA, k0, kc, nullptr, 0);
      }
    });
  }

  // The next three are asked only when S is the compute type.
  T* inPlace(int64_t row, int64_t column) const {
    if constexpr (std::is_same_v<S, T>) return p.c + row * p.crs + column;
    return nullptr;
  }
  Strip<T> directRowTile(int64_t row, int64_t k0) const {
    if constexpr (std::is_same_v<S, T>) return {p.a + row * p.ars + k0 * p.acs, p.ars, p.acs};
    return {};
  }
  Strip<T> directPanel(int64_t column, int64_t k0) const {
    if constexpr (std::is_same_v<S, T>) return {p.b + column * p.bcs + k0 * p.brs, p.bcs, p.brs};
    return {};
  }

  // A panel where it lies, or packed. A panel with padding cannot be read in place: the padding is not ours to read.
  Strip<T> readPanel(int64_t panel, int64_t k0, int64_t kc, T* packed) const {
    if (!plan.packB && validColumns(panel) == vectors(panel) * L) return directPanel(panelColumn(panel), k0);
    packPanel(panel, k0, kc, packed);
    return {packed, 1, vectors(panel) * L};
  }

  // Adds what earlier blocks of K left in C to a tile that overhangs C.
  void addEdge(int64_t row, int64_t column, int rows, int columns, T* edge) const {
    for (int i = 0; i < rows; i++) {
      const S* c = p.c + (row + i) * p.crs + column * p.ccs;
      for (int j = 0; j < columns; j++) edge[i * NR<T> + j] += widen(c[j * p.ccs]);
    }
  }

  const Problem<S>& p;
  const Plan<S>& plan;
  const Tiling rowTiles, vectorPanels;
};

// How a product is cut into pieces: whole row tiles by whole vectors of columns.
struct Pieces {
  Tiling rows, columns;
  int64_t count() const { return rows.count * columns.count; }
};

template <class S>
Pieces cutIntoPieces(const Problem<S>& p, const Plan<S>& plan) {
  using T = Compute<S>;
  const double flops = 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
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
  if (!plan.directC) columnPieces = most(columnPieces, ceilDiv(panels, 8));
  if (!plan.directC || plan.packA) rowPieces = most(rowPieces, ceilDiv(p.m, MC<T>));
  columnPieces = least(columnPieces, panels);
  rowPieces = least(rowPieces, ceilDiv(tiles, 4));
  return {Tiling(p.m, ceilDiv(tiles, rowPieces) * MR), Tiling(vectors, ceilDiv(panels, columnPieces) * NV)};
}

template <class S>
void gemmInPieces(ThreadPool& pool, const Problem<S>& p, const Plan<S>& plan) {
  constexpr int L = lanes<Compute<S>>;
  const Pieces pieces = cutIntoPieces(p, plan);
  parallelFor(pool, pieces.count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t row = i / pieces.columns.count, column = i % pieces.columns.count;
      const Problem<S> piece =
          p.part(pieces.rows.begin(row), pieces.rows.begin(row + 1), pieces.columns.begin(column) * L,
                 least(pieces.columns.begin(column + 1) * L, p.n));
      if (plan.dot) {
        dotSerial(piece.accumulatingByBias());
      } else {
        Gemm<S>(piece, plan).serial();
      }
    }
  });
}

// Few sums of many terms leave too few pieces of C: K is cut instead, in parts that depend on its length alone, and the
// parts' sums are added up in order.
constexpr int64_t kSplitDepth = 4096, kPartDepth = 1024, kMaxParts = 32;

template <class S>
bool worthSplitting(const Problem<S>& p) {
  if constexpr (!std::is_same_v<S, Compute<S>>) return false;
  return p.k >= kSplitDepth && p.m * p.n <= 128 * 128;
}

template <class T>
void gemmSplitK(ThreadPool& pool, const Problem<T>& p) {
  const int64_t depth = most(kPartDepth, ceilDiv(p.k, kMaxParts)), parts = ceilDiv(p.k, depth);
  constexpr int64_t L = lanes<T>;
  const int64_t ld = ceilDiv(p.n, L) * L, size = p.m * ld;
  T* sums = reinterpret_cast<T*>(threadScratch(kSlotParts, parts * size * static_cast<int64_t>(sizeof(T))));
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
      const Plan<T> plan(part);
      if (plan.dot) {
        dotSerial(part);
      } else {
        Gemm<T>(part, plan).serial();
      }
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

// When operands outgrow the second-level cache, reading them at their strides costs more than packing them.
template <class S>
bool worthSharing(const Problem<S>& p) {
  constexpr int64_t kSide = 3072 / sizeof(S);
  if constexpr (!std::is_same_v<S, Compute<S>>) return false;
  return p.ccs == 1 && p.m >= 256 && p.n >= 256 && p.k >= 64 && (p.m >= kSide || p.n >= kSide || p.k >= kSide);
}

template <class S>
void gemm(ThreadPool& pool, const Problem<S>& p) {
  const Plan<S> plan(p);
  if constexpr (std::is_same_v<S, Compute<S>>) {
    if (worthSplitting(p)) return gemmSplitK(pool, p.accumulatingByBias());
  }
  if (worthSharing(p)) {
    Gemm<S>(p, plan).shared(pool);
  } else {
    gemmInPieces(pool, p, plan);
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
