// Sorting long lines with CUB, which comes with the CUDA toolkit: see sort.h. Only in what nvcc compiles, and not on
// the emulated device.
#pragma once
#include "cuda/sort.h"

#if defined(__CUDACC__) && __has_include(<cub/device/device_radix_sort.cuh>)
#define THALWEG_HAS_CUB
#endif

#if defined(THALWEG_HAS_CUB)
namespace thalweg::cuda {

// Whether lines of n keys, longer than kShortLine, are better sorted one by one with CUB than all in the same launches.
// THALWEG_CUB=0: never.
bool sortsWithCub(int64_t lines, int64_t n);

// As sortItems.
template <class K>
SortItems<K> sortWithCub(Queue& queue, int64_t lines, int64_t n, int bits, SortItems<K> items, SortItems<K> spare);
extern template SortItems<uint32_t> sortWithCub(Queue&, int64_t, int64_t, int, SortItems<uint32_t>,
                                                SortItems<uint32_t>);
extern template SortItems<uint64_t> sortWithCub(Queue&, int64_t, int64_t, int, SortItems<uint64_t>,
                                                SortItems<uint64_t>);

}  // namespace thalweg::cuda
#endif
