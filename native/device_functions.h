// What JavaScript sees of plugins and their devices.
#pragma once
#include <node_api.h>

namespace thalweg {

// openPlugin(path): throws DeviceError when the library cannot be used.
napi_value openPlugin(napi_env env, napi_callback_info info);
// deviceCount(): throws DeviceError that says why there is none.
napi_value deviceCount(napi_env env, napi_callback_info info);
// deviceInfo(ordinal): { name, memoryBytes, computeCapability: [major, minor], multiprocessors }.
napi_value deviceInfo(napi_env env, napi_callback_info info);
// openDevice(ordinal): prepares a device for tensors of this thread.
napi_value openDevice(napi_env env, napi_callback_info info);
// deviceMemory(ordinal): [free, total] of an open device, in bytes.
napi_value deviceMemory(napi_env env, napi_callback_info info);
// allowTf32(allow): see plugin.h.
napi_value allowTf32(napi_env env, napi_callback_info info);
// rnnReserve(ordinal, dtype, kind, layers, bidirectional, bias, inputSize, hiddenSize, batch, steps, lengths, tf32):
// see plugin.h; lengths: how many lengths of sequences are staged, none if all have all steps.
napi_value rnnReserve(napi_env env, napi_callback_info info);
// deviceLibraries(): what is known of the optional libraries, a line each.
napi_value deviceLibraries(napi_env env, napi_callback_info info);

}  // namespace thalweg
