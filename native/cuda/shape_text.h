// A shape in an error message: "[2, 3]".
#pragma once
#include <string>

#include "runtime/tensor.h"

namespace thalweg::cuda {

inline std::string shapeText(const TensorView& view) {
  std::string text = "[";
  for (int d = 0; d < view.ndim; d++) {
    if (d > 0) text += ", ";
    text += std::to_string(view.shape[d]);
  }
  return text + "]";
}

}  // namespace thalweg::cuda
