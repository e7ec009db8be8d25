// Packing: a strip of an operand, `width` elements across and kc along K, becomes contiguous rows of `width` units,
// zero-padded. Contiguous strips are copied, transposed ones go through the registers in square blocks, the rest is
// gathered; 16-bit floats are widened or paired on the way.
#pragma once
#include <utility>

#include "cpu/matmul_scheme.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// One step of the transpose of a square of vectors: exchanges the off-diagonal quarters of every 2 Step x 2 Step block.
template <int Step, class V, int... I>
THALWEG_INLINE void exchange(V& low, V& high, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  const V x = low, y = high;
  low = __builtin_shufflevector(x, y, ((I & Step) != 0 ? (I ^ Step) + L : I)...);
  high = __builtin_shufflevector(x, y, ((I & Step) != 0 ? I + L : (I | Step))...);
}
// Squares of N x N, as many as fit a vector, side by side.
template <class T, int Step = 1, int N>
THALWEG_INLINE void transpose(Vec<T> (&rows)[N]) {
  if constexpr (Step < N) {
    THALWEG_UNROLL for (int i = 0; i < N; i++) {
      if ((i & Step) == 0) exchange<Step>(rows[i], rows[i | Step], std::make_integer_sequence<int, lanes<T>>());
    }
    transpose<T, Step * 2>(rows);
  }
}

// Elements by which a row is fetched ahead of being packed.
constexpr int64_t kPackAhead = 128;

// K is contiguous: half a vector of source rows fills rows of dst that are half a vector. Two squares are transposed
// side by side.
template <class Scheme, class S = typename Scheme::Storage, class U = typename Scheme::Unit>
void packHalfTransposed(const S* src, int64_t stride, int64_t steps, U* dst) {
  constexpr int L = lanes<U>, H = L / 2, D = Scheme::depth;
  typedef U Half __attribute__((vector_size(kVectorBytes / 2)));
  int64_t k = 0;
  for (; k + L <= steps; k += L) {
    Vec<U> rows[H];
    THALWEG_UNROLL for (int i = 0; i < H; i++) {
      rows[i] = Scheme::alongK(src + i * stride + k * D);
      prefetchFar(src + i * stride + k * D, kPackAhead);
    }
    transpose<U>(rows);
    THALWEG_UNROLL for (int i = 0; i < H; i++) {
      Half halves[2];
      std::memcpy(halves, &rows[i], sizeof halves);
      std::memcpy(dst + (k + i) * H, &halves[0], sizeof(Half));
      std::memcpy(dst + (k + H + i) * H, &halves[1], sizeof(Half));
    }
  }
  for (; k < steps; k++)
    for (int i = 0; i < H; i++) dst[k * H + i] = Scheme::single(src + i * stride + k * D, 1);
}

// K is contiguous: `count` (at most one vector) source rows, `steps` units each, into columns of dst.
template <class Scheme, class S = typename Scheme::Storage, class U = typename Scheme::Unit>
void packTransposed(const S* src, int64_t stride, int count, int64_t steps, U* dst, int64_t width, int columns) {
  constexpr int L = lanes<U>, D = Scheme::depth;
  int64_t k = 0;
  // A store writes a whole vector; the columns it spoils belong to the next row, written later. At the end of the
  // strip, and where other columns follow in the same row, only `columns` are written.
  for (; k + L <= steps; k += L) {
    // Rows are too short a stream for the hardware to follow: the next ones are fetched while these are transposed.
    for (int i = 0; i < count; i++) prefetchFar(src + k * D, (count + i) * stride);
    Vec<U> rows[L];
    if (count == L) {
      THALWEG_UNROLL for (int i = 0; i < L; i++) rows[i] = Scheme::alongK(src + i * stride + k * D);
    } else {
      THALWEG_UNROLL for (int i = 0; i < L; i++) {
        if (i < count) {
          rows[i] = Scheme::alongK(src + i * stride + k * D);
        } else {
          rows[i] = Vec<U>{};
        }
      }
    }
    transpose<U>(rows);
    if (columns == L || (columns == width && (k + L - 1) * width + L <= steps * width)) {
      THALWEG_UNROLL for (int i = 0; i < L; i++) store(dst + (k + i) * width, rows[i]);
    } else {
      for (int i = 0; i < L; i++)
        for (int j = 0; j < columns; j++) dst[(k + i) * width + j] = rows[i][j];
    }
  }
  for (; k < steps; k++) {
    for (int j = 0; j < columns; j++)
      dst[k * width + j] = j < count ? Scheme::single(src + j * stride + k * D, 1) : U(0);
  }
}

// Element (i, k) of the strip, i < count <= width, is src[i * across + k * along].
template <class Scheme, class S = typename Scheme::Storage, class U = typename Scheme::Unit>
void packStrip(const S* src, int64_t across, int64_t along, int count, int64_t kc, typename Scheme::Packed* packed,
               int width) {
  constexpr int L = lanes<U>, D = Scheme::depth;
  U* dst = reinterpret_cast<U*>(packed);
  const int64_t steps = kc / D;  // of whole units
  if (along == 1 && across != 1 && steps >= L && count == width && 2 * width == L) {
    packHalfTransposed<Scheme>(src, across, steps, dst);
  } else if (along == 1 && across != 1 && steps >= L) {
    for (int i = 0; i < width; i += L) {
      const int left = count - i < L ? count - i : L;
      packTransposed<Scheme>(src + i * across, across, left > 0 ? left : 0, steps, dst + i, width,
                             width - i < L ? width - i : L);
    }
  } else if (across == 1 && count == width && 2 * width == L) {
    for (int64_t k = 0; k < steps; k++) {
      const Vec<U> half = Scheme::acrossFirst(src + k * D * along, along, L / 2);
      std::memcpy(dst + k * width, &half, sizeof half / 2);
    }
  } else if (across == 1 && count == MR && width == MR && MR < L) {
    for (int64_t k = 0; k < steps; k++) {
      THALWEG_UNROLL for (int i = 0; i < MR; i++) dst[k * MR + i] = Scheme::single(src + k * D * along + i, along);
    }
  } else if (across == 1 && width % L == 0) {
    const int whole = count / L * L, rest = count - whole;
    for (int64_t k = 0; k < steps; k++) {
      const S* row = src + k * D * along;
      U* out = dst + k * width;
      for (int i = 0; i < whole; i += L) store(out + i, Scheme::across(row + i, along));
      if (rest > 0) store(out + whole, Scheme::acrossFirst(row + whole, along, rest));
      for (int i = rest > 0 ? whole + L : whole; i < width; i++) out[i] = 0;
    }
  } else {
    for (int64_t k = 0; k < steps; k++) {
      const S* row = src + k * D * along;
      U* out = dst + k * width;
      for (int i = 0; i < count; i++) out[i] = Scheme::single(row + i * across, along);
      for (int i = count; i < width; i++) out[i] = 0;
    }
  }
  if constexpr (D == 2) {
    // The last of an odd number has no partner: it gets 0.
    if (kc % D != 0) {
      const S* row = src + steps * D * along;
      for (int i = 0; i < width; i++) dst[steps * width + i] = i < count ? row[i * across].bits : U(0);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
