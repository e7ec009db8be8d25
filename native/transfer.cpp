#include "transfer.h"

#include <cstdlib>
#include <cstring>

#include "bind.h"

namespace thalweg {

namespace {

struct FreeDeleter {
  void operator()(char* p) const { std::free(p); }
};
using Staging = std::unique_ptr<char, FreeDeleter>;

// Copied while JavaScript waits: a few microseconds.
constexpr int64_t kReadNowBytes = 64 << 10;
// Handed over in scratchNumbers.
constexpr int64_t kReadSharedBytes = 256;
static_assert(kReadSharedBytes <= kScratchNumbers * static_cast<int64_t>(sizeof(double)));

Staging allocateStaging(const char* op, int64_t bytes) {
  Staging staging(static_cast<char*>(std::malloc(static_cast<size_t>(bytes > 0 ? bytes : 1))));
  if (!staging) fail(ErrorKind::OutOfMemory, "%s: no memory for %lld bytes", op, static_cast<long long>(bytes));
  return staging;
}

// A contiguous view of foreign memory with the shape of `like`.
TensorView contiguousView(char* data, DType dtype, const TensorView& like) {
  TensorView view = like;
  view.data = data;
  view.dtype = dtype;
  int64_t stride = 1;
  for (int d = view.ndim - 1; d >= 0; d--) {
    view.strides[d] = stride;
    stride *= view.shape[d] > 0 ? view.shape[d] : 1;
  }
  return view;
}

struct ReadRequest {
  Environment* environment;
  TensorView source;
  DType dtype;
  Staging staging;
  int64_t bytes;
  napi_deferred deferred = nullptr;
  std::unique_ptr<StreamError> error;
};

// An expanded view may have more elements than any memory: the product is checked.
int64_t readBytes(const Environment& environment, const TensorView& source, DType dtype) {
  // src/tensor/read.ts brings it to the CPU first.
  if (source.device != 0)
    fail(ErrorKind::Device, "read: the tensor is not in the CPU's memory; move it to 'cpu' first");
  int64_t bytes = itemSize(dtype);
  bool overflow = false;
  for (int d = 0; d < source.ndim; d++) {
    if (source.shape[d] == 0) return 0;
    overflow |= __builtin_mul_overflow(bytes, source.shape[d], &bytes);
  }
  if (overflow) fail(ErrorKind::OutOfMemory, "read: the tensor's size in bytes is beyond 2^63");
  // The result needs memory of its own. Only an expanded view can have more than what is live.
  const int64_t live = environment.handles.liveBytes();
  if (bytes > live && bytes > environment.limitBytes - live)
    fail(ErrorKind::OutOfMemory, "read: the tensor has %lld bytes, %lld are live and the limit is %lld",
         static_cast<long long>(bytes), static_cast<long long>(live), static_cast<long long>(environment.limitBytes));
  return bytes;
}

// Node ends the process when napi_create_arraybuffer finds no memory; `new ArrayBuffer` throws.
napi_status createArrayBuffer(napi_env env, int64_t bytes, void** data, napi_value* buffer) {
  constexpr int64_t kSurelyThere = 1 << 20;
  if (bytes <= kSurelyThere) return napi_create_arraybuffer(env, static_cast<size_t>(bytes), data, buffer);
  napi_value global, constructor, argument;
  size_t length = 0;
  napi_status status = napi_get_global(env, &global);
  if (status == napi_ok) status = napi_get_named_property(env, global, "ArrayBuffer", &constructor);
  if (status == napi_ok) status = napi_create_double(env, static_cast<double>(bytes), &argument);
  if (status == napi_ok) status = napi_new_instance(env, constructor, 1, &argument, buffer);
  if (status == napi_ok) status = napi_get_arraybuffer_info(env, *buffer, data, &length);
  return status == napi_ok && length != static_cast<size_t>(bytes) ? napi_generic_failure : status;
}

napi_value makeBuffer(napi_env env, int64_t bytes, void** data) {
  napi_value buffer = nullptr;
  if (createArrayBuffer(env, bytes, data, &buffer) != napi_ok) {
    napi_value pending;
    bool isPending = false;
    napi_is_exception_pending(env, &isPending);
    if (isPending) napi_get_and_clear_last_exception(env, &pending);
    fail(ErrorKind::OutOfMemory, "read: JavaScript has no memory for an array of %lld bytes",
         static_cast<long long>(bytes));
  }
  return buffer;
}

// To the JavaScript thread, which owns the request from now on, unless it is closing.
void deliver(std::unique_ptr<ReadRequest> request) {
  if (napi_call_threadsafe_function(request->environment->completions, request.get(), napi_tsfn_nonblocking) == napi_ok)
    static_cast<void>(request.release());
}

void executeRead(Stream& stream, char* payload) {
  std::unique_ptr<ReadRequest> request(*reinterpret_cast<ReadRequest**>(payload));
  // An earlier command's error is this read's; then there is nothing to copy.
  if ((request->error = stream.takeError())) {
    deliver(std::move(request));
    return;
  }
  try {
    Device& cpu = request->environment->cpu();
    cpu.kernels->copy(cpu.context, contiguousView(request->staging.get(), request->dtype, request->source),
                      request->source);
  } catch (const Error& error) {
    request->error = std::make_unique<StreamError>(StreamError{error.kind, error.what()});
  } catch (const std::exception& error) {
    request->error = std::make_unique<StreamError>(StreamError{ErrorKind::Native, error.what()});
  }
  deliver(std::move(request));
}

void dropRead(Stream&, char* payload) { delete *reinterpret_cast<ReadRequest**>(payload); }

napi_value makeErrorValue(napi_env env, ErrorKind kind, const std::string& message) {
  throwToJavaScript(env, kind, message);
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(env, &error);
  return error;
}

void completeRead(napi_env env, napi_value, void*, void* data) {
  std::unique_ptr<ReadRequest> request(static_cast<ReadRequest*>(data));
  if (!env || request->environment->closing) return;
  Environment& environment = *request->environment;
  if (--environment.pendingReads == 0) napi_unref_threadsafe_function(env, environment.completions);
  if (!request->error) {
    try {
      void* memory = nullptr;
      napi_value buffer = makeBuffer(env, request->bytes, &memory);
      if (request->bytes) std::memcpy(memory, request->staging.get(), static_cast<size_t>(request->bytes));
      napi_resolve_deferred(env, request->deferred, buffer);
      return;
    } catch (const Error& error) {
      request->error = std::make_unique<StreamError>(StreamError{error.kind, error.what()});
    }
  }
  napi_reject_deferred(env, request->deferred, makeErrorValue(env, request->error->kind, request->error->message));
}

struct WriteCommand {
  Device* cpu;
  TensorView target;
  DType dtype;
  char* staging;  // owned; null when the data follow in the payload
};

char* inlineData(char* payload) { return payload + (sizeof(WriteCommand) + 15) / 16 * 16; }

size_t bytesPerElement(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: return 1;
    case napi_int16_array:
    case napi_uint16_array: return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: return 8;
    default: return 0;
  }
}

void dropWrite(Stream&, char* payload) { std::free(reinterpret_cast<WriteCommand*>(payload)->staging); }

void executeWrite(Stream&, char* payload) {
  WriteCommand* command = reinterpret_cast<WriteCommand*>(payload);
  Staging staging(command->staging);
  char* data = staging ? staging.get() : inlineData(payload);
  command->cpu->kernels->copy(command->cpu->context, command->target,
                              contiguousView(data, command->dtype, command->target));
}

struct TransferCommand {
  Device *to, *from;
  char* target;
  const char* source;
  int64_t bytes;
  bool aside;

  void run() const {
    if (from->isCpu())
      to->call("copy",
               [&] { (aside ? to->plugin->uploadAside : to->plugin->upload)(to->context, target, source, bytes); });
    else if (to->isCpu())
      from->call("copy", [&] { from->plugin->download(from->context, target, source, bytes); });
    else
      to->call("copy", [&] { to->plugin->copyPeer(to->context, target, from->context.queue, source, bytes); });
  }
};

void executeTransfer(Stream&, char* payload) { reinterpret_cast<TransferCommand*>(payload)->run(); }

}  // namespace

void enqueueTransfer(Environment& environment, const TensorView& out, const TensorView& x, bool aside) {
  if (environment.graph)
    fail(ErrorKind::Device, "copy: a function that is captured as a graph cannot read values or leave its device");
  if (!sameShape(out, x)) fail(ErrorKind::Shape, "copy: the shapes differ");
  if (out.numel() == 0) return;
  bool alike = out.dtype == x.dtype && (out.isContiguous() || isDense(out.ndim, out.shape, out.strides));
  for (int d = 0; d < out.ndim; d++) alike &= out.shape[d] <= 1 || out.strides[d] == x.strides[d];
  if (!alike)
    fail(ErrorKind::Native,
         "copy: between devices both tensors have to be of one dtype, without gaps, in the same order");
  const TransferCommand transfer{&environment.device(out.device),
                                 &environment.device(x.device),
                                 out.data,
                                 x.data,
                                 out.numel() * itemSize(out.dtype),
                                 aside};
  Stream& stream = environment.stream;
  if (stream.isInline()) return transfer.run();
  new (stream.reserve(executeTransfer, nullptr, "copy", sizeof transfer)) TransferCommand(transfer);
  stream.submit(kMuchWork);
}

void openCompletions(Environment& environment) {
  napi_value name;
  napi_create_string_utf8(environment.env, "thalweg reads", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(environment.env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr,
                                      completeRead, &environment.completions) != napi_ok)
    fail(ErrorKind::Native, "no threadsafe function could be made");
  // Only pending reads keep the event loop alive.
  napi_unref_threadsafe_function(environment.env, environment.completions);
}

// What everything submitted has left in a tensor. A few bytes go to the array that both sides share, and the answer is
// undefined: making an ArrayBuffer takes longer than all the rest.
napi_value readNow(Environment& environment, const TensorView& source, DType dtype, int64_t bytes) {
  if (throwStreamError(environment)) return nullptr;
  const bool small = bytes <= kReadSharedBytes;
  void* memory = environment.scratchNumbers.data();
  napi_value buffer = small ? nullptr : makeBuffer(environment.env, bytes, &memory);
  if (bytes)
    environment.cpu().kernels->copy(environment.cpu().context,
                                    contiguousView(static_cast<char*>(memory), dtype, source), source);
  return buffer;
}

// read(handle, dtype, now): a promise; with `now`, what is there already and small, as readSync gives it.
napi_value readAsync(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const HandleEntry& entry = environment.handles.get(arguments.handle(), "read");
    const DType dtype = static_cast<DType>(arguments.integerBetween(0, kDTypeCount - 1));
    const bool now = arguments.boolean();
    const int64_t bytes = readBytes(environment, entry.view, dtype);
    // Reads are answered in order, so those that are on their way come first.
    if (now && bytes <= kReadNowBytes && environment.pendingReads == 0 && environment.stream.settles())
      return readNow(environment, entry.view, dtype, bytes);
    auto request = std::make_unique<ReadRequest>(
        ReadRequest{&environment, entry.view, dtype, allocateStaging("read", bytes), bytes, nullptr, nullptr});
    const bool isInline = environment.stream.isInline();
    char* payload =
        isInline ? nullptr : environment.stream.reserve(executeRead, dropRead, "read", sizeof(ReadRequest*));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &request->deferred, &promise) != napi_ok)
      fail(ErrorKind::Native, "read: no promise could be made");
    // Nothing throws from here on: the promise will be settled.
    if (environment.pendingReads++ == 0) napi_ref_threadsafe_function(env, environment.completions);
    ReadRequest* raw = request.release();
    if (isInline) {
      executeRead(environment.stream, reinterpret_cast<char*>(&raw));
    } else {
      *reinterpret_cast<ReadRequest**>(payload) = raw;
      environment.stream.submit();
    }
    return promise;
  });
}

napi_value readSync(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const TensorView source = environment.handles.get(arguments.handle(), "read").view;
    const DType dtype = static_cast<DType>(arguments.integerBetween(0, kDTypeCount - 1));
    const int64_t bytes = readBytes(environment, source, dtype);
    environment.stream.synchronize();
    return readNow(environment, source, dtype, bytes);
  });
}

napi_value copyAside(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const TensorView out = arguments.tensor(arguments.handle()), x = arguments.tensor(arguments.handle());
    if (out.device == 0 || x.device != 0) fail(ErrorKind::Device, "copy: only a copy from the CPU can be made aside");
    enqueueTransfer(environment, out, x, true);
    return nullptr;
  });
}

napi_value write(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const TensorView target = environment.handles.get(arguments.handle(), "write").view;
    napi_value value = arguments.next(), buffer;
    const DType dtype = static_cast<DType>(arguments.integerBetween(0, kDTypeCount - 1));
    napi_typedarray_type type = static_cast<napi_typedarray_type>(-1);  // stays so for kinds newer than this Node-API
    size_t length = 0, offset = 0;
    void* data = nullptr;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset) != napi_ok)
      fail(ErrorKind::Native, "write: argument 2 is not a typed array");
    const size_t itemBytes = bytesPerElement(type);
    if (itemBytes == 0) fail(ErrorKind::Native, "write: this kind of typed array is not supported");
    const int64_t given = static_cast<int64_t>(length * itemBytes);
    const int64_t bytes = readBytes(environment, target, dtype);
    if (given != bytes)
      fail(ErrorKind::Shape, "write: the array has %lld bytes, the tensor takes %lld", static_cast<long long>(given),
           static_cast<long long>(bytes));
    if (bytes == 0) return nullptr;
    const bool isNow = environment.stream.isInline() || environment.stream.isIdle();
    const bool small = bytes <= 1024 && !isNow;
    // A Uint8Array may start anywhere; kernels want elements at their natural alignment.
    const bool aligned = reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(itemSize(dtype)) == 0;
    Staging staging = small || (isNow && aligned) ? nullptr : allocateStaging("write", bytes);
    if (isNow) {
      if (staging) std::memcpy(staging.get(), data, static_cast<size_t>(bytes));
      char* source = staging ? staging.get() : static_cast<char*>(data);
      environment.cpu().kernels->copy(environment.cpu().context, target, contiguousView(source, dtype, target));
      return nullptr;
    }
    const int64_t fixed = (static_cast<int64_t>(sizeof(WriteCommand)) + 15) / 16 * 16;
    char* payload = environment.stream.reserve(executeWrite, dropWrite, "write", fixed + (small ? bytes : 0));
    std::memcpy(small ? inlineData(payload) : staging.get(), data, static_cast<size_t>(bytes));
    new (payload) WriteCommand{&environment.cpu(), target, dtype, staging.release()};
    environment.stream.submit();
    return nullptr;
  });
}

}  // namespace thalweg
