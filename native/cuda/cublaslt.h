// Products by cuBLASLt, the fast way where the library is there: float32 (as TF32 if that is allowed), float64,
// float16, bfloat16.
#pragma once
#include "cuda/gemm.h"

namespace thalweg::cuda {

// What was launched.
struct LibraryProduct {
  bool launched = false;
  bool biasAdded = false;  // the activation is always left to do
  // Of 16-bit products with something left to do, which must not be rounded twice: alpha * a * b alone, [product of the
  // batch][m][n], not yet in c. Null: in c.
  const float* sums = nullptr;
};

// Launches alpha * a * b, plus what c holds with `accumulate`, plus the bias where cuBLASLt can add it; nothing if the
// library is not there or cannot do such a product.
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<float>& product);
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<double>& product);
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<Half>& product);
LibraryProduct multiplyByCublasLt(Queue& queue, const Product<BFloat16>& product);

}  // namespace thalweg::cuda
