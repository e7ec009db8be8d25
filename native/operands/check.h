// What the checks of all operands have in common.
#pragma once
#include <string>

#include "../kernel.h"

namespace THALWEG_KERNELS {

// A shape in an error message: "[2, 3]".
inline std::string shapeText(const TensorView& view) {
  std::string text = "[";
  for (int d = 0; d < view.ndim; d++) {
    if (d > 0) text += ", ";
    text += std::to_string(view.shape[d]);
  }
  return text + "]";
}

// Which dtypes a kernel takes.
enum class Floats : uint8_t { Wide, All };  // float32 and float64; or 16-bit ones, too

inline bool takesFloat(Floats takes, DType dtype) {
  return takes == Floats::All ? isFloating(dtype) : dtype == DType::Float32 || dtype == DType::Float64;
}

inline void checkMemory(const char* op, const char* name, const TensorView& view) {
  if (view.data == nullptr && view.numel() > 0) fail(ErrorKind::Native, "%s: the %s has no memory", op, name);
}

}  // namespace THALWEG_KERNELS
