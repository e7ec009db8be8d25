// The arithmetic of one element of one step of the recurrent cells, between the products: gates from pre-activations,
// the new state, and the same backwards. The gates of a row lie one after the other, in PyTorch's order.
#pragma once
#include "cuda/kernel.h"
#include "functors.h"
#include "operands/rnn.h"

namespace thalweg::cuda {
namespace {

// Element j of each gate, from a row of gates.
template <class T, int G>
struct GateValues {
  T at[G];

  __device__ static GateValues load(const T* row, int64_t H, int64_t j) {
    GateValues values;
#pragma unroll
    for (int g = 0; g < G; g++) values.at[g] = row[g * H + j];
    return values;
  }
  __device__ void store(T* row, int64_t H, int64_t j) const {
#pragma unroll
    for (int g = 0; g < G; g++) row[g * H + j] = at[g];
  }
};

// Forward: `gates` has the products with the input on entry and the gates after, `product` those of the state; both
// with their biases.
template <class T, Cell kind>
struct CellMath {
  static constexpr int G = gatesOf(kind);
  using Gates = GateValues<T, G>;
  using Ops = FloatOps<ScalarMath<T>>;

  // h before -> h after; saved: what backward needs besides the gates. cell: c, before and after (LSTM).
  __device__ static T forward(Gates& gates, const Gates& product, T h, T& cell, T& saved) {
    if constexpr (kind == Cell::Lstm) {
      // i, f, g, o: c = f c + i g, h = o tanh(c)
      const T i = Ops::sigmoid(gates.at[0] + product.at[0]), f = Ops::sigmoid(gates.at[1] + product.at[1]);
      const T g = Ops::tanh(gates.at[2] + product.at[2]), o = Ops::sigmoid(gates.at[3] + product.at[3]);
      gates = {{i, f, g, o}};
      saved = cell = f * cell + i * g;
      return o * Ops::tanh(cell);
    } else if constexpr (kind == Cell::Gru) {
      // r, z, n: n = tanh(x + r hidden), h = n + z (h - n)
      const T r = Ops::sigmoid(gates.at[0] + product.at[0]), z = Ops::sigmoid(gates.at[1] + product.at[1]);
      const T n = Ops::tanh(gates.at[2] + r * product.at[2]);
      saved = product.at[2];
      gates = {{r, z, n}};
      return n + z * (h - n);
    } else {
      const T x = gates.at[0] + product.at[0];
      gates.at[0] = kind == Cell::Tanh ? Ops::tanh(x) : Ops::maximum(x, T(0));
      return gates.at[0];
    }
  }

  // From the gates, what was saved, the states before the step (h, cell) and the gradients of h and c after it: the
  // gradients of the products with the input and with the state. Returns what goes to the state before past the
  // products; dc becomes the gradient of c before.
  __device__ static T backward(const Gates& gates, T saved, T h, T cell, T dh, T& dc, Gates& dgates, Gates& dproduct) {
    if constexpr (kind == Cell::Lstm) {
      const T i = gates.at[0], f = gates.at[1], g = gates.at[2], o = gates.at[3], squashed = Ops::tanh(saved);
      const T ofCell = dc + dh * o * (T(1) - squashed * squashed);
      dgates = {{ofCell * g * i * (T(1) - i), ofCell * cell * f * (T(1) - f), ofCell * i * (T(1) - g * g),
                 dh * squashed * o * (T(1) - o)}};
      dproduct = dgates;
      dc = ofCell * f;
      return 0;
    } else if constexpr (kind == Cell::Gru) {
      const T r = gates.at[0], z = gates.at[1], n = gates.at[2];
      const T dn = dh * (T(1) - z) * (T(1) - n * n), dr = dn * saved * r * (T(1) - r),
              dz = dh * (h - n) * z * (T(1) - z);
      dgates = {{dr, dz, dn}};
      dproduct = {{dr, dz, dn * r}};
      return dh * z;
    } else {
      const T y = gates.at[0];
      dgates.at[0] = kind == Cell::Tanh ? dh * (T(1) - y * y) : y > T(0) ? dh : T(0);
      dproduct = dgates;
      return 0;
    }
  }
};

}  // namespace
}  // namespace thalweg::cuda
