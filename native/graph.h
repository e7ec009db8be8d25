// A captured function: what an environment launched on a device between begin and end, launched again as a whole.
//
// Most of a training step is the same each time: the same kernels on the same memory. What changes are numbers that
// JavaScript computes: an optimizer's scalars (learning rate, bias corrections), and where random numbers begin. So
// commands of a `dynamic` part (src/cuda/capture.ts) read their scalars from device memory, the graph's slots. To
// replay, JavaScript runs the dynamic parts again in shadow: their commands are not launched, only compared with those
// of the capture, and their scalars go to the slots.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "device.h"
#include "runtime/handles.h"

namespace thalweg {

struct Environment;

struct Graph {
  enum class Mode : uint8_t { Capturing, Ready, Shadow };
  // Slots: the shift of random numbers, then scalars in the order of the commands.
  static constexpr int64_t kSlots = 8192;

  // A command of a dynamic part.
  struct Dynamic {
    const char* name;
    uint64_t fingerprint;  // of its operands but the scalars
    int64_t first, count;  // its slots
  };

  Device* device = nullptr;
  Mode mode = Mode::Capturing;
  bool dynamic = false;  // what is enqueued now belongs to a dynamic part
  void* executable = nullptr;
  double* slots = nullptr;  // device memory
  std::vector<double> values = std::vector<double>(1);
  std::vector<Dynamic> commands;
  size_t next = 0;  // of commands, in shadow
  int pool = 0;
  uint32_t epoch = 0;                 // of its capture
  uint32_t partEpoch = 0;             // of the dynamic part now, or of all of them in shadow
  std::unordered_set<Storage*> held;  // operands that were there before

  // A dynamic command with these operands and scalars: when capturing, where its scalars will be; in shadow, compared,
  // and null.
  const double* take(const char* name, uint64_t fingerprint, const double* scalars, int64_t count);
};

// FNV-1a over what a command consists of.
inline uint64_t mix(uint64_t hash, const void* data, size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < bytes; i++) hash = (hash ^ p[i]) * 1099511628211u;
  return hash;
}
constexpr uint64_t kMixStart = 14695981039346656037u;

void freeGraph(Environment& environment, Graph& graph);

// graphBegin(device): begins a capture on an open device of the plugin; a number for the graph.
napi_value graphBegin(napi_env env, napi_callback_info info);
// graphDynamic(on): commands from now on belong to a dynamic part, or no longer.
napi_value graphDynamic(napi_env env, napi_callback_info info);
// graphEnd(keep): ends the capture; with keep false, or when it failed, there is no graph.
napi_value graphEnd(napi_env env, napi_callback_info info);
// graphShadow(graph): runs dynamic parts in shadow from now on; 0: no longer.
napi_value graphShadow(napi_env env, napi_callback_info info);
// graphLaunch(graph, philoxShift): launches it with the scalars of the last shadow run.
napi_value graphLaunch(napi_env env, napi_callback_info info);
napi_value graphDispose(napi_env env, napi_callback_info info);

}  // namespace thalweg
