// The N-API boundary: what src/native.ts sees. Handles, argument checks, errors, promises; no arithmetic.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bind.h"
#include "cpu/dispatch.h"
#include "device_functions.h"
#include "program.h"
#include "transfer.h"

namespace thalweg {

Scalar Arguments::scalar() {
  napi_value value = next();
  napi_valuetype type = napi_undefined;
  napi_typeof(environment.env, value, &type);
  Scalar scalar;
  if (type == napi_bigint) {
    // Seeds are unsigned, values of int64 signed: both are 64 bits, and lossless says whether either reading fits.
    bool lossless = false;
    uint64_t bits = 0;
    napi_get_value_bigint_int64(environment.env, value, &scalar.integer, &lossless);
    if (!lossless) {
      napi_get_value_bigint_uint64(environment.env, value, &bits, &lossless);
      if (!lossless) bad("a bigint of 64 bits");
      scalar.integer = static_cast<int64_t>(bits);
    }
    scalar.real = static_cast<double>(scalar.integer);
    return scalar;
  }
  if (type == napi_boolean) {
    bool flag = false;
    napi_get_value_bool(environment.env, value, &flag);
    scalar.real = flag;
    scalar.integer = flag;
    return scalar;
  }
  if (napi_get_value_double(environment.env, value, &scalar.real) != napi_ok) bad("a number or a bigint");
  const double real = scalar.real;
  scalar.integer = real >= 9223372036854775808.0    ? INT64_MAX
                   : real <= -9223372036854775808.0 ? INT64_MIN
                   : real != real                   ? 0
                                                    : static_cast<int64_t>(real);
  return scalar;
}

namespace {

napi_value makeNumber(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value makeHandle(napi_env env, uint32_t value) {
  napi_value result;
  napi_create_uint32(env, value, &result);
  return result;
}

napi_value makeStrings(napi_env env, const std::vector<std::string>& strings) {
  napi_value result;
  napi_create_array_with_length(env, strings.size(), &result);
  for (size_t i = 0; i < strings.size(); i++) {
    napi_value item;
    napi_create_string_utf8(env, strings[i].data(), strings[i].size(), &item);
    napi_set_element(env, result, static_cast<uint32_t>(i), item);
  }
  return result;
}

void deleteReleasedReferences(Environment& environment) {
  for (void* reference : environment.handles.released)
    if (reference) napi_delete_reference(environment.env, static_cast<napi_ref>(reference));
  environment.handles.released.clear();
}

// A sizes array of `ndim` numbers at `offset` in the scratch numbers.
// With `countable`, sizes of a shape: kernels multiply them in any order, so those that are not 0 must have a product.
void readSizes(Arguments& arguments, int ndim, int offset, int64_t* sizes, bool countable) {
  double product = 1;
  for (int d = 0; d < ndim; d++) {
    const double value = arguments.environment.scratchNumbers[static_cast<size_t>(offset + d)];
    if (!(value >= 0 && value <= 9007199254740992.0) || value != std::floor(value))
      fail(ErrorKind::Shape, "%s: %g is not a size", arguments.op, value);
    sizes[d] = static_cast<int64_t>(value);
    if (value > 0) product *= value;
  }
  if (countable && product > 9007199254740992.0)
    fail(ErrorKind::Shape, "%s: the sizes multiply to more than 2^53", arguments.op);
}

// owner: the tensor whose collection frees the handle, or null to put it under the open page.
void attachKeeper(Environment& environment, uint32_t handle, napi_value owner) {
  napi_valuetype type = napi_undefined;
  napi_typeof(environment.env, owner, &type);
  if (type == napi_object) {
    napi_ref reference = nullptr;
    if (napi_create_reference(environment.env, owner, 0, &reference) != napi_ok) {
      environment.handles.free(handle);
      fail(ErrorKind::Native, "no weak reference could be made");
    }
    environment.handles.assignKeeper(handle, environment.handles.addKeeper(reference, false));
  } else if (environment.page != kNoKeeper) {
    environment.handles.assignKeeper(handle, environment.page);
  }
}

// A new tensor of the given sizes, or 0 when it would pass the budget (unless forced), the limit, or what the system
// has.
uint32_t tryCreate(Environment& environment, int device, DType dtype, int ndim, const int64_t* shape, napi_value owner,
                   bool force) {
  int64_t bytes = itemSize(dtype);
  bool overflow = false;
  for (int d = 0; d < ndim; d++) overflow |= __builtin_mul_overflow(bytes, shape[d], &bytes);
  for (int d = 0; d < ndim; d++)
    if (shape[d] == 0) overflow = false, bytes = 0;
  HandleTable& handles = environment.handles;
  if (overflow) return 0;
  const int64_t live = handles.liveBytes(device) + bytes;
  if (device == 0) {
    if (live > environment.limitBytes) return 0;
    if (!force) {
      if (live > environment.budgetBytes || handles.liveTensors() >= environment.budgetTensors) return 0;
      if (live > environment.freshBytes && environment.allocator.needsSystem(bytes)) return 0;
    }
  } else {
    Device& target = environment.device(device);
    if (!force && (live > target.budgetBytes || handles.liveTensors() >= environment.budgetTensors)) return 0;
    // What is live after a collection, and half as much again, may be live before the next.
    if (force && live + live / 2 > target.budgetBytes) target.budgetBytes = live + live / 2;
  }
  const uint32_t handle = handles.create(static_cast<uint8_t>(device), dtype, ndim, shape, bytes);
  if (handle) attachKeeper(environment, handle, owner);
  return handle;
}

// empty(dtype | device << 4, ndim, owner, force, strided): a handle; 0 when a collection should come first. Sizes from
// scratch number 0; if strided, strides at kMaxDims: those of row-major order of the dimensions in another order.
napi_value empty(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const uint32_t packed = arguments.handle();
    const uint32_t dtype = packed & 15, device = packed >> 4;
    if (dtype >= kDTypeCount || device >= kMaxDevices || !environment.devices[device])
      arguments.bad("a packed dtype and open device");
    const int ndim = static_cast<int>(arguments.integerBetween(0, kMaxDims));
    napi_value owner = arguments.next();
    const bool force = arguments.boolean(), strided = arguments.boolean();
    int64_t shape[kMaxDims], strides[kMaxDims];
    readSizes(arguments, ndim, 0, shape, true);
    if (strided) {
      readSizes(arguments, ndim, kMaxDims, strides, false);
      if (!isDense(ndim, shape, strides)) arguments.bad("strides of a dense tensor");
    }
    const uint32_t handle =
        tryCreate(environment, static_cast<int>(device), static_cast<DType>(dtype), ndim, shape, owner, force);
    if (handle != 0 && strided) environment.handles.setStrides(handle, strides);
    return makeHandle(env, handle);
  });
}

// mapNew(program, dtype | tensors << 4 | scalars << 12, owner): `empty` and the map kernel in one call, for elementwise
// ops whose operands all have the result's shape. tensors counts the result, whose handle is filled in; 0 as in
// `empty`.
napi_value mapNew(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    using Map = KernelCall<&KernelTable::map>;
    Arguments arguments(environment, info);
    const Program* program = nullptr;
    Parameter<const Program&>::read(arguments, program);
    const uint32_t packed = arguments.handle();
    const uint32_t dtype = packed & 15, tensors = packed >> 4 & 255, scalars = packed >> 12;
    if (dtype >= kDTypeCount || tensors < 2 || scalars > kScratchNumbers) arguments.bad("a packed operand count");
    std::vector<TensorView>& list = environment.listTensors;
    list.resize(1);
    for (uint32_t i = 1; i < tensors; i++) list.push_back(arguments.tensor(environment.scratchHandles[i]));
    if (arguments.mixed) fail(ErrorKind::Device, "%s: the operands are on different devices", arguments.op);
    const uint32_t handle = tryCreate(environment, arguments.device, static_cast<DType>(dtype), list[1].ndim,
                                      list[1].shape, arguments.next(), false);
    if (!handle) return makeHandle(env, 0);
    list[0] = environment.handles.get(handle, arguments.op).view;
    try {
      Map::enqueue(environment, environment.device(arguments.device), "map",
                   {program, TensorList{list.data(), tensors}, Scalars{environment.scratchNumbers.data(), scalars}});
    } catch (...) {
      environment.handles.free(handle);
      throw;
    }
    return makeHandle(env, handle);
  });
}

// view(base, ndim, offset, owner): shape at scratch number 0, strides at kMaxDims.
napi_value view(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const uint32_t base = arguments.handle();
    const int ndim = static_cast<int>(arguments.integerBetween(0, kMaxDims));
    const int64_t offset = arguments.integer();
    napi_value owner = arguments.next();
    int64_t shape[kMaxDims], strides[kMaxDims];
    readSizes(arguments, ndim, 0, shape, true);
    readSizes(arguments, ndim, kMaxDims, strides, false);
    const uint32_t handle = environment.handles.createView(base, ndim, shape, strides, offset);
    attachKeeper(environment, handle, owner);
    return makeHandle(env, handle);
  });
}

// openPage(object): tiny tensors created from now on live as long as `object`, or until they are disposed.
napi_value openPage(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    napi_value object = arguments.next();
    napi_valuetype objectType = napi_undefined;
    napi_typeof(env, object, &objectType);
    napi_ref reference = nullptr;
    if (objectType != napi_object || napi_create_reference(env, object, 0, &reference) != napi_ok)
      arguments.bad("an object");
    const uint32_t previous = environment.page;
    environment.page = environment.handles.addKeeper(reference, true);
    if (previous != kNoKeeper) environment.handles.closeKeeper(previous);
    deleteReleasedReferences(environment);
    return nullptr;
  });
}

napi_value dispose(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    environment.handles.free(arguments.handle());
    if (!environment.handles.released.empty()) deleteReleasedReferences(environment);
    return nullptr;
  });
}

// sweep(): frees the tensors whose JavaScript objects have been collected; returns how many.
napi_value sweep(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment& environment) -> napi_value {
    HandleTable& handles = environment.handles;
    const int64_t freed = handles.sweep([&](void* reference) {
      napi_handle_scope scope;
      napi_value object = nullptr;
      napi_open_handle_scope(env, &scope);
      napi_get_reference_value(env, static_cast<napi_ref>(reference), &object);
      napi_close_handle_scope(env, scope);
      return object == nullptr;
    });
    if (environment.page != kNoKeeper && !handles.isKeeperLive(environment.page)) environment.page = kNoKeeper;
    deleteReleasedReferences(environment);
    return makeNumber(env, static_cast<double>(freed));
  });
}

// trim(): waits for the stream and gives cached memory back to the system, and to the devices.
napi_value trim(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment& environment) -> napi_value {
    environment.stream.synchronize();
    for (const auto& device : environment.devices) {
      if (!device) continue;
      device->settle(environment.stream);
      environment.allocators.of[device->index]->trim();
      if (device->plugin) device->plugin->trim(device->context.queue);
    }
    return nullptr;
  });
}

// setBudget(bytes, tensors, limit, fresh): see Environment.
napi_value setBudget(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    environment.budgetBytes = arguments.integer();
    environment.budgetTensors = arguments.integer();
    environment.limitBytes = arguments.integer();
    environment.freshBytes = arguments.integer();
    return nullptr;
  });
}

// stats(resetPeak, device): live tensors, live bytes, peak bytes, cached bytes, reserved bytes, pinned bytes.
napi_value stats(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const bool resetPeak = arguments.boolean();
    const int64_t device = arguments.integerBetween(0, kMaxDevices - 1);
    HandleTable& handles = environment.handles;
    const Allocator* allocator = environment.allocators.of[device];
    if (!allocator) arguments.bad("an open device");
    const HandleTable::Use& use = handles.use(static_cast<int>(device));
    const auto& of = environment.devices[device];
    const int64_t pinned = of->plugin ? of->plugin->pinnedBytes(of->context.queue) : 0;
    const int64_t values[] = {
        use.tensors, use.bytes, use.peakBytes, allocator->cachedBytes(), allocator->reservedBytes(), pinned};
    napi_value result;
    napi_create_array_with_length(env, std::size(values), &result);
    for (size_t i = 0; i < std::size(values); i++)
      napi_set_element(env, result, static_cast<uint32_t>(i), makeNumber(env, static_cast<double>(values[i])));
    if (resetPeak) handles.resetPeak(static_cast<int>(device));
    return result;
  });
}

// sync(): waits for the stream and throws the error of a failed kernel, if there is one.
napi_value sync(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment& environment) -> napi_value {
    environment.stream.synchronize();
    if (throwStreamError(environment)) return nullptr;
    for (const auto& device : environment.devices)
      if (device) device->synchronize();
    return nullptr;
  });
}

// program(name, code, outputRegisters, constants, inputs, scalars, temporaries): the id of an elementwise program.
napi_value program(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const auto typedArray = [&](napi_typedarray_type wanted, const char* what, size_t& length) {
      napi_value value = arguments.next(), buffer;
      napi_typedarray_type type =
          static_cast<napi_typedarray_type>(-1);  // stays so for kinds that Node-API has no name for
      void* data = nullptr;
      size_t offset;
      if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset) != napi_ok || type != wanted)
        arguments.bad(what);
      return data;
    };
    Program result;
    char name[128];
    size_t length = 0;
    if (napi_get_value_string_utf8(env, arguments.next(), name, sizeof name, &length) != napi_ok)
      arguments.bad("a string");
    result.name.assign(name, length);
    const auto* code = static_cast<const uint16_t*>(typedArray(napi_uint16_array, "a Uint16Array", length));
    if (length % 5 != 0) arguments.bad("code of five words an instruction");
    for (size_t i = 0; i < length; i += 5)
      result.code.push_back({static_cast<Opcode>(code[i]), code[i + 1], code[i + 2], code[i + 3], code[i + 4]});
    const auto* outputs = static_cast<const uint16_t*>(typedArray(napi_uint16_array, "a Uint16Array", length));
    result.outputRegisters.assign(outputs, outputs + length);
    result.outputs = static_cast<int>(length);
    const auto* constants = static_cast<const double*>(typedArray(napi_float64_array, "a Float64Array", length));
    result.constants.assign(constants, constants + length);
    result.inputs = static_cast<int>(arguments.integerBetween(0, kMaxProgramOperands));
    result.scalars = static_cast<int>(arguments.integerBetween(0, kMaxRegisters));
    result.temporaries = static_cast<int>(arguments.integerBetween(0, kMaxRegisters));
    validateProgram(result);
    return makeHandle(env, internProgram(std::move(result))->id);
  });
}

// listing(program): which of program_listings.h it is, -1 if it is interpreted. For tests.
napi_value listing(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const Program* program = nullptr;
    Parameter<const Program&>::read(arguments, program);
    napi_value result;
    napi_create_int32(env, program->listing, &result);
    return result;
  });
}

napi_value threads(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const int64_t wanted = arguments.integerBetween(0, 1024);
    if (wanted > 0) {
      environment.stream.synchronize();
      processPool().setThreads(static_cast<int>(wanted));
    }
    return makeNumber(env, processPool().threads());
  });
}

napi_value flushDenormal(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    bool flush = false;
    if (napi_get_value_bool(env, arguments.next(), &flush) != napi_ok) arguments.bad("a boolean");
    environment.stream.flushDenormals(flush && canFlushDenormals());
    napi_value result;
    napi_get_boolean(env, canFlushDenormals(), &result);
    return result;
  });
}

napi_value describe(napi_env env, napi_callback_info info) {
  (void)info;
  return guarded(env, [&](Environment& environment) -> napi_value {
    napi_value result, value;
    napi_create_object(env, &result);
    napi_create_string_utf8(env, environment.cpu().kernels->isa, NAPI_AUTO_LENGTH, &value);
    napi_set_named_property(env, result, "isa", value);
    napi_set_named_property(env, result, "isas", makeStrings(env, cpu::availableIsas()));
    napi_set_named_property(env, result, "kernels",
                            makeStrings(env, {
#define KERNEL(name, ...) #name,
#include "kernels.def"
#undef KERNEL
                                             }));
    napi_set_named_property(env, result, "opcodes",
                            makeStrings(env, {
#define OPCODE(name, arity) #name,
#include "opcodes.def"
#undef OPCODE
                                             }));
    napi_get_boolean(env, environment.stream.isInline(), &value);
    napi_set_named_property(env, result, "inline", value);
    return result;
  });
}

// init(makeError): the scratch arrays.
napi_value init(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    napi_value factory = arguments.next();
    napi_valuetype type = napi_undefined;
    napi_typeof(env, factory, &type);
    if (type != napi_function) arguments.bad("a function");
    if (environment.makeError) napi_delete_reference(env, environment.makeError);
    napi_create_reference(env, factory, 1, &environment.makeError);
    napi_value result, buffer, array;
    napi_create_object(env, &result);
    const auto share = [&](void* data, size_t bytes) {
      if (napi_create_external_arraybuffer(env, data, bytes, nullptr, nullptr, &buffer) != napi_ok)
        fail(ErrorKind::Native, "this runtime does not allow external array buffers");
      return buffer;
    };
    napi_create_typedarray(env, napi_uint32_array, kScratchHandles,
                           share(environment.scratchHandles.data(), kScratchHandles * sizeof(uint32_t)), 0, &array);
    napi_set_named_property(env, result, "handles", array);
    napi_create_typedarray(env, napi_float64_array, kScratchNumbers,
                           share(environment.scratchNumbers.data(), kScratchNumbers * sizeof(double)), 0, &array);
    napi_set_named_property(env, result, "numbers", array);
    return result;
  });
}

void exportFunction(napi_env env, napi_value exports, const char* name, napi_callback function) {
  napi_value value;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, const_cast<char*>(name), &value);
  napi_set_named_property(env, exports, name, value);
}

void closeEnvironment(void* data) {
  Environment* environment = static_cast<Environment*>(data);
  environment->closing = true;
  environment->stream.close();
  // What devices still have to say.
  for (const auto& device : environment->devices)
    if (device) device->settle(environment->stream);
  // A failure that no later read has reported must not pass unseen.
  if (const std::unique_ptr<StreamError> error = environment->stream.takeError())
    std::fprintf(stderr, "thalweg: an operation failed, and nothing was read after it: %s: %s\n",
                 errorKindName(error->kind), error->message.c_str());
  delete environment;
}

std::atomic<uint32_t> environmentCount{0};

}  // namespace
}  // namespace thalweg

NAPI_MODULE_INIT() {
  using namespace thalweg;
  Environment* environment = nullptr;
  try {
    environment = new Environment(env, environmentCount.fetch_add(1));
    openCompletions(*environment);
  } catch (const std::exception& error) {
    delete environment;
    napi_throw_error(env, "ERR_THALWEG_NATIVE", error.what());
    return nullptr;
  }
  napi_set_instance_data(env, environment, nullptr, nullptr);
  // Hooks run in reverse order: the stream is joined before Node takes the completion function down.
  napi_add_env_cleanup_hook(env, closeEnvironment, environment);
  const struct {
    const char* name;
    napi_callback function;
  } functions[] = {
      {"init", init},
      {"empty", empty},
      {"mapNew", mapNew},
      {"view", view},
      {"openPage", openPage},
      {"dispose", dispose},
      {"sweep", sweep},
      {"trim", trim},
      {"setBudget", setBudget},
      {"stats", stats},
      {"sync", sync},
      {"program", program},
      {"listing", listing},
      {"threads", threads},
      {"read", readAsync},
      {"readSync", readSync},
      {"write", write},
      {"copyAside", copyAside},
      {"describe", describe},
      {"flushDenormal", flushDenormal},
      {"openPlugin", openPlugin},
      {"deviceCount", deviceCount},
      {"deviceInfo", deviceInfo},
      {"openDevice", openDevice},
      {"deviceMemory", deviceMemory},
      {"deviceLibraries", deviceLibraries},
      {"allowTf32", allowTf32},
      {"rnnReserve", rnnReserve},
      {"graphBegin", graphBegin},
      {"graphDynamic", graphDynamic},
      {"graphEnd", graphEnd},
      {"graphShadow", graphShadow},
      {"graphLaunch", graphLaunch},
      {"graphDispose", graphDispose},
#define KERNEL(name, ...) {#name, KernelCall<&KernelTable::name>::call},
#include "kernels.def"
#undef KERNEL
  };
  for (const auto& entry : functions) exportFunction(env, exports, entry.name, entry.function);
  return exports;
}
