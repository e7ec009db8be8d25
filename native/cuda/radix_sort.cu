// Sorting lines of keys: see sort.h.
//
// A pass over a digit is three launches: digits are counted in each tile of a line; the counts of each digit are summed
// up over the tiles of a line; then each tile is put in order in shared memory, and goes out digit by digit, each to
// where the digit and the tiles before leave off. All lines share the launches; long ones by themselves are sorted with
// CUB where it is (device_sort.h).
#include "cuda/block_scan.h"
#include "cuda/device_sort.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256, kWarps = kThreads / kWarp;
constexpr int kRounds = 8;
constexpr int kTile = kThreads * kRounds;
constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;
static_assert(kDigits == kThreads, "threads stand for digits too");
constexpr int64_t kManyTiles = 512;

template <class K>
__device__ inline uint32_t digitOf(K key, int shift) {
  return static_cast<uint32_t>(key >> shift) & (kDigits - 1);
}

// counts[line][digit][tile]
template <class K>
__global__ void countDigits(const K* keys, int64_t n, int64_t tiles, int shift, uint32_t* counts) {
  __shared__ uint32_t histogram[kDigits];
  const int64_t line = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  histogram[threadIdx.x] = 0;
  __syncthreads();
  const K* from = keys + line * n;
  for (int k = 0; k < kRounds; k++) {
    const int64_t i = tile * kTile + k * kThreads + threadIdx.x;
    if (i < n) atomicAdd(&histogram[digitOf(from[i], shift)], 1u);
  }
  __syncthreads();
  counts[(line * kDigits + threadIdx.x) * tiles + tile] = histogram[threadIdx.x];
}

// Each count becomes the sum of those before in its row, totals[row] the sum of all. A warp for each row, or a block.
__global__ void sumFewCounts(uint32_t* counts, uint32_t* totals, int64_t rows, int64_t tiles) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarp;
  if (row >= rows) return;
  uint32_t* at = counts + row * tiles;
  uint32_t before = 0;
  for (int64_t first = 0; first < tiles; first += kWarp) {
    const int64_t i = first + lane;
    const uint32_t own = i < tiles ? at[i] : 0;
    const uint32_t inclusive = warpInclusive<CountSum<uint32_t>>(own, lane);
    if (i < tiles) at[i] = before + inclusive - own;
    before += __shfl_sync(kFullMask, inclusive, kWarp - 1);
  }
  if (lane == 0) totals[row] = before;
}
__global__ void sumManyCounts(uint32_t* counts, uint32_t* totals, int64_t tiles) {
  __shared__ uint32_t warps[kWarps];
  constexpr int each = 4;
  uint32_t* at = counts + blockIdx.x * tiles;
  uint32_t before = 0;
  for (int64_t first = 0; first < tiles; first += kThreads * each) {
    const int64_t i = first + static_cast<int64_t>(threadIdx.x) * each;
    uint32_t own[each], sum = 0, all;
    for (int k = 0; k < each; k++) {
      own[k] = i + k < tiles ? at[i + k] : 0;
      sum += own[k];
    }
    uint32_t next = before + blockExclusive<CountSum<uint32_t>, kThreads>(sum, warps, all);
    for (int k = 0; k < each; k++) {
      if (i + k < tiles) at[i + k] = next;
      next += own[k];
    }
    before += all;
    __syncthreads();
  }
  if (threadIdx.x == 0) totals[blockIdx.x] = before;
}

// positions: null in the first pass, where they are the places.
template <class K>
__global__ void __launch_bounds__(kThreads)
    placeItems(SortItems<K> from, bool first, SortItems<K> to, int64_t n, int64_t tiles, int shift, int bits,
               const uint32_t* counts, const uint32_t* totals) {
  __shared__ uint32_t warpCounts[kWarps][kDigits];
  __shared__ uint32_t starts[kDigits], targets[kDigits];
  __shared__ uint32_t warps[2][kWarps];
  __shared__ K tileKeys[kTile];
  __shared__ uint32_t tilePositions[kTile];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
  const int64_t line = blockIdx.x / tiles, tile = blockIdx.x % tiles, begin = tile * kTile;
  const K* keys = from.keys + line * n;
  const uint32_t* positions = from.positions + line * n;
  for (int w = 0; w < kWarps; w++) warpCounts[w][thread] = 0;
  __syncthreads();

  // The rank of each item among those of its digit that its warp has, in the order of the line.
  K key[kRounds];
  uint32_t rank[kRounds];
  const unsigned below = (1u << lane) - 1;
  THALWEG_UNROLL
  for (int k = 0; k < kRounds; k++) {
    const int64_t i = begin + (warp * kRounds + k) * kWarp + lane;
    const bool valid = i < n;
    key[k] = valid ? keys[i] : K{0};
    const uint32_t digit = digitOf(key[k], shift);
    unsigned peers = __ballot_sync(kFullMask, valid);
    for (int b = 0; b < bits; b++) {
      const bool set = (digit >> b & 1) != 0;
      const unsigned having = __ballot_sync(kFullMask, set);
      peers &= set ? having : ~having;
    }
    const uint32_t before = warpCounts[warp][digit];
    rank[k] = before + static_cast<uint32_t>(__popc(peers & below));
    __syncwarp();
    if (valid && (peers & below) == 0) warpCounts[warp][digit] = before + static_cast<uint32_t>(__popc(peers));
    __syncwarp();
  }
  __syncthreads();

  // A thread for each digit: where its items start in each warp, in the tile and in the line.
  uint32_t sum = 0;
  for (int w = 0; w < kWarps; w++) {
    const uint32_t own = warpCounts[w][thread];
    warpCounts[w][thread] = sum;
    sum += own;
  }
  uint32_t all;
  const uint32_t start = blockExclusive<CountSum<uint32_t>, kThreads>(sum, warps[0], all);
  const uint32_t inLine = blockExclusive<CountSum<uint32_t>, kThreads>(totals[line * kDigits + thread], warps[1], all);
  starts[thread] = start;
  targets[thread] = inLine + counts[(line * kDigits + thread) * tiles + tile] - start;
  __syncthreads();

  THALWEG_UNROLL
  for (int k = 0; k < kRounds; k++) {
    const int64_t i = begin + (warp * kRounds + k) * kWarp + lane;
    if (i >= n) continue;
    const uint32_t digit = digitOf(key[k], shift);
    const uint32_t place = starts[digit] + warpCounts[warp][digit] + rank[k];
    tileKeys[place] = key[k];
    tilePositions[place] = first ? static_cast<uint32_t>(i) : positions[i];
  }
  __syncthreads();
  const int count = n - begin < kTile ? static_cast<int>(n - begin) : kTile;
  for (int place = thread; place < count; place += kThreads) {
    const K moved = tileKeys[place];
    const int64_t at = line * n + static_cast<uint32_t>(targets[digitOf(moved, shift)] + static_cast<uint32_t>(place));
    to.keys[at] = moved;
    to.positions[at] = tilePositions[place];
  }
}

template <class K>
__global__ void sortShortLines(SortItems<K> items, ShortLines lines) {
  __shared__ K keys[kShortLine];
  __shared__ uint32_t positions[kShortLine];
  int64_t line;
  int i;
  for (int k = static_cast<int>(threadIdx.x); k < lines.items(); k += kShortThreads) {
    const bool valid = lines.find(blockIdx.x, k, line, i);
    keys[k] = valid ? items.keys[line * lines.n + i] : static_cast<K>(~K{0});
    positions[k] = valid ? static_cast<uint32_t>(i) : kNoPosition;
  }
  sortShared(keys, positions, lines.items(), lines.padded);
  for (int k = static_cast<int>(threadIdx.x); k < lines.items(); k += kShortThreads) {
    if (!lines.find(blockIdx.x, k, line, i)) continue;
    items.keys[line * lines.n + i] = keys[k];
    items.positions[line * lines.n + i] = positions[k];
  }
}

}  // namespace

template <class K>
SortItems<K> sortItems(Queue& queue, int64_t lines, int64_t n, int bits, SortItems<K> items, SortItems<K> spare) {
  if (lines == 0 || n == 0) return items;
  if (n <= kShortLine) {
    const ShortLines blocks(lines, n);
    LAUNCH((sortShortLines<K>), static_cast<unsigned>(blocks.blocks()), kShortThreads, 0, queue, items, blocks);
    return items;
  }
#if defined(THALWEG_HAS_CUB)
  if (sortsWithCub(lines, n)) return sortWithCub(queue, lines, n, bits, items, spare);
#endif
  const int64_t tiles = (n + kTile - 1) / kTile, rows = lines * kDigits;
  uint32_t* counts = queue.scratch<uint32_t>(kSortCounts, rows * tiles);
  uint32_t* totals = queue.scratch<uint32_t>(kSortTotals, rows);
  const unsigned blocks = static_cast<unsigned>(lines * tiles);
  for (int shift = 0; shift < bits || shift == 0; shift += kDigitBits) {
    LAUNCH((countDigits<K>), blocks, kThreads, 0, queue, items.keys, n, tiles, shift, counts);
    if (tiles < kManyTiles)
      LAUNCH(sumFewCounts, static_cast<unsigned>((rows + kWarps - 1) / kWarps), kThreads, 0, queue, counts, totals,
             rows, tiles);
    else
      LAUNCH(sumManyCounts, static_cast<unsigned>(rows), kThreads, 0, queue, counts, totals, tiles);
    const int used = bits - shift < kDigitBits ? bits - shift : kDigitBits;
    LAUNCH((placeItems<K>), blocks, kThreads, 0, queue, items, shift == 0, spare, n, tiles, shift, used, counts,
           totals);
    const SortItems<K> other = items;
    items = spare;
    spare = other;
  }
  return items;
}
template SortItems<uint32_t> sortItems(Queue&, int64_t, int64_t, int, SortItems<uint32_t>, SortItems<uint32_t>);
template SortItems<uint64_t> sortItems(Queue&, int64_t, int64_t, int, SortItems<uint64_t>, SortItems<uint64_t>);

}  // namespace thalweg::cuda
