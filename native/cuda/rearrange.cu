// countNonzero, nonzero, flip, triangle: elements found, reversed and blotted out. All need to know no more of a dtype
// than the size of its elements, and which bits make them 0.
#include "cuda/block_scan.h"
#include "cuda/check.h"
#include "cuda/kernel.h"
#include "cuda/walk.h"
#include "operands/rearrange.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
constexpr int kRounds = 8;
constexpr int kTile = kThreads * kRounds;
constexpr int kCountsSlot = 1;  // the scan that sums the counts up has slot 0

// -- not zero
// -----------------------------------------------------------------------------------------------------------

// All bits of an element but the sign of a float: -0 is 0.
template <class U>
U valueBits(DType dtype) {
  const U all = static_cast<U>(~U{0});
  return isFloating(dtype) ? static_cast<U>(all >> 1) : all;
}

__device__ inline int lanesBelow(unsigned bits) { return __popc(bits & ((1u << (threadIdx.x % kWarp)) - 1)); }

template <class U>
__global__ void countAll(const U* x, Walk<1> walk, U mask, unsigned long long* total) {
  __shared__ unsigned long long counts[kWarps];
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  unsigned long long own = 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step)
    own += (x[walk.locate(i).at[0]] & mask) != 0;
  unsigned long long all;
  blockExclusive<CountSum<unsigned long long>, kThreads>(own, counts, all);
  if (threadIdx.x == 0 && all != 0) atomicAdd(total, all);
}

template <class U>
__global__ void countTiles(const U* x, Walk<1> walk, U mask, int64_t* counts) {
  __shared__ uint32_t warps[kWarps];
  uint32_t own = 0, all;
  for (int k = 0; k < kRounds; k++) {
    const int64_t i = static_cast<int64_t>(blockIdx.x) * kTile + k * kThreads + threadIdx.x;
    if (i < walk.count) own += (x[walk.locate(i).at[0]] & mask) != 0;
  }
  blockExclusive<CountSum<uint32_t>, kThreads>(own, warps, all);
  if (threadIdx.x == 0) counts[blockIdx.x] = all;
}

struct Shape {
  int ndim;
  int64_t size[kMaxDims];
};

// ends[tile]: how many were found up to the end of the tile.
template <class U>
__global__ void writePlaces(int64_t* out, int64_t rows, const U* x, Walk<1> walk, Shape shape, U mask,
                            const int64_t* ends, FaultSite fault) {
  __shared__ uint32_t counts[2][kWarps];
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  int64_t start = blockIdx.x > 0 ? ends[blockIdx.x - 1] : 0;
  if (threadIdx.x == 0 && blockIdx.x == gridDim.x - 1 && ends[blockIdx.x] != rows) fault.report(rows, ends[blockIdx.x]);
  for (int k = 0; k < kRounds; k++) {
    int64_t i = static_cast<int64_t>(blockIdx.x) * kTile + k * kThreads + threadIdx.x;
    const bool found = i < walk.count && (x[walk.locate(i).at[0]] & mask) != 0;
    const unsigned bits = __ballot_sync(kFullMask, found);
    if (threadIdx.x % kWarp == 0) counts[k % 2][warp] = static_cast<uint32_t>(__popc(bits));
    __syncthreads();
    int64_t row = start + lanesBelow(bits);
    for (int w = 0; w < kWarps; w++) {
      if (w < warp) row += counts[k % 2][w];
      start += counts[k % 2][w];
    }
    // Rows that out does not have were reported.
    if (!found || row >= rows) continue;
    THALWEG_UNROLL
    for (int d = kMaxDims - 1; d >= 0; d--) {
      if (d >= shape.ndim) continue;
      out[row * shape.ndim + d] = i % shape.size[d];
      i /= shape.size[d];
    }
  }
}

// -- rearranging
// --------------------------------------------------------------------------------------------------------

template <class U>
__global__ void copyWalk(U* out, const U* x, Walk<2> walk) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step) {
    const Offsets<2> at = walk.locate(i);
    out[at.at[0]] = x[at.at[1]];
  }
}

template <class U>
__global__ void keepTriangle(U* out, const U* x, Walk<2> walk, int64_t rows, int64_t columns, int64_t diagonal,
                             bool upper) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step) {
    const Offsets<2> at = walk.locate(i);
    const int64_t row = i / columns, column = i - row * columns, edge = row % rows + diagonal;
    out[at.at[0]] = (upper ? column >= edge : column <= edge) ? x[at.at[1]] : U{0};
  }
}

}  // namespace

void countNonzero(Context& context, const TensorView& out, const TensorView& x) {
  if (out.dtype != DType::Int64 || out.ndim != 0)
    fail(ErrorKind::Shape, "countNonzero: out must be an int64 scalar, not %s %s", dtypeName(out.dtype),
         shapeText(out).c_str());
  checkMemory("countNonzero", "output", out);
  checkMemory("countNonzero", "input", x);
  Queue& queue = queueOf(context);
  const Walk<1> walk = walkOf(x);
  // In scratch memory first: out may be an element of x.
  unsigned long long* total = queue.scratch<unsigned long long>(0, 1);
  checkCuda(cudaMemsetAsync(total, 0, sizeof *total, queue.stream), "clearing a count");
  if (walk.count > 0)
    withBits(x.dtype, [&](auto* bits) {
      using U = std::remove_pointer_t<decltype(bits)>;
      LAUNCH((countAll<U>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, x.as<const U>(), walk,
             valueBits<U>(x.dtype), total);
    });
  checkCuda(cudaMemcpyAsync(out.data, total, sizeof *total, cudaMemcpyDeviceToDevice, queue.stream), "copying a count");
}

void nonzero(Context& context, const TensorView& out, const TensorView& x) {
  const char* op = "nonzero";
  if (out.dtype != DType::Int64) fail(ErrorKind::DType, "%s: out is %s, not int64", op, dtypeName(out.dtype));
  if (out.ndim != 2 || out.shape[1] != x.ndim || !out.isContiguous())
    fail(ErrorKind::Shape, "%s: out %s is not contiguous of shape [count, %d]", op, shapeText(out).c_str(), x.ndim);
  checkMemory(op, "output", out);
  checkMemory(op, "input", x);
  const Walk<1> walk = walkOf(x);
  if (walk.count == 0) {
    if (out.shape[0] != 0) fail(ErrorKind::Shape, "%s: out has rows, x no elements", op);
    return;
  }
  Queue& queue = queueOf(context);
  const int64_t tiles = (walk.count + kTile - 1) / kTile;
  if (tiles > INT32_MAX) fail(ErrorKind::Shape, "%s: x %s is too large for this device", op, shapeText(x).c_str());
  TensorView ends;
  ends.data = reinterpret_cast<char*>(queue.scratch<int64_t>(kCountsSlot, tiles));
  ends.dtype = DType::Int64;
  ends.defined = true;
  ends.ndim = 1;
  ends.shape[0] = tiles;
  ends.strides[0] = 1;
  Shape shape;
  shape.ndim = x.ndim;
  for (int d = 0; d < x.ndim; d++) shape.size[d] = x.shape[d];
  const FaultSite fault =
      queue.faultSite(ErrorKind::Shape, "nonzero: out has %lld rows, x %lld elements that are not 0");
  withBits(x.dtype, [&](auto* bits) {
    using U = std::remove_pointer_t<decltype(bits)>;
    const U mask = valueBits<U>(x.dtype);
    LAUNCH((countTiles<U>), static_cast<unsigned>(tiles), kThreads, 0, queue, x.as<const U>(), walk, mask,
           ends.as<int64_t>());
    if (tiles > 1) scan(context, ends, ends, 0, 0, false);
    LAUNCH((writePlaces<U>), static_cast<unsigned>(tiles), kThreads, 0, queue, out.as<int64_t>(), out.shape[0],
           x.as<const U>(), walk, shape, mask, ends.as<const int64_t>(), fault);
  });
}

void flip(Context& context, const TensorView& out, const TensorView& x, int64_t dims) {
  const char* op = "flip";
  checkAlike(op, out, x);
  if (dims < 0 || dims >> x.ndim != 0)
    fail(ErrorKind::Index, "%s: dimensions %lld are out of range for %d dimensions", op, static_cast<long long>(dims),
         x.ndim);
  Walk<2> walk;
  int64_t start = 0;
  for (int d = 0; d < x.ndim; d++) {
    const bool reversed = (dims >> d & 1) != 0;
    if (reversed) start += (x.shape[d] - 1) * x.strides[d];
    walk.add(x.shape[d], out.strides[d], reversed ? -x.strides[d] : x.strides[d]);
  }
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withBits(x.dtype, [&](auto* bits) {
    using U = std::remove_pointer_t<decltype(bits)>;
    LAUNCH((copyWalk<U>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<U>(),
           x.as<const U>() + start, walk);
  });
}

void triangle(Context& context, const TensorView& out, const TensorView& x, int64_t diagonal, bool upper) {
  const char* op = "triangle";
  checkAlike(op, out, x);
  if (x.ndim < 2) fail(ErrorKind::Shape, "%s: expected at least 2 dimensions, got shape %s", op, shapeText(x).c_str());
  const Walk<2> walk = walkOf(out, x);
  if (walk.count == 0) return;
  const int64_t rows = x.shape[x.ndim - 2], columns = x.shape[x.ndim - 1];
  // Beyond these all or nothing is kept; row + diagonal cannot overflow between them.
  const int64_t bounded = diagonal < -rows - 1 ? -rows - 1 : diagonal > columns + 1 ? columns + 1 : diagonal;
  Queue& queue = queueOf(context);
  withBits(x.dtype, [&](auto* bits) {
    using U = std::remove_pointer_t<decltype(bits)>;
    LAUNCH((keepTriangle<U>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<U>(), x.as<const U>(),
           walk, rows, columns, bounded, upper);
  });
}

}  // namespace thalweg::cuda
