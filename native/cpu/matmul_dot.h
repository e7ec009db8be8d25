// Products whose operands both have K contiguous, with few rows or few columns (x * W^T in a narrow layer, or a small
// batch): both are read where they lie, by dot products along K. Packing would cost more than the product.
#pragma once
#include "cpu/matmul_epilogue.h"
#include "cpu/matmul_pack.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Dot products are computed DR rows by DC columns at a time; a block of them is finished while in cache.
constexpr int DR = MR >= 8 ? 4 : 2, DC = 4;
constexpr int64_t kDotBlockRows = 64;
// Bytes that are taken at once along K if there are several row tiles: DC columns stay in the first-level cache for all
// of them, and the rows in the second for all columns. A single tile reads everything once, in the order of memory.
constexpr int64_t kDotBytes = 2048;
// B of more bytes is likely to come from memory, and is fetched ahead: the hardware follows a column, but finds the
// next ones late. From a cache that only costs.
constexpr int64_t kDotFarBytes = 4 << 20;

// The sum of each of a vector's worth of vectors, in the lane of its index.
template <class T, int Step = 1>
THALWEG_INLINE Vec<T> sumEach(Vec<T>* v) {
  if constexpr (Step == lanes<T>) {
    return v[0];
  } else {
    THALWEG_UNROLL for (int i = 0; i < lanes<T>; i += 2 * Step) {
      exchange<Step>(v[i], v[i + Step], std::make_integer_sequence<int, lanes<T>>());
      v[i] += v[i + Step];
    }
    return sumEach<T, Step * 2>(v);
  }
}

template <class T>
THALWEG_INLINE void sumTile(Vec<T> (&sum)[DR * DC], T* sums) {
  THALWEG_UNROLL for (int i = 0; i < DR * DC; i += lanes<T>) store(sums + i, sumEach<T>(sum + i));
}

// sums[i * DC + j] = a[i] . b[j]. If Fetch, as much as is read of each b is fetched from `next` meanwhile.
template <class Scheme>
struct DotTile {
  using S = typename Scheme::Storage;
  using T = typename Scheme::Sum;
  template <bool Fetch>
  __attribute__((noinline)) static void run(int64_t k, const S* const (&a)[DR], const S* const (&b)[DC],
                                            [[maybe_unused]] const S* const (&next)[DC], T* sums) {
    constexpr int L = lanes<T>;
    Vec<T> sum[DR * DC];
    THALWEG_UNROLL for (int i = 0; i < DR * DC; i++) sum[i] = Vec<T>{};
    const auto step = [&](auto&& loader, int64_t at) __attribute__((always_inline)) {
      Vec<T> x[DR], y[DC];
      THALWEG_UNROLL for (int i = 0; i < DR; i++) x[i] = loader(a[i] + at);
      THALWEG_UNROLL for (int j = 0; j < DC; j++) y[j] = loader(b[j] + at);
      THALWEG_UNROLL for (int i = 0; i < DR; i++) {
        THALWEG_UNROLL for (int j = 0; j < DC; j++) sum[i * DC + j] += x[i] * y[j];
      }
    };
    int64_t at = 0;
    for (; at + L <= k; at += L) {
      if constexpr (Fetch) {
        THALWEG_UNROLL for (int j = 0; j < DC; j++) prefetchFar(next[j], at);
      }
      step([](const S* p) { return loadWide(p); }, at);
    }
    if (at < k) {
      const int rest = static_cast<int>(k - at);
      step([rest](const S* p) { return loadWideFirst(p, rest); }, at);
    }
    sumTile<T>(sum, sums);
  }
};

// Columns of a block, where a step along K begins.
template <class S>
struct DotColumns {
  const S* data;
  int64_t count;
};

// Rows past the given counts repeat the last one. Columns `next` come after these: row tile `tile` of `tiles` fetches
// its share of them.
template <class Scheme, class S = typename Scheme::Storage>
void dotTile(int64_t k, const S* a, int64_t ars, int64_t rows, DotColumns<S> b, int64_t brs, DotColumns<S> next,
             int64_t tile, int64_t tiles, typename Scheme::Sum* sums) {
  const S *pa[DR], *pb[DC], *pn[DC];
  for (int i = 0; i < DR; i++) pa[i] = a + (i < rows ? i : rows - 1) * ars;
  for (int j = 0; j < DC; j++) {
    pb[j] = b.data + (j < b.count ? j : b.count - 1) * brs;
    // What is there already costs little to ask for again.
    pn[j] = j < next.count && j * tiles / DC == tile ? next.data + j * brs : pb[j];
  }
  if (next.count > 0) {
    DotTile<Scheme>::template run<true>(k, pa, pb, pn, sums);
  } else {
    DotTile<Scheme>::template run<false>(k, pa, pb, pn, sums);
  }
}

template <class S>
bool suitsDot(const Problem<S>& p) {
  // With few rows packing B is what takes the time; with few columns A need not be packed.
  constexpr int64_t kRows = MR >= 8 ? 48 : 24, kColumns = 24;
  return p.acs == 1 && p.brs == 1 && (p.m <= kRows || p.n <= kColumns) && p.k >= 2 * lanes<Compute<S>>;
}

// Of the whole product, of which dotSerial may get a piece.
template <class S>
bool isFar(const Problem<S>& p) {
  return p.n * p.k * static_cast<int64_t>(sizeof(S)) > kDotFarBytes;
}

template <class Scheme, class S = typename Scheme::Storage>
void dotSerial(const Problem<S>& p, bool far) {
  using T = typename Scheme::Sum;
  constexpr int L = lanes<T>, NRT = NR<T>;
  static_assert(DR * DC % L == 0 && NRT % DC == 0);
  alignas(64) T block[kDotBlockRows * NRT], sums[DR * DC];
  for (int64_t m0 = 0; m0 < p.m; m0 += kDotBlockRows) {
    const int64_t rows = least(p.m - m0, kDotBlockRows), tiles = ceilDiv(rows, DR);
    const int64_t steps = tiles == 1 ? p.k : kDotBytes / static_cast<int64_t>(sizeof(S));
    for (int64_t n0 = 0; n0 < p.n; n0 += NRT) {
      const int64_t columns = least(p.n - n0, NRT), padded = (columns + L - 1) / L * L;
      for (int64_t k0 = 0; k0 < p.k; k0 += steps) {
        const int64_t k = least(p.k - k0, steps);
        const auto columnsAt = [&](int64_t j, int64_t from) {
          return DotColumns<S>{p.b + j * p.bcs + from, most(least(p.n - j, DC), 0)};
        };
        for (int64_t j = 0; j < columns; j += DC) {
          const DotColumns<S> next = !far               ? DotColumns<S>{nullptr, 0}
                                     : j + DC < columns ? columnsAt(n0 + j + DC, k0)
                                     : k0 + steps < p.k ? columnsAt(n0, k0 + steps)
                                                        : columnsAt(n0 + NRT, 0);
          for (int64_t tile = 0; tile < tiles; tile++) {
            const int64_t i = tile * DR;
            dotTile<Scheme>(k, p.a + (m0 + i) * p.ars + k0, p.ars, rows - i, columnsAt(n0 + j, k0), p.bcs, next, tile,
                            tiles, sums);
            for (int r = 0; r < DR && i + r < rows; r++) {
              T* to = block + (i + r) * NRT + j;
              for (int c = 0; c < DC; c++) to[c] = k0 == 0 ? sums[r * DC + c] : to[c] + sums[r * DC + c];
            }
          }
        }
      }
      for (int64_t i = 0; i < rows; i++)
        for (int64_t j = columns; j < padded; j++) block[i * NRT + j] = 0;
      if (p.hasEpilogue())
        finishTile(p, m0, n0, rows, static_cast<int>(columns), static_cast<int>(padded / L), block, NRT);
      storeTile(p, m0, n0, rows, static_cast<int>(columns), block, NRT);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
