// Copies between any dtypes and strides, constants, and ranges.
//
// Copies of one dtype move units of bits, as large as layouts and addresses allow; between layouts that are contiguous
// along different dimensions they go through tiles in shared memory, so that both sides are read and written in rows.
#include <cstring>

#include "cuda/check.h"
#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/walk.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32, kTileRows = 8;  // of a transposition, and rows of threads
constexpr int64_t kThin = 8;              // matrices with a side shorter than this are not worth tiles
constexpr int kPack = 4;                  // elements converted at once

// A walk over out and x, the dimensions in the order of out's strides.
Walk<2> orderedWalk(const TensorView& out, const TensorView& x) {
  int order[kMaxDims], kept = 0;
  for (int d = 0; d < out.ndim; d++) {
    int at = kept++;
    for (; at > 0 && out.strides[order[at - 1]] < out.strides[d]; at--) order[at] = order[at - 1];
    order[at] = d;
  }
  Walk<2> walk;
  for (int k = 0; k < kept; k++) walk.add(out.shape[order[k]], out.strides[order[k]], x.strides[order[k]]);
  return walk;
}

// -- the same dtype
// -----------------------------------------------------------------------------------------------------

template <class U>
__global__ void copyUnits(U* to, const U* from, Walk<2> walk) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step) {
    const Offsets<2> at = walk.locate(i);
    to[at.at[0]] = from[at.at[1]];
  }
}

// to[j * toStep + k] = from[j + k * fromStep] for j < rows, k < columns, in every matrix of the walk.
struct Transposition {
  Walk<2> matrices;
  int64_t rows, columns, toStep, fromStep;

  __host__ __device__ int64_t tilesDown() const { return (rows + kTile - 1) / kTile; }
  __host__ __device__ int64_t tilesAcross() const { return (columns + kTile - 1) / kTile; }
};

template <class U>
__global__ void transposeTiles(U* to, const U* from, Transposition t) {
  __shared__ U tile[kTile][kTile + 1];
  const int lane = static_cast<int>(threadIdx.x) % kTile, first = static_cast<int>(threadIdx.x) / kTile;
  const int64_t across = t.tilesAcross(), each = t.tilesDown() * across;
  for (int64_t u = blockIdx.x; u < t.matrices.count * each; u += gridDim.x) {
    const Offsets<2> at = t.matrices.locate(u / each);
    const int64_t j0 = u % each / across * kTile, k0 = u % each % across * kTile;
    for (int r = first; r < kTile; r += kTileRows)
      if (k0 + r < t.columns && j0 + lane < t.rows) tile[r][lane] = from[at.at[1] + j0 + lane + (k0 + r) * t.fromStep];
    __syncthreads();
    for (int r = first; r < kTile; r += kTileRows)
      if (j0 + r < t.rows && k0 + lane < t.columns) to[at.at[0] + (j0 + r) * t.toStep + k0 + lane] = tile[lane][r];
    __syncthreads();
  }
}

// Whether the walk is a transposition: contiguous along its last dimension in out, and along another in x.
bool findTransposition(const Walk<2>& walk, Transposition& t) {
  const int last = walk.ndim - 1;
  if (last < 1 || walk.strides[last][0] != 1 || walk.strides[last][1] <= 1 || walk.shape[last] < kThin) return false;
  int across = -1;
  for (int d = 0; d < last; d++)
    if (walk.strides[d][1] == 1 && walk.shape[d] >= kThin) across = d;
  if (across < 0) return false;
  for (int d = 0; d < last; d++)
    if (d != across) t.matrices.add(walk.shape[d], walk.strides[d][0], walk.strides[d][1]);
  t.rows = walk.shape[across];
  t.columns = walk.shape[last];
  t.toStep = walk.strides[across][0];
  t.fromStep = walk.strides[last][1];
  return true;
}

template <class U>
void copyBits(Queue& queue, char* to, const char* from, const Walk<2>& walk) {
  U* out = reinterpret_cast<U*>(to);
  const U* x = reinterpret_cast<const U*>(from);
  Transposition t{};
  if (findTransposition(walk, t))
    LAUNCH((transposeTiles<U>), gridFor(queue, t.matrices.count * t.tilesDown() * t.tilesAcross() * kThreads, kThreads),
           kTile * kTileRows, 0, queue, out, x, t);
  else
    LAUNCH((copyUnits<U>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out, x, walk);
}

// Rows that are contiguous on both sides are moved in units as large as their sizes and addresses allow.
int64_t widen(Walk<2>& walk, int64_t unit, const char* to, const char* from) {
  const int last = walk.ndim - 1;
  if (last < 0 || walk.strides[last][0] != 1 || walk.strides[last][1] != 1) return unit;
  const auto addresses = reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from);
  const auto allows = [&](int64_t bytes) {
    bool fits = addresses % static_cast<uintptr_t>(bytes) == 0 && walk.shape[last] * unit % bytes == 0;
    for (int d = 0; d < last && fits; d++)
      fits = walk.strides[d][0] * unit % bytes == 0 && walk.strides[d][1] * unit % bytes == 0;
    return fits;
  };
  int64_t bytes = 16;
  while (bytes > unit && !allows(bytes)) bytes /= 2;
  const int64_t factor = bytes / unit;
  if (factor <= 1) return unit;
  walk.count /= factor;
  walk.shape[last] /= factor;
  for (int d = 0; d < last; d++)
    for (int64_t& stride : walk.strides[d]) stride /= factor;
  return bytes;
}

void copySame(Queue& queue, const TensorView& out, const TensorView& x, Walk<2> walk) {
  const int64_t unit = itemSize(out.dtype);
  if (walk.isContiguous(0) && walk.isContiguous(1)) {
    if (out.data == x.data) return;
    checkCuda(cudaMemcpyAsync(out.data, x.data, static_cast<size_t>(walk.count * unit), cudaMemcpyDeviceToDevice,
                              queue.stream),
              "copying on the device");
    return;
  }
  switch (widen(walk, unit, out.data, x.data)) {
    case 1: return copyBits<uint8_t>(queue, out.data, x.data, walk);
    case 2: return copyBits<uint16_t>(queue, out.data, x.data, walk);
    case 4: return copyBits<uint32_t>(queue, out.data, x.data, walk);
    case 8: return copyBits<uint64_t>(queue, out.data, x.data, walk);
    default: return copyBits<uint4>(queue, out.data, x.data, walk);
  }
}

// -- other dtypes
// -------------------------------------------------------------------------------------------------------

template <class T>
struct alignas(sizeof(T) * kPack) Pack {
  T at[kPack];
};

// packed: both sides lie without gaps, and whole packs are aligned.
template <class To, class From>
__global__ void castKernel(To* to, const From* from, Walk<2> walk, bool packed) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t packs = packed ? walk.count / kPack : 0;
  for (int64_t i = thread; i < packs; i += step) {
    const Pack<From> read = reinterpret_cast<const Pack<From>*>(from)[i];
    Pack<To> written;
    THALWEG_UNROLL
    for (int k = 0; k < kPack; k++) written.at[k] = convert<To>(read.at[k]);
    reinterpret_cast<Pack<To>*>(to)[i] = written;
  }
  for (int64_t i = packs * kPack + thread; i < walk.count; i += step) {
    const Offsets<2> at = walk.locate(i);
    to[at.at[0]] = convert<To>(from[at.at[1]]);
  }
}

void copyCast(Queue& queue, const TensorView& out, const TensorView& x, const Walk<2>& walk) {
  const auto aligned = [](const TensorView& view) {
    return reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(itemSize(view.dtype) * kPack) == 0;
  };
  const bool packed = walk.isContiguous(0) && walk.isContiguous(1) && aligned(out) && aligned(x);
  const unsigned blocks = gridFor(queue, packed ? (walk.count + kPack - 1) / kPack : walk.count, kThreads);
  withType(out.dtype, [&](auto* to) {
    withType(x.dtype, [&](auto* from) {
      using To = std::remove_pointer_t<decltype(to)>;
      using From = std::remove_pointer_t<decltype(from)>;
      if constexpr (!std::is_same_v<To, From>)
        LAUNCH((castKernel<To, From>), blocks, kThreads, 0, queue, out.as<To>(), x.as<const From>(), walk, packed);
    });
  });
}

// -- constants and ranges
// -----------------------------------------------------------------------------------------------

template <class U>
__global__ void fillStrided(U* to, U value, Walk<2> walk) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step)
    to[walk.locate(i).at[0]] = value;
}

// n elements without gaps: 16 bytes at a time between the first and the last such boundary.
template <class U>
__global__ void fillRow(U* to, U value, uint4 pattern, int64_t n, int64_t head) {
  constexpr int64_t each = sizeof(uint4) / sizeof(U);
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t whole = (n - head) / each;
  uint4* body = reinterpret_cast<uint4*>(to + head);
  for (int64_t i = thread; i < whole; i += step) body[i] = pattern;
  if (thread < head) to[thread] = value;
  if (head + whole * each + thread < n) to[head + whole * each + thread] = value;
}

template <class U>
void fillBits(Queue& queue, const TensorView& out, const void* element, const Walk<2>& walk) {
  U value;
  std::memcpy(&value, element, sizeof value);
  if (!walk.isContiguous(0)) {
    LAUNCH((fillStrided<U>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<U>(), value, walk);
    return;
  }
  uint4 pattern;
  for (size_t at = 0; at < sizeof pattern; at += sizeof value)
    std::memcpy(reinterpret_cast<char*>(&pattern) + at, &value, sizeof value);
  const int64_t before = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out.data) % sizeof pattern / sizeof value);
  const int64_t head = before < walk.count ? before : walk.count;
  const int64_t units = walk.count / static_cast<int64_t>(sizeof pattern / sizeof value);
  LAUNCH((fillRow<U>), gridFor(queue, units + 1, kThreads), kThreads, 0, queue, out.as<U>(), value, pattern, walk.count,
         head);
}

// Floats are computed in float64, integers in uint64: a sequence that leaves int64 wraps.
template <class T, class C>
__global__ void arangeKernel(T* to, C start, C step, Walk<1> walk) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += stride)
    if constexpr (std::is_floating_point_v<C>)
      to[walk.locate(i).at[0]] = convert<T>(start + static_cast<C>(i) * step);
    else
      to[walk.locate(i).at[0]] = convert<T>(static_cast<int64_t>(start + static_cast<C>(i) * step));
}

}  // namespace

void copy(Context& context, const TensorView& out, const TensorView& x) {
  checkOutput("copy", out);
  checkInput("copy", x);
  if (!sameShape(out, x))
    fail(ErrorKind::Shape, "copy: the shapes differ: output %s, input %s", shapeText(out).c_str(),
         shapeText(x).c_str());
  if (out.numel() == 0) return;
  checkMemory("copy", "input", x);
  const Walk<2> walk = orderedWalk(out, x);
  if (out.dtype == x.dtype)
    copySame(queueOf(context), out, x, walk);
  else
    copyCast(queueOf(context), out, x, walk);
}

void fill(Context& context, const TensorView& out, Scalar value) {
  checkOutput("fill", out);
  const Walk<2> walk = orderedWalk(out, out);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withType(out.dtype, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    const T element = isFloating(out.dtype) ? convert<T>(value.real) : convert<T>(value.integer);
    switch (sizeof element) {
      case 1: return fillBits<uint8_t>(queue, out, &element, walk);
      case 2: return fillBits<uint16_t>(queue, out, &element, walk);
      case 4: return fillBits<uint32_t>(queue, out, &element, walk);
      default: return fillBits<uint64_t>(queue, out, &element, walk);
    }
  });
}

void arange(Context& context, const TensorView& out, Scalar start, Scalar step) {
  checkOutput("arange", out);
  const Walk<1> walk = walkOf(out);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withType(out.dtype, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    const auto launch = [&](auto first, auto by) {
      LAUNCH((arangeKernel<T, decltype(first)>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<T>(),
             first, by, walk);
    };
    if (isFloating(out.dtype))
      launch(start.real, step.real);
    else
      launch(static_cast<uint64_t>(start.integer), static_cast<uint64_t>(step.integer));
  });
}

}  // namespace thalweg::cuda
