// What a kernel sees of a tensor: a typed, strided window on memory. Plain data; owns nothing.
#pragma once
#include <cstdint>

#include "runtime/dtype.h"

namespace thalweg {

constexpr int kMaxDims = 8;

struct TensorView {
  char* data = nullptr;  // address of element [0, 0, ...]; may be null when a size is 0
  DType dtype = DType::Float32;
  bool defined = false;  // false: an optional operand that was not given
  uint8_t ndim = 0;
  uint8_t device = 0;         // 0: the CPU; 1 + n: device n of the plugin, and data is memory of that device
  int64_t shape[kMaxDims];    // only the first ndim entries are meaningful
  int64_t strides[kMaxDims];  // in elements, not bytes; 0 along an expanded dimension; never negative

  TensorView() {}
  TensorView(const TensorView& other) { *this = other; }
  // Copies ndim entries, not kMaxDims: views travel through the command ring.
  TensorView& operator=(const TensorView& other) {
    data = other.data;
    dtype = other.dtype;
    defined = other.defined;
    ndim = other.ndim;
    device = other.device;
    for (int d = 0; d < ndim; d++) {
      shape[d] = other.shape[d];
      strides[d] = other.strides[d];
    }
    return *this;
  }

  int64_t numel() const {
    int64_t n = 1;
    for (int d = 0; d < ndim; d++) n *= shape[d];
    return n;
  }

  // True whenever a size is 0, whatever the strides.
  bool isContiguous() const {
    int64_t expected = 1;
    bool contiguous = true;
    for (int d = ndim - 1; d >= 0; d--) {
      if (shape[d] == 0) return true;
      if (shape[d] != 1 && strides[d] != expected) contiguous = false;
      if (contiguous) expected *= shape[d];
    }
    return contiguous;
  }

  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

// An operand that may be left out: `defined` says whether it was given.
struct OptionalTensor : TensorView {};

inline bool sameShape(const TensorView& a, const TensorView& b) {
  if (a.ndim != b.ndim) return false;
  for (int d = 0; d < a.ndim; d++)
    if (a.shape[d] != b.shape[d]) return false;
  return true;
}

// A scalar operand that is exact for int64 as well as for float64.
struct Scalar {
  double real = 0;
  int64_t integer = 0;
};

// Operand lists of variable length; the memory belongs to the command that carries them.
struct TensorList {
  const TensorView* items = nullptr;
  int64_t count = 0;
  const TensorView& operator[](int64_t i) const { return items[i]; }
};

struct Scalars {
  const double* items = nullptr;
  int64_t count = 0;
  double operator[](int64_t i) const { return items[i]; }
};

}  // namespace thalweg
