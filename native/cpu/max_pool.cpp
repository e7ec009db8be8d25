// Maxima of windows, and their gradients. Where a maximum stood is kept as the number of its tap in the window: one
// byte for windows of up to 256 taps, an eighth of an index.
#include <cstring>

#include "cpu/pool_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class K, class T>
struct TapVector {
  typedef K type __attribute__((vector_size(lanes<T> * sizeof(K))));
};

template <class T, class K>
THALWEG_INLINE void storeTaps(K* to, Vec<MaskOf<T>> taps, int m) {
  const auto narrow = __builtin_convertvector(taps, typename TapVector<K, T>::type);
  if (m == lanes<T>)
    std::memcpy(to, &narrow, sizeof(narrow));
  else
    std::memcpy(to, &narrow, static_cast<size_t>(m) * sizeof(K));
}
// Bytes are widened by and by: GCC takes larger steps element by element.
template <class T>
THALWEG_INLINE Vec<MaskOf<T>> widenTaps(typename TapVector<uint8_t, T>::type taps) {
  const auto words = __builtin_convertvector(taps, typename TapVector<uint16_t, T>::type);
  return __builtin_convertvector(__builtin_convertvector(words, typename TapVector<uint32_t, T>::type), Vec<MaskOf<T>>);
}
template <class T>
THALWEG_INLINE Vec<MaskOf<T>> widenTaps(typename TapVector<int32_t, T>::type taps) {
  return __builtin_convertvector(taps, Vec<MaskOf<T>>);
}

template <class T, class K>
THALWEG_INLINE Vec<MaskOf<T>> loadTaps(const K* from, int m) {
  typename TapVector<K, T>::type narrow{};
  if (m == lanes<T>) {
    std::memcpy(&narrow, from, sizeof(narrow));
  } else {
    for (int i = 0; i < lanes<T>; i++)
      if (i < m) narrow[i] = from[i];
  }
  return widenTaps<T>(narrow);
}

// A larger value takes the place, and a NaN that of anything.
template <class T>
struct Best {
  Vec<T> value;
  Vec<MaskOf<T>> tap;

  THALWEG_INLINE void offer(Vec<T> v, MaskOf<T> number) {
    const Vec<MaskOf<T>> larger = v > value, none = v != v, numbers = broadcast(number);
    value = none ? v : larger ? v : value;
    tap = none ? numbers : larger ? numbers : tap;
  }
};

// -- channels-last ----------------------------------------------------------------------------------------------------

template <bool kTaps, class T, class K>
void maxLast(Context& ctx, const PoolShape& s, const T* x, T* out, K* taps) {
  const int64_t C = s.channels;
  const int64_t planeStep = s.dilation[0] * s.in[1] * s.in[2] * C, rowStep = s.dilation[1] * s.in[2] * C;
  const int64_t tapStep = s.dilation[2] * C, planeNumbers = s.mostTaps(1) * s.mostTaps(2), rowNumbers = s.mostTaps(2);
  const int64_t ahead = s.nextTap(sizeof(T));
  parallelFor(ctx.pool, s.images * s.outSize(), s.grain(C), [&](int64_t begin, int64_t end) {
    forRows(s.out, begin, end, [&](int64_t image, int64_t oz, int64_t oy, int64_t ox, int64_t endOfX, int64_t at) {
      const PoolShape::Taps z = s.taps(0, oz), y = s.taps(1, oy);
      const T* plane = x + (image * s.inSize() + (z.first * s.in[1] + y.first) * s.in[2]) * C;
      for (; ox < endOfX; ox++, at++) {
        const PoolShape::Taps row = s.taps(2, ox);
        const T* from = plane + row.first * C;
        const int64_t first = z.low * planeNumbers + y.low * rowNumbers + row.low, to = at * C;
        forChannelVectors<T>(C, [=](int64_t c, int m, auto vectors) {
          constexpr int V = decltype(vectors)::value, L = lanes<T>;
          Best<T> best[V];
          THALWEG_UNROLL for (int v = 0; v < V; v++) {
            prefetchAhead(from + c + v * L, ahead);
            best[v] = {loadLanes(from + c + v * L, m, T(0)), broadcast(static_cast<MaskOf<T>>(first))};
          }
          int64_t k = 1;  // the first tap is there already
          for (int64_t i = 0; i < z.count; i++)
            for (int64_t j = 0; j < y.count; j++, k = 0) {
              const T* p = from + i * planeStep + j * rowStep + k * tapStep + c;
              const int64_t number = first + i * planeNumbers + j * rowNumbers;
              for (; k < row.count; k++, p += tapStep) THALWEG_UNROLL for (int v = 0; v < V; v++) {
                  prefetchAhead(p + v * L, ahead);
                  best[v].offer(loadLanes(p + v * L, m, T(0)), static_cast<MaskOf<T>>(number + k));
                }
            }
          THALWEG_UNROLL for (int v = 0; v < V; v++) {
            storeLanes(out + to + c + v * L, best[v].value, m);
            if constexpr (kTaps) storeTaps<T>(taps + to + c + v * L, best[v].tap, m);
          }
        });
      }
    });
  });
}

// Windows that have no element in common: each is read once, for all of its taps in a row of x.
inline bool windowsApart(const PoolShape& s) {
  bool apart = !s.adaptive;
  for (int d = 0; d < 3; d++) apart = apart && s.kernel[d] <= s.stride[d] && s.dilation[d] == 1;
  return apart;
}

template <class T, class K>
THALWEG_INLINE void spreadRowApart(const PoolShape& s, const Windows& xs, const RowOfWindows& row, int64_t ix,
                                   int64_t endOfX, T* gx, const T* g, const K* taps, bool stream) {
  const int64_t C = s.channels;
  for (int64_t run; ix < endOfX; ix += run, gx += run * C) {
    const Windows::Entry* hit = xs.begin(ix);
    const bool used = hit != xs.end(ix);
    run = used ? std::min(s.kernel[2] - hit->tap, endOfX - ix) : 1;
    const int64_t from = used ? (row.window + hit->window) * C : 0;
    const MaskOf<T> number = static_cast<MaskOf<T>>(used ? row.tap + hit->tap : 0);
    forChannelVectors<T>(C, [&](int64_t c, int m, auto vectors) {
      constexpr int V = decltype(vectors)::value, L = lanes<T>;
      Vec<T> value[V] = {};
      Vec<MaskOf<T>> tap[V] = {};
      if (used) THALWEG_UNROLL for (int v = 0; v < V; v++) {
          value[v] = loadLanes(g + from + c + v * L, m, T(0));
          tap[v] = loadTaps<T>(taps + from + c + v * L, m);
        }
      for (int64_t k = 0; k < run; k++) THALWEG_UNROLL for (int v = 0; v < V; v++) {
          const Vec<T> share = tap[v] == number + static_cast<MaskOf<T>>(k) ? value[v] : Vec<T>{};
          storeLanes(gx + k * C + c + v * L, share, m, stream);
        }
    });
  }
}

// Any windows: each element adds up what it gets.
template <class T, class K>
THALWEG_INLINE void spreadRow(const PoolShape& s, const Windows& xs, const std::vector<RowOfWindows>& rows, int64_t ix,
                              int64_t endOfX, T* gx, const T* g, const K* taps, bool stream) {
  const int64_t C = s.channels;
  for (; ix < endOfX; ix++, gx += C) {
    const Windows::Entry *first = xs.begin(ix), *last = xs.end(ix);
    forChannelVectors<T>(C, [&](int64_t c, int m, auto vectors) {
      constexpr int V = decltype(vectors)::value, L = lanes<T>;
      Vec<T> sum[V] = {};
      for (const RowOfWindows& row : rows)
        for (const Windows::Entry* hit = first; hit != last; hit++) {
          const int64_t from = (row.window + hit->window) * C + c;
          const auto number = broadcast(static_cast<MaskOf<T>>(row.tap + hit->tap));
          THALWEG_UNROLL for (int v = 0; v < V; v++) {
            const Vec<T> value = loadLanes(g + from + v * L, m, T(0));
            sum[v] += loadTaps<T>(taps + from + v * L, m) == number ? value : Vec<T>{};
          }
        }
      THALWEG_UNROLL for (int v = 0; v < V; v++) storeLanes(gx + c + v * L, sum[v], m, stream);
    });
  }
}

template <class T, class K>
void maxLastBackward(Context& ctx, const PoolShape& s, T* gx, const T* g, const K* taps, bool stream) {
  const int64_t C = s.channels;
  const Windows zs(s, 0), ys(s, 1), xs(s, 2);
  const bool apart = windowsApart(s);
  stream = stream && C % lanes<T> == 0 && reinterpret_cast<uintptr_t>(gx) % kVectorBytes == 0;
  parallelFor(ctx.pool, s.images * s.inSize(), kPoolGrain / C, [&](int64_t begin, int64_t end) {
    std::vector<RowOfWindows> rows;
    forRows(s.in, begin, end, [&](int64_t image, int64_t iz, int64_t iy, int64_t ix, int64_t endOfX, int64_t at) {
      findRows(s, zs, ys, image, iz, iy, rows);
      if (apart && rows.size() == 1)
        spreadRowApart(s, xs, rows[0], ix, endOfX, gx + at * C, g, taps, stream);
      else
        spreadRow(s, xs, rows, ix, endOfX, gx + at * C, g, taps, stream);
    });
    if (stream) streamFence();
  });
}

// -- contiguous -------------------------------------------------------------------------------------------------------

template <bool kTaps, class T, class K>
void maxOne(const PoolShape& s, const T* x, int64_t oz, int64_t oy, int64_t ox, T* out, K* tap) {
  const PoolShape::Taps taps = s.taps(2, ox);
  T most = -std::numeric_limits<T>::infinity();
  int64_t where = -1;
  forTapRows(s, oz, oy, [&](int64_t row, int64_t number) {
    for (int64_t k = 0; k < taps.count; k++) {
      const T v = x[row + taps.first + k * s.dilation[2]];
      if (v > most || v != v || where < 0) {
        most = v;
        where = number + taps.low + k;
      }
    }
  });
  *out = most;
  if constexpr (kTaps) *tap = static_cast<K>(where);
}

// Windows [begin, end) of a row, all of whose taps along it are in x.
template <bool kTaps, int S, class T, class K>
THALWEG_NOINLINE void maxWhole(const PoolShape& s, const T* x, const T* endOfX, int64_t oz, int64_t oy, int64_t begin,
                               int64_t end, T* out, K* taps) {
  constexpr int L = lanes<T>;
  const int64_t first = (s.taps(0, oz).low * s.mostTaps(1) + s.taps(1, oy).low) * s.mostTaps(2);
  for (int64_t o = begin; o < end; o += L) {
    const int m = static_cast<int>(std::min<int64_t>(L, end - o));
    Best<T> best = {broadcast(-std::numeric_limits<T>::infinity()), broadcast(static_cast<MaskOf<T>>(first))};
    forTapRows(s, oz, oy, [&](int64_t row, int64_t number) {
      const T* p = x + row + o * s.stride[2] - s.padding[2];
      for (int64_t k = 0; k < s.kernel[2]; k++)
        best.offer(loadEvery<S>(p + k * s.dilation[2], s.stride[2], m, endOfX), static_cast<MaskOf<T>>(number + k));
    });
    storeLanes(out + o, best.value, m);
    if constexpr (kTaps) storeTaps<T>(taps + o, best.tap, m);
  }
}

template <bool kTaps, class T, class K>
void maxPlanes(Context& ctx, const PoolShape& s, const T* x, T* out, K* taps) {
  const T* endOfX = x + s.planes() * s.inSize();
  int64_t begin, end;
  s.whole(begin, end);
  parallelFor(ctx.pool, s.planes(), s.grain(s.outSize()), [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; p++) {
      const T* from = x + p * s.inSize();
      for (int64_t oz = 0; oz < s.out[0]; oz++)
        for (int64_t oy = 0; oy < s.out[1]; oy++) {
          const int64_t row = p * s.outSize() + (oz * s.out[1] + oy) * s.out[2];
          K* where = kTaps ? taps + row : nullptr;
          const auto one = [&](int64_t o) {
            maxOne<kTaps>(s, from, oz, oy, o, out + row + o, kTaps ? where + o : where);
          };
          for (int64_t o = 0; o < begin; o++) one(o);
          withStride(s.stride[2], [&](auto stride) {
            maxWhole<kTaps, decltype(stride)::value>(s, from, endOfX, oz, oy, begin, end, out + row, where);
          });
          for (int64_t o = end; o < s.out[2]; o++) one(o);
        }
    }
  });
}

// Windows of two columns side by side: both of a pair are written at once.
template <class T, class K>
THALWEG_NOINLINE void spreadPairs(T* gx, const T* g, const K* taps, int64_t n, MaskOf<T> number) {
  constexpr int L = lanes<T>;
  for (int64_t o = 0; o < n; o += L) {
    const int m = static_cast<int>(std::min<int64_t>(L, n - o));
    const Vec<T> v = loadLanes(g + o, m, T(0));
    const Vec<MaskOf<T>> tap = loadTaps<T>(taps + o, m);
    const Vec<T> left = tap == number ? v : Vec<T>{}, right = tap == number + 1 ? v : Vec<T>{};
    Vec<T> low, high;
    zipped(left, right, low, high, std::make_integer_sequence<int, L>());
    const int pairs = 2 * m;
    storeLanes(gx + 2 * o, low, std::min(pairs, L));
    if (pairs > L) storeLanes(gx + 2 * o + L, high, pairs - L);
  }
}

[[noreturn]] __attribute__((noinline, cold)) void outsideWindow(const char* op, int64_t tap) {
  fail(ErrorKind::Index, "%s: tap %lld is not in its window", op, static_cast<long long>(tap));
}

// The place of a tap of window (oz, oy, ox) in its plane.
struct Places {
  const PoolShape& s;
  const char* op;

  int64_t of(int64_t oz, int64_t oy, int64_t ox, int64_t tap) const {
    const int64_t o[3] = {oz, oy, ox};
    int64_t k[3] = {tap / (s.mostTaps(1) * s.mostTaps(2)), tap / s.mostTaps(2) % s.mostTaps(1), tap % s.mostTaps(2)},
            at = 0;
    for (int d = 0; d < 3; d++) {
      const PoolShape::Taps taps = s.taps(d, o[d]);
      k[d] -= taps.low;
      if (tap < 0 || k[d] < 0 || k[d] >= taps.count) outsideWindow(op, tap);
      at = at * s.in[d] + taps.first + k[d] * s.dilation[d];
    }
    return at;
  }
};

// How far the taps of a window are from its corner, by number.
constexpr int64_t kMostDistances = 4096;
std::vector<int64_t> tapDistances(const PoolShape& s) {
  std::vector<int64_t> distances;
  if (s.numbers() > static_cast<double>(kMostDistances)) return distances;
  for (int64_t z = 0; z < s.mostTaps(0); z++)
    for (int64_t y = 0; y < s.mostTaps(1); y++)
      for (int64_t x = 0; x < s.mostTaps(2); x++)
        distances.push_back((z * s.dilation[0] * s.in[1] + y * s.dilation[1]) * s.in[2] + x * s.dilation[2]);
  return distances;
}

// Adds g to the elements that it belongs to, window by window.
template <class T, class K>
THALWEG_NOINLINE void addToTaps(const PoolShape& s, const std::vector<int64_t>& distances, T* gx, const T* g,
                                const K* taps) {
  const Places places = {s, "maxPoolBackward"};
  const uint64_t size = static_cast<uint64_t>(s.inSize());
  const auto corner = [&](int d, int64_t o) {
    return s.adaptive ? s.taps(d, o).first : o * s.stride[d] - s.padding[d];
  };
  for (int64_t oz = 0; oz < s.out[0]; oz++)
    for (int64_t oy = 0; oy < s.out[1]; oy++) {
      const int64_t row = (corner(0, oz) * s.in[1] + corner(1, oy)) * s.in[2];
      for (int64_t ox = 0; ox < s.out[2]; ox++, taps++, g++) {
        const int64_t tap = *taps;
        if (distances.empty()) {
          gx[places.of(oz, oy, ox, tap)] += *g;
          continue;
        }
        if (static_cast<uint64_t>(tap) >= distances.size()) outsideWindow(places.op, tap);
        const int64_t at = row + corner(2, ox) + distances[static_cast<size_t>(tap)];
        if (static_cast<uint64_t>(at) >= size) outsideWindow(places.op, tap);
        gx[at] += *g;
      }
    }
}

template <class T, class K>
void maxPlanesBackward(Context& ctx, const PoolShape& s, T* gx, const T* g, const K* taps) {
  const auto apart = [&](int d) { return s.kernel[d] <= s.stride[d] && s.dilation[d] == 1; };
  const bool pairs = !s.adaptive && apart(0) && apart(1) && s.kernel[2] == 2 && s.stride[2] == 2 &&
                     s.dilation[2] == 1 && s.padding[2] == 0 && 2 * s.out[2] <= s.in[2];
  const Windows zs(s, 0), ys(s, 1);
  const std::vector<int64_t> distances = tapDistances(s);
  parallelFor(ctx.pool, s.planes(), kPoolGrain / (s.inSize() + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      T* to = gx + p * s.inSize();
      const T* from = g + p * s.outSize();
      const K* where = taps + p * s.outSize();
      if (!pairs) {
        std::fill(to, to + s.inSize(), T(0));
        addToTaps(s, distances, to, from, where);
        continue;
      }
      for (int64_t iz = 0; iz < s.in[0]; iz++)
        for (int64_t iy = 0; iy < s.in[1]; iy++, to += s.in[2]) {
          const auto *z = zs.begin(iz), *y = ys.begin(iy);
          const bool used = z != zs.end(iz) && y != ys.end(iy);
          if (used) {
            const int64_t row = (z->window * s.out[1] + y->window) * s.out[2];
            spreadPairs(to, from + row, where + row, s.out[2],
                        static_cast<MaskOf<T>>((z->tap * s.mostTaps(1) + y->tap) * s.mostTaps(2)));
          }
          std::fill(to + (used ? 2 * s.out[2] : 0), to + s.in[2], T(0));
        }
    }
  });
}

// -- both -------------------------------------------------------------------------------------------------------------

// Calls f(offset of the window, offset of its tap) for all windows.
template <class K, class F>
void forTaken(Context& ctx, const PoolShape& s, const char* op, const K* taps, F f) {
  const Places places = {s, op};
  const int64_t channel = s.last ? 1 : s.outSize(), position = s.last ? s.channels : 1;
  parallelFor(ctx.pool, s.images * s.outSize(), kPoolGrain / (8 * s.channels), [&](int64_t begin, int64_t end) {
    forPositions(s.out, begin, end, [&](int64_t image, int64_t oz, int64_t oy, int64_t ox, int64_t at) {
      for (int64_t c = 0; c < s.channels; c++) {
        const int64_t window = image * s.channels * s.outSize() + c * channel + at % s.outSize() * position;
        const int64_t place = places.of(oz, oy, ox, taps[window]);
        f(window, place, image * s.channels * s.inSize() + (s.last ? place * s.channels + c : c * s.inSize() + place));
      }
    });
  });
}

template <class T, class K>
void maxPoolOf(Context& ctx, const PoolShape& s, const TensorView& out, const TensorView& taps, const TensorView& x) {
  const T* from = x.as<const T>();
  T* to = out.as<T>();
  if (!taps.defined)
    s.last ? maxLast<false, T, K>(ctx, s, from, to, nullptr) : maxPlanes<false, T, K>(ctx, s, from, to, nullptr);
  else
    s.last ? maxLast<true>(ctx, s, from, to, taps.as<K>()) : maxPlanes<true>(ctx, s, from, to, taps.as<K>());
}

PoolShape readMaxShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry) {
  PoolShape s = readPoolShape(op, x, y, geometry, 12);
  readMaxPool(op, s, x, geometry);
  return s;
}

// f(null pointers to the types of the values and of the taps)
template <class F>
void withTypes(const TensorView& values, bool bytes, F&& f) {
  const auto with = [&](auto* value) {
    bytes ? f(value, static_cast<uint8_t*>(nullptr)) : f(value, static_cast<int32_t*>(nullptr));
  };
  values.dtype == DType::Float64 ? with(static_cast<double*>(nullptr)) : with(static_cast<float*>(nullptr));
}

}  // namespace

void maxPool(Context& ctx, const TensorView& out, const OptionalTensor& taps, const TensorView& x, Scalars geometry) {
  const char* op = "maxPool";
  const PoolShape s = readMaxShape(op, x, out, geometry);
  if (taps.defined) checkTaps(op, s, taps, out);
  if (s.empty()) return;
  withTypes(out, !taps.defined || taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    maxPoolOf<std::remove_pointer_t<decltype(value)>, std::remove_pointer_t<decltype(tap)>>(ctx, s, out, taps, x);
  });
}

void maxPoolBackward(Context& ctx, const TensorView& gx, const TensorView& g, const TensorView& taps,
                     Scalars geometry) {
  const char* op = "maxPoolBackward";
  const PoolShape s = readMaxShape(op, gx, g, geometry);
  checkTaps(op, s, taps, g);
  if (s.empty()) {
    // No windows: nothing is in any of them.
    if (!emptyView(gx)) std::memset(gx.data, 0, static_cast<size_t>(gx.numel() * itemSize(gx.dtype)));
    return;
  }
  const bool stream = gx.numel() * itemSize(gx.dtype) >= kStreamBytes;
  withTypes(g, taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    using T = std::remove_pointer_t<decltype(value)>;
    using K = std::remove_pointer_t<decltype(tap)>;
    if (s.last)
      maxLastBackward(ctx, s, gx.as<T>(), g.as<const T>(), taps.as<const K>(), stream);
    else
      maxPlanesBackward(ctx, s, gx.as<T>(), g.as<const T>(), taps.as<const K>());
  });
}

void maxPoolTake(Context& ctx, const TensorView& out, const TensorView& x, const TensorView& taps, Scalars geometry) {
  const char* op = "maxPoolTake";
  const PoolShape s = readMaxShape(op, x, out, geometry);
  checkTaps(op, s, taps, out);
  if (s.empty()) return;
  withTypes(out, taps.dtype == DType::UInt8, [&](auto* value, auto* tap) {
    using T = std::remove_pointer_t<decltype(value)>;
    using K = std::remove_pointer_t<decltype(tap)>;
    T* to = out.as<T>();
    const T* from = x.as<const T>();
    forTaken(ctx, s, op, taps.as<const K>(), [=](int64_t window, int64_t, int64_t at) { to[window] = from[at]; });
  });
}

void maxPoolIndices(Context& ctx, const TensorView& indices, const TensorView& taps, const TensorView& x,
                    Scalars geometry) {
  const char* op = "maxPoolIndices";
  TensorView values = indices;
  values.dtype = x.dtype;
  if (!indices.defined) fail(ErrorKind::Native, "%s: indices is undefined", op);
  if (indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices are %s, expected int64", op, dtypeName(indices.dtype));
  const PoolShape s = readMaxShape(op, x, values, geometry);
  checkTaps(op, s, taps, values);
  if (s.empty()) return;
  int64_t* to = indices.as<int64_t>();
  const auto write = [=](int64_t window, int64_t place, int64_t) { to[window] = place; };
  if (taps.dtype == DType::UInt8)
    forTaken(ctx, s, op, taps.as<const uint8_t>(), write);
  else
    forTaken(ctx, s, op, taps.as<const int32_t>(), write);
}

}  // namespace thalweg::cpu::THALWEG_ISA
