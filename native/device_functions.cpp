#include "device_functions.h"

#include "bind.h"

namespace thalweg {

namespace {

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value text(napi_env env, const char* value) {
  napi_value result;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

napi_value pair(napi_env env, double first, double second) {
  napi_value result;
  napi_create_array_with_length(env, 2, &result);
  napi_set_element(env, result, 0, number(env, first));
  napi_set_element(env, result, 1, number(env, second));
  return result;
}

int readOrdinal(Arguments& arguments) { return static_cast<int>(arguments.integerBetween(0, kMaxDevices - 2)); }

}  // namespace

napi_value openPlugin(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    char path[4096];
    size_t length = 0;
    if (napi_get_value_string_utf8(env, arguments.next(), path, sizeof path, &length) != napi_ok)
      arguments.bad("a string");
    openPlugin(path);
    return nullptr;
  });
}

napi_value deviceCount(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment&) -> napi_value {
    char message[kPluginMessageBytes] = "";
    const int count = requirePlugin().deviceCount(message);
    if (count <= 0) fail(ErrorKind::Device, "%.500s", message);
    return number(env, count);
  });
}

napi_value deviceInfo(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    PluginDevice device;
    char message[kPluginMessageBytes] = "";
    if (!requirePlugin().describeDevice(readOrdinal(arguments), &device, message))
      fail(ErrorKind::Device, "%.500s", message);
    napi_value result;
    napi_create_object(env, &result);
    napi_set_named_property(env, result, "name", text(env, device.name));
    napi_set_named_property(env, result, "memoryBytes", number(env, static_cast<double>(device.memoryBytes)));
    napi_set_named_property(env, result, "computeCapability", pair(env, device.computeMajor, device.computeMinor));
    napi_set_named_property(env, result, "multiprocessors", number(env, device.multiprocessors));
    return result;
  });
}

napi_value openDevice(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    environment.open(readOrdinal(arguments));
    return nullptr;
  });
}

napi_value deviceMemory(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const int index = readOrdinal(arguments) + 1;
    if (!environment.devices[index]) arguments.bad("an open device");
    int64_t freeBytes = 0, totalBytes = 0;
    Device& device = environment.device(index);
    if (!device.plugin->memoryInfo(device.context.queue, &freeBytes, &totalBytes))
      fail(ErrorKind::Device, "the device does not say how much memory is free");
    return pair(env, static_cast<double>(freeBytes), static_cast<double>(totalBytes));
  });
}

napi_value allowTf32(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const bool allow = arguments.boolean();
    // In order with what is queued.
    environment.stream.synchronize();
    requirePlugin().allowTf32(allow);
    return nullptr;
  });
}

napi_value rnnReserve(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const int index = readOrdinal(arguments) + 1;
    if (!environment.devices[index]) arguments.bad("an open device");
    const Device& device = environment.device(index);
    RnnStack stack{};
    stack.dtype = static_cast<DType>(arguments.integerBetween(0, kDTypeCount - 1));
    stack.kind = arguments.integerBetween(0, 3);
    stack.layers = arguments.integerBetween(1, INT32_MAX);
    stack.directions = arguments.boolean() ? 2 : 1;
    stack.bias = arguments.boolean();
    for (int64_t* size : {&stack.inputSize, &stack.hiddenSize, &stack.batch, &stack.steps})
      *size = arguments.integerBetween(1, INT32_MAX);
    const int64_t lengths = arguments.integerBetween(0, kScratchNumbers);
    if (lengths > 0) {
      if (lengths != stack.batch) arguments.bad("the size of the batch, or 0");
      stack.lengths = environment.scratchNumbers.data();
      for (int64_t b = 0; b < lengths; b++)
        if (!(stack.lengths[b] >= 1 && stack.lengths[b] <= static_cast<double>(stack.steps)))
          fail(ErrorKind::Native, "rnnReserve: a length is %g, of %lld steps", stack.lengths[b],
               static_cast<long long>(stack.steps));
    }
    stack.tf32 = arguments.boolean();
    return number(env, static_cast<double>(device.plugin->rnnReserve(device.context.queue, stack)));
  });
}

napi_value deviceLibraries(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment&) -> napi_value {
    char message[kPluginMessageBytes] = "";
    requirePlugin().libraries(message);
    return text(env, message);
  });
}

}  // namespace thalweg
