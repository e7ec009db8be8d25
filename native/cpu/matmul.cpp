// Matrix multiplication: checks and batches. The algorithms are in matmul_float.h (which chooses one), matmul_gemm.h
// (matrix times matrix), matmul_gemv.h (a row or a column) and matmul_integer.cpp.
#include "operands/matmul.h"
#include "cpu/gemm.h"
#include "cpu/kernel.h"
#include "cpu/matmul_problem.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

template <class S>
void matmulOf(ThreadPool& pool, const TensorView& out, const TensorView& a, const TensorView& b, const TensorView& bias,
              Activation activation, Batch batch) {
  Problem<S> p;
  readMatmul<S>(p, out, a, b, bias, activation);
  foldBatchIntoRows(p, batch);
  multiplyBatch(pool, p, batch);
}

template <class T>
void multiplyProduct(ThreadPool& pool, const Product<T>& x) {
  if (x.m <= 0 || x.n <= 0) return;
  multiplyBatch(pool,
                Problem<T>{x.m, x.n, x.k, x.a, x.ars, x.acs, x.b, x.brs, x.bcs, x.c, x.crs, 1, nullptr, 0, 0,
                           Activation::None, x.accumulate},
                Batch());
}

}  // namespace

void gemm(ThreadPool& pool, const Product<float>& product) { multiplyProduct(pool, product); }
void gemm(ThreadPool& pool, const Product<double>& product) { multiplyProduct(pool, product); }

void matmul(Context& context, const TensorView& out, const TensorView& a, const TensorView& b,
            const OptionalTensor& bias, int64_t activationCode) {
  const Batch batch = checkShapes(out, a, b);
  const Activation activation = checkMatmul(out, a, b, bias, activationCode);
  for (int d = 0; d < out.ndim; d++)
    if (out.shape[d] == 0) return;

  ThreadPool& pool = context.pool;
  switch (a.dtype) {
    case DType::Float32: return matmulOf<float>(pool, out, a, b, bias, activation, batch);
    case DType::Float64: return matmulOf<double>(pool, out, a, b, bias, activation, batch);
    case DType::Float16: return matmulOf<Half>(pool, out, a, b, bias, activation, batch);
    case DType::BFloat16: return matmulOf<BFloat16>(pool, out, a, b, bias, activation, batch);
    case DType::Int32: return matmulOf<uint32_t>(pool, out, a, b, bias, activation, batch);
    case DType::Int64: return matmulOf<uint64_t>(pool, out, a, b, bias, activation, batch);
    case DType::UInt8: return matmulOf<uint8_t>(pool, out, a, b, bias, activation, batch);
    case DType::Bool: break;
  }
}

}  // namespace thalweg::cpu::THALWEG_ISA
