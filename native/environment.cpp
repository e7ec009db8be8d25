#include "environment.h"

#include <cstdlib>
#include <cstring>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#include "cpu/dispatch.h"

namespace thalweg {

static bool environmentFlag(const char* name) {
  const char* value = std::getenv(name);
  return value && *value && std::strcmp(value, "0") != 0;
}

static int defaultThreads() {
  if (const char* text = std::getenv("THALWEG_NUM_THREADS")) {
    // What is no such number is not used; src/runtime.ts says so.
    char* end = nullptr;
    const long wanted = std::strtol(text, &end, 10);
    if (end != text && *end == '\0' && wanted >= 1 && wanted <= 1024) return static_cast<int>(wanted);
  }
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  const unsigned count = std::thread::hardware_concurrency();
  return count ? static_cast<int>(count) : 1;
}

// Never destroyed: its threads must not be joined while the process is going down.
ThreadPool& processPool() {
  static ThreadPool* pool = new ThreadPool(defaultThreads());
  return *pool;
}

Environment::Environment(napi_env env, uint32_t id)
    : env(env),
      stream(environmentFlag("THALWEG_SYNC")),
      allocator([this] { stream.synchronize(); }),
      handles(id, allocators) {
  devices[0] = std::make_unique<Device>(0, cpu::selectTable(std::getenv("THALWEG_CPU")), processPool());
  allocators.of[0] = &allocator;
}

Environment::~Environment() {
  stream.close();
  for (const std::unique_ptr<Graph>& each : graphs)
    if (each) freeGraph(*this, *each);
  handles.freeAll();
  allocator.trim();
}

void Environment::open(int ordinal) {
  if (ordinal < 0 || ordinal >= kMaxDevices - 1)
    fail(ErrorKind::Device, "device %d is beyond what one process can use, %d", ordinal, kMaxDevices - 1);
  const size_t index = static_cast<size_t>(ordinal) + 1;
  if (devices[index]) return;
  devices[index] = openDevice(ordinal, processPool(), stream);
  allocators.of[index] = devices[index]->allocator.get();
}

void throwToJavaScript(napi_env env, ErrorKind kind, const std::string& message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  Environment& environment = Environment::of(env);
  napi_value factory = nullptr, receiver, arguments[2], error = nullptr;
  if (environment.makeError && napi_get_reference_value(env, environment.makeError, &factory) == napi_ok && factory) {
    napi_get_undefined(env, &receiver);
    napi_create_string_utf8(env, errorKindName(kind), NAPI_AUTO_LENGTH, &arguments[0]);
    napi_create_string_utf8(env, message.data(), message.size(), &arguments[1]);
    if (napi_call_function(env, receiver, factory, 2, arguments, &error) == napi_ok && error) {
      napi_throw(env, error);
      return;
    }
  }
  napi_throw_error(env, errorKindName(kind), message.c_str());
}

void throwCaughtToJavaScript(napi_env env) {
  const Error error = caughtError();
  throwToJavaScript(env, error.kind, error.what());
}

bool throwStreamError(Environment& environment) {
  const std::unique_ptr<StreamError> error = environment.stream.takeError();
  if (!error) return false;
  throwToJavaScript(environment.env, error->kind, error->message);
  return true;
}

}  // namespace thalweg
