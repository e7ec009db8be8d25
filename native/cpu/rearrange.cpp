// countNonzero, nonzero, flip, triangle: elements found, reversed and blotted out. All but the counts need to know no
// more of a dtype than the size of its elements.
#include <algorithm>
#include <cstring>

#include "cpu/index_walk.h"
#include "operands/rearrange.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// -- not zero ---------------------------------------------------------------------------------------------------------

// Elements of a piece, the unit of work of both passes.
constexpr int64_t kPiece = 65536;

// Calls f(coordinates of the first element, its address, stride, length) for the rows of elements [begin, end).
template <class U, class F>
THALWEG_INLINE void forRows(const TensorView& x, int64_t begin, int64_t end, F&& f) {
  const int last = x.ndim - 1;
  int64_t at[kMaxDims];
  int64_t offset = 0, rest = begin;
  for (int d = last; d >= 0; d--) {
    at[d] = rest % x.shape[d];
    rest /= x.shape[d];
    offset += at[d] * x.strides[d];
  }
  while (begin < end) {
    const int64_t n = std::min(x.shape[last] - at[last], end - begin);
    f(at, x.as<const U>() + offset, x.strides[last], n);
    begin += n;
    offset -= at[last] * x.strides[last];
    at[last] = 0;
    for (int d = last - 1; d >= 0; d--) {
      offset += x.strides[d];
      if (++at[d] < x.shape[d]) break;
      offset -= x.shape[d] * x.strides[d];
      at[d] = 0;
    }
  }
}

// All bits of an element but the sign of a float: -0 is 0.
template <class U>
THALWEG_INLINE U valueBits(DType dtype) {
  const U all = static_cast<U>(~U{0});
  return isFloating(dtype) ? static_cast<U>(all >> 1) : all;
}

template <class U>
THALWEG_INLINE int64_t countPiece(const TensorView& x, int64_t begin, int64_t end) {
  const U mask = valueBits<U>(x.dtype);
  int64_t count = 0;
  forRows<U>(x, begin, end, [&](const int64_t*, const U* row, int64_t stride, int64_t n) {
    if (stride == 1) {
      for (int64_t i = 0; i < n; i++) count += (row[i] & mask) != 0;
    } else {
      for (int64_t i = 0; i < n; i++) count += (row[i * stride] & mask) != 0;
    }
  });
  return count;
}

// counts[i]: how many of piece i are not 0.
template <class U>
void countPieces(Context& ctx, const TensorView& x, int64_t* counts) {
  parallelFor(ctx.pool, x.numel(), kPiece,
              [&](int64_t begin, int64_t end) { counts[begin / kPiece] = countPiece<U>(x, begin, end); });
}

int64_t* pieceCounts(int64_t numel) {
  return reinterpret_cast<int64_t*>(threadScratch(4, (numel / kPiece + 1) * int64_t{sizeof(int64_t)}));
}

template <class U>
void writePlaces(Context& ctx, const TensorView& out, const TensorView& view, const TensorView& x) {
  const int64_t numel = x.numel(), pieces = (numel + kPiece - 1) / kPiece;
  int64_t* starts = pieceCounts(numel);
  countPieces<U>(ctx, x, starts);
  int64_t total = 0;
  for (int64_t i = 0; i < pieces; i++) {
    const int64_t count = starts[i];
    starts[i] = total;
    total += count;
  }
  if (total != out.shape[0])
    fail(ErrorKind::Shape, "nonzero: out has %lld rows, x %lld elements that are not 0",
         static_cast<long long>(out.shape[0]), static_cast<long long>(total));
  const int width = view.ndim;
  if (width == 0) return;
  const U mask = valueBits<U>(x.dtype);
  parallelFor(ctx.pool, numel, kPiece, [&](int64_t begin, int64_t end) {
    const int64_t piece = begin / kPiece;
    int64_t* to = out.as<int64_t>() + starts[piece] * width;
    // Where out and x are the same memory, more may be found now than was counted.
    const int64_t* limit = out.as<int64_t>() + (piece + 1 < pieces ? starts[piece + 1] : total) * width;
    forRows<U>(x, begin, end, [&](const int64_t* at, const U* row, int64_t stride, int64_t n) {
      for (int64_t i = 0; i < n; i++) {
        if ((row[i * stride] & mask) == 0 || to == limit) continue;
        for (int d = 0; d < width - 1; d++) to[d] = at[d];
        to[width - 1] = at[width - 1] + i;
        to += width;
      }
    });
  });
}

// -- rearranging ------------------------------------------------------------------------------------------------------

template <class U>
THALWEG_INLINE void copyRow(U* to, int64_t toStride, const U* from, int64_t fromStride, int64_t n) {
  if (toStride == 1 && fromStride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(U));
  } else if (toStride == 1 && fromStride == -1) {
    for (int64_t i = 0; i < n; i++) to[i] = from[-i];
  } else {
    for (int64_t i = 0; i < n; i++) to[i * toStride] = from[i * fromStride];
  }
}

template <class U>
void copyWalk(Context& ctx, const Walk& walk, U* out, const U* x) {
  const int64_t* strides = walk.strides[walk.ndim - 1];
  parallelFor(ctx.pool, walk.numel(), kGrain, [&](int64_t begin, int64_t end) {
    forWalk(walk, begin, end - begin,
            [&](const Offsets& at, int64_t n) { copyRow(out + at.values, strides[0], x + at.places, strides[2], n); });
  });
}

template <class U>
void keepTriangle(Context& ctx, const TensorView& out, const TensorView& x, int64_t diagonal, bool upper) {
  const int rowDim = x.ndim - 2;
  const int64_t rows = x.shape[rowDim], columns = x.shape[rowDim + 1];
  const int64_t outStep = out.strides[rowDim + 1], xStep = x.strides[rowDim + 1];
  // Beyond these all or nothing is kept; row + diagonal cannot overflow between them.
  diagonal = std::clamp(diagonal, -rows - 1, columns + 1);
  parallelFor(ctx.pool, x.numel() / columns, std::max<int64_t>(1, kGrain / columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      U* to = out.as<U>();
      const U* from = x.as<const U>();
      int64_t rest = i;
      for (int d = rowDim; d >= 0; d--) {
        const int64_t at = rest % x.shape[d];
        rest /= x.shape[d];
        to += at * out.strides[d];
        from += at * x.strides[d];
      }
      const int64_t edge = std::clamp(i % rows + diagonal + (upper ? 0 : 1), int64_t{0}, columns);
      const int64_t keptFrom = upper ? edge : 0, keptTo = upper ? columns : edge;
      copyRow(to + keptFrom * outStep, outStep, from + keptFrom * xStep, xStep, keptTo - keptFrom);
      const int64_t zeroFrom = upper ? 0 : edge, zeroTo = upper ? edge : columns;
      for (int64_t j = zeroFrom; j < zeroTo; j++) to[j * outStep] = 0;
    }
  });
}

}  // namespace

void countNonzero(Context& ctx, const TensorView& out, const TensorView& view) {
  if (out.dtype != DType::Int64 || out.ndim != 0)
    fail(ErrorKind::Shape, "countNonzero: out must be an int64 scalar, not %s %s", dtypeName(out.dtype),
         shapeText(out).c_str());
  const TensorView x = atLeast1d(view);
  const int64_t numel = x.numel();
  int64_t total = 0;
  if (numel > 0) {
    int64_t* counts = pieceCounts(numel);
    withBits(x.dtype, [&](auto* bits) { countPieces<std::remove_pointer_t<decltype(bits)>>(ctx, x, counts); });
    for (int64_t i = 0; i < (numel + kPiece - 1) / kPiece; i++) total += counts[i];
  }
  *out.as<int64_t>() = total;
}

void nonzero(Context& ctx, const TensorView& out, const TensorView& view) {
  const char* op = "nonzero";
  if (out.dtype != DType::Int64) fail(ErrorKind::DType, "%s: out is %s, not int64", op, dtypeName(out.dtype));
  if (out.ndim != 2 || out.shape[1] != view.ndim || !out.isContiguous())
    fail(ErrorKind::Shape, "%s: out %s is not contiguous of shape [count, %d]", op, shapeText(out).c_str(), view.ndim);
  const TensorView x = atLeast1d(view);
  if (x.numel() == 0) {
    if (out.shape[0] != 0) fail(ErrorKind::Shape, "%s: out has rows, x no elements", op);
    return;
  }
  withBits(x.dtype, [&](auto* bits) { writePlaces<std::remove_pointer_t<decltype(bits)>>(ctx, out, view, x); });
}

void flip(Context& ctx, const TensorView& out, const TensorView& x, int64_t dims) {
  const char* op = "flip";
  checkAlike(op, out, x);
  if (dims < 0 || dims >> x.ndim != 0)
    fail(ErrorKind::Index, "%s: dimensions %lld are out of range for %d dimensions", op, static_cast<long long>(dims),
         x.ndim);
  if (x.numel() == 0) return;
  Walk walk;
  int64_t start = 0;
  for (int d = 0; d < x.ndim; d++) {
    const bool reversed = (dims >> d & 1) != 0;
    if (reversed) start += (x.shape[d] - 1) * x.strides[d];
    walk.add(x.shape[d], out.strides[d], 0, reversed ? -x.strides[d] : x.strides[d]);
  }
  walk.finish();
  withBits(x.dtype, [&](auto* bits) {
    using U = std::remove_pointer_t<decltype(bits)>;
    copyWalk(ctx, walk, out.as<U>(), x.as<const U>() + start);
  });
}

void triangle(Context& ctx, const TensorView& out, const TensorView& x, int64_t diagonal, bool upper) {
  const char* op = "triangle";
  checkAlike(op, out, x);
  if (x.ndim < 2) fail(ErrorKind::Shape, "%s: expected at least 2 dimensions, got shape %s", op, shapeText(x).c_str());
  if (x.numel() == 0) return;
  withBits(x.dtype,
           [&](auto* bits) { keepTriangle<std::remove_pointer_t<decltype(bits)>>(ctx, out, x, diagonal, upper); });
}

}  // namespace thalweg::cpu::THALWEG_ISA
