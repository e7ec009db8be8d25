// The product of a map (conv_maps.h) by tiles, as gemm_tile.h has it for matrices: what a step of k reads is worked out
// by a few threads, in shared memory, a step ahead of its use.
#pragma once
#include "cuda/conv_maps.h"
#include "cuda/gemm_tile.h"

namespace thalweg::cuda {

template <class T, class Map>
struct MapProblem {
  Map map;
  const T* a;
  const T* b;
  T* c;
  const T* bias;                  // of the columns of all groups; null: none
  bool aAlongDepth, bAlongDepth;  // what neighbouring lanes read: steps of one row, or rows of one step
  int64_t tilesDown, tilesAcross;
  int splits;
  int64_t steps;  // of a split
  T* partial;     // [split][group][row][column]; only of maps of one grid
};

// What steps of k add to the places of rows, and to the offsets of columns in b: of as many steps as are worked out at
// a time, which is a number of tiles.
constexpr int kStepsAhead = 64;
struct Steps {
  Place place[kStepsAhead];
  int64_t b[kStepsAhead];
};

// Which elements of a tile of Lines x Depth a thread carries: element e is line + e * lineMore at depth + e *
// depthMore.
template <int Lines, int Depth, int Threads>
struct Carried {
  int line, lineMore, depth, depthMore;
  __device__ explicit Carried(bool alongDepth) {
    const int thread = static_cast<int>(threadIdx.x);
    line = alongDepth ? thread / Depth : thread % Lines;
    lineMore = alongDepth ? Threads / Depth : 0;
    depth = alongDepth ? thread % Depth : thread / Lines;
    depthMore = alongDepth ? 0 : Threads / Lines;
  }
};

// The places of a tile's rows, in shared memory.
template <int Rows>
struct Places {
  uint64_t offset[Rows];
  uint32_t at[3][Rows];
};

template <class T, class Map, class Shape>
struct ImageLoader {
  static constexpr int kEach = Shape::kRows * Shape::kDepth / Shape::kThreads;
  const T* data;
  Carried<Shape::kRows, Shape::kDepth, Shape::kThreads> carried;
  uint32_t sizes[3];
  T held[kEach];

  __device__ ImageLoader(const MapProblem<T, Map>& p, int64_t group)
      : data(p.a + p.map.groupOfA(group)), carried(p.aAlongDepth) {
    for (int d = 0; d < 3; d++) sizes[d] = static_cast<uint32_t>(p.map.in[d]);
  }
  // Steps from `left` on do not exist and count as 0, like places outside of the image.
  __device__ void load(const Places<Shape::kRows>& places, const Steps& steps, int first, int64_t left) {
    THALWEG_UNROLL
    for (int e = 0; e < kEach; e++) {
      const int depth = carried.depth + e * carried.depthMore, line = carried.line + e * carried.lineMore;
      T value = 0;
      if (depth < left) {
        const Place& step = steps.place[first + depth];
        if (places.at[0][line] + step.at[0] < sizes[0] && places.at[1][line] + step.at[1] < sizes[1] &&
            places.at[2][line] + step.at[2] < sizes[2])
          value = data[places.offset[line] + step.offset];
      }
      held[e] = value;
    }
  }
  __device__ void store(T* shared) const {
    THALWEG_UNROLL
    for (int e = 0; e < kEach; e++)
      shared[(carried.depth + e * carried.depthMore) * Shape::kStepA + carried.line + e * carried.lineMore] = held[e];
  }
};

template <class T, class Map, class Shape>
struct ColumnLoader {
  static constexpr int kEach = Shape::kColumns * Shape::kDepth / Shape::kThreads;
  const T* data;
  Carried<Shape::kColumns, Shape::kDepth, Shape::kThreads> carried;
  int64_t more;  // from one of this thread's columns to the next
  unsigned inside = 0;
  T held[kEach];

  __device__ ColumnLoader(const MapProblem<T, Map>& p, int64_t group, int64_t column) : carried(p.bAlongDepth) {
    data = p.b + p.map.groupOfB(group) + p.map.columnOfB(column + carried.line);
    more = p.map.columnOfB(carried.lineMore);
    THALWEG_UNROLL
    for (int e = 0; e < kEach; e++)
      inside |= static_cast<unsigned>(column + carried.line + e * carried.lineMore < p.map.columns()) << e;
  }
  __device__ void load(const Steps& steps, int first, int64_t left) {
    THALWEG_UNROLL
    for (int e = 0; e < kEach; e++) {
      const int depth = carried.depth + e * carried.depthMore;
      held[e] = (inside >> e & 1) && depth < left ? data[steps.b[first + depth] + e * more] : T(0);
    }
  }
  __device__ void store(T* shared) const {
    THALWEG_UNROLL
    for (int e = 0; e < kEach; e++)
      shared[(carried.depth + e * carried.depthMore) * Shape::kStepB + carried.line + e * carried.lineMore] = held[e];
  }
};

// What a block works on at a time; in shared memory, since registers are scarce.
struct TileJob {
  int64_t row, column, grid, group, split;
};

template <class T, class Map, class Shape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksEach) mapKernel(MapProblem<T, Map> p) {
  alignas(16) __shared__ T shared[Shape::kShared];
  __shared__ TileJob work;
  __shared__ typename Map::State state;
  __shared__ Steps steps[2];
  __shared__ Places<Shape::kRows> places;
  __shared__ int64_t resultRows[Shape::kRows];
  const int thread = static_cast<int>(threadIdx.x);
  const int across = thread % Shape::kThreadsAcross, down = thread / Shape::kThreadsAcross;
  const Map& map = p.map;
  const int64_t tiles = p.tilesDown * p.tilesAcross, all = tiles * map.grids() * map.groups * p.splits;
  for (int64_t job = blockIdx.x; job < all; job += gridDim.x) {
    __syncthreads();
    if (thread == 0) {
      int64_t rest = job;
      work.row = takeOff(rest, p.tilesDown) * Shape::kRows;
      work.column = takeOff(rest, p.tilesAcross) * Shape::kColumns;
      work.grid = takeOff(rest, map.grids());
      work.group = takeOff(rest, map.groups);
      work.split = rest;
    }
    __syncthreads();
    if (thread < 3) map.prepare(state, work.grid, thread);
    __syncthreads();
    if (work.row >= map.rows(state)) continue;
    for (int r = thread; r < Shape::kRows; r += Shape::kThreads) {
      const bool exists = work.row + r < map.rows(state);
      const Place place = exists ? map.place(state, work.row + r) : map.nowhere();
      places.offset[r] = place.offset;
      for (int d = 0; d < 3; d++) places.at[d][r] = place.at[d];
      resultRows[r] = exists ? map.rowOfResult(state, work.row + r) : 0;
    }
    const int64_t begin = work.split * p.steps, depth = map.depth(state);
    const int64_t end = begin + p.steps < depth ? begin + p.steps : depth;
    const auto prepareSteps = [&](int which, int64_t k) {
      if (thread < kStepsAhead && k + thread < end)
        steps[which].b[thread] = map.step(state, k + thread, steps[which].place[thread]);
    };

    T sums[Shape::kRowsEach][Shape::kColumnsEach];
    THALWEG_UNROLL
    for (int i = 0; i < Shape::kRowsEach; i++) {
      THALWEG_UNROLL
      for (int j = 0; j < Shape::kColumnsEach; j++) sums[i][j] = 0;
    }

    if (begin < end) {
      ImageLoader<T, Map, Shape> a(p, work.group);
      ColumnLoader<T, Map, Shape> b(p, work.group, work.column);
      constexpr int kTileA = Shape::kStepA * Shape::kDepth;
      static_assert(kStepsAhead % Shape::kDepth == 0 && Shape::kThreads >= kStepsAhead);
      prepareSteps(0, begin);
      __syncthreads();
      a.load(places, steps[0], 0, end - begin);
      b.load(steps[0], 0, end - begin);
      prepareSteps(1, begin + kStepsAhead);
      a.store(shared);
      b.store(shared + kTileA);
      __syncthreads();
      int buffer = 0;
      for (int64_t k = begin + Shape::kDepth;; k += Shape::kDepth) {
        const T* const now = shared + buffer * Shape::kBuffer;
        buffer ^= 1;
        const bool more = k < end;
        if (more) {
          const int step = static_cast<int>((k - begin) % (2 * kStepsAhead)), first = step % kStepsAhead;
          if (first == 0) prepareSteps(step / kStepsAhead ^ 1, k + kStepsAhead);
          a.load(places, steps[step / kStepsAhead], first, end - k);
          b.load(steps[step / kStepsAhead], first, end - k);
        }
        multiplyTiles<T, Shape>(now, now + kTileA, down, across, sums);
        if (!more) break;
        a.store(shared + buffer * Shape::kBuffer);
        b.store(shared + buffer * Shape::kBuffer + kTileA);
        __syncthreads();
      }
    }

    const int64_t rows = map.rows(state), columns = map.columns(), row = work.row, column = work.column;
    T* const to = p.c + map.groupOfResult(work.group);
    T* const partial = p.splits > 1 ? p.partial + (work.split * map.groups + work.group) * rows * columns : nullptr;
    const T* const bias = p.bias ? p.bias + work.group * columns : nullptr;
    storeTile<T, Shape>(sums, shared, down, across, [&](int r, int c, T sum) {
      const int64_t atColumn = column + c;
      if (row + r >= rows || atColumn >= columns) return;
      if (partial)
        partial[(row + r) * columns + atColumn] = sum;
      else
        to[resultRows[r] + atColumn * map.columnOfResult()] = bias ? sum + bias[atColumn] : sum;
    });
  }
}

// The second phase of a product that was split along k: adds up the parts in order.
template <class T, class Map>
__global__ void joinMapSplits(MapProblem<T, Map> p) {
  typename Map::State state;
  for (int d = 0; d < 3; d++) p.map.prepare(state, 0, d);
  const int64_t rows = p.map.rows(state), columns = p.map.columns(), count = p.map.groups * rows * columns;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    T sum = p.partial[i];
    for (int s = 1; s < p.splits; s++) sum += p.partial[s * count + i];
    int64_t rest = i;
    const int64_t column = takeOff(rest, columns), row = takeOff(rest, rows);
    if (p.bias) sum += p.bias[rest * columns + column];
    p.c[p.map.groupOfResult(rest) + p.map.rowOfResult(state, row) + column * p.map.columnOfResult()] = sum;
  }
}

}  // namespace thalweg::cuda
