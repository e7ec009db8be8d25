// The arithmetic of one row of one step of the recurrent cells, between the products: gates from pre-activations, the
// new state, and the same backwards. H elements a gate; the gates of a row lie one after the other, in PyTorch's order.
#pragma once
#include "cpu/reduce_softmax.h"
#include "operands/rnn.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Calls f(first element, elements) for a row of n, a vector's worth at a time.
template <class T, class F>
THALWEG_INLINE void forVectors(int64_t n, F f) {
  constexpr int L = lanes<T>;
  int64_t j = 0;
  for (; j + L <= n; j += L) f(j, L);
  if (j < n) f(j, static_cast<int>(n - j));
}
template <class T>
THALWEG_INLINE Vec<T> loadSome(const T* p, int n) {
  return loadLanes(p, n, T(0));
}
template <class T>
THALWEG_INLINE void storeSome(T* p, Vec<T> v, int n) {
  if (n == lanes<T>)
    store(p, v);
  else
    storeFirst(p, v, n);
}

// What a step knows of one row. Pointers that a cell has no use for are null. `product` and `bias` are padded: whole
// vectors of them can be read.
template <class T>
struct ForwardRow {
  T* gates;          // products with the input on entry, the gates after
  const T* product;  // of the state
  const T* bias;     // of both products together; of a GRU those of n apart, the state's after the input's
  T* hidden;         // GRU: the state's part of n
  T *state, *out;    // the state, before and after; and its copy
  T *cell, *cells;
};

// i, f, g, o: c = f c + i g, h = o tanh(c)
template <class T>
void lstmForward(const ForwardRow<T>& r, int64_t H) {
  using Ops = FloatOps<VectorMath<T>>;
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const auto before = [&](int64_t gate) __attribute__((always_inline)) {
          const int64_t at = gate * H + j;
          return loadSome(r.gates + at, n) + (load(r.product + at) + load(r.bias + at));
        };
        const Vec<T> i = Ops::sigmoid(before(0)), f = Ops::sigmoid(before(1));
        const Vec<T> g = Ops::tanh(before(2)), o = Ops::sigmoid(before(3));
        const Vec<T> c = f * loadSome(r.cell + j, n) + i * g;
        const Vec<T> h = o * Ops::tanh(c);
        storeSome(r.gates + j, i, n);
        storeSome(r.gates + H + j, f, n);
        storeSome(r.gates + 2 * H + j, g, n);
        storeSome(r.gates + 3 * H + j, o, n);
        storeSome(r.cell + j, c, n);
        if (r.cells) storeSome(r.cells + j, c, n);
        storeSome(r.state + j, h, n);
        storeSome(r.out + j, h, n);
      });
}

// r, z, n: n = tanh(x + r hidden), h = n + z (h - n)
template <class T>
void gruForward(const ForwardRow<T>& r, int64_t H) {
  using Ops = FloatOps<VectorMath<T>>;
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const auto input = [&](int64_t gate) __attribute__((always_inline)) {
          return loadSome(r.gates + gate * H + j, n) + load(r.bias + gate * H + j);
        };
        const Vec<T> reset = Ops::sigmoid(input(0) + load(r.product + j));
        const Vec<T> z = Ops::sigmoid(input(1) + load(r.product + H + j));
        const Vec<T> hidden = load(r.product + 2 * H + j) + load(r.bias + 3 * H + j);
        const Vec<T> next = Ops::tanh(input(2) + reset * hidden);
        const Vec<T> h = next + z * (loadSome(r.state + j, n) - next);
        storeSome(r.gates + j, reset, n);
        storeSome(r.gates + H + j, z, n);
        storeSome(r.gates + 2 * H + j, next, n);
        if (r.hidden) storeSome(r.hidden + j, hidden, n);
        storeSome(r.state + j, h, n);
        storeSome(r.out + j, h, n);
      });
}

template <class T, Cell cell>
void plainForward(const ForwardRow<T>& r, int64_t H) {
  using Ops = FloatOps<VectorMath<T>>;
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const Vec<T> x = loadSome(r.gates + j, n) + (load(r.product + j) + load(r.bias + j));
        const Vec<T> h = cell == Cell::Tanh ? Ops::tanh(x) : Ops::maximum(x, Vec<T>{});
        storeSome(r.gates + j, h, n);
        storeSome(r.state + j, h, n);
        storeSome(r.out + j, h, n);
      });
}

template <class T>
struct BackwardRow {
  const T* g;                    // the gradient of the output, or null
  const T *gates, *kept;         // the gates; the cell state (LSTM) or hidden (GRU) of this step
  const T *before, *cellBefore;  // h and c of the step before
  T *dgates, *dproduct;          // of the products with the input and with the state: one and the same but for a GRU
  T *dh, *dc;                    // of h and c: of this step on entry, of the step before after
};

template <class T>
THALWEG_INLINE Vec<T> gradientOf(const BackwardRow<T>& r, int64_t j, int n) {
  const Vec<T> dh = loadSome(r.dh + j, n);
  return r.g ? dh + loadSome(r.g + j, n) : dh;
}

// dh is not written: all of it comes through the product that follows.
template <class T>
void lstmBackward(const BackwardRow<T>& r, int64_t H) {
  using Ops = FloatOps<VectorMath<T>>;
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const Vec<T> i = loadSome(r.gates + j, n), f = loadSome(r.gates + H + j, n);
        const Vec<T> g = loadSome(r.gates + 2 * H + j, n), o = loadSome(r.gates + 3 * H + j, n);
        const Vec<T> dh = gradientOf(r, j, n), squashed = Ops::tanh(loadSome(r.kept + j, n));
        const Vec<T> dc = loadSome(r.dc + j, n) + dh * o * (T(1) - squashed * squashed);
        storeSome(r.dgates + j, dc * g * i * (T(1) - i), n);
        storeSome(r.dgates + H + j, dc * loadSome(r.cellBefore + j, n) * f * (T(1) - f), n);
        storeSome(r.dgates + 2 * H + j, dc * i * (T(1) - g * g), n);
        storeSome(r.dgates + 3 * H + j, dh * squashed * o * (T(1) - o), n);
        storeSome(r.dc + j, dc * f, n);
      });
}

// dh: what goes past the gates; the products add the rest.
template <class T>
void gruBackward(const BackwardRow<T>& r, int64_t H) {
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const Vec<T> reset = loadSome(r.gates + j, n), z = loadSome(r.gates + H + j, n);
        const Vec<T> next = loadSome(r.gates + 2 * H + j, n), dh = gradientOf(r, j, n);
        const Vec<T> dnext = dh * (T(1) - z) * (T(1) - next * next);
        const Vec<T> dreset = dnext * loadSome(r.kept + j, n) * reset * (T(1) - reset);
        const Vec<T> dz = dh * (loadSome(r.before + j, n) - next) * z * (T(1) - z);
        storeSome(r.dgates + j, dreset, n);
        storeSome(r.dgates + H + j, dz, n);
        storeSome(r.dgates + 2 * H + j, dnext, n);
        storeSome(r.dproduct + j, dreset, n);
        storeSome(r.dproduct + H + j, dz, n);
        storeSome(r.dproduct + 2 * H + j, dnext * reset, n);
        storeSome(r.dh + j, dh * z, n);
      });
}

template <class T, Cell cell>
void plainBackward(const BackwardRow<T>& r, int64_t H) {
  forVectors<T>(
      H, [&](int64_t j, int n) __attribute__((always_inline)) {
        const Vec<T> h = loadSome(r.gates + j, n), dh = gradientOf(r, j, n);
        storeSome(r.dgates + j, cell == Cell::Tanh ? dh * (T(1) - h * h) : h > T(0) ? dh : Vec<T>{}, n);
      });
}

}  // namespace
}  // namespace thalweg::cpu::THALWEG_ISA
