// Means of windows, and their gradients.
#include <cstring>

#include "cpu/pool_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// What the sums of an image's windows are multiplied by.
template <class T>
std::vector<T> sharesOf(const PoolShape& s) {
  std::vector<T> shares;
  shares.reserve(static_cast<size_t>(s.outSize()));
  for (int64_t oz = 0; oz < s.out[0]; oz++)
    for (int64_t oy = 0; oy < s.out[1]; oy++)
      for (int64_t ox = 0; ox < s.out[2]; ox++) {
        const double count = s.divisor != 0 ? s.divisor : s.countOf(0, oz) * s.countOf(1, oy) * s.countOf(2, ox);
        shares.push_back(count != 0 ? static_cast<T>(1 / count) : T(0));
      }
  return shares;
}

// -- channels-last ----------------------------------------------------------------------------------------------------

// The mean of one window, whose first tap is at x; counts: its taps along each dimension.
template <class T>
THALWEG_INLINE void avgPosition(const PoolShape& s, const T* x, const int64_t (&counts)[3], int64_t channels, T share,
                                T* out) {
  const int64_t C = s.channels, planeStep = s.in[1] * s.in[2] * C, rowStep = s.in[2] * C;
  const int64_t ahead = s.nextTap(sizeof(T));
  const int64_t planes = counts[0], rows = counts[1], taps = counts[2];
  forChannelVectors<T>(channels, [=](int64_t c, int m, auto vectors) {
    constexpr int V = decltype(vectors)::value, L = lanes<T>;
    Vec<T> total[V] = {};
    for (int64_t i = 0; i < planes; i++)
      for (int64_t j = 0; j < rows; j++) {
        // Rows by themselves, in two sums: of a large window, sums of like size are added.
        Vec<T> sum[V] = {}, other[V] = {};
        const T* p = x + i * planeStep + j * rowStep + c;
        int64_t k = 0;
        for (; k + 2 <= taps; k += 2, p += 2 * C) THALWEG_UNROLL for (int v = 0; v < V; v++) {
            prefetchAhead(p + v * L, ahead);
            prefetchAhead(p + C + v * L, ahead);
            sum[v] += loadLanes(p + v * L, m, T(0));
            other[v] += loadLanes(p + C + v * L, m, T(0));
          }
        if (k < taps) THALWEG_UNROLL for (int v = 0; v < V; v++) sum[v] += loadLanes(p + v * L, m, T(0));
        THALWEG_UNROLL for (int v = 0; v < V; v++) total[v] += sum[v] + other[v];
      }
    THALWEG_UNROLL for (int v = 0; v < V; v++) storeLanes(out + c + v * L, total[v] * share, m);
  });
}

template <class T>
void avgLast(Context& ctx, const PoolShape& s, const T* x, T* out) {
  const int64_t C = s.channels;
  const std::vector<T> shares = sharesOf<T>(s);
  // Few positions of many channels are cut up along the channels.
  const int64_t tile = s.images * s.outSize() >= 64 ? C : std::min<int64_t>(C, 4 * lanes<T>), tiles = divideUp(C, tile);
  const int64_t positions = s.images * s.outSize();
  parallelFor(ctx.pool, positions * tiles, s.grain(tile), [&](int64_t begin, int64_t end) {
    // Positions of one tile of channels after those of another.
    for (int64_t unit = begin; unit < end;) {
      const int64_t c0 = unit / positions * tile, first = unit % positions;
      const int64_t count = std::min(positions - first, end - unit), channels = std::min(tile, C - c0);
      forRows(s.out, first, first + count,
              [&](int64_t image, int64_t oz, int64_t oy, int64_t ox, int64_t endOfX, int64_t at) {
                const PoolShape::Taps z = s.taps(0, oz), y = s.taps(1, oy);
                const T* plane = x + (image * s.inSize() + (z.first * s.in[1] + y.first) * s.in[2]) * C + c0;
                const T* share = shares.data() + (oz * s.out[1] + oy) * s.out[2];
                for (; ox < endOfX; ox++, at++) {
                  const PoolShape::Taps row = s.taps(2, ox);
                  const int64_t counts[3] = {z.count, y.count, row.count};
                  avgPosition(s, plane + row.first * C, counts, channels, share[ox], out + at * C + c0);
                }
              });
      unit += count;
    }
  });
}

template <class T>
void avgLastBackward(Context& ctx, const PoolShape& s, T* gx, const T* g, bool stream) {
  const int64_t C = s.channels;
  const std::vector<T> shares = sharesOf<T>(s);
  const Windows zs(s, 0), ys(s, 1), xs(s, 2);
  stream = stream && C % lanes<T> == 0 && reinterpret_cast<uintptr_t>(gx) % kVectorBytes == 0;
  parallelFor(ctx.pool, s.images * s.inSize(), kPoolGrain / C, [&](int64_t begin, int64_t end) {
    std::vector<RowOfWindows> rows;
    forRows(s.in, begin, end, [&](int64_t image, int64_t iz, int64_t iy, int64_t ix, int64_t endOfX, int64_t at) {
      findRows(s, zs, ys, image, iz, iy, rows);
      for (; ix < endOfX; ix++, at++) {
        const Windows::Entry *first = xs.begin(ix), *last = xs.end(ix);
        forChannelVectors<T>(C, [&](int64_t c, int m, auto vectors) {
          constexpr int V = decltype(vectors)::value, L = lanes<T>;
          Vec<T> sum[V] = {};
          for (const RowOfWindows& row : rows)
            for (const Windows::Entry* hit = first; hit != last; hit++) {
              const int64_t window = row.window + hit->window;
              const T* from = g + window * C + c;
              const T factor = shares[static_cast<size_t>(window - image * s.outSize())];
              THALWEG_UNROLL for (int v = 0; v < V; v++) sum[v] += loadLanes(from + v * L, m, T(0)) * factor;
            }
          THALWEG_UNROLL for (int v = 0; v < V; v++) storeLanes(gx + at * C + c + v * L, sum[v], m, stream);
        });
      }
    });
    if (stream) streamFence();
  });
}

// -- contiguous -------------------------------------------------------------------------------------------------------

template <class T>
double sumRun(const T* x, int64_t n) {
  return sumVectors<T>(n, [&](int64_t i, int m) { return loadLanes(x + i, m, T(0)); });
}

// One window: row by row, or at once where its rows are whole ones of x.
template <class T>
T sumOne(const PoolShape& s, const T* x, int64_t oz, int64_t oy, int64_t ox) {
  const PoolShape::Taps taps = s.taps(2, ox), y = s.taps(1, oy), z = s.taps(0, oz);
  const int64_t first = (z.first * s.in[1] + y.first) * s.in[2] + taps.first;
  if (taps.count == s.in[2] && (z.count == 1 || y.count == s.in[1]))
    return static_cast<T>(sumRun(x + first, z.count * y.count * taps.count));
  double sum = 0;
  forTapRows(s, oz, oy, [&](int64_t row, int64_t) { sum += sumRun(x + row + taps.first, taps.count); });
  return static_cast<T>(sum);
}

// Windows [begin, end) of a row, all of whose taps along it are in x.
template <int S, class T>
THALWEG_NOINLINE void avgWhole(const PoolShape& s, const T* x, const T* endOfX, int64_t oz, int64_t oy, int64_t begin,
                               int64_t end, const T* shares, T* out) {
  constexpr int L = lanes<T>;
  for (int64_t o = begin; o < end; o += L) {
    const int m = static_cast<int>(std::min<int64_t>(L, end - o));
    Vec<T> sum = {};
    forTapRows(s, oz, oy, [&](int64_t row, int64_t) {
      const T* p = x + row + o * s.stride[2] - s.padding[2];
      for (int64_t k = 0; k < s.kernel[2]; k++) sum += loadEvery<S>(p + k, s.stride[2], m, endOfX);
    });
    storeLanes(out + o, sum * loadLanes(shares + o, m, T(0)), m);
  }
}

template <class T>
void avgPlanes(Context& ctx, const PoolShape& s, const T* x, T* out) {
  const T* endOfX = x + s.planes() * s.inSize();
  const bool wide = s.kernel[2] >= lanes<T> && s.kernel[2] > s.out[2];
  int64_t begin = 0, end = 0;
  if (!wide) s.whole(begin, end);
  const std::vector<T> all = sharesOf<T>(s);
  parallelFor(ctx.pool, s.planes(), s.grain(s.outSize()), [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; p++) {
      const T *from = x + p * s.inSize(), *shares = all.data();
      T* to = out + p * s.outSize();
      for (int64_t oz = 0; oz < s.out[0]; oz++)
        for (int64_t oy = 0; oy < s.out[1]; oy++, to += s.out[2], shares += s.out[2]) {
          for (int64_t o = 0; o < begin; o++) to[o] = sumOne(s, from, oz, oy, o) * shares[o];
          withStride(s.stride[2], [&](auto stride) {
            avgWhole<decltype(stride)::value>(s, from, endOfX, oz, oy, begin, end, shares, to);
          });
          for (int64_t o = end; o < s.out[2]; o++) to[o] = sumOne(s, from, oz, oy, o) * shares[o];
        }
    }
  });
}

template <int S, class T>
THALWEG_NOINLINE void spreadRow(T* __restrict x, const T* __restrict g, int64_t n, int64_t stride) {
  const int64_t step = S != 0 ? S : stride;
  for (int64_t i = 0; i < n; i++) x[i * step] += g[i];
}

// Windows of two columns side by side: both of a pair are written at once.
template <class T>
THALWEG_NOINLINE void spreadPairs(T* gx, const T* share, int64_t n) {
  constexpr int L = lanes<T>;
  for (int64_t o = 0; o < n; o += L) {
    const int m = static_cast<int>(std::min<int64_t>(L, n - o)), pairs = 2 * m;
    const Vec<T> v = loadLanes(share + o, m, T(0));
    Vec<T> low, high;
    zipped(v, v, low, high, std::make_integer_sequence<int, L>());
    storeLanes(gx + 2 * o, low, std::min(pairs, L));
    if (pairs > L) storeLanes(gx + 2 * o + L, high, pairs - L);
  }
}

// Adds the shares of a row of windows to the elements of a row of x, tap by tap.
template <class T>
void spreadTaps(const PoolShape& s, T* row, const T* share) {
  for (int64_t k = 0; k < s.kernel[2]; k++) {
    const int64_t base = k - s.padding[2];
    const int64_t begin = base >= 0 ? 0 : divideUp(-base, s.stride[2]);
    const int64_t end = base >= s.in[2] ? 0 : std::min(s.out[2], divideUp(s.in[2] - base, s.stride[2]));
    if (begin >= end) continue;
    withStride(s.stride[2], [&](auto stride) {
      spreadRow<decltype(stride)::value>(row + begin * s.stride[2] + base, share + begin, end - begin, s.stride[2]);
    });
  }
}

// Or window by window, where windows are wide and few.
template <class T>
void spreadWindows(const PoolShape& s, T* row, const T* share) {
  for (int64_t o = 0; o < s.out[2]; o++) {
    const PoolShape::Taps taps = s.taps(2, o);
    T* to = row + taps.first;
    mapVectors(taps.count, to, [&](int64_t k, int m) { return loadLanes(to + k, m, T(0)) + share[o]; });
  }
}

template <class T>
void avgPlanesBackward(Context& ctx, const PoolShape& s, T* gx, const T* g) {
  const bool pairs = s.kernel[2] == 2 && s.stride[2] == 2 && s.padding[2] == 0 && 2 * s.out[2] <= s.in[2];
  const bool wide = s.kernel[2] > s.in[2] + s.out[2] || s.kernel[2] > 4 * s.out[2];
  const Windows zs(s, 0), ys(s, 1);
  const std::vector<T> all = sharesOf<T>(s);
  parallelFor(ctx.pool, s.planes(), s.grain(s.outSize()), [&](int64_t first, int64_t last) {
    T* share = convScratch<T>(kSlotPlane, s.out[2]);
    for (int64_t p = first; p < last; p++) {
      T* to = gx + p * s.inSize();
      for (int64_t iz = 0; iz < s.in[0]; iz++)
        for (int64_t iy = 0; iy < s.in[1]; iy++, to += s.in[2]) {
          bool clear = true;
          for (auto z = zs.begin(iz); z != zs.end(iz); z++)
            for (auto y = ys.begin(iy); y != ys.end(iy); y++) {
              const int64_t row = (z->window * s.out[1] + y->window) * s.out[2];
              const T *from = g + p * s.outSize() + row, *factors = all.data() + row;
              mapVectors(s.out[2], share, [&](int64_t i, int m) {
                return loadLanes(from + i, m, T(0)) * loadLanes(factors + i, m, T(0));
              });
              const bool untouched = clear;
              if (untouched && !pairs) std::fill(to, to + s.in[2], T(0));
              clear = false;
              if (pairs && untouched) {
                spreadPairs(to, share, s.out[2]);
                std::fill(to + 2 * s.out[2], to + s.in[2], T(0));
              } else if (wide) {
                spreadWindows(s, to, share);
              } else {
                spreadTaps(s, to, share);
              }
            }
          if (clear) std::fill(to, to + s.in[2], T(0));
        }
    }
  });
}

PoolShape readAvgShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry) {
  PoolShape s = readPoolShape(op, x, y, geometry, 11);
  if (s.adaptive) fail(ErrorKind::Native, "%s: a kernel of size 0", op);
  s.countPadding = geometry[9] != 0;
  s.divisor = geometry[10];
  return s;
}

template <class T>
void avgPoolOf(Context& ctx, const PoolShape& s, const TensorView& out, const TensorView& x) {
  s.last ? avgLast(ctx, s, x.as<const T>(), out.as<T>()) : avgPlanes(ctx, s, x.as<const T>(), out.as<T>());
}

template <class T>
void avgPoolBackwardOf(Context& ctx, const PoolShape& s, const TensorView& gx, const TensorView& g) {
  if (s.last)
    avgLastBackward(ctx, s, gx.as<T>(), g.as<const T>(), gx.numel() * itemSize(gx.dtype) >= kStreamBytes);
  else
    avgPlanesBackward(ctx, s, gx.as<T>(), g.as<const T>());
}

}  // namespace

void avgPool(Context& ctx, const TensorView& out, const TensorView& x, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPool", x, out, geometry);
  if (s.empty()) return;
  out.dtype == DType::Float64 ? avgPoolOf<double>(ctx, s, out, x) : avgPoolOf<float>(ctx, s, out, x);
}

void avgPoolBackward(Context& ctx, const TensorView& gx, const TensorView& g, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPoolBackward", gx, g, geometry);
  if (s.empty()) {
    // No windows: nothing is in any of them.
    if (!emptyView(gx)) std::memset(gx.data, 0, static_cast<size_t>(gx.numel() * itemSize(gx.dtype)));
    return;
  }
  gx.dtype == DType::Float64 ? avgPoolBackwardOf<double>(ctx, s, gx, g) : avgPoolBackwardOf<float>(ctx, s, gx, g);
}

}  // namespace thalweg::cpu::THALWEG_ISA
