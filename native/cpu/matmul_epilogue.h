// What is done to finished rows of a product: bias, activation, conversion, store.
#pragma once
#include "cpu/matmul_convert.h"
#include "cpu/matmul_problem.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Not max(x, 0): that would turn NaN into 0.
template <class T>
THALWEG_INLINE Vec<T> relu(Vec<T> x) {
  const auto negative = x <= Vec<T>{};
  return reinterpret_cast<Vec<T>>(reinterpret_cast<decltype(negative)>(x) & ~negative);
}

template <class T>
THALWEG_INLINE Vec<T> activate(Vec<T> x, Activation activation) {
  using Ops = FloatOps<VectorMath<T>>;
  switch (activation) {
    case Activation::Relu: return relu<T>(x);
    case Activation::Gelu: return x * Ops::normalCdf(x);
    case Activation::Sigmoid: return Ops::sigmoid(x);
    case Activation::Tanh: return Ops::tanh(x);
    case Activation::None: break;
  }
  return x;
}

// The first n elements at a stride, the others 0.
template <class S>
THALWEG_INLINE Vec<Compute<S>> loadStrided(const S* p, int64_t stride, int n) {
  constexpr int L = lanes<Compute<S>>;
  if (stride == 1) return n == L ? loadWide(p) : loadWideFirst(p, n);
  if (stride == 0 && n == L) return broadcast(widen(*p));
  Vec<Compute<S>> v{};
  for (int i = 0; i < n; i++) v[i] = widen(p[i * stride]);
  return v;
}

// Bias and activation, in place, over a tile of whole vectors: `columns` of them are columns col, col + 1, ... of the
// problem, the others padding.
template <class S, class T>
__attribute__((noinline)) void finishTile(const Problem<S>& p, int64_t row, int64_t col, int64_t rows, int columns,
                                          int vectors, T* tile, int64_t ld) {
  constexpr int L = lanes<T>;
  alignas(64) T bias[NR<T>];
  for (int64_t i = 0; i < rows; i++, tile += ld) {
    if (p.bias != nullptr) {
      if (i == 0 || p.biasRs != 0) {
        const S* source = p.bias + (row + i) * p.biasRs + col * p.biasCs;
        for (int j = 0; j < vectors; j++) {
          const int left = columns - j * L < L ? columns - j * L : L;
          store(bias + j * L, loadStrided(source + j * L * p.biasCs, p.biasCs, left > 0 ? left : 0));
        }
      }
      for (int j = 0; j < vectors; j++) store(tile + j * L, load(tile + j * L) + load(bias + j * L));
    }
    if (p.activation != Activation::None)
      for (int j = 0; j < vectors; j++) store(tile + j * L, activate<T>(load(tile + j * L), p.activation));
  }
}

// Copies a finished tile, whose rows are padded to whole vectors, to where the problem wants it.
template <class S, class T>
void storeTile(const Problem<S>& p, int64_t row, int64_t col, int64_t rows, int columns, const T* tile, int64_t ld) {
  constexpr int L = lanes<T>;
  for (int64_t i = 0; i < rows; i++, tile += ld) {
    S* target = p.c + (row + i) * p.crs + col * p.ccs;
    if (p.ccs == 1) {
      int j = 0;
      for (; j + L <= columns; j += L) storeNarrow(target + j, load(tile + j));
      if (j < columns) storeNarrowFirst(target + j, load(tile + j), columns - j);
    } else {
      for (int j = 0; j < columns; j++) target[j * p.ccs] = narrow<S>(tile[j]);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
