// Stable sorting of many lines of unsigned keys at once, with the position that each key had in its line: for kernels
// that sort tensors, and for those that bring what goes to one place together.
//
// Short lines are sorted by one block in shared memory; since positions break ties, any network sorts them stably.
// Longer lines are sorted by least significant digits first, all lines in the same launches.
#pragma once
#include "cuda/launch.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// -- keys
// ---------------------------------------------------------------------------------------------------------------

// How many low bits of a key are used. Bits above them are 0.
constexpr int keyBits(DType dtype) {
  switch (dtype) {
    case DType::Float64:
    case DType::Int64: return 64;
    case DType::Float16:
    case DType::BFloat16: return 16;
    case DType::UInt8:
    case DType::Bool: return 8;
    default: return 32;
  }
}
constexpr uint64_t keyMask(DType dtype) { return ~uint64_t{0} >> (64 - keyBits(dtype)); }

template <class U>
__device__ inline U orderedBits(U bits, U infinity) {
  constexpr U sign = static_cast<U>(U{1} << (sizeof(U) * 8 - 1));
  const U magnitude = static_cast<U>(bits & ~sign);
  if (magnitude > infinity) return static_cast<U>(~U{0});
  if (magnitude == 0) return sign;
  return bits & sign ? static_cast<U>(~bits) : static_cast<U>(bits | sign);
}

// The key of an element, whose order as an unsigned number is the wanted one: NaN above all, 0 and -0 alike.
template <class K>
__device__ inline K keyOf(const char* data, DType dtype, int64_t at) {
  if constexpr (sizeof(K) == 8) {
    if (dtype == DType::Float64)
      return orderedBits<uint64_t>(reinterpret_cast<const uint64_t*>(data)[at], 0x7ff0000000000000u);
    if (dtype == DType::Int64) return reinterpret_cast<const uint64_t*>(data)[at] ^ uint64_t { 1 } << 63;
  }
  switch (dtype) {
    case DType::Float32: return orderedBits<uint32_t>(reinterpret_cast<const uint32_t*>(data)[at], 0x7f800000u);
    case DType::Int32: return reinterpret_cast<const uint32_t*>(data)[at] ^ 0x80000000u;
    case DType::Float16: return orderedBits<uint16_t>(reinterpret_cast<const uint16_t*>(data)[at], 0x7c00);
    case DType::BFloat16: return orderedBits<uint16_t>(reinterpret_cast<const uint16_t*>(data)[at], 0x7f80);
    case DType::Bool: return reinterpret_cast<const uint8_t*>(data)[at] != 0;
    default: return reinterpret_cast<const uint8_t*>(data)[at];
  }
}

// -- lines in shared memory
// ---------------------------------------------------------------------------------------------

constexpr int kShortLine = 2048;  // the longest that is sorted in shared memory
constexpr int kShortThreads = 256;
constexpr int kShortItems = 1024;  // of a block, if its lines are shorter
constexpr uint32_t kNoPosition = 0xffffffffu;

// Blocks of short lines: `each` lines of n elements, in `padded` places (a power of two).
struct ShortLines {
  int64_t lines, n;
  int padded, each;

  ShortLines(int64_t lines, int64_t n) : lines(lines), n(n), padded(1) {
    while (padded < n) padded *= 2;
    each = padded < kShortItems ? kShortItems / padded : 1;
  }
  int64_t blocks() const { return (lines + each - 1) / each; }
  __host__ __device__ int items() const { return padded * each; }
  // Place `item` of a block: its line and its position there. False where there is none.
  __device__ bool find(int64_t block, int item, int64_t& line, int& position) const {
    line = block * each + item / padded;
    position = item % padded;
    return line < lines && position < n;
  }
};

// Sorts runs of `padded` items by key, then by position. Whole block, with a barrier at either end; places that are not
// used hold the largest key and kNoPosition.
template <class K>
__device__ inline void sortShared(K* keys, uint32_t* positions, int items, int padded) {
  __syncthreads();
  for (int size = 2; size <= padded; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      for (int pair = static_cast<int>(threadIdx.x); pair < items / 2; pair += static_cast<int>(blockDim.x)) {
        const int a = 2 * pair - (pair & (stride - 1)), b = a + stride;
        const bool descends = (a & (padded - 1) & size) != 0;
        const K ka = keys[a], kb = keys[b];
        const uint32_t pa = positions[a], pb = positions[b];
        const bool after = ka > kb || (ka == kb && pa > pb);
        if (after != descends) {
          keys[a] = kb;
          keys[b] = ka;
          positions[a] = pb;
          positions[b] = pa;
        }
      }
      // Pairs no more than 32 apart stay among the 64 items that a warp has at strides up to 32, unless some of its
      // lanes have none.
      if (stride > kWarp || (stride == 1 && size >= 2 * kWarp) || items < 2 * static_cast<int>(blockDim.x))
        __syncthreads();
      else
        __syncwarp();
    }
  }
  __syncthreads();
}

// -- lines of any length
// ------------------------------------------------------------------------------------------------

template <class K>
struct SortItems {
  K* keys;
  uint32_t* positions;
};

// Lines longer than this are not sorted: positions would not fit.
constexpr int64_t kLongestSorted = 0xfffffffe;
// As many items as are worth sorting at once: callers take groups of lines, which bounds the scratch memory.
constexpr int64_t kSortedAtOnce = int64_t{1} << 27;
constexpr int64_t linesAtOnce(int64_t lines, int64_t n) {
  const int64_t most = n < kSortedAtOnce ? kSortedAtOnce / n : 1;
  return lines < most ? lines : most;
}
// The scratch slots that sortItems uses.
constexpr int kSortCounts = 6, kSortTotals = 7;

// Sorts `lines` lines of n keys, of which the low `bits` bits are used, stably; `items.keys` is given, positions come
// from here. Both have room for lines * n; the result is in one of them.
template <class K>
SortItems<K> sortItems(Queue& queue, int64_t lines, int64_t n, int bits, SortItems<K> items, SortItems<K> spare);
extern template SortItems<uint32_t> sortItems(Queue&, int64_t, int64_t, int, SortItems<uint32_t>, SortItems<uint32_t>);
extern template SortItems<uint64_t> sortItems(Queue&, int64_t, int64_t, int, SortItems<uint64_t>, SortItems<uint64_t>);

}  // namespace thalweg::cuda
