// Matrix products for the other kernels of this instruction set: convolution, recurrent layers, attention,
// factorisations.
#pragma once
#include <cstdint>

#include "runtime/pool.h"

namespace thalweg::cpu::THALWEG_ISA {

// c[m, n] = a[m, k] * b[k, n], or c += a * b. Row and column strides in elements; the columns of c are contiguous.
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  int64_t ars, acs;
  const T* b;
  int64_t brs, bcs;
  T* c;
  int64_t crs;
  bool accumulate = false;
};

// Uses all threads, or from inside a chunk of parallelFor the calling thread alone; the result is the same. Overwrites
// threadScratch 0 to 3: what its caller keeps across the call lies in the slots from kScratchOfCallers on.
constexpr int kScratchOfCallers = 4;
void gemm(ThreadPool& pool, const Product<float>& product);
void gemm(ThreadPool& pool, const Product<double>& product);

}  // namespace thalweg::cpu::THALWEG_ISA
