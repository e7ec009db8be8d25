// Products of some rows with a matrix both of which have K contiguous, as a linear layer has them for a small batch. To
// pack the matrix would take a good part of the time, and dot products (matmul_dot.h) load two operands for every four
// products. So the matrix is read where it lies, as the rows of the transposed product; what is packed are the rows,
// and the result is turned around.
#pragma once
#include "cpu/matmul_gemm.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Fewer rows than the first are dot products' business; with more than the last packing the matrix pays.
constexpr int64_t kFewestTurned = 25, kMostTurned = 96, kLeastTurnedDepth = 64;
constexpr int64_t kTurnGrain = int64_t{1} << 15;  // elements

template <class S>
bool suitsTurning(const Problem<S>& p) {
  return MR >= 8 && p.acs == 1 && p.brs == 1 && p.bcs != 1 && p.ccs == 1 && !p.accumulate && p.m >= kFewestTurned &&
         p.m <= kMostTurned && p.n >= 2 * p.m && p.k >= kLeastTurnedDepth;
}

// The transposed product, whose result goes to scratch memory of the calling thread.
template <class S>
Problem<S> turnedProblem(const Problem<S>& p) {
  Problem<S> turned = p.transposed();
  turned.crs = ceilDiv(turned.n, lanes<S>) * lanes<S>;
  turned.ccs = 1;
  return turned;
}

// to[j, i] = from[i, j] for `rows` rows of `columns` elements each.
template <class S>
void turnResult(ThreadPool& pool, const S* from, int64_t stride, int64_t rows, int64_t columns, S* to, int64_t toRow) {
  constexpr int L = lanes<S>;
  parallelFor(pool, ceilDiv(rows, L), kTurnGrain / (L * columns) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * L; i < least(end * L, rows); i += L) {
      const int64_t count = least(L, rows - i);
      for (int64_t j = 0; j < columns; j += L) {
        Vec<S> square[L];
        // Rows are padded to whole vectors.
        for (int r = 0; r < L; r++) square[r] = load(from + (i + least(r, count - 1)) * stride + j);
        transpose<S>(square);
        const int64_t width = least(L, columns - j);
        for (int64_t c = 0; c < width; c++) {
          S* row = to + (j + c) * toRow + i;
          if (count == L) {
            store(row, square[c]);
          } else {
            for (int64_t r = 0; r < count; r++) row[r] = square[c][r];
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
