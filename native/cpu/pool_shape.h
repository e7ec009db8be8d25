// The windows of a pooling: sizes, checks, which taps of a window lie in x, and which windows an element of x is in.
#pragma once
#include <limits>
#include <vector>

#include "cpu/conv_shape.h"
#include "cpu/reduce_softmax.h"
#include "cpu/stream_store.h"
#include "operands/pool.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kPoolGrain = 65536;  // taps worth a chunk

struct PoolShape : PoolGeometry {
  int64_t planes() const { return images * channels; }

  // The taps of window `o` along `d` that are in x: `count` of them, `dilation` apart; `low` of its taps come before.
  struct Taps {
    int64_t first, count, low;
  };
  THALWEG_INLINE Taps taps(int d, int64_t o) const {
    if (adaptive) {
      const int64_t first = o * in[d] / out[d];
      return {first, divideUp((o + 1) * in[d], out[d]) - first, 0};
    }
    const int64_t start = o * stride[d] - padding[d];
    if (start >= in[d]) return {0, 0, 0};
    if (dilation[d] == 1) {  // without divisions
      const int64_t low = std::max(-start, int64_t{0});
      return {start + low, std::max(std::min(kernel[d], in[d] - start) - low, int64_t{0}), low};
    }
    const int64_t low = start < 0 ? divideUp(-start, dilation[d]) : 0;
    const int64_t high = std::min(kernel[d], divideUp(in[d] - start, dilation[d]));
    return {start + low * dilation[d], std::max(high - low, int64_t{0}), low};
  }

  // Bytes, channels-last, from a tap to that of the window below; or a little further on, where that is too far to be
  // kept until then.
  int64_t nextTap(int64_t itemSize) const {
    const int64_t below = (adaptive ? in[1] / out[1] : stride[1]) * in[2] * channels * itemSize;
    return below <= (int64_t{128} << 10) ? below : 2048;
  }

  // What the sum over a window is divided by, along `d`.
  double countOf(int d, int64_t o) const {
    const int64_t start = o * stride[d] - padding[d];
    if (countPadding) return static_cast<double>(std::min(start + kernel[d], in[d] + padding[d]) - start);
    return static_cast<double>(taps(d, o).count);
  }

  // Windows [begin, end) along a row have all of their taps in x.
  void whole(int64_t& begin, int64_t& end) const {
    const int64_t reach = in[2] - 1 + padding[2] - (kernel[2] - 1) * dilation[2];
    begin = std::min(divideUp(padding[2], stride[2]), out[2]);
    end = reach < 0 ? 0 : std::min(reach / stride[2] + 1, out[2]);
    if (adaptive || end <= begin) begin = end = 0;
  }

  // `size` elements of which each costs the taps of a window.
  int64_t grain(int64_t size) const {
    double taps = static_cast<double>(size);
    for (int d = 0; d < 3; d++)
      taps *= adaptive ? static_cast<double>(in[d]) / static_cast<double>(out[d]) + 1
                       : static_cast<double>(std::min(kernel[d], in[d]));
    return static_cast<int64_t>(static_cast<double>(kPoolGrain) / (taps + 1)) + 1;
  }
};

inline PoolShape readPoolShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry,
                               int64_t numbers) {
  return {readPool(op, x, y, geometry, numbers)};
}

// Calls f(offset of the first tap, number of the tap before the row's) for each row of taps of windows (oz, oy, ...).
template <class F>
THALWEG_INLINE void forTapRows(const PoolShape& s, int64_t oz, int64_t oy, F&& f) {
  const PoolShape::Taps z = s.taps(0, oz), y = s.taps(1, oy);
  for (int64_t i = 0; i < z.count; i++)
    for (int64_t j = 0; j < y.count; j++)
      f(((z.first + i * s.dilation[0]) * s.in[1] + y.first + j * s.dilation[1]) * s.in[2],
        ((z.low + i) * s.mostTaps(1) + y.low + j) * s.mostTaps(2));
}

// Calls f(image, z, y, x, end of x, position) for the rows, or parts of them, that the positions [begin, end) of all
// images are, `size` of each.
template <class F>
THALWEG_INLINE void forRows(const int64_t (&size)[3], int64_t begin, int64_t end, F&& f) {
  int64_t x = begin % size[2], y = begin / size[2] % size[1], z = begin / size[2] / size[1] % size[0];
  int64_t image = begin / size[2] / size[1] / size[0];
  for (int64_t at = begin; at < end;) {
    const int64_t n = std::min(size[2] - x, end - at);
    f(image, z, y, x, x + n, at);
    at += n;
    x = 0;
    if (++y < size[1]) continue;
    y = 0;
    if (++z < size[0]) continue;
    z = 0;
    image++;
  }
}

// Calls f(image, z, y, x, position) for each of them.
template <class F>
THALWEG_INLINE void forPositions(const int64_t (&size)[3], int64_t begin, int64_t end, F&& f) {
  forRows(size, begin, end, [&](int64_t image, int64_t z, int64_t y, int64_t x, int64_t endOfX, int64_t at) {
    for (; x < endOfX; x++, at++) f(image, z, y, x, at);
  });
}

// For each index of x along a dimension, the windows that it is in and the number of its tap in each.
class Windows {
 public:
  struct Entry {
    int64_t window, tap;
  };

  Windows(const PoolShape& s, int d) : starts_(static_cast<size_t>(s.in[d]) + 1) {
    const auto each = [&](auto f) {
      for (int64_t o = 0; o < s.out[d]; o++) {
        const PoolShape::Taps taps = s.taps(d, o);
        for (int64_t k = 0; k < taps.count; k++)
          f(static_cast<size_t>(taps.first + k * s.dilation[d]), Entry{o, taps.low + k});
      }
    };
    each([&](size_t i, Entry) { starts_[i + 1]++; });
    for (size_t i = 1; i < starts_.size(); i++) starts_[i] += starts_[i - 1];
    entries_.resize(static_cast<size_t>(starts_.back()));
    std::vector<int64_t> next(starts_.begin(), starts_.end() - 1);
    each([&](size_t i, Entry entry) { entries_[static_cast<size_t>(next[i]++)] = entry; });
  }
  const Entry* begin(int64_t i) const { return entries_.data() + starts_[static_cast<size_t>(i)]; }
  const Entry* end(int64_t i) const { return entries_.data() + starts_[static_cast<size_t>(i) + 1]; }

 private:
  std::vector<int64_t> starts_;
  std::vector<Entry> entries_;
};

// Windows whose taps along the first two dimensions are in a row of x: the first of them among all windows, and the
// number of its first tap in the row.
struct RowOfWindows {
  int64_t window, tap;
};

// Those of row (iz, iy) of an image.
inline void findRows(const PoolShape& s, const Windows& zs, const Windows& ys, int64_t image, int64_t iz, int64_t iy,
                     std::vector<RowOfWindows>& rows) {
  rows.clear();
  for (auto z = zs.begin(iz); z != zs.end(iz); z++)
    for (auto y = ys.begin(iy); y != ys.end(iy); y++)
      rows.push_back({((image * s.out[0] + z->window) * s.out[1] + y->window) * s.out[2],
                      (z->tap * s.mostTaps(1) + y->tap) * s.mostTaps(2)});
}

// Calls f(first channel, lanes, std::integral_constant<int, vectors>) for the vectors of a position's channels, four or
// two at a time where there are as many.
template <class T, class F>
THALWEG_INLINE void forChannelVectors(int64_t channels, F&& f) {
  constexpr int L = lanes<T>;
  int64_t c = 0;
  for (; c + 4 * L <= channels; c += 4 * L) f(c, L, std::integral_constant<int, 4>());
  for (; c + 2 * L <= channels; c += 2 * L) f(c, L, std::integral_constant<int, 2>());
  for (; c + L <= channels; c += L) f(c, L, std::integral_constant<int, 1>());
  if (c < channels) f(c, static_cast<int>(channels - c), std::integral_constant<int, 1>());
}

// What the windows below will read is brought near, `bytes` away: rows of an image are too short for the processor to
// see where they go on. Nothing is read where nothing is.
template <class T>
THALWEG_INLINE void prefetchAhead(const T* p, int64_t bytes) {
  __builtin_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(bytes)), 0,
                     2);
}

template <class T>
THALWEG_INLINE void storeLanes(T* p, Vec<T> v, int m, bool stream = false) {
  if (m != lanes<T>)
    storeFirst(p, v, m);
  else if (stream)
    streamStore(p, v);
  else
    store(p, v);
}

// -- rows with a stride ----------------------------------------------------------------------------------------------

template <class V, int... I>
THALWEG_INLINE V evens(V a, V b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...);
}
template <class V, int... I>
THALWEG_INLINE void zipped(V a, V b, V& low, V& high, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  low = __builtin_shufflevector(a, b, (I / 2 + I % 2 * L)...);
  high = __builtin_shufflevector(a, b, (L / 2 + I / 2 + I % 2 * L)...);
}

// The first m lanes: elements `stride` apart, S if it is known (else 0). Nothing is read behind the last of them but
// before `end`.
template <int S, class T>
THALWEG_INLINE Vec<T> loadEvery(const T* p, int64_t stride, int m, const T* end) {
  constexpr int L = lanes<T>;
  if constexpr (S == 1) {
    return loadLanes(p, m, T(0));
  } else if constexpr (S == 2) {
    const auto lanesOf = std::make_integer_sequence<int, L>();
    if (m == L && end - p >= 2 * L) return evens(load(p), load(p + L), lanesOf);
    const int n = 2 * m - 1;
    const Vec<T> low = n >= L ? load(p) : loadFilled(p, n, T(0));
    return evens(low, n > L ? loadFilled(p + L, n - L, T(0)) : Vec<T>{}, lanesOf);
  } else {
    Vec<T> v{};
    for (int i = 0; i < m; i++) v[i] = p[i * stride];
    return v;
  }
}

// f(std::integral_constant<int, S>): the stride, if it is one of those that have code of their own.
template <class F>
THALWEG_INLINE void withStride(int64_t stride, F&& f) {
  if (stride == 1) return f(std::integral_constant<int, 1>());
  if (stride == 2) return f(std::integral_constant<int, 2>());
  f(std::integral_constant<int, 0>());
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
