// The product of matrices by tiles: a block computes Rows x Columns elements of c, with tiles of a and b in shared
// memory (two of each: one is filled while the other is multiplied) and sums in registers.
#pragma once
#include "cuda/gemm_epilogue.h"

// In front of a loop with much in it.
#if defined(__CUDACC__)
#define THALWEG_ROLLED _Pragma("unroll 1")
#else
#define THALWEG_ROLLED
#endif

namespace thalweg::cuda {

// Each thread has RowsEach x ColumnsEach sums, in groups of at most 4 x 4 that lie side by side.
template <int TileRows, int TileColumns, int TileDepth, int ThreadRows, int ThreadColumns>
struct TileShape {
  static constexpr int kRows = TileRows, kColumns = TileColumns, kDepth = TileDepth;
  static constexpr int kRowsEach = ThreadRows, kColumnsEach = ThreadColumns, kGroup = 4;
  static constexpr int kThreadsAcross = kColumns / kColumnsEach, kThreadsDown = kRows / kRowsEach;
  static constexpr int kThreads = kThreadsAcross * kThreadsDown;
  static constexpr int kRowGroups = kRowsEach / kGroup, kColumnGroups = kColumnsEach / kGroup;
  static constexpr int kBlocksEach = kThreads == 256 ? 2 : 4;  // of a multiprocessor, at least
  // Padded, so that lanes that run along k meet different banks.
  static constexpr int kStepA = kRows + 4, kStepB = kColumns + 4;
  static constexpr int kBuffer = (kStepA + kStepB) * kDepth;  // elements of one tile of each
  // A part of the finished tile in shared memory: one group of each thread's columns.
  static constexpr int kPart = kColumns / kColumnGroups, kStepPart = kPart + 1;
  static constexpr int kShared = 2 * kBuffer > kRows* kStepPart ? 2 * kBuffer : kRows* kStepPart;
  static_assert(kRowsEach % kGroup == 0 && kColumnsEach % kGroup == 0);
  static_assert(kThreads % kDepth == 0 && kThreads % kRows == 0 && kThreads % kColumns == 0);
};
using LargeTile = TileShape<128, 128, 8, 8, 8>;
using MediumTile = TileShape<64, 64, 16, 4, 4>;
using MediumWideTile = TileShape<64, 64, 8, 4, 4>;  // for sums of 64 bits
using SmallTile = TileShape<32, 32, 16, 4, 4>;

// A product that may be split along k: split s has the steps [s * steps, (s + 1) * steps) and its sums go to
// partial[s][product of the batch][m][n].
template <class S>
struct TileProblem {
  int64_t m, n, k;
  const S* a;
  int64_t ars, acs;
  const S* b;
  int64_t brs, bcs;
  ProductBatch batch;
  int64_t tilesDown, tilesAcross;
  int splits;
  int64_t steps;
  Sum<S>* partial;
  Epilogue<S> epilogue;
};

template <class T>
struct alignas(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16) Group {
  T at[4];
};

// One operand's way into shared memory. Its tile has `Lines` rows (of a) or columns (of b) and Depth steps of k;
// element [k][line] goes to shared[k * Step + line]. Neighbouring lanes take what lies side by side in memory.
template <class S, int Lines, int Depth, int Step, int Threads>
struct TileLoader {
  static constexpr int kEach = Lines * Depth / Threads;
  const S* from;
  int64_t more, next;  // from one of this thread's elements to the next, and from one tile to the next
  int to, toMore;
  int depth, depthMore;
  unsigned inside = 0;  // bit e: the line of element e exists
  Sum<S> held[kEach];

  __device__ TileLoader(const S* data, int64_t lineStride, int64_t depthStride, int64_t firstLine, int64_t lines,
                        int64_t firstStep) {
    const int thread = static_cast<int>(threadIdx.x);
    const bool alongDepth = depthStride < lineStride;
    const int line = alongDepth ? thread / Depth : thread % Lines;
    const int lineMore = alongDepth ? Threads / Depth : 0;
    depth = alongDepth ? thread % Depth : thread / Lines;
    depthMore = alongDepth ? 0 : Threads / Lines;
    from = data + (firstLine + line) * lineStride + (firstStep + depth) * depthStride;
    more = lineMore * lineStride + depthMore * depthStride;
    next = Depth * depthStride;
    to = depth * Step + line;
    toMore = depthMore * Step + lineMore;
    THALWEG_UNROLL for (int e = 0; e < kEach; e++) inside |=
        static_cast<unsigned>(firstLine + line + e * lineMore < lines) << e;
  }
  // Reads a tile of which the first `left` steps exist; the others count as 0.
  __device__ void load(int64_t left) {
    THALWEG_UNROLL for (int e = 0; e < kEach; e++) held[e] =
        (inside >> e & 1) && depth + e * depthMore < left ? convert<Sum<S>>(from[e * more]) : Sum<S>(0);
    from += next;
  }
  __device__ void store(Sum<S>* shared) const {
    THALWEG_UNROLL for (int e = 0; e < kEach; e++) shared[to + e * toMore] = held[e];
  }
};

template <class S, class Shape>
__device__ inline void multiplyTiles(const Sum<S>* a, const Sum<S>* b, int down, int across,
                                     Sum<S> (&sums)[Shape::kRowsEach][Shape::kColumnsEach]) {
  using T = Sum<S>;
  THALWEG_UNROLL for (int k = 0; k < Shape::kDepth; k++) {
    Group<T> x[Shape::kRowGroups], y[Shape::kColumnGroups];
    THALWEG_UNROLL for (int g = 0; g < Shape::kRowGroups; g++) x[g] =
        *reinterpret_cast<const Group<T>*>(a + k * Shape::kStepA + (g * Shape::kThreadsDown + down) * 4);
    THALWEG_UNROLL for (int g = 0; g < Shape::kColumnGroups; g++) y[g] =
        *reinterpret_cast<const Group<T>*>(b + k * Shape::kStepB + (g * Shape::kThreadsAcross + across) * 4);
    THALWEG_UNROLL for (int i = 0; i < Shape::kRowsEach; i++)
        THALWEG_UNROLL for (int j = 0; j < Shape::kColumnsEach; j++) sums[i][j] +=
        x[i / 4].at[i % 4] * y[j / 4].at[j % 4];
  }
}

// Calls put(row, column, sum) for the elements of a tile, which go through shared memory: neighbouring lanes then have
// neighbours along a row, or along a column. Waits for the block before and between, not after.
template <class T, class Shape, class Put>
__device__ inline void storeTile(const T (&sums)[Shape::kRowsEach][Shape::kColumnsEach], T* shared, int down,
                                 int across, Put&& put, bool alongRows = false) {
  THALWEG_ROLLED
  for (int part = 0; part < Shape::kColumnGroups; part++) {
    __syncthreads();
    THALWEG_UNROLL
    for (int i = 0; i < Shape::kRowsEach; i++) {
      THALWEG_UNROLL
      for (int j = 0; j < 4; j++) {
        T sum = sums[i][j];
        THALWEG_UNROLL
        for (int g = 1; g < Shape::kColumnGroups; g++)
          if (part == g) sum = sums[i][g * 4 + j];
        shared[((i / 4 * Shape::kThreadsDown + down) * 4 + i % 4) * Shape::kStepPart + across * 4 + j] = sum;
      }
    }
    __syncthreads();
    THALWEG_ROLLED
    for (int e = static_cast<int>(threadIdx.x); e < Shape::kRows * Shape::kPart; e += Shape::kThreads) {
      const int r = alongRows ? e % Shape::kRows : e / Shape::kPart;
      const int c = alongRows ? e / Shape::kRows : e % Shape::kPart;
      put(r, part * Shape::kPart + c, shared[r * Shape::kStepPart + c]);
    }
  }
}

template <class S, class Shape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksEach) tileKernel(TileProblem<S> p) {
  using T = Sum<S>;
  alignas(16) __shared__ T shared[Shape::kShared];
  const int thread = static_cast<int>(threadIdx.x);
  const int across = thread % Shape::kThreadsAcross, down = thread / Shape::kThreadsAcross;
  const int64_t tiles = p.tilesDown * p.tilesAcross, all = tiles * p.splits * p.batch.count;
  for (int64_t job = blockIdx.x; job < all; job += gridDim.x) {
    // Blocks that run at the same time share columns of b, and rows of a soon after.
    const int64_t tile = job % tiles, rest = job / tiles;
    const int split = static_cast<int>(rest % p.splits);
    const int64_t product = rest / p.splits;
    const int64_t row = tile % p.tilesDown * Shape::kRows, column = tile / p.tilesDown * Shape::kColumns;
    const BatchOffsets offsets(p.batch, product);
    const int64_t begin = split * p.steps, end = begin + p.steps < p.k ? begin + p.steps : p.k;

    T sums[Shape::kRowsEach][Shape::kColumnsEach];
    THALWEG_UNROLL for (int i = 0; i < Shape::kRowsEach; i++)
        THALWEG_UNROLL for (int j = 0; j < Shape::kColumnsEach; j++) sums[i][j] = 0;

    if (begin < end) {
      TileLoader<S, Shape::kRows, Shape::kDepth, Shape::kStepA, Shape::kThreads> a(p.a + offsets.a, p.ars, p.acs, row,
                                                                                   p.m, begin);
      TileLoader<S, Shape::kColumns, Shape::kDepth, Shape::kStepB, Shape::kThreads> b(p.b + offsets.b, p.bcs, p.brs,
                                                                                      column, p.n, begin);
      constexpr int kTileA = Shape::kStepA * Shape::kDepth;
      a.load(end - begin);
      b.load(end - begin);
      a.store(shared);
      b.store(shared + kTileA);
      __syncthreads();
      int buffer = 0;
      for (int64_t k = begin + Shape::kDepth;; k += Shape::kDepth) {
        const bool more = k < end;
        if (more) {
          a.load(end - k);
          b.load(end - k);
        }
        const T* const now = shared + buffer * Shape::kBuffer;
        multiplyTiles<S, Shape>(now, now + kTileA, down, across, sums);
        if (!more) break;
        buffer ^= 1;
        a.store(shared + buffer * Shape::kBuffer);
        b.store(shared + buffer * Shape::kBuffer + kTileA);
        __syncthreads();
      }
    }

    const bool alongRows = p.epilogue.ccs > p.epilogue.crs && p.splits == 1;
    const auto put = [&](int r, int c, T sum) {
      const int64_t atRow = row + r, atColumn = column + c;
      if (atRow >= p.m || atColumn >= p.n) return;
      if (p.splits == 1)
        p.epilogue.store(offsets.c, atRow, atColumn, sum);
      else
        p.partial[((split * p.batch.count + product) * p.m + atRow) * p.n + atColumn] = sum;
    };
    storeTile<T, Shape>(sums, shared, down, across, put, alongRows);
    __syncthreads();
  }
}

// The second phase of a product that was split along k: adds up the parts in order.
template <class S>
__global__ void joinSplits(const Sum<S>* partial, int splits, int64_t m, int64_t n, ProductBatch batch,
                           Epilogue<S> epilogue) {
  const int64_t count = batch.count * m * n, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    Sum<S> sum = partial[i];
    for (int s = 1; s < splits; s++) sum += partial[s * count + i];
    const int64_t row = i / n, product = row / m;
    epilogue.store(BatchOffsets(batch, product).c, row - product * m, i - row * n, sum);
  }
}

}  // namespace thalweg::cuda
