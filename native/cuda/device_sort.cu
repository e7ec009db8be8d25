#include "cuda/device_sort.h"

#if defined(THALWEG_HAS_CUB)
// Ranges for profilers, which would make the plugin look for another library.
#define CCCL_DISABLE_NVTX
#include <cstdlib>
#include <cstring>
#include <cub/device/device_radix_sort.cuh>

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// CUB sorts one line at a time, in about as many launches as sortItems has for all of them: a count of all digits, then
// a pass over each. So a single line is always for CUB, whose tiles are larger and which reads each key once a pass
// instead of twice. Of several lines each has to be long enough that its launches take the device longer than the host:
// a line of a million is about a tile for each multiprocessor of the largest GPUs, and a few microseconds of memory
// traffic a launch, which is what a launch costs. Reckoned, not measured.
constexpr int64_t kLongLine = int64_t{1} << 20;

bool switchedOff() {
  static const bool off = [] {
    const char* value = std::getenv("THALWEG_CUB");
    return value && std::strcmp(value, "0") == 0;
  }();
  return off;
}

__global__ void numberPositions(uint32_t* positions, int64_t lines, int64_t n) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < lines * n; u += step)
    positions[u] = static_cast<uint32_t>(u % n);
}

}  // namespace

bool sortsWithCub(int64_t lines, int64_t n) { return (lines == 1 || n >= kLongLine) && !switchedOff(); }

// Nothing here waits: CUB launches kernels and fills memory on the stream, so a graph can capture it.
template <class K>
SortItems<K> sortWithCub(Queue& queue, int64_t lines, int64_t n, int bits, SortItems<K> items, SortItems<K> spare) {
  if (lines == 0 || n == 0) return items;
  const uint32_t count = static_cast<uint32_t>(n);  // at most kLongestSorted: 32 bits are enough for CUB's offsets, too
  const auto sortLine = [&](void* storage, size_t& bytes, int64_t line) {
    cub::DoubleBuffer<K> keys(items.keys + line * n, spare.keys + line * n);
    cub::DoubleBuffer<uint32_t> positions(items.positions + line * n, spare.positions + line * n);
    const cudaError_t status =
        cub::DeviceRadixSort::SortPairs(storage, bytes, keys, positions, count, 0, bits, queue.stream);
    if (status != cudaSuccess) cudaGetLastError();
    checkCuda(status, "sorting with CUB");
    return SortItems<K>{keys.Current() - line * n, positions.Current() - line * n};
  };
  size_t bytes = 0;
  sortLine(nullptr, bytes, 0);  // only says how much storage it needs
  void* const storage = queue.scratch(kSortCounts, static_cast<int64_t>(bytes));
  LAUNCH(numberPositions, gridFor(queue, lines * n, kThreads), kThreads, 0, queue, items.positions, lines, n);
  // In which of the buffers a result lies depends on the number of passes alone, the same for all lines and for keys
  // and positions.
  SortItems<K> sorted = items;
  for (int64_t line = 0; line < lines; line++) sorted = sortLine(storage, bytes, line);
  return sorted;
}
template SortItems<uint32_t> sortWithCub(Queue&, int64_t, int64_t, int, SortItems<uint32_t>, SortItems<uint32_t>);
template SortItems<uint64_t> sortWithCub(Queue&, int64_t, int64_t, int, SortItems<uint64_t>, SortItems<uint64_t>);

}  // namespace thalweg::cuda
#endif
