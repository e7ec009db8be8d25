// Matrix times matrix. C is cut into row tiles of MR and column panels of NR; K into blocks of KC.
//
// An operand is used where it lies when the micro-kernel can read it there (B: rows contiguous; A: any strides) and is
// small enough to stay in cache at those strides; otherwise it is packed. Two drivers share the tile loop:
//   serial: one thread computes a piece of C, packing what it needs into its own scratch memory. Pieces of one product,
//           or whole products of a batch, are the unit of parallel work.
//   shared: for large products. All threads pack A and B into shared buffers, then all compute from them.
#pragma once
#include "cpu/matmul_dot.h"
#include "cpu/matmul_kernel.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Steps of a block of K, and columns of a block of B.
constexpr int64_t KC = 512, NC = 3072;
// Rows of a block of A: with KC steps it takes half of a second-level cache of 2 MB.
template <class T>
constexpr int64_t MC = 1920 / sizeof(T);
constexpr int64_t kPackGroup = 4, kMultiplyGroup = 16;  // panels or row tiles of a task
// Columns of A read in place use a part of each cache line: fewer steps of K fit.
constexpr int64_t kDirectColumnsKC = 128;

enum Slot { kSlotA, kSlotB, kSlotC, kSlotVector, kSlotParts = kSlotVector };  // no product has both a vector and parts

template <class T>
T* scratchOf(int slot, int64_t elements) {
  return reinterpret_cast<T*>(threadScratch(slot, elements * static_cast<int64_t>(sizeof(T))));
}

// K in nearly equal blocks of at most `limit`.
inline int64_t blockOfK(int64_t k, int64_t limit) {
  return k <= limit ? k : ceilDiv(ceilDiv(k, ceilDiv(k, limit)), 8) * 8;
}

// Cuts n into tiles of `size`; a short last tile shares with the one before it, for a tile of few rows is slow.
struct Tiling {
  int64_t n = 0, size = 1, count = 0;
  Tiling() = default;
  Tiling(int64_t n, int64_t size) : n(n), size(size), count(ceilDiv(n, size)) {}
  int64_t begin(int64_t i) const {
    if (i >= count) return n;
    if (i == 0 || i < count - 1) return i * size;
    const int64_t rest = n - (count - 2) * size;
    return (count - 2) * size + (rest + 1) / 2;
  }
};

// How the operands of a product are read.
template <class Scheme>
struct Plan {
  using S = typename Scheme::Storage;
  static constexpr int64_t D = Scheme::depth;
  bool packA, packB, dot, far;
  int64_t kc;

  explicit Plan(const Problem<S>& p) {
    packA = !Scheme::inPlace && (D == 1 || p.acs != 1 || p.k % D != 0);
    packB = !Scheme::inPlace || p.bcs != 1;
    kc = blockOfK(p.k, Scheme::inPlace && p.ars == 1 && p.acs != 1 ? kDirectColumnsKC : KC * D);
    dot = suitsDot(p);
    far = isFar(p);
  }
};

// Where a row tile or column panel of an operand lies, for one block of K. `along` is the distance of steps.
template <class P>
struct Strip {
  const P* data;
  int64_t across, along;
};

// Sums between blocks of K, where C cannot hold them: from (row, column) of the problem on.
template <class T>
struct Sums {
  T* data = nullptr;
  int64_t ld = 0, row = 0, column = 0;
};

// Memory to be fetched by and by; when all is, what is in the cache anyway.
struct Fetch {
  const char* data = nullptr;
  int64_t bytes = 0;
  const void* take(int64_t size, const void* nothing) {
    if (bytes <= 0) return nothing;
    const char* taken = data;
    data += size;
    bytes -= size;
    return taken;
  }
};

template <class Scheme>
class Gemm {
 public:
  using S = typename Scheme::Storage;
  using T = typename Scheme::Sum;
  using P = typename Scheme::Packed;
  static constexpr int L = lanes<T>;
  static constexpr int64_t D = Scheme::depth;

  Gemm(const Problem<S>& p, const Plan<Scheme>& plan)
      : p(p), plan(plan), rowTiles(p.m, MR), vectorPanels(ceilDiv(p.n, L), NV) {}

  // Computes all of the problem on this thread.
  void serial() const {
    Sums<T> sums;
    if (!Scheme::inPlace && plan.kc < p.k) {
      sums.ld = ceilDiv(p.n, L) * L;
      sums.data = scratchOf<T>(kSlotC, p.m * sums.ld);
    }
    P* packedB = plan.packB || p.n % L != 0 ? scratchOf<P>(kSlotB, packedSize(NR<T>, plan.kc)) : nullptr;
    for (int64_t k0 = 0; k0 < p.k; k0 += plan.kc) {
      const int64_t kc = least(plan.kc, p.k - k0);
      P* packedA = nullptr;
      if (plan.packA) {
        packedA = scratchOf<P>(kSlotA, packedSize(p.m, kc));
        packRowTiles(0, rowTiles.count, k0, kc, packedA);
      }
      for (int64_t panel = 0; panel < vectorPanels.count; panel++) {
        const Strip<P> b = readPanel(panel, k0, kc, packedB);
        multiplyPanel(panel, b, 0, rowTiles.count, packedA, k0, kc, sums);
      }
    }
  }

  // Computes all of the problem on all threads; A and B packed. A block of A fits the second-level cache.
  void shared(ThreadPool& pool) const {
    const int64_t panelStep = NC / NR<T>, block = blockOfK(p.k, KC * D);
    const int64_t tileStep = ceilDiv(rowTiles.count, ceilDiv(rowTiles.count, MC<T> / MR));
    // Rows whose sums are kept at once.
    const bool keepsSums = !Scheme::inPlace && block < p.k;
    const int64_t sumStep = keepsSums ? 4 * tileStep : rowTiles.count;
    for (int64_t panel0 = 0; panel0 < vectorPanels.count; panel0 += panelStep) {
      const int64_t panel1 = least(panel0 + panelStep, vectorPanels.count);
      const int64_t columns = panelColumn(panel1) - panelColumn(panel0);
      P* packedB = scratchOf<P>(kSlotB, packedSize(columns, block));
      for (int64_t sum0 = 0; sum0 < rowTiles.count; sum0 += sumStep) {
        const int64_t sum1 = least(sum0 + sumStep, rowTiles.count);
        Sums<T> sums;
        if (keepsSums) {
          const int64_t rows = tileRow(sum1) - tileRow(sum0);
          sums = {scratchOf<T>(kSlotC, rows * columns), columns, tileRow(sum0), panelColumn(panel0)};
        }
        for (int64_t k0 = 0; k0 < p.k; k0 += block) {
          for (int64_t tile0 = sum0; tile0 < sum1; tile0 += tileStep)
            sharedBlock(pool, panel0, panel1, packedB, tile0 == sum0, tile0, least(tile0 + tileStep, sum1), k0,
                        least(block, p.k - k0), sums);
        }
      }
    }
  }

 private:
  int64_t panelColumn(int64_t panel) const { return vectorPanels.begin(panel) * L; }
  int64_t tileRow(int64_t tile) const { return rowTiles.begin(tile); }
  int vectors(int64_t panel) const {
    return static_cast<int>(vectorPanels.begin(panel + 1) - vectorPanels.begin(panel));
  }
  int validColumns(int64_t panel) const {
    const int64_t end = panelColumn(panel + 1);
    return static_cast<int>((end < p.n ? end : p.n) - panelColumn(panel));
  }
  static int64_t packedSize(int64_t width, int64_t kc) { return width * ceilDiv(kc, D) * D; }

  // Row tiles and panels lie in a packed buffer in order, without gaps.
  void packRowTiles(int64_t tile0, int64_t tile1, int64_t k0, int64_t kc, P* dst) const {
    for (int64_t tile = tile0; tile < tile1; tile++) {
      const int64_t row = tileRow(tile);
      const int rows = static_cast<int>(tileRow(tile + 1) - row);
      packStrip<Scheme>(p.a + row * p.ars + k0 * p.acs, p.ars, p.acs, rows, kc, dst, rows);
      dst += packedSize(rows, kc);
    }
  }
  void packPanel(int64_t panel, int64_t k0, int64_t kc, P* dst) const {
    const int64_t column = panelColumn(panel);
    packStrip<Scheme>(p.b + column * p.bcs + k0 * p.brs, p.bcs, p.brs, validColumns(panel), kc, dst,
                      vectors(panel) * L);
  }
  // Where rows are contiguous, some rows of all the panels come before the next rows: memory is read along its rows.
  void packPanels(int64_t panel0, int64_t panel1, int64_t k0, int64_t kc, P* dst) const {
    const int64_t rows = p.bcs == 1 ? 16 : kc;
    for (int64_t k = 0; k < kc; k += rows) {
      P* strip = dst;
      for (int64_t panel = panel0; panel < panel1; panel++) {
        packPanel(panel, k0 + k, least(rows, kc - k), strip + k * vectors(panel) * L);
        strip += packedSize(vectors(panel) * L, kc);
      }
    }
  }

  // One panel of B against row tiles [tile0, tile1), over K from k0. packedA: their packed tiles, or null.
  // next: what to fetch meanwhile.
  void multiplyPanel(int64_t panel, Strip<P> b, int64_t tile0, int64_t tile1, const P* packedA, int64_t k0, int64_t kc,
                     const Sums<T>& sums, Fetch next = {}) const {
    const bool first = k0 == 0 && !p.accumulate, last = k0 + kc == p.k;
    const int columns = validColumns(panel), nv = vectors(panel);
    const int64_t column = panelColumn(panel), steps = ceilDiv(kc, D);
    const bool direct = Scheme::inPlace && p.ccs == 1 && columns == nv * L;
    alignas(64) T edge[MR * NR<T>];
    for (int64_t tile = tile0; tile < tile1; tile++) {
      const int64_t row = tileRow(tile);
      const int rows = static_cast<int>(tileRow(tile + 1) - row);
      Strip<P> a = directRowTile(row, k0);
      if (packedA != nullptr) {
        a = {packedA, D, rows * D};
        packedA += rows * steps * D;
      }
      const MicroKernel<Scheme> kernel = kernelFor<Scheme>(rows, nv, a.across == D);
      T* c = edge;
      int64_t ld = NR<T>;
      if (sums.data != nullptr) {
        c = sums.data + (row - sums.row) * sums.ld + (column - sums.column);
        ld = sums.ld;
      } else if (direct) {
        c = inPlace(row, column);
        ld = p.crs;
      }
      kernel(steps, a.data, a.across, a.along, b.data, b.along, c, ld, !first && c != edge,
             next.take(steps / kStepsOfFetch * 64, b.data));
      if (c == edge && !first) addEdge(row, column, rows, columns, edge);
      if (last && p.hasEpilogue()) finishTile(p, row, column, rows, columns, nv, c, ld);
      if (c == edge || (last && sums.data != nullptr)) storeTile(p, row, column, rows, columns, c, ld);
    }
  }

  void sharedBlock(ThreadPool& pool, int64_t panel0, int64_t panel1, P* packedB, bool packB, int64_t tile0,
                   int64_t tile1, int64_t k0, int64_t kc, const Sums<T>& sums) const {
    const int64_t column0 = panelColumn(panel0), row0 = tileRow(tile0);
    P* packedA = scratchOf<P>(kSlotA, packedSize(tileRow(tile1) - row0, kc));
    // B is packed with the first block of A, and kept for the others.
    const int64_t panelGroups = packB ? ceilDiv(panel1 - panel0, kPackGroup) : 0;
    const int64_t tileGroups = ceilDiv(tile1 - tile0, kPackGroup);
    parallelFor(pool, panelGroups + tileGroups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        if (i < panelGroups) {
          const int64_t from = panel0 + i * kPackGroup;
          packPanels(from, least(from + kPackGroup, panel1), k0, kc,
                     packedB + packedSize(panelColumn(from) - column0, kc));
        } else {
          const int64_t from = tile0 + (i - panelGroups) * kPackGroup;
          packRowTiles(from, least(from + kPackGroup, tile1), k0, kc, packedA + packedSize(tileRow(from) - row0, kc));
        }
      }
    });
    const int64_t groups = ceilDiv(tile1 - tile0, kMultiplyGroup);
    parallelFor(pool, (panel1 - panel0) * groups, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t panel = panel0 + i / groups, from = tile0 + i % groups * kMultiplyGroup;
        const Strip<P> b = {packedB + packedSize(panelColumn(panel) - column0, kc), D, vectors(panel) * L * D};
        // The next panel comes from the third-level cache. Tiles fetch it in turn.
        Fetch next;
        if (panel + 1 < panel1) {
          const int64_t bytes = static_cast<int64_t>(sizeof(P)) * b.along * ceilDiv(kc, D);
          const int64_t done = (from - tile0) * (ceilDiv(kc, D) / kStepsOfFetch * 64);
          next = {reinterpret_cast<const char*>(b.data) + bytes + done, bytes - done};
        }
        multiplyPanel(panel, b, from, least(from + kMultiplyGroup, tile1),
                      packedA + packedSize(tileRow(from) - row0, kc), k0, kc, sums, next);
      }
    });
  }

  // Asked only when C is of the type of sums.
  T* inPlace(int64_t row, int64_t column) const {
    if constexpr (Scheme::inPlace) return p.c + row * p.crs + column;
    return nullptr;
  }
  // The next two are asked only when the plan does not pack.
  Strip<P> directRowTile(int64_t row, int64_t k0) const {
    if constexpr (std::is_same_v<S, P>) return {p.a + row * p.ars + k0 * p.acs, p.ars, p.acs * D};
    return {};
  }
  Strip<P> directPanel(int64_t column, int64_t k0) const {
    if constexpr (std::is_same_v<S, P>) return {p.b + column * p.bcs + k0 * p.brs, p.bcs, p.brs};
    return {};
  }

  // A panel where it lies, or packed. A panel with padding cannot be read in place: the padding is not ours to read.
  Strip<P> readPanel(int64_t panel, int64_t k0, int64_t kc, P* packed) const {
    if (!plan.packB && validColumns(panel) == vectors(panel) * L) return directPanel(panelColumn(panel), k0);
    packPanel(panel, k0, kc, packed);
    return {packed, D, vectors(panel) * L * D};
  }

  // Adds what earlier blocks of K left in C to a tile that is computed outside of it.
  void addEdge(int64_t row, int64_t column, int rows, int columns, T* edge) const {
    for (int i = 0; i < rows; i++) {
      const S* c = p.c + (row + i) * p.crs + column * p.ccs;
      for (int j = 0; j < columns; j++) edge[i * NR<T> + j] += widen(c[j * p.ccs]);
    }
  }

  const Problem<S>& p;
  const Plan<Scheme>& plan;
  const Tiling rowTiles, vectorPanels;
};

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
