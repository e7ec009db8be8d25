// Sorting and selecting along any dimension of any strides.
//
// Keys (sort.h) stand for elements; what is written are the elements themselves, from the sorted positions. Short lines
// never leave shared memory between the one and the other. Of long lines, the first few or a single one are found by
// most significant digits first, a block for each line, where there are lines enough: CUB of CUDA 13.0 sorts
// (device_sort.h), but has no selection of the first few.
#include "cuda/block_scan.h"
#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/lines.h"
#include "cuda/sort.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kSelectThreads = 512, kSelectWarps = kSelectThreads / kWarp;
constexpr int kInFlight = 4;  // elements that a thread reads at once
constexpr int kDigits = 256;

enum class Pick : int64_t { Kth, Median, NanMedian, Mode };

// x, values, indices; either of the last two may have no data. `flip` inverts the keys for a descending order.
struct Task {
  Lines<3> lines;
  int64_t unit = 0;  // bytes of an element
  uint64_t flip = 0;
  int64_t wanted = 0;  // elements of each line that are written
  Pick pick = Pick::Kth;
  int64_t k = 0;

  __device__ int64_t n() const { return lines.size[0]; }
  __device__ Offsets<3> line(int64_t at) const { return lines.walk.locate(at); }
  template <class K>
  __device__ K key(const Offsets<3>& at, int64_t i) const {
    return static_cast<K>(keyOf<K>(lines.data[0], lines.dtype[0], at.at[0] + i * lines.step[0]) ^ static_cast<K>(flip));
  }
  template <class U>
  __device__ void copy(int64_t to, int64_t from) const {
    reinterpret_cast<U*>(lines.data[1])[to] = reinterpret_cast<const U*>(lines.data[0])[from];
  }
  // Result i of a line is its element at `position`.
  __device__ void write(const Offsets<3>& at, int64_t i, int64_t position) const {
    if (lines.data[1] != nullptr) {
      const int64_t to = at.at[1] + i * lines.step[1], from = at.at[0] + position * lines.step[0];
      switch (unit) {
        case 1: copy<uint8_t>(to, from); break;
        case 2: copy<uint16_t>(to, from); break;
        case 4: copy<uint32_t>(to, from); break;
        default: copy<uint64_t>(to, from);
      }
    }
    if (lines.data[2] != nullptr) reinterpret_cast<int64_t*>(lines.data[2])[at.at[2] + i * lines.step[2]] = position;
  }
  __device__ bool isNan(uint64_t key) const { return isFloating(lines.dtype[0]) && key == keyMask(lines.dtype[0]); }
};

// -- picking from sorted keys
// -------------------------------------------------------------------------------------------

template <class K>
__device__ int64_t lowerBound(const K* keys, int64_t n, K key) {
  int64_t low = 0, high = n;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// Where the picked element stands among n sorted ones of which the last `nans` are NaN; of anything but the mode.
__device__ inline int64_t pickedPlace(const Task& task, int64_t n, int64_t nans) {
  if (task.pick == Pick::Kth) return task.k;
  if (task.pick == Pick::Median && nans > 0) return n - nans;
  return nans == n ? 0 : (n - nans - 1) / 2;
}

template <class K>
__device__ int64_t nansAtEnd(const Task& task, const K* keys, int64_t n) {
  if (!isFloating(task.lines.dtype[0])) return 0;
  return n - lowerBound(keys, n, static_cast<K>(keyMask(task.lines.dtype[0])));
}

// The last occurrence of the most frequent key, the smallest if several. NaN equals nothing, but is preferred to what
// occurs once.
template <class K>
__device__ int64_t modePlace(const Task& task, const K* keys, int64_t n) {
  int64_t best = 0, most = 0, run = 0;
  for (int64_t i = 0; i < n; i++) {
    run++;
    if (i + 1 < n && keys[i] == keys[i + 1] && !task.isNan(keys[i])) continue;
    if (run > most) {
      most = run;
      best = i;
    }
    run = 0;
  }
  return most == 1 && task.isNan(keys[n - 1]) ? n - 1 : best;
}

// -- short lines
// --------------------------------------------------------------------------------------------------------

template <class K>
__device__ void sortBlock(const Task& task, const ShortLines& lines, K* keys, uint32_t* positions) {
  int64_t line;
  int i;
  for (int item = static_cast<int>(threadIdx.x); item < lines.items(); item += kShortThreads) {
    const bool valid = lines.find(blockIdx.x, item, line, i);
    keys[item] = valid ? task.key<K>(task.line(line), i) : static_cast<K>(~K{0});
    positions[item] = valid ? static_cast<uint32_t>(i) : kNoPosition;
  }
  sortShared(keys, positions, lines.items(), lines.padded);
}

template <class K>
__global__ void sortShort(Task task, ShortLines lines) {
  __shared__ K keys[kShortLine];
  __shared__ uint32_t positions[kShortLine];
  sortBlock(task, lines, keys, positions);
  int64_t line;
  int i;
  for (int item = static_cast<int>(threadIdx.x); item < lines.items(); item += kShortThreads)
    if (lines.find(blockIdx.x, item, line, i) && i < task.wanted) task.write(task.line(line), i, positions[item]);
}

template <class K>
__global__ void pickShort(Task task, ShortLines lines) {
  __shared__ K keys[kShortLine];
  __shared__ uint32_t positions[kShortLine];
  sortBlock(task, lines, keys, positions);
  for (int l = static_cast<int>(threadIdx.x); l < lines.each; l += kShortThreads) {
    const int64_t line = blockIdx.x * static_cast<int64_t>(lines.each) + l;
    if (line >= lines.lines) return;
    const K* own = keys + l * lines.padded;
    const int64_t place = task.pick == Pick::Mode ? modePlace(task, own, lines.n)
                                                  : pickedPlace(task, lines.n, nansAtEnd(task, own, lines.n));
    task.write(task.line(line), 0, positions[l * lines.padded + place]);
  }
}

// -- long lines, sorted
// -------------------------------------------------------------------------------------------------

template <class K>
__global__ void makeKeys(Task task, int64_t first, int64_t count, K* keys) {
  const int64_t n = task.n(), step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < count * n; u += step)
    keys[u] = task.key<K>(task.line(first + u / n), u % n);
}

__global__ void writeSorted(Task task, int64_t first, int64_t count, const uint32_t* positions) {
  const int64_t n = task.n(), wanted = task.wanted, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < count * wanted; u += step) {
    const int64_t line = u / wanted, i = u % wanted;
    task.write(task.line(first + line), i, positions[line * n + i]);
  }
}

// A block for each line. Of the mode, each thread looks at ends of runs; the longest, then the first, is the best.
template <class K>
__global__ void pickSorted(Task task, int64_t first, SortItems<K> items) {
  __shared__ unsigned long long best;
  const int64_t n = task.n();
  const K* keys = items.keys + blockIdx.x * n;
  int64_t place = 0;
  if (task.pick == Pick::Mode) {
    if (threadIdx.x == 0) best = 0;
    __syncthreads();
    for (int64_t i = threadIdx.x; i < n; i += kThreads) {
      const bool nan = task.isNan(keys[i]);
      if (i + 1 < n && keys[i] == keys[i + 1] && !nan) continue;
      const int64_t run = nan ? 1 : i - lowerBound(keys, i, keys[i]) + 1;
      atomicMax(&best, static_cast<unsigned long long>(run) << 32 | static_cast<unsigned long long>(n - 1 - i));
    }
    __syncthreads();
    place = n - 1 - static_cast<int64_t>(best & 0xffffffffu);
    if (best >> 32 == 1 && task.isNan(keys[n - 1])) place = n - 1;
  } else if (threadIdx.x == 0) {
    place = pickedPlace(task, n, nansAtEnd(task, keys, n));
  }
  if (threadIdx.x == 0) task.write(task.line(first + blockIdx.x), 0, items.positions[blockIdx.x * n + place]);
}

// -- long lines, selected from
// ------------------------------------------------------------------------------------------

struct SelectState {
  uint32_t histogram[kDigits];
  uint32_t warps[kSelectWarps];
  int64_t rank;
  uint32_t digit, taken;
};

// The key at place `rank` of the sorted line; `rank` becomes its place among the ones that are equal. Whole block.
template <class K>
__device__ K selectKey(const Task& task, const Offsets<3>& at, int64_t& rank, SelectState& shared) {
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t n = task.n();
  K prefix = 0, known = 0;
  for (int shift = keyBits(task.lines.dtype[0]) - 8; shift >= 0; shift -= 8) {
    if (thread < kDigits) shared.histogram[thread] = 0;
    __syncthreads();
    for (int64_t first = thread; first < n; first += kSelectThreads * kInFlight) {
      K keys[kInFlight];
      THALWEG_UNROLL
      for (int k = 0; k < kInFlight; k++) {
        const int64_t i = first + k * kSelectThreads;
        if (i < n) keys[k] = task.key<K>(at, i);
      }
      THALWEG_UNROLL
      for (int k = 0; k < kInFlight; k++)
        if (first + k * kSelectThreads < n && (keys[k] & known) == prefix)
          atomicAdd(&shared.histogram[static_cast<uint32_t>(keys[k] >> shift) & (kDigits - 1)], 1u);
    }
    __syncthreads();
    const uint32_t own = thread < kDigits ? shared.histogram[thread] : 0;
    uint32_t all;
    const int64_t before = blockExclusive<CountSum<uint32_t>, kSelectThreads>(own, shared.warps, all);
    if (before <= rank && rank < before + own) {
      shared.digit = static_cast<uint32_t>(thread);
      shared.rank = rank - before;
    }
    __syncthreads();
    rank = shared.rank;
    prefix |= static_cast<K>(shared.digit) << shift;
    known |= static_cast<K>(kDigits - 1) << shift;
    __syncthreads();
  }
  return prefix;
}

// Calls take(i, place among them) for each element of the line whose key is `wanted`, until `most` were found.
template <class K, class F>
__device__ void forEqual(const Task& task, const Offsets<3>& at, K wanted, int64_t most, SelectState& shared,
                         F&& take) {
  const int64_t n = task.n();
  int64_t found = 0;
  for (int64_t first = 0; first < n && found < most; first += kSelectThreads) {
    const int64_t i = first + threadIdx.x;
    const bool equal = i < n && task.key<K>(at, i) == wanted;
    if (!__syncthreads_or(equal)) continue;
    uint32_t all;
    const int64_t place =
        found + blockExclusive<CountSum<uint32_t>, kSelectThreads>(uint32_t{equal}, shared.warps, all);
    if (equal && place < most) take(i, place);
    found += all;
    __syncthreads();
  }
}

// The first wanted elements, at most kShortLine, of a line for each block.
template <class K>
__global__ void __launch_bounds__(kSelectThreads, 1) selectFirst(Task task, int padded) {
  __shared__ SelectState shared;
  __shared__ K keys[kShortLine];
  __shared__ uint32_t positions[kShortLine];
  const Offsets<3> at = task.line(blockIdx.x);
  const int64_t n = task.n(), k = task.wanted;
  int64_t rank = k - 1;
  const K last = selectKey<K>(task, at, rank, shared);
  const int64_t less = k - 1 - rank;
  for (int64_t i = threadIdx.x; i < padded; i += kSelectThreads) {
    keys[i] = static_cast<K>(~K{0});
    positions[i] = kNoPosition;
  }
  if (threadIdx.x == 0) shared.taken = 0;
  __syncthreads();
  // In any order: the sort below puts them in theirs.
  for (int64_t i = threadIdx.x; i < n; i += kSelectThreads) {
    const K key = task.key<K>(at, i);
    if (key >= last) continue;
    const uint32_t place = atomicAdd(&shared.taken, 1u);
    keys[place] = key;
    positions[place] = static_cast<uint32_t>(i);
  }
  forEqual(task, at, last, rank + 1, shared, [&](int64_t i, int64_t place) {
    keys[less + place] = last;
    positions[less + place] = static_cast<uint32_t>(i);
  });
  sortShared(keys, positions, padded, padded);
  for (int64_t i = threadIdx.x; i < k; i += kSelectThreads) task.write(at, i, positions[i]);
}

// Anything but the mode.
template <class K>
__global__ void __launch_bounds__(kSelectThreads, 1) selectOne(Task task) {
  __shared__ SelectState shared;
  const Offsets<3> at = task.line(blockIdx.x);
  const int64_t n = task.n();
  int64_t nans = 0;
  if (task.pick != Pick::Kth && isFloating(task.lines.dtype[0])) {
    if (threadIdx.x == 0) shared.taken = 0;
    __syncthreads();
    uint32_t own = 0;
    for (int64_t i = threadIdx.x; i < n; i += kSelectThreads) own += task.isNan(task.key<K>(at, i));
    if (own > 0) atomicAdd(&shared.taken, own);
    __syncthreads();
    nans = shared.taken;
  }
  int64_t rank = pickedPlace(task, n, nans);
  const K key = selectKey<K>(task, at, rank, shared);
  forEqual(task, at, key, rank + 1, shared, [&](int64_t i, int64_t place) {
    if (place == rank) task.write(at, 0, i);
  });
}

// -- plans
// --------------------------------------------------------------------------------------------------------------

void checkTypes(const char* op, const TensorView& x, const TensorView* values, const TensorView* indices) {
  if (values != nullptr && values->dtype != x.dtype)
    fail(ErrorKind::DType, "%s: x is %s but values %s", op, dtypeName(x.dtype), dtypeName(values->dtype));
  if (indices != nullptr && indices->dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices must be int64, not %s", op, dtypeName(indices->dtype));
}

void checkLength(const char* op, int64_t n) {
  if (n > kLongestSorted)
    fail(ErrorKind::Shape, "%s: lines of %lld elements are longer than the %lld that this device sorts", op,
         static_cast<long long>(n), static_cast<long long>(kLongestSorted));
}

// A few long lines keep the device busier when all of it sorts them.
bool worthSelecting(const Task& task) {
  return task.lines.count() <= INT32_MAX && (task.lines.count() >= 64 || task.lines.size[0] <= 65536);
}

// Sorts groups of lines and calls write(first line, lines, sorted items) for each.
template <class K, class F>
void sortLong(Queue& queue, const Task& task, F&& write) {
  const int64_t n = task.lines.size[0], lines = task.lines.count(), most = linesAtOnce(lines, n);
  for (int64_t first = 0; first < lines; first += most) {
    const int64_t count = lines - first < most ? lines - first : most;
    const SortItems<K> items = {queue.scratch<K>(0, count * n), queue.scratch<uint32_t>(1, count * n)};
    const SortItems<K> spare = {queue.scratch<K>(2, count * n), queue.scratch<uint32_t>(3, count * n)};
    LAUNCH((makeKeys<K>), gridFor(queue, count * n, kThreads), kThreads, 0, queue, task, first, count, items.keys);
    write(first, count, sortItems(queue, count, n, keyBits(task.lines.dtype[0]), items, spare));
  }
}

// Calls launch(task of some lines, short lines) for as many lines as a grid takes.
template <class F>
void forShort(const Task& task, F&& launch) {
  const ShortLines all(task.lines.count(), task.lines.size[0]);
  if (all.blocks() > INT32_MAX)
    fail(ErrorKind::Shape, "%lld lines are more than can be sorted at once", static_cast<long long>(all.lines));
  launch(all, static_cast<unsigned>(all.blocks()));
}

template <class K>
void sortLines(Queue& queue, const Task& task) {
  if (task.lines.size[0] <= kShortLine)
    return forShort(task, [&](const ShortLines& lines, unsigned blocks) {
      LAUNCH((sortShort<K>), blocks, kShortThreads, 0, queue, task, lines);
    });
  if (task.wanted <= kShortLine && worthSelecting(task)) {
    int padded = 1;
    while (padded < task.wanted) padded *= 2;
    LAUNCH((selectFirst<K>), static_cast<unsigned>(task.lines.count()), kSelectThreads, 0, queue, task, padded);
    return;
  }
  sortLong<K>(queue, task, [&](int64_t first, int64_t count, SortItems<K> sorted) {
    LAUNCH(writeSorted, gridFor(queue, count * task.wanted, kThreads), kThreads, 0, queue, task, first, count,
           sorted.positions);
  });
}

template <class K>
void pickLines(Queue& queue, const Task& task) {
  if (task.lines.size[0] <= kShortLine)
    return forShort(task, [&](const ShortLines& lines, unsigned blocks) {
      LAUNCH((pickShort<K>), blocks, kShortThreads, 0, queue, task, lines);
    });
  if (task.pick != Pick::Mode && worthSelecting(task)) {
    LAUNCH((selectOne<K>), static_cast<unsigned>(task.lines.count()), kSelectThreads, 0, queue, task);
    return;
  }
  sortLong<K>(queue, task, [&](int64_t first, int64_t count, SortItems<K> sorted) {
    LAUNCH((pickSorted<K>), static_cast<unsigned>(count), kThreads, 0, queue, task, first, sorted);
  });
}

bool isWide(DType dtype) { return keyBits(dtype) > 32; }

}  // namespace

void sort(Context& context, const OptionalTensor& values, const OptionalTensor& indices, const TensorView& x,
          int64_t dim, bool descending) {
  checkTypes("sort", x, values.defined ? &values : nullptr, indices.defined ? &indices : nullptr);
  // What is not given takes the place of x, and is not written.
  const TensorView* views[] = {&x, values.defined ? &values : &x, indices.defined ? &indices : &x};
  Task task{linesOf("sort", views, dim), itemSize(x.dtype)};
  requireSameSize("sort", views, task.lines);
  if (!values.defined) task.lines.data[1] = nullptr;
  if (!indices.defined) task.lines.data[2] = nullptr;
  task.wanted = task.lines.size[0];
  if (descending) task.flip = keyMask(x.dtype);
  if (task.lines.count() == 0 || task.wanted == 0) return;
  checkLength("sort", task.wanted);
  Queue& queue = queueOf(context);
  isWide(x.dtype) ? sortLines<uint64_t>(queue, task) : sortLines<uint32_t>(queue, task);
}

void topk(Context& context, const TensorView& values, const TensorView& indices, const TensorView& x, int64_t dim,
          bool largest) {
  checkTypes("topk", x, &values, &indices);
  const TensorView* views[] = {&x, &values, &indices};
  Task task{linesOf("topk", views, dim), itemSize(x.dtype)};
  const int64_t n = task.lines.size[0], k = task.lines.size[1];
  if (task.lines.size[2] != k || k > n)
    fail(ErrorKind::Shape, "topk: x %s has no room for values %s and indices %s", shapeText(x).c_str(),
         shapeText(values).c_str(), shapeText(indices).c_str());
  task.wanted = k;
  if (largest) task.flip = keyMask(x.dtype);
  if (task.lines.count() == 0 || k == 0) return;
  checkLength("topk", n);
  Queue& queue = queueOf(context);
  isWide(x.dtype) ? sortLines<uint64_t>(queue, task) : sortLines<uint32_t>(queue, task);
}

void pick(Context& context, const TensorView& values, const TensorView& indices, const TensorView& x, int64_t dim,
          int64_t kind, int64_t k) {
  checkTypes("pick", x, &values, &indices);
  const TensorView* views[] = {&x, &values, &indices};
  Task task{linesOf("pick", views, dim), itemSize(x.dtype)};
  const int64_t n = task.lines.size[0];
  if (task.lines.size[1] != 1 || task.lines.size[2] != 1)
    fail(ErrorKind::Shape, "pick: values %s and indices %s must have size 1 in dimension %lld",
         shapeText(values).c_str(), shapeText(indices).c_str(), static_cast<long long>(dim));
  if (kind < 0 || kind > static_cast<int64_t>(Pick::Mode))
    fail(ErrorKind::Native, "pick: there is no kind %lld", static_cast<long long>(kind));
  if (task.lines.count() == 0) return;
  task.pick = static_cast<Pick>(kind);
  task.k = k;
  if (n == 0 || (task.pick == Pick::Kth && (k < 0 || k >= n)))
    fail(ErrorKind::Index, "pick: there is no position %lld among %lld elements", static_cast<long long>(k),
         static_cast<long long>(n));
  checkLength("pick", n);
  Queue& queue = queueOf(context);
  isWide(x.dtype) ? pickLines<uint64_t>(queue, task) : pickLines<uint32_t>(queue, task);
}

}  // namespace thalweg::cuda
