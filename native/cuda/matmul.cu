// Matrix multiplication: checks and batches. The algorithms are in gemm.cu.
#include "cuda/gemm.h"
#include "cuda/kernel.h"
#include "operands/matmul.h"

namespace thalweg::cuda {
namespace {

template <class S>
void matmulOf(Queue& queue, const TensorView& out, const TensorView& a, const TensorView& b, const TensorView& bias,
              Activation activation, Batch batch) {
  Product<S> p;
  readMatmul<S>(p, out, a, b, bias, activation);
  foldBatchIntoRows(p, batch);
  for (int d = 0; d < batch.ndim; d++) p.batch.add(batch.shape[d], batch.a[d], batch.b[d], batch.c[d]);
  gemm(queue, p);
}

}  // namespace

void matmul(Context& context, const TensorView& out, const TensorView& a, const TensorView& b,
            const OptionalTensor& bias, int64_t activationCode) {
  const Batch batch = checkShapes(out, a, b);
  const Activation activation = checkMatmul(out, a, b, bias, activationCode);
  for (int d = 0; d < out.ndim; d++)
    if (out.shape[d] == 0) return;

  Queue& queue = queueOf(context);
  switch (a.dtype) {
    case DType::Float32: return matmulOf<float>(queue, out, a, b, bias, activation, batch);
    case DType::Float64: return matmulOf<double>(queue, out, a, b, bias, activation, batch);
    case DType::Float16: return matmulOf<Half>(queue, out, a, b, bias, activation, batch);
    case DType::BFloat16: return matmulOf<BFloat16>(queue, out, a, b, bias, activation, batch);
    case DType::Int32: return matmulOf<uint32_t>(queue, out, a, b, bias, activation, batch);
    case DType::Int64: return matmulOf<uint64_t>(queue, out, a, b, bias, activation, batch);
    case DType::UInt8: return matmulOf<uint8_t>(queue, out, a, b, bias, activation, batch);
    case DType::Bool: break;
  }
}

}  // namespace thalweg::cuda
