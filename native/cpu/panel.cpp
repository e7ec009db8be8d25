#include "cpu/panel.h"

#include <utility>

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Rows of a panel that are multiplied with all rows of A before the next: they take half of a first-level cache.
template <class T>
constexpr int64_t kPanelRows = 16384 / (kTileVectors * kVectorBytes) * 2;

template <class T>
using Tile = void (*)(int64_t k, const T* a, int64_t ars, int64_t acs, const T* b, int64_t ldb, T* c, int64_t ldc,
                      bool accumulate);

template <class T, int Rows, int Vectors>
__attribute__((noinline)) void tile(int64_t k, const T* __restrict a, int64_t ars, int64_t acs, const T* __restrict b,
                                    int64_t ldb, T* __restrict c, int64_t ldc, bool accumulate) {
  constexpr int L = lanes<T>;
  Vec<T> sum[Rows][Vectors];
  THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) sum[i][j] = Vec<T>{};
  }
  for (int64_t p = 0; p < k; p++) {
    Vec<T> row[Vectors];
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) row[j] = load(b + j * L);
    THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
      const Vec<T> x = broadcast(a[i * ars]);
      THALWEG_UNROLL for (int j = 0; j < Vectors; j++) sum[i][j] += x * row[j];
    }
    a += acs;
    b += ldb;
  }
  THALWEG_UNROLL for (int i = 0; i < Rows; i++) {
    THALWEG_UNROLL for (int j = 0; j < Vectors; j++) {
      T* to = c + i * ldc + j * L;
      store(to, accumulate ? load(to) + sum[i][j] : sum[i][j]);
    }
  }
}

template <class T, class Sizes = std::make_integer_sequence<int, kTileRows * kTileVectors>>
struct Tiles;
template <class T, int... I>
struct Tiles<T, std::integer_sequence<int, I...>> {
  static constexpr Tile<T> table[] = {&tile<T, I / kTileVectors + 1, I % kTileVectors + 1>...};
};

template <class T>
void multiply(int64_t m, const T* a, int64_t ars, int64_t acs, const Panels<T>& b, int64_t first, int64_t last, T* c,
              int64_t ldc, bool accumulate) {
  const int64_t rowTiles = (m + kTileRows - 1) / kTileRows;
  const int64_t blocks = (b.k + kPanelRows<T> - 1) / kPanelRows<T>;
  for (int64_t panel = first; panel < last; panel++) {
    const int64_t column = b.column(panel), width = b.column(panel + 1) - column;
    const T* data = b.data + column * b.packedRows;
    for (int64_t block = 0; block < (blocks == 0 ? 1 : blocks); block++) {
      const int64_t k0 = blocks == 0 ? 0 : b.k * block / blocks, k1 = blocks == 0 ? 0 : b.k * (block + 1) / blocks;
      for (int64_t t = 0; t < rowTiles; t++) {
        const int64_t row = m * t / rowTiles, rows = m * (t + 1) / rowTiles - row;
        Tiles<T>::table[(rows - 1) * kTileVectors + width / lanes<T> - 1](
            k1 - k0, a + row * ars + k0 * acs, ars, acs, data + k0 * width, width, c + row * ldc + column, ldc,
            accumulate || block > 0);
      }
    }
  }
}

// One step of the transpose of a square of vectors: the quarters off the diagonal of each square of 2 Half by 2 Half
// change places.
template <int Half, class V, int... I>
THALWEG_INLINE void swapQuarters(V& upper, V& lower, std::integer_sequence<int, I...>) {
  constexpr int L = sizeof...(I);
  const V x = upper, y = lower;
  upper = __builtin_shufflevector(x, y, (I & Half ? I - Half + L : I)...);
  lower = __builtin_shufflevector(x, y, (I & Half ? I + L : I + Half)...);
}
template <class T, int Half = lanes<T> / 2>
THALWEG_INLINE void transposeSquare(Vec<T> (&rows)[lanes<T>]) {
  if constexpr (Half > 0) {
    THALWEG_UNROLL for (int i = 0; i < lanes<T>; i++) {
      if ((i & Half) == 0) swapQuarters<Half>(rows[i], rows[i + Half], std::make_integer_sequence<int, lanes<T>>());
    }
    transposeSquare<T, Half / 2>(rows);
  }
}

// A vector's width of columns, each contiguous in the source, to rows `width` apart.
template <class T>
void packColumns(T* to, int64_t width, const T* source, int64_t cs, int64_t k) {
  constexpr int L = lanes<T>;
  int64_t i = 0;
  for (; i + L <= k; i += L) {
    Vec<T> rows[L];
    THALWEG_UNROLL for (int j = 0; j < L; j++) rows[j] = load(source + j * cs + i);
    transposeSquare<T>(rows);
    THALWEG_UNROLL for (int j = 0; j < L; j++) store(to + (i + j) * width, rows[j]);
  }
  for (; i < k; i++)
    for (int j = 0; j < L; j++) to[i * width + j] = source[j * cs + i];
}

template <class T>
Panels<T> pack(T* packed, const T* source, int64_t rs, int64_t cs, int64_t k, int64_t n) {
  constexpr int L = lanes<T>;
  const Panels<T> panels{packed, k, n};
  for (int64_t panel = 0; panel < panels.count(); panel++) {
    const int64_t end = panels.column(panel + 1), begin = panels.column(panel), width = end - begin;
    T* to = packed + begin * k;
    for (int64_t j = 0; j < width; j += L, to += L) {
      const T* from = source + (begin + j) * cs;
      const int64_t there = n - begin - j;
      if (there >= L && rs == 1) {
        packColumns(to, width, from, cs, k);
      } else if (there >= L && cs == 1) {
        for (int64_t i = 0; i < k; i++) store(to + i * width, load(from + i * rs));
      } else {
        for (int64_t i = 0; i < k; i++)
          for (int64_t c = 0; c < L; c++) to[i * width + c] = c < there ? from[i * rs + c * cs] : T(0);
      }
    }
  }
  return panels;
}

}  // namespace

Panels<float> packPanels(float* packed, const float* source, int64_t rs, int64_t cs, int64_t k, int64_t n) {
  return pack(packed, source, rs, cs, k, n);
}
Panels<double> packPanels(double* packed, const double* source, int64_t rs, int64_t cs, int64_t k, int64_t n) {
  return pack(packed, source, rs, cs, k, n);
}
void multiplyPanels(int64_t m, const float* a, int64_t ars, int64_t acs, const Panels<float>& b, int64_t first,
                    int64_t last, float* c, int64_t ldc, bool accumulate) {
  multiply(m, a, ars, acs, b, first, last, c, ldc, accumulate);
}
void multiplyPanels(int64_t m, const double* a, int64_t ars, int64_t acs, const Panels<double>& b, int64_t first,
                    int64_t last, double* c, int64_t ldc, bool accumulate) {
  multiply(m, a, ars, acs, b, first, last, c, ldc, accumulate);
}

}  // namespace thalweg::cpu::THALWEG_ISA
