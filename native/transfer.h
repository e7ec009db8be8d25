// Values in and out: typed arrays to tensors, tensors to array buffers, now (readSync) or when the stream gets there
// (read).
#pragma once
#include "environment.h"

namespace thalweg {

void openCompletions(Environment& environment);

// read(handle, dtype): a promise of an ArrayBuffer with the elements in row-major order, converted to dtype.
napi_value readAsync(napi_env env, napi_callback_info info);
// readSync(handle, dtype): the same, waiting.
napi_value readSync(napi_env env, napi_callback_info info);
// write(handle, typedArrayOrBuffer, dtype): fills the tensor with numel elements of dtype in row-major order.
napi_value write(napi_env env, napi_callback_info info);

}  // namespace thalweg
