// Small products for kernels that make many of them with one matrix: its columns are packed once into panels as wide as
// the register tile, and rows are multiplied with them a few at a time, on the calling thread. gemm.h is for the
// others.
#pragma once
#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {

// The register tile: so many rows by so many vectors of sums, which with a row of the panel and a broadcast fit the
// register file.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTileRows = 6, kTileVectors = 4;
#elif defined(__AVX2__)
constexpr int kTileRows = 6, kTileVectors = 2;
#else
constexpr int kTileRows = 2, kTileVectors = 4;
#endif

template <class T>
constexpr int64_t wholeVectors(int64_t n) {
  return (n + lanes<T> - 1) / lanes<T> * lanes<T>;
}

// A packed matrix [k, n]: panel after panel, each with its rows one after the other; columns past n, up to whole
// vectors, are 0.
template <class T>
struct Panels {
  const T* data;
  int64_t k, n;
  int64_t packedRows = k;  // of which k are used

  int64_t vectors() const { return wholeVectors<T>(n) / lanes<T>; }
  int64_t count() const { return (vectors() + kTileVectors - 1) / kTileVectors; }
  // The first column of a panel: they are nearly equally wide.
  int64_t column(int64_t panel) const { return count() == 0 ? 0 : vectors() * panel / count() * lanes<T>; }
  // How many panels have the first columns.
  int64_t countFor(int64_t columns) const {
    int64_t panels = (columns + kTileVectors * lanes<T> - 1) / (kTileVectors * lanes<T>);
    while (panels < count() && column(panels) < columns) panels++;
    return panels;
  }
  Panels firstRows(int64_t rows) const { return {data, rows, n, packedRows}; }
};

template <class T>
constexpr int64_t packedElements(int64_t k, int64_t n) {
  return k * wholeVectors<T>(n);
}

// Element (i, j) of the matrix is source[i * rs + j * cs]; `packed` has room for packedElements.
Panels<float> packPanels(float* packed, const float* source, int64_t rs, int64_t cs, int64_t k, int64_t n);
Panels<double> packPanels(double* packed, const double* source, int64_t rs, int64_t cs, int64_t k, int64_t n);

// c[m, columns of the panels from `first` to before `last`] = a[m, k] * b, or c += a * b. Element (i, p) of a is
// a[i * ars + p * acs]; c is at column 0. Whole vectors of c are written.
void multiplyPanels(int64_t m, const float* a, int64_t ars, int64_t acs, const Panels<float>& b, int64_t first,
                    int64_t last, float* c, int64_t ldc, bool accumulate = false);
void multiplyPanels(int64_t m, const double* a, int64_t ars, int64_t acs, const Panels<double>& b, int64_t first,
                    int64_t last, double* c, int64_t ldc, bool accumulate = false);

template <class T>
THALWEG_INLINE void multiplyPanels(int64_t m, const T* a, int64_t ars, int64_t acs, const Panels<T>& b, T* c,
                                   int64_t ldc, bool accumulate = false) {
  multiplyPanels(m, a, ars, acs, b, 0, b.count(), c, ldc, accumulate);
}

}  // namespace thalweg::cpu::THALWEG_ISA
