// Elements between the layouts: squares of them go through the registers, which turn rows into columns.
#pragma once
#include <algorithm>
#include <utility>

#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// a0 b0 a1 b1 ... in two vectors.
template <class V, int... I>
THALWEG_INLINE void zip(V a, V b, V& low, V& high, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  low = __builtin_shufflevector(a, b, (I / 2 + I % 2 * L)...);
  high = __builtin_shufflevector(a, b, (L / 2 + I / 2 + I % 2 * L)...);
}

// Zipping the first half of the rows with the second, as often as L halves, transposes them.
template <class T, int Rounds = lanes<T>>
THALWEG_INLINE void transposeSquare(Vec<T> (&rows)[lanes<T>]) {
  constexpr int L = lanes<T>;
  if constexpr (Rounds > 1) {
    Vec<T> next[L];
    THALWEG_UNROLL for (int i = 0; i < L / 2; i++)
        zip(rows[i], rows[i + L / 2], next[2 * i], next[2 * i + 1], std::make_integer_sequence<int, L>());
    THALWEG_UNROLL for (int i = 0; i < L; i++) rows[i] = next[i];
    transposeSquare<T, Rounds / 2>(rows);
  }
}

// Calls put(column, vector) for `columns` contiguous elements of `rows` rows, both at most a vector's: the vector has
// the rows' elements of that column and zeros. Nothing is read from `end` on.
template <class T, class Put>
THALWEG_INLINE void forColumns(const T* from, int64_t stride, int rows, int columns, const T* end, Put&& put) {
  constexpr int L = lanes<T>;
  Vec<T> square[L];
  if (rows == L && end - (from + (L - 1) * stride) >= L) {
    THALWEG_UNROLL for (int i = 0; i < L; i++) square[i] = load(from + i * stride);
  } else {
    for (int i = 0; i < L; i++) {
      square[i] = Vec<T>{};
      if (i >= rows) continue;
      const T* row = from + i * stride;
      square[i] = end - row >= L ? load(row) : loadPartial(row, columns);
    }
  }
  transposeSquare<T>(square);
  for (int j = 0; j < columns; j++) put(j, square[j]);
}

// Lane i of vector J of C interleaved channels is element (J * L + i) / C of channel (J * L + i) % C: first from two of
// the channels, then the lanes of another one exchanged.
template <int C, int J, class V, int... I>
THALWEG_INLINE V fewFirst(V a, V b, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  return __builtin_shufflevector(a, b, ((J * L + I) / C + (J * L + I) % C % 2 * L)...);
}
template <int C, int J, int K, class V, int... I>
THALWEG_INLINE V fewNext(V soFar, V next, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  return __builtin_shufflevector(soFar, next, ((J * L + I) % C == K ? L + (J * L + I) / C : I)...);
}
template <int C, int J, class T>
THALWEG_INLINE void storeFew(const Vec<T> (&rows)[C], T* to) {
  constexpr auto all = std::make_integer_sequence<int, lanes<T>>();
  if constexpr (J < C) {
    Vec<T> v = fewFirst<C, J>(rows[0], rows[1], all);
    if constexpr (C > 2) v = fewNext<C, J, 2>(v, rows[2], all);
    if constexpr (C > 3) v = fewNext<C, J, 3>(v, rows[3], all);
    store(to + J * lanes<T>, v);
    storeFew<C, J + 1, T>(rows, to);
  }
}

// Two to four channels: colours.
template <int C, class T>
void interleaveFew(const T* from, int64_t plane, int64_t width, T* to) {
  constexpr int L = lanes<T>;
  int64_t x = 0;
  for (; x + L <= width; x += L) {
    Vec<T> rows[C];
    THALWEG_UNROLL for (int c = 0; c < C; c++) rows[c] = load(from + c * plane + x);
    storeFew<C, 0, T>(rows, to + x * C);
  }
  for (; x < width; x++)
    for (int c = 0; c < C; c++) to[x * C + c] = from[c * plane + x];
}

// to[x * channels + c] = from[c * plane + x]
template <class T>
__attribute__((noinline)) void interleave(const T* from, int64_t plane, int64_t width, int64_t channels, const T* end,
                                          T* to) {
  constexpr int L = lanes<T>;
  if (channels == 2) return interleaveFew<2>(from, plane, width, to);
  if (channels == 3) return interleaveFew<3>(from, plane, width, to);
  if (channels == 4) return interleaveFew<4>(from, plane, width, to);
  for (int64_t x = 0; x < width; x += L) {
    const int columns = static_cast<int>(std::min<int64_t>(L, width - x));
    for (int64_t c = 0; c < channels; c += L) {
      const int rows = static_cast<int>(std::min<int64_t>(L, channels - c));
      const T* last = to + width * channels - L;
      forColumns(from + c * plane + x, plane, rows, columns, end, [=](int j, Vec<T> v) {
        T* at = to + (x + j) * channels + c;
        // What a whole vector spoils is of the positions behind, which are written later.
        if (rows == L || (channels < L && at <= last)) {
          store(at, v);
        } else {
          storePartial(at, v, rows);
        }
      });
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
