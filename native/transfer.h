// Values in and out: typed arrays to tensors, tensors to array buffers, now (readSync) or when the stream gets there
// (read).
#pragma once
#include "environment.h"

namespace thalweg {

// True if the strides are those of row-major order of the dimensions in some order: each element has a place of its
// own, and there are no gaps.
inline bool isDense(int ndim, const int64_t* shape, const int64_t* strides) {
  int64_t next = 1;
  bool used[kMaxDims] = {};
  for (int placed = 0; placed < ndim; placed++) {
    int at = -1;
    for (int d = 0; d < ndim; d++)
      if (!used[d] && strides[d] == next && (at < 0 || shape[d] <= 1)) at = d;
    if (at < 0) return false;
    used[at] = true;
    next *= shape[at] > 0 ? shape[at] : 1;
  }
  return true;
}

// Copies between devices, in order with their kernels: both of one dtype and shape, without gaps, in the same order.
// aside: from the CPU, kernels that do not use `out` need not wait for the copy.
void enqueueTransfer(Environment& environment, const TensorView& out, const TensorView& x, bool aside = false);

void openCompletions(Environment& environment);

// read(handle, dtype): a promise of an ArrayBuffer with the elements in row-major order, converted to dtype.
napi_value readAsync(napi_env env, napi_callback_info info);
// readSync(handle, dtype): the same, waiting.
napi_value readSync(napi_env env, napi_callback_info info);
// copyAside(out, x): the kernel `copy` from the CPU to another device, aside.
napi_value copyAside(napi_env env, napi_callback_info info);
// write(handle, typedArrayOrBuffer, dtype): fills the tensor with numel elements of dtype in row-major order.
napi_value write(napi_env env, napi_callback_info info);

}  // namespace thalweg
