// Matrix products as the algorithms see them: one, and a batch of them.
#pragma once
#include "cpu/kernel.h"

namespace thalweg::cpu::THALWEG_ISA {

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

// The dimensions over which a product is repeated: an operand's stride is 0 where it is the same. The last is the
// innermost.
struct Batch {
  static constexpr int kMaxBatchDims = kMaxDims - 2;
  int ndim = 0;
  int64_t shape[kMaxBatchDims], a[kMaxBatchDims], b[kMaxBatchDims], c[kMaxBatchDims];

  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }
  // f(atA, atB, atC) for each product from `begin` to `end`: where its operands begin.
  template <class F>
  void forEach(int64_t begin, int64_t end, F&& f) const {
    int64_t index[kMaxBatchDims], atA = 0, atB = 0, atC = 0, rest = begin;
    for (int d = ndim - 1; d >= 0; d--) {
      index[d] = rest % shape[d];
      rest /= shape[d];
      atA += index[d] * a[d];
      atB += index[d] * b[d];
      atC += index[d] * c[d];
    }
    for (int64_t i = begin; i < end; i++) {
      f(atA, atB, atC);
      for (int d = ndim - 1; d >= 0; d--) {
        atA += a[d];
        atB += b[d];
        atC += c[d];
        if (++index[d] < shape[d]) break;
        atA -= shape[d] * a[d];
        atB -= shape[d] * b[d];
        atC -= shape[d] * c[d];
        index[d] = 0;
      }
    }
  }
};

// One per dtype, each in a file of its own: matmul_float32.cpp and so on.
void multiplyBatch(ThreadPool& pool, const Problem<float>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<double>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<Half>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<BFloat16>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint8_t>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint32_t>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint64_t>& p, const Batch& batch);

}  // namespace thalweg::cpu::THALWEG_ISA
