// Combining in index order: see scatter.h.
//
// A few positions that may meet are walked one after the other, by a thread for each line and column. Many are sorted
// by the places they name, stably; then positions of one place follow each other in order, and a thread combines them.
#include "cuda/convert.h"
#include "cuda/scatter.h"
#include "cuda/sort.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kFewPositions = 32;  // are walked
constexpr int kInFlight = 4;           // elements read ahead of their turn

// The quotient and the rest, with 32 bits where they do.
__device__ inline void split(int64_t at, int64_t divisor, int64_t& quotient, int64_t& rest) {
  if (((at | divisor) >> 32) == 0)
    quotient = static_cast<uint32_t>(at) / static_cast<uint32_t>(divisor);
  else
    quotient = at / divisor;
  rest = at - quotient * divisor;
}

// The type in which elements are combined.
template <class T>
__device__ inline auto wide(T x) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
    return toFloat(x);
  else if constexpr (std::is_same_v<T, Boolean>)
    return static_cast<uint8_t>(x.byte != 0);
  else
    return x;
}

template <class T>
__device__ inline T combined(Combine how, T place, T value) {
  if (how == Combine::Assign) return value;
  if constexpr (std::is_same_v<T, Boolean>)
    if (how == Combine::Sum) return Boolean{static_cast<uint8_t>((place.byte | value.byte) != 0)};
  const auto a = wide(place), b = wide(value);
  using C = std::remove_const_t<decltype(a)>;
  if (how == Combine::Sum || how == Combine::Prod) {
    if constexpr (std::is_integral_v<C>) {
      const uint64_t ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
      return convert<T>(static_cast<C>(how == Combine::Sum ? ua + ub : ua * ub));
    } else {
      return convert<T>(how == Combine::Sum ? a + b : a * b);
    }
  }
  // NaN wins over everything.
  const bool stays = how == Combine::Max ? a > b || a != a : a < b || a != a;
  return convert<T>(stays ? a : b);
}

template <class T>
__global__ void walkPositions(Scatter s) {
  const int64_t n = s.ordered.count, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  const T* src = reinterpret_cast<const T*>(s.src);
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < s.lines.count * s.columns.count;
       u += step) {
    int64_t l, c;
    split(u, s.columns.count, l, c);
    const Offsets<3> line = s.lines.locate(l);
    const Offsets<2> column = s.columns.locate(c);
    T* out = reinterpret_cast<T*>(s.out) + line.at[2] + column.at[1];
    for (int64_t j = 0; j < n; j++) {
      const Offsets<2> at = s.ordered.locate(j);
      const int64_t value = loadIndex(s.index, s.wideIndex, line.at[1] + at.at[1]);
      if (!s.selected.takes(value)) continue;
      T& place = out[value * s.selected.stride];
      place = combined(s.combine, place, src[line.at[0] + column.at[0] + at.at[0]]);
    }
  }
}

// What is out of range gets the largest key.
template <class K>
__global__ void makeKeys(Scatter s, int64_t firstLine, int64_t count, K* keys) {
  const int64_t n = s.ordered.count, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < count * n; u += step) {
    int64_t l, j;
    split(u, n, l, j);
    const int64_t at = s.lines.locate(firstLine + l).at[1] + s.ordered.locate(j).at[1];
    const int64_t value = loadIndex(s.index, s.wideIndex, at);
    keys[u] = static_cast<K>(s.selected.takes(value) ? value : s.selected.size);
  }
}

// A thread for each sorted position and column; the first position of a place works for those that follow.
template <class T, class K>
__global__ void combineSorted(Scatter s, int64_t firstLine, int64_t count, SortItems<K> items) {
  const int64_t n = s.ordered.count, step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t u = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; u < count * n * s.columns.count;
       u += step) {
    int64_t e, c, l, i;
    split(u, s.columns.count, e, c);
    split(e, n, l, i);
    const K* keys = items.keys + l * n;
    const uint32_t* positions = items.positions + l * n;
    const K key = keys[i];
    if (key == static_cast<K>(s.selected.size)) continue;
    const bool assigns = s.combine == Combine::Assign;
    if (assigns ? i + 1 < n && keys[i + 1] == key : i > 0 && keys[i - 1] == key) continue;
    const Offsets<3> line = s.lines.locate(firstLine + l);
    const Offsets<2> column = s.columns.locate(c);
    T& place = reinterpret_cast<T*>(s.out)[line.at[2] + column.at[1] + static_cast<int64_t>(key) * s.selected.stride];
    const T* src = reinterpret_cast<const T*>(s.src) + line.at[0] + column.at[0];
    if (assigns) {
      place = src[s.ordered.locate(positions[i]).at[0]];
      continue;
    }
    T sum = place;
    int64_t j = i;
    // Sorted: what lies between equal keys is equal too.
    for (; j + kInFlight <= n && keys[j + kInFlight - 1] == key; j += kInFlight) {
      T ahead[kInFlight];
      THALWEG_UNROLL
      for (int k = 0; k < kInFlight; k++) ahead[k] = src[s.ordered.locate(positions[j + k]).at[0]];
      THALWEG_UNROLL
      for (int k = 0; k < kInFlight; k++) sum = combined(s.combine, sum, ahead[k]);
    }
    for (; j < n && keys[j] == key; j++) sum = combined(s.combine, sum, src[s.ordered.locate(positions[j]).at[0]]);
    place = sum;
  }
}

template <class K>
void combineBySorting(Queue& queue, DType dtype, const Scatter& scatter) {
  const int64_t n = scatter.ordered.count, lines = scatter.lines.count, most = linesAtOnce(lines, n);
  int bits = 1;
  while (bits < 64 && static_cast<uint64_t>(scatter.selected.size) >> bits != 0) bits++;
  for (int64_t first = 0; first < lines; first += most) {
    const int64_t count = lines - first < most ? lines - first : most;
    const SortItems<K> items = {queue.scratch<K>(0, count * n), queue.scratch<uint32_t>(1, count * n)};
    const SortItems<K> spare = {queue.scratch<K>(2, count * n), queue.scratch<uint32_t>(3, count * n)};
    LAUNCH((makeKeys<K>), gridFor(queue, count * n, kThreads), kThreads, 0, queue, scatter, first, count, items.keys);
    const SortItems<K> sorted = sortItems(queue, count, n, bits, items, spare);
    withType(dtype, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      LAUNCH((combineSorted<T, K>), gridFor(queue, count * n * scatter.columns.count, kThreads), kThreads, 0, queue,
             scatter, first, count, sorted);
    });
  }
}

}  // namespace

void scatterInOrder(Queue& queue, DType dtype, const Scatter& scatter) {
  const int64_t n = scatter.ordered.count, apart = scatter.lines.count * scatter.columns.count;
  if (n == 0 || apart == 0) return;
  if (n <= kFewPositions || n > kLongestSorted) {
    withType(dtype, [&](auto* type) {
      using T = std::remove_pointer_t<decltype(type)>;
      LAUNCH((walkPositions<T>), gridFor(queue, apart, kThreads), kThreads, 0, queue, scatter);
    });
    return;
  }
  if (scatter.selected.size < UINT32_MAX)
    combineBySorting<uint32_t>(queue, dtype, scatter);
  else
    combineBySorting<uint64_t>(queue, dtype, scatter);
}

}  // namespace thalweg::cuda
