// A product as cuBLASLt takes it. Its matrices are columns in memory, so c[m, n] with contiguous rows is the
// transposed product, c' = b' a', of n x k and k x m.
#pragma once
#include <optional>

#include "cuda/gemm.h"

namespace thalweg::cuda {

// An operand as columns in memory: `leading` elements from one column to the next; transposed when it is used.
struct ColumnMatrix {
  int64_t rows, columns, leading;
  bool transposed;
};

struct LibraryLayout {
  int64_t m, n, k;  // of the transposed product
  ColumnMatrix a, b, d;
  // One dimension of the batch goes into a call, the others are calls of their own.
  int inner = -1;  // of ProductBatch; -1: there is none
};

// Of a matrix [rows, columns] with any strides; nothing if neither is contiguous, or columns overlap.
inline std::optional<ColumnMatrix> columnMatrix(int64_t rows, int64_t columns, int64_t rowStride,
                                                int64_t columnStride) {
  const auto fits = [](int64_t contiguous, int64_t other, int64_t sizeContiguous, int64_t sizeOther) {
    return (contiguous == 1 || sizeContiguous == 1) && (sizeOther == 1 || other >= sizeContiguous);
  };
  // The stride along a size of 1 says nothing.
  if (fits(rowStride, columnStride, rows, columns))
    return ColumnMatrix{rows, columns, columns == 1 ? rows : columnStride, false};
  if (fits(columnStride, rowStride, columns, rows))
    return ColumnMatrix{columns, rows, rows == 1 ? columns : rowStride, true};
  return std::nullopt;
}

// Nothing if cuBLASLt has no such product. The columns of c must be contiguous; where its rows are, transpose first.
template <class T>
std::optional<LibraryLayout> libraryLayout(const Product<T>& p) {
  constexpr int64_t kMostCalls = 32;
  if (p.k == 0 || p.m > INT32_MAX || p.n > INT32_MAX || p.k > INT32_MAX) return std::nullopt;
  const auto a = columnMatrix(p.n, p.k, p.bcs, p.brs), b = columnMatrix(p.k, p.m, p.acs, p.ars),
             d = columnMatrix(p.n, p.m, p.ccs, p.crs);
  if (!a || !b || !d || d->transposed) return std::nullopt;
  LibraryLayout layout{p.n, p.m, p.k, *a, *b, *d};
  for (const ColumnMatrix& matrix : {layout.a, layout.b, layout.d})
    if (matrix.leading > INT32_MAX) return std::nullopt;
  for (int i = 0; i < p.batch.ndim; i++)
    if (layout.inner < 0 || p.batch.shape[i] > p.batch.shape[layout.inner]) layout.inner = i;
  if (layout.inner >= 0) {
    const int64_t size = p.batch.shape[layout.inner];
    if (size > INT32_MAX || p.batch.count / size > kMostCalls) return std::nullopt;
  }
  return layout;
}

}  // namespace thalweg::cuda
