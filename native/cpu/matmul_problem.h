// Matrix products as the algorithms see them: one, and a batch of them.
#pragma once
#include "cpu/kernel.h"
#include "operands/matmul.h"

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

// One per dtype, each in a file of its own: matmul_float32.cpp and so on.
void multiplyBatch(ThreadPool& pool, const Problem<float>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<double>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<Half>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<BFloat16>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint8_t>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint32_t>& p, const Batch& batch);
void multiplyBatch(ThreadPool& pool, const Problem<uint64_t>& p, const Batch& batch);

}  // namespace thalweg::cpu::THALWEG_ISA
