// Matrix products for the other kernels of this device: convolution, recurrent layers, attention, factorisations.
#pragma once
#include <atomic>
#include <cstdint>

#include "cuda/queue.h"
#include "kernel.h"

namespace thalweg::cuda {

// The dimensions over which a product is repeated: an operand's stride is 0 where it is the same for all.
struct ProductBatch {
  static constexpr int kMaxBatchDims = kMaxDims - 2;
  int ndim = 0;
  int64_t count = 1;
  int64_t shape[kMaxBatchDims], a[kMaxBatchDims], b[kMaxBatchDims], c[kMaxBatchDims];

  // Appends a dimension behind the others (the last one moves fastest), merged with the one before where that can be.
  void add(int64_t size, int64_t strideA, int64_t strideB, int64_t strideC) {
    count *= size;
    if (size == 1) return;
    const int d = ndim - 1;
    if (ndim > 0 && a[d] == strideA * size && b[d] == strideB * size && c[d] == strideC * size) {
      shape[d] *= size;
    } else {
      shape[ndim++] = size;
    }
    a[ndim - 1] = strideA;
    b[ndim - 1] = strideB;
    c[ndim - 1] = strideC;
  }
};

// c[m, n] = activation(alpha * a[m, k] * b[k, n] + bias), or with `accumulate` the same plus what c holds, before the
// activation; repeated over the batch. All pointers are device memory; strides in elements, any of them; c must not
// overlap a or b, nor itself. Sums of float16 and bfloat16 are float32; those of integers wrap.
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  int64_t ars, acs;
  const T* b;
  int64_t brs, bcs;
  T* c;
  int64_t crs, ccs = 1;
  bool accumulate = false;
  double alpha = 1;  // of floats
  ProductBatch batch = {};
  const T* bias = nullptr;  // the same for the whole batch; null: none
  int64_t biasRs = 0, biasCs = 0;
  Activation activation = Activation::None;  // of floats

  // The same product with rows and columns exchanged: c' = b' a'.
  Product transposed() const {
    Product p = *this;
    p.m = n, p.n = m;
    p.a = b, p.ars = bcs, p.acs = brs;
    p.b = a, p.brs = acs, p.bcs = ars;
    p.crs = ccs, p.ccs = crs;
    p.biasRs = biasCs, p.biasCs = biasRs;
    for (int d = 0; d < batch.ndim; d++) p.batch.a[d] = batch.b[d], p.batch.b[d] = batch.a[d];
    return p;
  }
};

// Whether products of float32 may round their operands to TF32, 10 bits behind the point; of the whole process. Off, as
// the CPU knows no such thing.
inline std::atomic<bool> tensorFloat32{false};

// Launches the product; the same operands give the same bits every time. Uses the queue's scratch slot 7: what its
// caller keeps across the call lies in the others.
constexpr int kScratchOfGemm = 7;
void gemm(Queue& queue, const Product<float>& product);
void gemm(Queue& queue, const Product<double>& product);
void gemm(Queue& queue, const Product<Half>& product);
void gemm(Queue& queue, const Product<BFloat16>& product);
void gemm(Queue& queue, const Product<uint8_t>& product);
void gemm(Queue& queue, const Product<uint32_t>& product);
void gemm(Queue& queue, const Product<uint64_t>& product);

// Adds bias and activation to what c holds.
void finishProduct(Queue& queue, const Product<float>& product);
void finishProduct(Queue& queue, const Product<double>& product);
void finishProduct(Queue& queue, const Product<Half>& product);
void finishProduct(Queue& queue, const Product<BFloat16>& product);

}  // namespace thalweg::cuda
