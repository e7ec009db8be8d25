// sortRows, runs, runStarts, searchsorted: the order of whole rows, where it changes, and places in it.
//
// Rows are sorted by their numbers: tiles of them in shared memory, then runs are merged, each number finding its place
// in the sibling run by bisection. Rows are compared where they lie.
#include "cuda/check.h"
#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/sort.h"
#include "operands/search.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kTileRows = 1024;

struct Rows {
  const char* data;
  DType dtype;
  int64_t count, columns, down, across;

  explicit Rows(const TensorView& x)
      : data(x.data),
        dtype(x.dtype),
        count(x.shape[0]),
        columns(x.shape[1]),
        down(x.strides[0]),
        across(x.strides[1]) {}

  __device__ uint64_t key(int64_t row, int64_t column) const {
    return keyOf<uint64_t>(data, dtype, row * down + column * across);
  }
  // Below 0, 0 or above: as row a stands to row b.
  __device__ int compare(int64_t a, int64_t b) const {
    for (int64_t c = 0; c < columns; c++) {
      const uint64_t left = key(a, c), right = key(b, c);
      if (left != right) return left < right ? -1 : 1;
    }
    return 0;
  }
  // Whether row a, which comes first if they are equal, stands behind row b.
  __device__ bool after(uint32_t a, uint32_t b) const {
    if (a == kNoPosition || b == kNoPosition) return a == kNoPosition && b != kNoPosition;
    const int order = compare(a, b);
    return order > 0 || (order == 0 && a > b);
  }
};

__global__ void sortTiles(Rows rows, uint32_t* numbers) {
  __shared__ uint32_t tile[kTileRows];
  const int64_t begin = static_cast<int64_t>(blockIdx.x) * kTileRows;
  for (int k = static_cast<int>(threadIdx.x); k < kTileRows; k += kThreads)
    tile[k] = begin + k < rows.count ? static_cast<uint32_t>(begin + k) : kNoPosition;
  for (int size = 2; size <= kTileRows; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      __syncthreads();
      for (int pair = static_cast<int>(threadIdx.x); pair < kTileRows / 2; pair += kThreads) {
        const int a = 2 * pair - (pair & (stride - 1)), b = a + stride;
        const uint32_t ra = tile[a], rb = tile[b];
        const bool descends = (a & (kTileRows - 1) & size) != 0;
        if (rows.after(ra, rb) == descends) continue;
        tile[a] = rb;
        tile[b] = ra;
      }
    }
  }
  __syncthreads();
  for (int k = static_cast<int>(threadIdx.x); k < kTileRows; k += kThreads)
    if (begin + k < rows.count) numbers[begin + k] = tile[k];
}

// Merges neighbouring runs of `width`. Numbers of the left run go before equal ones of the right.
__global__ void mergeRuns(Rows rows, const uint32_t* from, uint32_t* to, int64_t width) {
  const int64_t n = rows.count, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
    const int64_t own = i / width * width;
    const bool isLeft = i / width % 2 == 0;
    const int64_t sibling = isLeft ? own + width : own - width;
    const int64_t end = sibling < n ? (sibling + width < n ? sibling + width : n) : sibling;
    int64_t low = sibling, high = end;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const int order = rows.compare(from[middle], from[i]);
      if (order < 0 || (order == 0 && !isLeft))
        low = middle + 1;
      else
        high = middle;
    }
    const int64_t start = isLeft ? own : sibling;
    to[start + (i - own) + (low - sibling)] = from[i];
  }
}

__global__ void writeOrder(int64_t* order, int64_t stride, const uint32_t* numbers, int64_t n) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step)
    order[i * stride] = numbers[i];
}

// 1 where a row differs from the one before. NaN differs from everything.
__global__ void markChanges(Rows rows, int64_t* group, int64_t stride) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const uint64_t nan = isFloating(rows.dtype) ? keyMask(rows.dtype) : 0;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < rows.count; i += step) {
    bool differs = false;
    for (int64_t c = 0; i > 0 && c < rows.columns && !differs; c++) {
      const uint64_t own = rows.key(i, c);
      differs = own != rows.key(i - 1, c) || (nan != 0 && own == nan);
    }
    group[i * stride] = differs;
  }
}

__global__ void findStarts(int64_t* starts, int64_t startsStride, int64_t groups, const int64_t* group,
                           int64_t groupStride, int64_t n, FaultSite fault) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
    const int64_t j = group[i * groupStride];
    if (i > 0 && j == group[(i - 1) * groupStride]) continue;
    if (j < 0 || j >= groups)
      fault.report(j, groups);
    else
      starts[j * startsStride] = i;
  }
}

struct Search {
  const char *sorted, *values;
  DType dtype;
  const int64_t* order;  // null: sorted as they stand
  char* out;
  bool wide, right;
  int64_t n, each, total;
  FaultSite fault;
};

__global__ void findPlaces(Search s) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < s.total; i += step) {
    const int64_t start = i / s.each * s.n;
    const uint64_t value = keyOf<uint64_t>(s.values, s.dtype, i);
    int64_t low = 0, high = s.n;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      int64_t at = middle;
      if (s.order != nullptr) {
        at = s.order[start + middle];
        if (at < 0 || at >= s.n) {
          s.fault.report(at, s.n);
          break;
        }
      }
      const uint64_t here = keyOf<uint64_t>(s.sorted, s.dtype, start + at);
      if (s.right ? here <= value : here < value)
        low = middle + 1;
      else
        high = middle;
    }
    if (s.wide)
      reinterpret_cast<int64_t*>(s.out)[i] = low;
    else
      reinterpret_cast<int32_t*>(s.out)[i] = static_cast<int32_t>(low);
  }
}

void checkInt64(const char* op, const TensorView& indices) {
  if (indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices must be int64, not %s", op, dtypeName(indices.dtype));
}

void checkMatrix(const char* op, const TensorView& x) {
  if (x.ndim != 2) fail(ErrorKind::Shape, "%s: x must have 2 dimensions, not shape %s", op, shapeText(x).c_str());
  checkMemory(op, "input", x);
}

void checkOrder(const char* op, const TensorView& order, int64_t n) {
  if (order.ndim != 1 || order.shape[0] != n)
    fail(ErrorKind::Shape, "%s: the result must have shape [%lld], not %s", op, static_cast<long long>(n),
         shapeText(order).c_str());
  checkInt64(op, order);
  checkMemory(op, "output", order);
}

}  // namespace

void sortRows(Context& context, const TensorView& order, const TensorView& x) {
  checkMatrix("sortRows", x);
  checkOrder("sortRows", order, x.shape[0]);
  const int64_t n = x.shape[0];
  if (n == 0) return;
  if (n > kLongestSorted)
    fail(ErrorKind::Shape, "sortRows: %lld rows are more than the %lld that this device sorts",
         static_cast<long long>(n), static_cast<long long>(kLongestSorted));
  Queue& queue = queueOf(context);
  const Rows rows(x);
  uint32_t *numbers = queue.scratch<uint32_t>(0, n), *merged = queue.scratch<uint32_t>(1, n);
  const unsigned blocks = gridFor(queue, n, kThreads);
  LAUNCH(sortTiles, static_cast<unsigned>((n + kTileRows - 1) / kTileRows), kThreads, 0, queue, rows, numbers);
  for (int64_t width = kTileRows; width < n; width *= 2) {
    LAUNCH(mergeRuns, blocks, kThreads, 0, queue, rows, numbers, merged, width);
    uint32_t* other = numbers;
    numbers = merged;
    merged = other;
  }
  LAUNCH(writeOrder, blocks, kThreads, 0, queue, order.as<int64_t>(), order.strides[0], numbers, n);
}

void runs(Context& context, const TensorView& group, const TensorView& x) {
  checkMatrix("runs", x);
  checkOrder("runs", group, x.shape[0]);
  if (x.shape[0] == 0) return;
  Queue& queue = queueOf(context);
  LAUNCH(markChanges, gridFor(queue, x.shape[0], kThreads), kThreads, 0, queue, Rows(x), group.as<int64_t>(),
         group.strides[0]);
  scan(context, group, group, 0, 0, false);
}

void runStarts(Context& context, const TensorView& starts, const TensorView& group) {
  if (group.ndim != 1 || starts.ndim != 1)
    fail(ErrorKind::Shape, "runStarts: takes 1 dimension, not shapes %s and %s", shapeText(starts).c_str(),
         shapeText(group).c_str());
  checkInt64("runStarts", group);
  checkInt64("runStarts", starts);
  checkMemory("runStarts", "output", starts);
  checkMemory("runStarts", "input", group);
  const int64_t n = group.shape[0];
  if (n == 0) return;
  Queue& queue = queueOf(context);
  const FaultSite fault = queue.faultSite(ErrorKind::Index, "runStarts: there is no group %lld among %lld");
  LAUNCH(findStarts, gridFor(queue, n, kThreads), kThreads, 0, queue, starts.as<int64_t>(), starts.strides[0],
         starts.shape[0], group.as<const int64_t>(), group.strides[0], n, fault);
}

void searchsorted(Context& context, const TensorView& out, const TensorView& sorted, const TensorView& values,
                  const OptionalTensor& sorter, bool right) {
  const char* op = "searchsorted";
  const auto [total, n] = checkSearch(op, out, sorted, values, sorter);
  if (total == 0) return;
  Queue& queue = queueOf(context);
  const Search search = {
      sorted.data,
      values.data,
      values.dtype,
      sorter.defined ? sorter.as<const int64_t>() : nullptr,
      out.data,
      out.dtype == DType::Int64,
      right,
      n,
      sorted.ndim == 1 ? total : values.shape[values.ndim - 1],
      total,
      queue.faultSite(ErrorKind::Index, "searchsorted: sorter has %lld, out of range for %lld elements"),
  };
  LAUNCH(findPlaces, gridFor(queue, total, kThreads), kThreads, 0, queue, search);
}

}  // namespace thalweg::cuda
