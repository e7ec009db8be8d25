// copy (with cast), fill, arange.
#include "cpu/conv_layout.h"
#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/program_tile.h"
#include "cpu/stream_store.h"
#include "cpu/strided.h"
#include "operands/check.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kGrainBytes = 256 << 10;
constexpr int64_t kGrain = 32 << 10;  // elements

void checkOutput(const char* name, const TensorView& out) {
  if (!out.defined || out.ndim > kMaxDims || static_cast<int>(out.dtype) >= kDTypeCount)
    fail(ErrorKind::Native, "%s: bad output (ndim %d, dtype %d)", name, out.ndim, static_cast<int>(out.dtype));
  const int64_t numel = out.numel();
  for (int d = 0; numel > 0 && d < out.ndim; d++)
    if (out.shape[d] > 1 && out.strides[d] == 0)
      fail(ErrorKind::Shape, "%s: the output, shape %s, is expanded along dimension %d", name, shapeText(out).c_str(),
           d);
  if (out.data == nullptr && numel > 0) fail(ErrorKind::Native, "%s: the output has no memory", name);
}

// out and x with their dimensions in the order of out's strides and merged where both allow; the last is the innermost.
struct Pair {
  int ndim = 0;
  int64_t shape[kMaxDims], out[kMaxDims], x[kMaxDims];

  Pair(const TensorView& o, const TensorView& v) {
    int order[kMaxDims], kept = 0;
    for (int d = 0; d < o.ndim; d++) {
      if (o.shape[d] == 1) continue;
      int at = kept++;
      for (; at > 0 && o.strides[order[at - 1]] < o.strides[d]; at--) order[at] = order[at - 1];
      order[at] = d;
    }
    for (int k = 0; k < kept; k++) {
      const int d = order[k];
      if (ndim > 0 && out[ndim - 1] == o.strides[d] * o.shape[d] && x[ndim - 1] == v.strides[d] * o.shape[d]) {
        shape[ndim - 1] *= o.shape[d];
      } else {
        shape[ndim++] = o.shape[d];
      }
      out[ndim - 1] = o.strides[d];
      x[ndim - 1] = v.strides[d];
    }
    if (ndim == 0) {
      shape[0] = out[0] = x[0] = 1;
      ndim = 1;
    }
  }

  // Offsets of a row: `row` counts through all dimensions but those named.
  void offsets(int64_t row, int skipA, int skipB, int64_t& o, int64_t& v) const {
    o = v = 0;
    for (int d = ndim - 1; d >= 0; d--) {
      if (d == skipA || d == skipB) continue;
      const int64_t i = row % shape[d];
      row /= shape[d];
      o += i * out[d];
      v += i * x[d];
    }
  }
};

// -- transposition
// -----------------------------------------------------------------------------------------------------

constexpr int kShortBytes = 16;

// Squares of elements of one or two bytes. Stream has no effect.
template <class U, bool Stream>
struct Square {
  static constexpr int n = kShortBytes / static_cast<int>(sizeof(U));
  typedef U type __attribute__((vector_size(kShortBytes)));

  static THALWEG_INLINE type interleave(type a, type b, bool high) {
    if constexpr (n == 8)
      return high ? __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
                  : __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    else
      return high ? __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
                  : __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  // out[j * os + k] = x[k * xs + j] for j, k < n: log2(n) rounds of interleaving row i with row i + n/2.
  static THALWEG_INLINE void transpose(U* out, int64_t os, const U* x, int64_t xs) {
    type r[n], t[n];
    THALWEG_UNROLL
    for (int i = 0; i < n; i++) std::memcpy(&r[i], x + i * xs, kShortBytes);
    THALWEG_UNROLL
    for (int round = 1; round < n; round *= 2) {
      THALWEG_UNROLL
      for (int i = 0; i < n / 2; i++) {
        t[2 * i] = interleave(r[i], r[i + n / 2], false);
        t[2 * i + 1] = interleave(r[i], r[i + n / 2], true);
      }
      THALWEG_UNROLL
      for (int i = 0; i < n; i++) r[i] = t[i];
    }
    THALWEG_UNROLL
    for (int i = 0; i < n; i++) std::memcpy(out + i * os, &r[i], kShortBytes);
  }
};

// Squares of whole vectors: of lines of the cache, where a vector is one, so that each line is touched once on either
// side. With strides of powers of two, which share one set of the cache, it would not be there the next time.
template <class U, bool Stream>
  requires(sizeof(U) >= 4)
struct Square<U, Stream> {
  static constexpr int n = lanes<U>;

  static THALWEG_INLINE void transpose(U* out, int64_t os, const U* x, int64_t xs) {
    Vec<U> rows[n];
    THALWEG_UNROLL
    for (int i = 0; i < n; i++) rows[i] = load(x + i * xs);
    transposeSquare<U>(rows);
    THALWEG_UNROLL
    for (int i = 0; i < n; i++) {
      if constexpr (Stream)
        streamStore(out + i * os, rows[i]);
      else
        store(out + i * os, rows[i]);
    }
  }
};

// out[j * os + k] = x[k * xs + j] for j < rows, k < columns
template <bool Stream, class U>
void transposeBlock(U* out, int64_t os, const U* x, int64_t xs, int64_t rows, int64_t columns) {
  constexpr int n = Square<U, Stream>::n;
  constexpr int line = 64 / static_cast<int>(sizeof(U));
  const int64_t wholeRows = rows / n * n, wholeColumns = columns / n * n;
  // Smaller squares go line by line of the cache on both sides.
  for (int64_t k0 = 0; k0 < wholeColumns; k0 += line)
    for (int64_t j0 = 0; j0 < wholeRows; j0 += line)
      for (int64_t k = k0; k < k0 + line && k < wholeColumns; k += n)
        for (int64_t j = j0; j < j0 + line && j < wholeRows; j += n)
          Square<U, Stream>::transpose(out + j * os + k, os, x + k * xs + j, xs);
  for (int64_t j = 0; j < rows; j++)
    for (int64_t k = j < wholeRows ? wholeColumns : 0; k < columns; k++) out[j * os + k] = x[k * xs + j];
}

template <class U>
THALWEG_INLINE void copyRun(U* to, int64_t os, const U* from, int64_t xs, int64_t n) {
  if (os == 1 && xs == 1) {
    if (n >= 32)
      std::memmove(to, from, static_cast<size_t>(n) * sizeof(U));
    else
      for (int64_t i = 0; i < n; i++) to[i] = from[i];
  } else if (os == 1 && xs == 0) {
    const U value = *from;
    for (int64_t i = 0; i < n; i++) to[i] = value;
  } else {
    for (int64_t i = 0; i < n; i++) to[i * os] = from[i * xs];
  }
}

template <class U>
void copyStrided(Context& ctx, const Pair& p, U* out, const U* x, int64_t numel) {
  const int last = p.ndim - 1;
  const int64_t length = p.shape[last], os = p.out[last], xs = p.x[last];
  int across = -1;  // the dimension along which x is contiguous, where that is not the innermost
  for (int d = 0; d < last; d++)
    if (p.x[d] == 1 && os == 1 && xs > 1) across = d;

  if (across >= 0) {
    constexpr int64_t block = 64;
    const int64_t blocks = (p.shape[across] + block - 1) / block;
    const int64_t outer = numel / length / p.shape[across];
    const int64_t grain = 1 + kGrain / (block * length);
    // Only vectors that are lines of the cache: a part of one is written with the rest of it.
    bool stream = kVectorBytes == 64 && numel * static_cast<int64_t>(sizeof(U)) >= kStreamBytes &&
                  reinterpret_cast<uintptr_t>(out) % kVectorBytes == 0;
    for (int d = 0; d < last; d++) stream = stream && p.out[d] % lanes<U> == 0;
    const auto copyBlocks = [&](auto streamed) {
      parallelFor(ctx.pool, outer * blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t unit = begin; unit < end; unit++) {
          int64_t o, v;
          p.offsets(unit / blocks, across, last, o, v);
          const int64_t j = unit % blocks * block;
          const int64_t rows = p.shape[across] - j < block ? p.shape[across] - j : block;
          for (int64_t k = 0; k < length; k += block)
            transposeBlock<streamed.value>(out + o + j * p.out[across] + k, p.out[across], x + v + j + k * xs, xs, rows,
                                           length - k < block ? length - k : block);
        }
        if (streamed.value) streamFence();
      });
    };
    if constexpr (kVectorBytes == 64 && sizeof(U) >= 4)
      if (stream) return copyBlocks(std::true_type());
    return copyBlocks(std::false_type());
  }

  // Long rows are cut too: a piece is [begin, end) of the elements.
  parallelFor(ctx.pool, numel, kGrain, [&](int64_t begin, int64_t end) {
    int64_t index[kMaxDims], o = 0, v = 0;
    int64_t rest = begin;
    for (int d = last; d >= 0; d--) {
      index[d] = rest % p.shape[d];
      rest /= p.shape[d];
      o += index[d] * p.out[d];
      v += index[d] * p.x[d];
    }
    for (int64_t left = end - begin;;) {
      const int64_t run = length - index[last] < left ? length - index[last] : left;
      copyRun(out + o, os, x + v, xs, run);
      left -= run;
      if (left == 0) return;
      o -= index[last] * os;
      v -= index[last] * xs;
      index[last] = 0;
      for (int d = last - 1; d >= 0; d--) {
        o += p.out[d];
        v += p.x[d];
        if (++index[d] < p.shape[d]) break;
        o -= p.shape[d] * p.out[d];
        v -= p.shape[d] * p.x[d];
        index[d] = 0;
      }
    }
  });
}

// Through a tile of the type that holds every value of x exactly.
template <class T>
void copyCast(Context& ctx, const TensorView& out, const TensorView& x, const Pair& p, int64_t numel) {
  Strided o, v;
  mergeDims(o, p.shape, p.out, p.ndim);
  mergeDims(v, p.shape, p.x, p.ndim);
  parallelFor(ctx.pool, numel, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) T tile[kTile];
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t n = end - at < kTile ? end - at : kTile;
      T* to = tile;
      forRuns(v, at, n, [&](int64_t offset, int64_t stride, int64_t run) {
        loadRun<T>(to, x.dtype, x.data + offset * itemSize(x.dtype), stride, run);
        to += run;
      });
      const T* from = tile;
      forRuns(o, at, n, [&](int64_t offset, int64_t stride, int64_t run) {
        storeRun<T>(from, out.dtype, out.data + offset * itemSize(out.dtype), stride, run);
        from += run;
      });
    }
  });
}

// Calls f(tile index of the first element, n, tile) to make the values of every tile of out, and stores them.
template <class T, class F>
void generate(Context& ctx, const TensorView& out, int64_t numel, F&& f) {
  Strided o;
  mergeDims(o, out.shape, out.strides, out.ndim);
  parallelFor(ctx.pool, numel, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) T tile[kTile];
    for (int64_t at = begin; at < end; at += kTile) {
      const int n = static_cast<int>(end - at < kTile ? end - at : kTile);
      f(at, n, tile);
      const T* from = tile;
      forRuns(o, at, n, [&](int64_t offset, int64_t stride, int64_t run) {
        storeRun<T>(from, out.dtype, out.data + offset * itemSize(out.dtype), stride, run);
        from += run;
      });
    }
  });
}

template <class U>
void fillBits(Context& ctx, const TensorView& out, const void* pattern, int64_t numel) {
  U value;
  std::memcpy(&value, pattern, sizeof value);
  const Pair p(out, out);
  U* data = reinterpret_cast<U*>(out.data);
  Strided o;
  mergeDims(o, p.shape, p.out, p.ndim);
  parallelFor(ctx.pool, numel, kGrainBytes / static_cast<int64_t>(sizeof(U)), [&](int64_t begin, int64_t end) {
    forRuns(o, begin, end - begin, [&](int64_t offset, int64_t stride, int64_t run) {
      U* to = data + offset;
      if (stride == 1)
        for (int64_t i = 0; i < run; i++) to[i] = value;
      else
        for (int64_t i = 0; i < run; i++) to[i * stride] = value;
    });
  });
}

}  // namespace

void copy(Context& ctx, const TensorView& out, const TensorView& x) {
  checkOutput("copy", out);
  if (!x.defined || x.ndim > kMaxDims || static_cast<int>(x.dtype) >= kDTypeCount)
    fail(ErrorKind::Native, "copy: bad input (ndim %d, dtype %d)", x.ndim, static_cast<int>(x.dtype));
  if (!sameShape(out, x))
    fail(ErrorKind::Shape, "copy: the shapes differ: output %s, input %s", shapeText(out).c_str(),
         shapeText(x).c_str());
  const int64_t numel = out.numel();
  if (numel == 0) return;
  if (x.data == nullptr) fail(ErrorKind::Native, "copy: the input has no memory");

  const Pair p(out, x);
  if (out.dtype != x.dtype) {
    switch (x.dtype) {
      case DType::Float64: return copyCast<double>(ctx, out, x, p, numel);
      case DType::Float32:
      case DType::Float16:
      case DType::BFloat16: return copyCast<float>(ctx, out, x, p, numel);
      default: return copyCast<int64_t>(ctx, out, x, p, numel);
    }
  }
  const int64_t size = itemSize(out.dtype);
  if (p.ndim == 1 && p.out[0] == 1 && p.x[0] == 1) {
    if (out.data == x.data) return;
    parallelFor(ctx.pool, numel * size, kGrainBytes, [&](int64_t begin, int64_t end) {
      std::memmove(out.data + begin, x.data + begin, static_cast<size_t>(end - begin));
    });
    return;
  }
  switch (size) {
    case 1: return copyStrided(ctx, p, out.as<uint8_t>(), x.as<uint8_t>(), numel);
    case 2: return copyStrided(ctx, p, out.as<uint16_t>(), x.as<uint16_t>(), numel);
    case 4: return copyStrided(ctx, p, out.as<uint32_t>(), x.as<uint32_t>(), numel);
    default: return copyStrided(ctx, p, out.as<uint64_t>(), x.as<uint64_t>(), numel);
  }
}

void fill(Context& ctx, const TensorView& out, Scalar value) {
  checkOutput("fill", out);
  const int64_t numel = out.numel();
  if (numel == 0) return;
  alignas(8) char pattern[8] = {};
  if (isFloating(out.dtype))
    storeRun<double>(&value.real, out.dtype, pattern, 1, 1);
  else
    storeRun<int64_t>(&value.integer, out.dtype, pattern, 1, 1);
  switch (itemSize(out.dtype)) {
    case 1: return fillBits<uint8_t>(ctx, out, pattern, numel);
    case 2: return fillBits<uint16_t>(ctx, out, pattern, numel);
    case 4: return fillBits<uint32_t>(ctx, out, pattern, numel);
    default: return fillBits<uint64_t>(ctx, out, pattern, numel);
  }
}

void arange(Context& ctx, const TensorView& out, Scalar start, Scalar step) {
  checkOutput("arange", out);
  const int64_t numel = out.numel();
  if (isFloating(out.dtype)) {
    generate<double>(ctx, out, numel, [&](int64_t first, int n, double* tile) {
      for (int i = 0; i < n; i++) tile[i] = start.real + static_cast<double>(first + i) * step.real;
    });
  } else {
    // Unsigned: a sequence that leaves int64 wraps.
    const uint64_t s = static_cast<uint64_t>(start.integer), d = static_cast<uint64_t>(step.integer);
    generate<int64_t>(ctx, out, numel, [&](int64_t first, int n, int64_t* tile) {
      for (int i = 0; i < n; i++) tile[i] = static_cast<int64_t>(s + static_cast<uint64_t>(first + i) * d);
    });
  }
}

}  // namespace thalweg::cpu::THALWEG_ISA
