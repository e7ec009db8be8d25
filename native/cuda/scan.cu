// Running sums, products, extremes and first-order recurrences along any dimension of any strides.
//
// Each is an associative combination of states (scan_ops.h). Many lines that lie side by side are worked on by a thread
// each; other lines by a warp each if they are short, else by blocks, tile after tile. A few long lines are cut: the
// parts are summed up at once, then each is scanned from the sum of those before. What is cut depends on sizes only, so
// results are the same each time. cub::DeviceScan promises that for whole numbers alone: what it adds up first depends
// on which blocks are done.
#include "cuda/block_scan.h"
#include "cuda/kernel.h"
#include "cuda/scan_ops.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
constexpr int kEach = 4;  // elements of a thread
constexpr int kTile = kThreads * kEach;
constexpr int64_t kShort = 16;        // a thread scans lines as short as this
constexpr int64_t kMedium = 256;      // and a warp as these
constexpr int64_t kManyLines = 2048;  // side by side, enough for a thread each
constexpr int64_t kWantedBlocks = 1024;
constexpr int64_t kMaxParts = kTile;  // of a line: one tile of states
constexpr int64_t kTilesOfPart = 4;   // at least

// Threads have kEach elements in a row in a tile, which would all be in the same few banks.
__device__ inline int padded(int i) { return i + i / kEach; }
constexpr int kPaddedTile = kTile + kTile / kEach;

template <class Op>
__global__ void scanByThreads(ScanProblem p) {
  const int64_t n = p.n(), step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t line = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; line < p.lines.walk.count;
       line += step) {
    const Offsets<3> at = p.lines.walk.locate(line);
    typename Op::State state = Op::start();
    for (int64_t k = 0; k < n; k++) {
      state = Op::combine(state, Op::load(p, at, k));
      Op::store(p, at, k, state);
    }
  }
}

template <class Op>
__global__ void scanByWarps(ScanProblem p) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t n = p.n();
  for (int64_t line = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp; line < p.lines.walk.count;
       line += static_cast<int64_t>(gridDim.x) * kWarps) {
    const Offsets<3> at = p.lines.walk.locate(line);
    typename Op::State carry = Op::start();
    for (int64_t first = 0; first < n; first += kWarp) {
      const int64_t k = first + lane;
      const typename Op::State own = k < n ? Op::load(p, at, k) : Op::start();
      const typename Op::State state = Op::combine(carry, warpInclusive<Op>(own, lane));
      if (k < n) Op::store(p, at, k, state);
      carry = shuffleFrom(state, kWarp - 1);
    }
  }
}

// Scans the states of a tile that each thread has kEach of, behind `carry`, which becomes the state behind the tile.
template <class Op>
__device__ void scanTile(typename Op::State (&own)[kEach], typename Op::State& carry, typename Op::State* warps) {
  for (int k = 1; k < kEach; k++) own[k] = Op::combine(own[k - 1], own[k]);
  typename Op::State all;
  const typename Op::State before = Op::combine(carry, blockExclusive<Op, kThreads>(own[kEach - 1], warps, all));
  for (int k = 0; k < kEach; k++) own[k] = Op::combine(before, own[k]);
  carry = Op::combine(carry, all);
}

// A block for each part of each line. Summing: only the state of the whole part is wanted, in states; else states has
// what is before each part, unless there is one part only.
template <class Op, bool Summing>
__global__ void scanParts(ScanProblem p, int64_t parts, int64_t length, typename Op::State* states) {
  using State = typename Op::State;
  __shared__ State tile[kPaddedTile];
  __shared__ State warps[kWarps];
  const int thread = static_cast<int>(threadIdx.x);
  const Offsets<3> at = p.lines.walk.locate(blockIdx.x / parts);
  const int64_t begin = blockIdx.x % parts * length;
  const int64_t end = p.n() - begin < length ? p.n() : begin + length;
  State carry = !Summing && parts > 1 ? states[blockIdx.x] : Op::start();
  for (int64_t first = begin; first < end; first += kTile) {
    for (int k = 0; k < kEach; k++) {
      const int i = k * kThreads + thread;
      tile[padded(i)] = first + i < end ? Op::load(p, at, first + i) : Op::start();
    }
    __syncthreads();
    State own[kEach];
    for (int k = 0; k < kEach; k++) own[k] = tile[padded(thread * kEach + k)];
    scanTile<Op>(own, carry, warps);
    if constexpr (!Summing) {
      for (int k = 0; k < kEach; k++) tile[padded(thread * kEach + k)] = own[k];
      __syncthreads();
      for (int k = 0; k < kEach; k++) {
        const int i = k * kThreads + thread;
        if (first + i < end) Op::store(p, at, first + i, tile[padded(i)]);
      }
    }
    __syncthreads();
  }
  if (Summing && thread == 0) states[blockIdx.x] = carry;
}

// The states of the parts of a line become those before them. A block for each line.
template <class Op>
__global__ void scanStates(typename Op::State* states, int64_t parts) {
  using State = typename Op::State;
  __shared__ State warps[kWarps];
  State* at = states + blockIdx.x * parts;
  const int64_t first = static_cast<int64_t>(threadIdx.x) * kEach;
  State own[kEach], carry = Op::start();
  for (int k = 0; k < kEach; k++) own[k] = first + k < parts ? at[first + k] : Op::start();
  scanTile<Op>(own, carry, warps);
  for (int k = 0; k < kEach; k++)
    if (first + k + 1 < parts) at[first + k + 1] = own[k];
  if (threadIdx.x == 0) at[0] = Op::start();
}

template <class Op>
void scanBy(Queue& queue, const ScanProblem& p) {
  const int64_t n = p.lines.size[0], lines = p.lines.count();
  if (n <= kShort || lines > INT32_MAX || (p.lines.sideBySide() && lines >= kManyLines)) {
    LAUNCH((scanByThreads<Op>), gridFor(queue, lines, kThreads), kThreads, 0, queue, p);
    return;
  }
  if (n <= kMedium) {
    LAUNCH((scanByWarps<Op>), gridFor(queue, lines * kWarp, kThreads), kThreads, 0, queue, p);
    return;
  }
  int64_t parts = 1, length = n;
  if (lines < kWantedBlocks / 2 && n > kTilesOfPart * kTile) {
    const int64_t wanted = kWantedBlocks / lines < kMaxParts ? kWantedBlocks / lines : kMaxParts;
    const int64_t tiles = (n + kTile - 1) / kTile, each = (tiles + wanted - 1) / wanted;
    length = (each < kTilesOfPart ? kTilesOfPart : each) * kTile;
    parts = (n + length - 1) / length;
  }
  using State = typename Op::State;
  State* states = nullptr;
  const unsigned blocks = static_cast<unsigned>(lines * parts);
  if (parts > 1) {
    states = queue.scratch<State>(0, lines * parts);
    LAUNCH((scanParts<Op, true>), blocks, kThreads, 0, queue, p, parts, length, states);
    LAUNCH((scanStates<Op>), static_cast<unsigned>(lines), kThreads, 0, queue, states, parts);
  }
  LAUNCH((scanParts<Op, false>), blocks, kThreads, 0, queue, p, parts, length, states);
}

}  // namespace

void scan(Context& context, const TensorView& out, const TensorView& x, int64_t dim, int64_t kind, bool reverse) {
  const TensorView* views[] = {&x, &out, &out};
  const ScanProblem p = {linesOf("scan", views, dim), reverse, false};
  requireSameSize("scan", views, p.lines);
  if (kind < 0 || kind > 2) fail(ErrorKind::Native, "scan: there is no kind %lld", static_cast<long long>(kind));
  const bool floats = isFloating(x.dtype);
  if (floats ? out.dtype != x.dtype : out.dtype != DType::Int64)
    fail(ErrorKind::DType, "scan: x is %s and out %s", dtypeName(x.dtype), dtypeName(out.dtype));
  if (kind == 2 && !floats) fail(ErrorKind::DType, "scan: logarithms need floats, not %s", dtypeName(x.dtype));
  if (p.lines.count() == 0 || p.lines.size[0] == 0) return;
  Queue& queue = queueOf(context);
  if (kind == 2)
    scanBy<LogSumScan>(queue, p);
  else if (kind == 1)
    floats ? scanBy<ProductScan>(queue, p) : scanBy<IntegerScan<true>>(queue, p);
  else
    floats ? scanBy<SumScan>(queue, p) : scanBy<IntegerScan<false>>(queue, p);
}

void scanExtreme(Context& context, const TensorView& values, const TensorView& indices, const TensorView& x,
                 int64_t dim, bool largest) {
  const TensorView* views[] = {&x, &values, &indices};
  const ScanProblem p = {linesOf("scanExtreme", views, dim), false, largest};
  requireSameSize("scanExtreme", views, p.lines);
  if (values.dtype != x.dtype || indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "scanExtreme: x is %s, values %s and indices %s", dtypeName(x.dtype),
         dtypeName(values.dtype), dtypeName(indices.dtype));
  if (p.lines.count() == 0 || p.lines.size[0] == 0) return;
  Queue& queue = queueOf(context);
  if (isFloating(x.dtype))
    largest ? scanBy<ExtremeScan<double, true>>(queue, p) : scanBy<ExtremeScan<double, false>>(queue, p);
  else
    largest ? scanBy<ExtremeScan<int64_t, true>>(queue, p) : scanBy<ExtremeScan<int64_t, false>>(queue, p);
}

void scanLinear(Context& context, const TensorView& out, const TensorView& a, const TensorView& b, int64_t dim,
                bool reverse) {
  const TensorView* views[] = {&a, &b, &out};
  const ScanProblem p = {linesOf("scanLinear", views, dim), reverse, false};
  requireSameSize("scanLinear", views, p.lines);
  for (const TensorView* view : views)
    if (!isFloating(view->dtype)) fail(ErrorKind::DType, "scanLinear: takes floats, not %s", dtypeName(view->dtype));
  if (p.lines.count() == 0 || p.lines.size[0] == 0) return;
  scanBy<LinearScan>(queueOf(context), p);
}

}  // namespace thalweg::cuda
