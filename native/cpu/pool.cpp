// Pooling: the maximum or the mean of windows of a plane, and the gradients of both.
#include <cstring>
#include <limits>

#include "cpu/conv_shape.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kPoolGrain = 65536;  // taps worth a chunk

// Everything has three spatial dimensions here; those that a tensor lacks come first and have size 1.
struct PoolShape {
  int64_t planes = 0;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  int64_t kernel[3], stride[3], padding[3], dilation[3] = {1, 1, 1};
  bool adaptive = false, countPadding = false;
  double divisor = 0;

  int64_t inSize() const { return in[0] * in[1] * in[2]; }
  int64_t outSize() const { return out[0] * out[1] * out[2]; }

  // The taps of window `o` along `d` that are in x: `count` of them from `first`, `dilation` apart.
  struct Taps {
    int64_t first, count;
  };
  THALWEG_INLINE Taps taps(int d, int64_t o) const {
    if (adaptive) {
      const int64_t first = o * in[d] / out[d];
      return {first, divideUp((o + 1) * in[d], out[d]) - first};
    }
    const int64_t start = o * stride[d] - padding[d];
    if (start >= in[d]) return {0, 0};
    const int64_t low = start < 0 ? divideUp(-start, dilation[d]) : 0;
    const int64_t high = std::min(kernel[d], divideUp(in[d] - start, dilation[d]));
    return {start + low * dilation[d], std::max(high - low, int64_t{0})};
  }

  // What the sum over a window is divided by, along `d`.
  double countOf(int d, int64_t o) const {
    const int64_t start = o * stride[d] - padding[d];
    if (countPadding) return static_cast<double>(std::min(start + kernel[d], in[d] + padding[d]) - start);
    return static_cast<double>(taps(d, o).count);
  }

  // Taps along a row that fall into x for some window; then tap by tap over the row pays.
  int64_t firstTap() const {
    return std::max(divideUp(std::max(padding[2] - (out[2] - 1) * stride[2], int64_t{0}), dilation[2]), int64_t{0});
  }
  int64_t endTap() const { return std::min(kernel[2], (in[2] - 1 + padding[2]) / dilation[2] + 1); }
  bool byRows() const { return !adaptive && out[2] > 1 && endTap() - firstTap() <= in[2] + out[2]; }

  int64_t grain() const {
    double taps = static_cast<double>(outSize());
    for (int d = 0; d < 3; d++)
      taps *= adaptive ? static_cast<double>(in[d]) / static_cast<double>(out[d]) + 1
                       : static_cast<double>(std::min(kernel[d], in[d]));
    return static_cast<int64_t>(static_cast<double>(kPoolGrain) / (taps + 1)) + 1;
  }
};

PoolShape readPoolShape(const char* op, const TensorView& x, const TensorView& y, Scalars geometry, int64_t numbers) {
  checkOperand(op, "y", y, y);
  checkOperand(op, "x", x, y);
  PoolShape s;
  if (geometry.count != numbers)
    fail(ErrorKind::Native, "%s: %lld numbers of geometry, expected %lld", op, static_cast<long long>(geometry.count),
         static_cast<long long>(numbers));
  readNumbers(op, geometry, 0, s.kernel, 3, 0);
  readNumbers(op, geometry, 3, s.stride, 3, 1);
  readNumbers(op, geometry, 6, s.padding, 3, 0);
  s.adaptive = s.kernel[0] == 0 && s.kernel[1] == 0 && s.kernel[2] == 0;
  if (!s.adaptive && (s.kernel[0] == 0 || s.kernel[1] == 0 || s.kernel[2] == 0))
    fail(ErrorKind::Native, "%s: a kernel of size 0", op);
  if (x.ndim < 3 || x.ndim > 5 || y.ndim != x.ndim || x.shape[0] != y.shape[0] || x.shape[1] != y.shape[1])
    fail(ErrorKind::Shape, "%s: x %s and y %s must have 3 to 5 dimensions and the same planes", op,
         shapeText(x).c_str(), shapeText(y).c_str());
  readSpatial(x, s.in);
  readSpatial(y, s.out);
  if (emptyView(y)) return s;
  if (s.in[0] == 0 || s.in[1] == 0 || s.in[2] == 0)
    fail(ErrorKind::Shape, "%s: x %s has no elements", op, shapeText(x).c_str());
  s.planes = x.shape[0] * x.shape[1];
  return s;
}

template <int S>
struct Step {
  static constexpr int64_t of(int64_t) { return S; }
};
template <>
struct Step<0> {
  static constexpr int64_t of(int64_t stride) { return stride; }
};
// A stride that the compiler knows lets it vectorise the row.
template <class F>
THALWEG_INLINE void withStep(int64_t stride, F&& f) {
  if (stride == 1) return f(Step<1>{});
  if (stride == 2) return f(Step<2>{});
  f(Step<0>{});
}

// Calls f(offset of the first tap) for each row of taps of windows (oz, oy, ...).
template <class F>
THALWEG_INLINE void forTapRows(const PoolShape& s, int64_t oz, int64_t oy, F&& f) {
  const PoolShape::Taps z = s.taps(0, oz), y = s.taps(1, oy);
  for (int64_t i = 0; i < z.count; i++)
    for (int64_t j = 0; j < y.count; j++)
      f(((z.first + i * s.dilation[0]) * s.in[1] + y.first + j * s.dilation[1]) * s.in[2]);
}

// Calls f(begin, end, base) for each tap kx along a row: windows [begin, end) have it in x, at window * stride + base.
template <class F>
THALWEG_INLINE void forRowTaps(const PoolShape& s, F&& f) {
  const int64_t last = s.endTap();
  for (int64_t kx = s.firstTap(); kx < last; kx++) {
    const int64_t base = kx * s.dilation[2] - s.padding[2];
    const int64_t begin = base >= 0 ? 0 : divideUp(-base, s.stride[2]);
    const int64_t end = base >= s.in[2] ? 0 : std::min(s.out[2], divideUp(s.in[2] - base, s.stride[2]));
    if (begin < end) f(begin, end, base);
  }
}

// -- maximum ----------------------------------------------------------------------------------------------------------

template <class St, class T, class I>
__attribute__((noinline)) void keepLarger(T* __restrict best, I* __restrict where, const T* __restrict x, int64_t n,
                                          int64_t stride, I at) {
  const int64_t step = St::of(stride);
  for (int64_t i = 0; i < n; i++) {
    const T v = x[i * step];
    const bool take = v > best[i] || v != v;
    best[i] = take ? v : best[i];
    where[i] = take ? static_cast<I>(at + static_cast<I>(i * step)) : where[i];
  }
}
template <class St, class T>
__attribute__((noinline)) void keepLarger(T* __restrict best, const T* __restrict x, int64_t n, int64_t stride) {
  const int64_t step = St::of(stride);
  for (int64_t i = 0; i < n; i++) {
    const T v = x[i * step];
    best[i] = v > best[i] || v != v ? v : best[i];
  }
}

// I: holds any index of a plane; as wide as T where that will do.
template <class T, class I>
void maxRow(const PoolShape& s, const T* x, int64_t oz, int64_t oy, T* best, int64_t* indices) {
  const int64_t width = s.out[2];
  for (int64_t i = 0; i < width; i++) best[i] = -std::numeric_limits<T>::infinity();
  I* where = nullptr;
  if (indices != nullptr) {
    where = convScratch<I>(kSlotTile, width);
    const int64_t z = s.taps(0, oz).first, y = s.taps(1, oy).first;
    for (int64_t i = 0; i < width; i++) where[i] = static_cast<I>((z * s.in[1] + y) * s.in[2] + s.taps(2, i).first);
  }
  forTapRows(s, oz, oy, [&](int64_t row) {
    forRowTaps(s, [&](int64_t begin, int64_t end, int64_t base) {
      const int64_t at = row + begin * s.stride[2] + base;
      withStep(s.stride[2], [&](auto step) {
        using St = decltype(step);
        if (where != nullptr)
          keepLarger<St>(best + begin, where + begin, x + at, end - begin, s.stride[2], static_cast<I>(at));
        else
          keepLarger<St>(best + begin, x + at, end - begin, s.stride[2]);
      });
    });
  });
  if (where != nullptr)
    for (int64_t i = 0; i < width; i++) indices[i] = where[i];
}

template <class T>
void maxEach(const PoolShape& s, const T* x, int64_t oz, int64_t oy, T* best, int64_t* indices) {
  for (int64_t i = 0; i < s.out[2]; i++) {
    const PoolShape::Taps taps = s.taps(2, i);
    T most = -std::numeric_limits<T>::infinity();
    int64_t where = -1;
    forTapRows(s, oz, oy, [&](int64_t row) {
      for (int64_t k = 0; k < taps.count; k++) {
        const int64_t at = row + taps.first + k * s.dilation[2];
        const T v = x[at];
        if (v > most || v != v || where < 0) {
          most = v;
          where = at;
        }
      }
    });
    best[i] = most;
    if (indices != nullptr) indices[i] = where;
  }
}

template <class T>
void maxPoolOf(Context& ctx, const PoolShape& s, const TensorView& out, const TensorView& indices,
               const TensorView& x) {
  const bool narrow = sizeof(T) == 4 && s.inSize() <= std::numeric_limits<int32_t>::max();
  const bool byRows = s.byRows();
  parallelFor(ctx.pool, s.planes, s.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      const T* from = x.as<const T>() + p * s.inSize();
      T* to = out.as<T>() + p * s.outSize();
      int64_t* where = indices.defined ? indices.as<int64_t>() + p * s.outSize() : nullptr;
      for (int64_t oz = 0; oz < s.out[0]; oz++)
        for (int64_t oy = 0; oy < s.out[1]; oy++) {
          if (!byRows)
            maxEach(s, from, oz, oy, to, where);
          else if (narrow)
            maxRow<T, int32_t>(s, from, oz, oy, to, where);
          else
            maxRow<T, int64_t>(s, from, oz, oy, to, where);
          to += s.out[2];
          if (where != nullptr) where += s.out[2];
        }
    }
  });
}

void checkIndices(const char* op, const TensorView& indices, const TensorView& values) {
  if (indices.dtype != DType::Int64)
    fail(ErrorKind::DType, "%s: indices are %s, expected int64", op, dtypeName(indices.dtype));
  if (!sameShape(indices, values))
    fail(ErrorKind::Shape, "%s: indices %s do not have the shape of the values %s", op, shapeText(indices).c_str(),
         shapeText(values).c_str());
  if (!emptyView(indices) && !indices.isContiguous()) fail(ErrorKind::Native, "%s: indices are not contiguous", op);
}

template <class T>
void maxPoolBackwardOf(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& indices,
                       int64_t planes, int64_t inSize, int64_t outSize) {
  parallelFor(ctx.pool, planes, kPoolGrain / (inSize + 1) + 1, [&](int64_t begin, int64_t end) {
    T* to = out.as<T>() + begin * inSize;
    const T* from = g.as<const T>() + begin * outSize;
    const int64_t* where = indices.as<const int64_t>() + begin * outSize;
    for (int64_t p = begin; p < end; p++, to += inSize, from += outSize, where += outSize) {
      std::fill(to, to + inSize, T(0));
      for (int64_t i = 0; i < outSize; i++) {
        if (where[i] < 0 || where[i] >= inSize)
          fail(ErrorKind::Index, "maxPoolBackward: index %lld is not in a plane of %lld elements",
               static_cast<long long>(where[i]), static_cast<long long>(inSize));
        to[where[i]] += from[i];
      }
    }
  });
}

// -- mean -------------------------------------------------------------------------------------------------------------

// Divisors of the windows of a row: their part along the row, and that of the other dimensions.
template <class T>
T* rowDivisors(const PoolShape& s) {
  T* each = convScratch<T>(kSlotTile, s.out[2]);
  for (int64_t i = 0; i < s.out[2]; i++) each[i] = s.divisor != 0 ? T(1) : static_cast<T>(s.countOf(2, i));
  return each;
}
template <class T>
T restDivisor(const PoolShape& s, int64_t oz, int64_t oy) {
  return static_cast<T>(s.divisor != 0 ? s.divisor : s.countOf(0, oz) * s.countOf(1, oy));
}

template <class St, class T>
__attribute__((noinline)) void addRow(T* __restrict sum, const T* __restrict x, int64_t n, int64_t stride) {
  const int64_t step = St::of(stride);
  for (int64_t i = 0; i < n; i++) sum[i] += x[i * step];
}
template <class St, class T>
__attribute__((noinline)) void spreadRow(T* __restrict x, const T* __restrict g, int64_t n, int64_t stride) {
  const int64_t step = St::of(stride);
  for (int64_t i = 0; i < n; i++) x[i * step] += g[i];
}

template <class T>
void avgPoolOf(Context& ctx, const PoolShape& s, const TensorView& out, const TensorView& x) {
  const bool byRows = s.byRows();
  const int64_t width = s.out[2];
  parallelFor(ctx.pool, s.planes, s.grain(), [&](int64_t begin, int64_t end) {
    const T* each = rowDivisors<T>(s);
    for (int64_t p = begin; p < end; p++) {
      const T* from = x.as<const T>() + p * s.inSize();
      T* to = out.as<T>() + p * s.outSize();
      for (int64_t oz = 0; oz < s.out[0]; oz++)
        for (int64_t oy = 0; oy < s.out[1]; oy++, to += width) {
          std::fill(to, to + width, T(0));
          forTapRows(s, oz, oy, [&](int64_t row) {
            if (byRows)
              return forRowTaps(s, [&](int64_t first, int64_t last, int64_t base) {
                withStep(s.stride[2], [&](auto step) {
                  addRow<decltype(step)>(to + first, from + row + first * s.stride[2] + base, last - first,
                                         s.stride[2]);
                });
              });
            for (int64_t i = 0; i < width; i++) {
              const PoolShape::Taps taps = s.taps(2, i);
              T sum = 0;
              for (int64_t k = 0; k < taps.count; k++) sum += from[row + taps.first + k];
              to[i] += sum;
            }
          });
          const T rest = restDivisor<T>(s, oz, oy);
          for (int64_t i = 0; i < width; i++) {
            const T count = rest * each[i];
            to[i] = count != 0 ? to[i] / count : T(0);
          }
        }
    }
  });
}

template <class T>
void avgPoolBackwardOf(Context& ctx, const PoolShape& s, const TensorView& out, const TensorView& g) {
  const bool byRows = s.byRows();
  const int64_t width = s.out[2];
  parallelFor(ctx.pool, s.planes, s.grain(), [&](int64_t begin, int64_t end) {
    const T* each = rowDivisors<T>(s);
    T* share = convScratch<T>(kSlotPlane, width);
    for (int64_t p = begin; p < end; p++) {
      T* to = out.as<T>() + p * s.inSize();
      const T* from = g.as<const T>() + p * s.outSize();
      std::fill(to, to + s.inSize(), T(0));
      for (int64_t oz = 0; oz < s.out[0]; oz++)
        for (int64_t oy = 0; oy < s.out[1]; oy++, from += width) {
          const T rest = restDivisor<T>(s, oz, oy);
          for (int64_t i = 0; i < width; i++) {
            const T count = rest * each[i];
            share[i] = count != 0 ? from[i] / count : T(0);
          }
          forTapRows(s, oz, oy, [&](int64_t row) {
            if (byRows)
              return forRowTaps(s, [&](int64_t first, int64_t last, int64_t base) {
                withStep(s.stride[2], [&](auto step) {
                  spreadRow<decltype(step)>(to + row + first * s.stride[2] + base, share + first, last - first,
                                            s.stride[2]);
                });
              });
            for (int64_t i = 0; i < width; i++) {
              const PoolShape::Taps taps = s.taps(2, i);
              for (int64_t k = 0; k < taps.count; k++) to[row + taps.first + k] += share[i];
            }
          });
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

}  // namespace

void maxPool(Context& ctx, const TensorView& out, const OptionalTensor& indices, const TensorView& x,
             Scalars geometry) {
  const char* op = "maxPool";
  PoolShape s = readPoolShape(op, x, out, geometry, 12);
  readNumbers(op, geometry, 9, s.dilation, 3, 1);
  if (s.adaptive && (s.dilation[0] != 1 || s.dilation[1] != 1 || s.dilation[2] != 1))
    fail(ErrorKind::Native, "%s: adaptive windows have no dilation", op);
  if (indices.defined) checkIndices(op, indices, out);
  if (s.planes == 0) return;
  for (int d = 0; d < 3; d++)
    for (int64_t o = 0; o < s.out[d]; o++)
      if (s.taps(d, o).count == 0) fail(ErrorKind::Shape, "%s: a window of x %s is empty", op, shapeText(x).c_str());
  out.dtype == DType::Float64 ? maxPoolOf<double>(ctx, s, out, indices, x) : maxPoolOf<float>(ctx, s, out, indices, x);
}

void maxPoolBackward(Context& ctx, const TensorView& out, const TensorView& g, const TensorView& indices) {
  const char* op = "maxPoolBackward";
  checkOperand(op, "out", out, out);
  checkOperand(op, "g", g, out);
  checkIndices(op, indices, g);
  if (out.ndim < 3 || g.ndim != out.ndim || g.shape[0] != out.shape[0] || g.shape[1] != out.shape[1])
    fail(ErrorKind::Shape, "%s: g %s and out %s must have the same planes", op, shapeText(g).c_str(),
         shapeText(out).c_str());
  if (emptyView(out)) {
    if (!emptyView(g)) fail(ErrorKind::Shape, "%s: out %s has no elements", op, shapeText(out).c_str());
    return;
  }
  const int64_t planes = out.shape[0] * out.shape[1];
  const int64_t inSize = out.numel() / planes, outSize = g.numel() / planes;
  out.dtype == DType::Float64 ? maxPoolBackwardOf<double>(ctx, out, g, indices, planes, inSize, outSize)
                              : maxPoolBackwardOf<float>(ctx, out, g, indices, planes, inSize, outSize);
}

void avgPool(Context& ctx, const TensorView& out, const TensorView& x, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPool", x, out, geometry);
  if (s.planes == 0) return;
  out.dtype == DType::Float64 ? avgPoolOf<double>(ctx, s, out, x) : avgPoolOf<float>(ctx, s, out, x);
}

void avgPoolBackward(Context& ctx, const TensorView& out, const TensorView& g, Scalars geometry) {
  const PoolShape s = readAvgShape("avgPoolBackward", out, g, geometry);
  if (s.planes == 0) {
    // No windows: nothing is in any of them.
    if (!emptyView(out)) std::memset(out.data, 0, static_cast<size_t>(out.numel() * itemSize(out.dtype)));
    return;
  }
  out.dtype == DType::Float64 ? avgPoolBackwardOf<double>(ctx, s, out, g) : avgPoolBackwardOf<float>(ctx, s, out, g);
}

}  // namespace thalweg::cpu::THALWEG_ISA
