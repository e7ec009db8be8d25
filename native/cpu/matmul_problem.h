// One matrix product as the algorithms see it, and what is done to finished rows: bias, activation, conversion, store.
#pragma once
#include "cpu/kernel.h"
#include "cpu/matmul_kernel.h"
#include "cpu/matmul_pack.h"
#include "cpu/vecmath.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// c[m, n] = activation(a[m, k] * b[k, n] + bias). Each operand has a row stride and a column stride, in elements.
template <class S>
struct Problem {
  int64_t m, n, k;
  const S* a;
  int64_t ars, acs;
  const S* b;
  int64_t brs, bcs;
  S* c;
  int64_t crs, ccs;
  const S* bias;  // null: none
  int64_t biasRs, biasCs;
  Activation activation;
  bool accumulate = false;  // add to what c holds

  // The same product with rows and columns exchanged: c' = b' a'.
  Problem transposed() const {
    return {n, m, k, b, bcs, brs, a, acs, ars, c, ccs, crs, bias, biasCs, biasRs, activation, accumulate};
  }
  Problem part(int64_t m0, int64_t m1, int64_t n0, int64_t n1) const {
    Problem p = *this;
    p.m = m1 - m0;
    p.n = n1 - n0;
    p.a += m0 * ars;
    p.b += n0 * bcs;
    p.c += m0 * crs + n0 * ccs;
    if (bias != nullptr) p.bias += m0 * biasRs + n0 * biasCs;
    return p;
  }
  // The same for algorithms that store each element once: what c holds is a bias.
  Problem accumulatingByBias() const {
    Problem p = *this;
    if (accumulate) {
      p.bias = c;
      p.biasRs = crs;
      p.biasCs = ccs;
      p.accumulate = false;
    }
    return p;
  }
  bool hasEpilogue() const { return bias != nullptr || activation != Activation::None; }
};

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
    case Activation::Gelu: return T(0.5) * x * (T(1) + Ops::erf(x * T(0.70710678118654752440)));
    case Activation::Sigmoid: return Ops::sigmoid(x);
    case Activation::Tanh: return Ops::tanh(x);
    case Activation::None: break;
  }
  return x;
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
        for (int j = 0; j < columns; j++) bias[j] = widen(source[j * p.biasCs]);
        for (int j = columns; j < vectors * L; j++) bias[j] = 0;
      }
      for (int j = 0; j < vectors; j++) store(tile + j * L, load(tile + j * L) + load(bias + j * L));
    }
    if (p.activation != Activation::None)
      for (int j = 0; j < vectors; j++) store(tile + j * L, activate<T>(load(tile + j * L), p.activation));
  }
}

// Copies a finished tile to where the problem wants it.
template <class S, class T>
void storeTile(const Problem<S>& p, int64_t row, int64_t col, int64_t rows, int columns, const T* tile, int64_t ld) {
  for (int64_t i = 0; i < rows; i++, tile += ld) {
    S* target = p.c + (row + i) * p.crs + col * p.ccs;
    if (p.ccs == 1) {
      for (int j = 0; j < columns; j++) target[j] = narrow<S>(tile[j]);
    } else {
      for (int j = 0; j < columns; j++) target[j * p.ccs] = narrow<S>(tile[j]);
    }
  }
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
