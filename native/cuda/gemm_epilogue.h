// What is done to a finished sum of a product: scale, bias, what was there before, activation, conversion, store.
#pragma once
#include "cuda/convert.h"
#include "cuda/divide.h"
#include "cuda/gemm.h"
#include "functors.h"

namespace thalweg::cuda {

// The type in which sums of S are kept.
template <class S>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};
template <>
struct SumOf<uint8_t> {
  using type = uint32_t;
};
template <>
struct SumOf<uint32_t> {
  using type = uint32_t;
};
template <>
struct SumOf<uint64_t> {
  using type = uint64_t;
};
template <class S>
using Sum = typename SumOf<S>::type;

template <class T>
__device__ inline T activate(T x, Activation activation) {
  using Ops = FloatOps<ScalarMath<T>>;
  switch (activation) {
    case Activation::Relu: return x <= T(0) ? T(0) : x;  // NaN stays
    case Activation::Gelu: return x * Ops::normalCdf(x);
    case Activation::Sigmoid: return Ops::sigmoid(x);
    case Activation::Tanh: return Ops::tanh(x);
    case Activation::None: break;
  }
  return x;
}

// Passed to kernels by value.
template <class S>
struct Epilogue {
  S* c;
  int64_t crs, ccs;
  const S* bias;
  int64_t biasRs, biasCs;
  Sum<S> alpha;
  Activation activation;
  bool accumulate;

  explicit Epilogue(const Product<S>& p)
      : c(p.c),
        crs(p.crs),
        ccs(p.ccs),
        bias(p.bias),
        biasRs(p.biasRs),
        biasCs(p.biasCs),
        alpha(static_cast<Sum<S>>(p.alpha)),
        activation(p.activation),
        accumulate(p.accumulate) {}

  // Element [row, column] of the product of the batch whose c begins at `offset`.
  __device__ void store(int64_t offset, int64_t row, int64_t column, Sum<S> sum) const {
    S* const to = c + offset + row * crs + column * ccs;
    Sum<S> value = sum * alpha;
    if (bias) value += convert<Sum<S>>(bias[row * biasRs + column * biasCs]);
    if (accumulate) value += convert<Sum<S>>(*to);
    *to = convert<S>(activated(value));
  }
  // Bias and activation of an element that is there already.
  __device__ void finish(int64_t offset, int64_t row, int64_t column) const {
    S* const at = c + offset + row * crs + column * ccs;
    Sum<S> value = convert<Sum<S>>(*at);
    if (bias) value += convert<Sum<S>>(bias[row * biasRs + column * biasCs]);
    *at = convert<S>(activated(value));
  }

 private:
  __device__ Sum<S> activated(Sum<S> value) const {
    if constexpr (std::is_floating_point_v<Sum<S>>)
      if (activation != Activation::None) return activate(value, activation);
    return value;
  }
};

// Where the operands of product `i` of a batch begin.
struct BatchOffsets {
  int64_t a = 0, b = 0, c = 0;
  __device__ BatchOffsets(const ProductBatch& batch, int64_t i) {
    for (int d = batch.ndim - 1; d >= 0; d--) {
      const int64_t index = d > 0 ? takeOff(i, batch.shape[d]) : i;
      a += index * batch.a[d];
      b += index * batch.b[d];
      c += index * batch.c[d];
    }
  }
};

}  // namespace thalweg::cuda
