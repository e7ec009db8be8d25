// Images [n, c, spatial...] in memory.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {

inline bool emptyView(const TensorView& view) {
  for (int d = 0; d < view.ndim; d++)
    if (view.shape[d] == 0) return true;
  return false;
}

// True if the channels of a position lie side by side and everything else follows without gaps; of a view of at least
// two dimensions.
inline bool isChannelsLast(const TensorView& view) {
  int64_t expected = view.shape[1];
  bool fits = view.shape[1] == 1 || view.strides[1] == 1;
  for (int d = view.ndim - 1; d > 1; d--) {
    fits = fits && (view.shape[d] == 1 || view.strides[d] == expected);
    expected *= view.shape[d];
  }
  return fits && (view.shape[0] == 1 || view.strides[0] == expected);
}

}  // namespace THALWEG_KERNELS
