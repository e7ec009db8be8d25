// What one JavaScript environment (the main thread, or a worker) owns: handles, memory, a stream.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device.h"
#include "graph.h"
#include "kernel.h"
#include "runtime/allocator.h"
#include "runtime/handles.h"
#include "runtime/stream.h"

namespace thalweg {

// Operands of variable number travel through two typed arrays that are shared with JavaScript at start.
constexpr int64_t kScratchHandles = 1 << 16;
constexpr int64_t kScratchNumbers = 1 << 12;

struct Environment {
  explicit Environment(napi_env env, uint32_t id);
  ~Environment();

  static Environment& of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return *static_cast<Environment*>(data);
  }

  // A device whose tensors exist, so it has been opened.
  Device& device(int index) { return *devices[static_cast<size_t>(index)]; }
  Device& cpu() { return *devices[0]; }
  // Opens a device of the plugin unless it is open. Throws DeviceError.
  void open(int ordinal);

  napi_env env;
  Stream stream;
  std::unique_ptr<Device> devices[kMaxDevices];
  CachingAllocator allocator;  // of the CPU
  Allocators allocators;
  HandleTable handles;

  // Captured functions by number, from 1, and the one that is captured or shadowed now.
  std::vector<std::unique_ptr<Graph>> graphs;
  Graph* graph = nullptr;

  napi_ref makeError = nullptr;  // (kind, message) => Error, from src/native.ts
  // Native memory under JavaScript's typed arrays, so that it stays valid whatever happens to them.
  std::vector<uint32_t> scratchHandles = std::vector<uint32_t>(kScratchHandles);
  std::vector<double> scratchNumbers = std::vector<double>(kScratchNumbers);
  uint32_t page = kNoKeeper;  // the keeper that tiny tensors are being put under

  int64_t budgetBytes = INT64_MAX;    // live bytes past which `empty` asks for a collection
  int64_t budgetTensors = INT64_MAX;  // the same for the number of live tensors
  int64_t freshBytes = INT64_MAX;     // the same where the memory would have to come from the system
  int64_t limitBytes = INT64_MAX;     // the most that may be live

  napi_threadsafe_function completions = nullptr;  // delivers finished reads to the JavaScript thread
  int64_t pendingReads = 0;
  bool closing = false;

  // Lists being parsed for the current call.
  std::vector<TensorView> listTensors;
};

ThreadPool& processPool();

// Throws the pending C++ exception into JavaScript as the typed error that it names.
void throwToJavaScript(napi_env env, ErrorKind kind, const std::string& message);
// The same with the exception that is being caught.
void throwCaughtToJavaScript(napi_env env);
bool throwStreamError(Environment& environment);

// Runs body and turns C++ exceptions into JavaScript ones.
template <class Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return body(Environment::of(env));
  } catch (...) {
    throwCaughtToJavaScript(env);
  }
  return nullptr;
}

}  // namespace thalweg
