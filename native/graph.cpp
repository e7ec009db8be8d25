#include "graph.h"

#include <cstring>

#include "bind.h"
#include "runtime/device_allocator.h"

namespace thalweg {

const double* Graph::take(const char* name, uint64_t fingerprint, const double* scalars, int64_t count) {
  if (mode == Mode::Capturing) {
    const int64_t first = static_cast<int64_t>(values.size());
    if (first + count > kSlots)
      fail(ErrorKind::Native, "cuda.graph: the dynamic parts have more than %lld scalars",
           static_cast<long long>(kSlots));
    commands.push_back({name, fingerprint, first, count});
    values.insert(values.end(), scalars, scalars + count);
    return slots + first;
  }
  if (next >= commands.size() || commands[next].fingerprint != fingerprint || commands[next].count != count)
    fail(ErrorKind::Native,
         "cuda.graph: an optimizer's step does not do what it did when it was captured (at command %zu, %s): gradients "
         "were reset or parameters changed outside of the captured function; capture it again",
         next + 1, name);
  if (count > 0)
    std::memcpy(values.data() + commands[next].first, scalars, static_cast<size_t>(count) * sizeof(double));
  next++;
  return nullptr;
}

namespace {

Graph& find(Arguments& arguments) {
  const int64_t id = arguments.integer();
  std::vector<std::unique_ptr<Graph>>& graphs = arguments.environment.graphs;
  if (id < 1 || id > static_cast<int64_t>(graphs.size()) || !graphs[static_cast<size_t>(id - 1)])
    arguments.bad("a live graph");
  return *graphs[static_cast<size_t>(id - 1)];
}

DeviceAllocator& allocatorOf(Device& device) { return *static_cast<DeviceAllocator*>(device.allocator.get()); }

struct LaunchCommand {
  Graph* graph;
  int64_t count;  // of values behind it
};

void launch(const LaunchCommand& command, const double* values) {
  Device& device = *command.graph->device;
  device.call("cuda.graph", [&] {
    device.plugin->upload(device.context, command.graph->slots, values, command.count * 8);
    if (!device.failed) device.plugin->launchGraph(device.context, command.graph->executable);
  });
}

void executeLaunch(Stream&, char* payload) {
  const LaunchCommand& command = *reinterpret_cast<LaunchCommand*>(payload);
  launch(command, reinterpret_cast<const double*>(payload + sizeof(LaunchCommand)));
}

}  // namespace

void freeGraph(Environment& environment, Graph& graph) {
  environment.stream.synchronize();
  Device& device = *graph.device;
  if (graph.executable) device.plugin->destroyGraph(device.context.queue, graph.executable);
  if (graph.slots) device.plugin->release(device.context.queue, graph.slots);
  for (Storage* storage : graph.held) environment.handles.release(storage);
  graph.held.clear();
  allocatorOf(device).releasePool(graph.pool);
}

napi_value graphBegin(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const int64_t index = arguments.integerBetween(1, kMaxDevices - 1);
    if (!environment.devices[index]) arguments.bad("an open device");
    if (environment.graph) fail(ErrorKind::Native, "cuda.graph: a function is being captured already");
    Device& device = environment.device(static_cast<int>(index));
    environment.stream.synchronize();
    if (throwStreamError(environment)) return nullptr;
    auto graph = std::make_unique<Graph>();
    graph->device = &device;
    char message[kPluginMessageBytes] = "";
    graph->slots = static_cast<double*>(device.plugin->allocate(device.context.queue, Graph::kSlots * 8, message));
    if (!graph->slots) fail(ErrorKind::OutOfMemory, "cuda.graph: there is no memory for its numbers. %.300s", message);
    device.call("cuda.graph", [&] {
      device.plugin->upload(device.context, graph->slots, graph->values.data(), 8);
      if (!device.failed) device.plugin->beginCapture(device.context, graph->slots);
    });
    graph->pool = allocatorOf(device).beginPool();
    graph->epoch = ++environment.handles.epoch;
    environment.graph = graph.get();
    environment.graphs.push_back(std::move(graph));
    napi_value result;
    napi_create_uint32(env, static_cast<uint32_t>(environment.graphs.size()), &result);
    return result;
  });
}

napi_value graphDynamic(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const bool on = arguments.boolean();
    if (Graph* graph = environment.graph) {
      graph->dynamic = on;
      // What is made from here on is told apart from what is there.
      graph->partEpoch = ++environment.handles.epoch;
    }
    return nullptr;
  });
}

napi_value graphEnd(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    bool keep = arguments.boolean();
    Graph* graph = environment.graph;
    if (!graph || graph->mode != Graph::Mode::Capturing) arguments.bad("said while a function is captured");
    environment.stream.synchronize();
    environment.graph = nullptr;
    ++environment.handles.epoch;
    Device& device = *graph->device;
    allocatorOf(device).endPool();
    graph->mode = Graph::Mode::Ready;
    graph->dynamic = false;
    const std::unique_ptr<StreamError> error = environment.stream.takeError();
    keep = keep && !error;
    const auto drop = [&] {
      freeGraph(environment, *graph);
      environment.graphs.pop_back();
    };
    try {
      device.call("cuda.graph", [&] { graph->executable = device.plugin->endCapture(device.context); });
    } catch (const Error&) {
      drop();
      if (keep) throw;
      keep = false;
      graph = nullptr;
    }
    if (!keep && graph) drop();
    if (error) throw Error(error->kind, error->message);
    return nullptr;
  });
}

napi_value graphShadow(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    const int64_t id = arguments.integer();
    if (id == 0) {
      Graph* graph = environment.graph;
      environment.graph = nullptr;
      if (!graph) return nullptr;
      graph->mode = Graph::Mode::Ready;
      graph->dynamic = false;
      ++environment.handles.epoch;
      if (graph->next != graph->commands.size())
        fail(ErrorKind::Native,
             "cuda.graph: an optimizer's step has %zu commands where %zu were captured; capture it again", graph->next,
             graph->commands.size());
      return nullptr;
    }
    if (id < 1 || id > static_cast<int64_t>(environment.graphs.size()) ||
        !environment.graphs[static_cast<size_t>(id - 1)])
      arguments.bad("a live graph");
    if (environment.graph) fail(ErrorKind::Native, "cuda.graph: a function is being captured");
    Graph& graph = *environment.graphs[static_cast<size_t>(id - 1)];
    graph.mode = Graph::Mode::Shadow;
    graph.dynamic = true;
    graph.next = 0;
    graph.partEpoch = ++environment.handles.epoch;
    environment.graph = &graph;
    return nullptr;
  });
}

napi_value graphLaunch(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    Graph& graph = find(arguments);
    const int64_t shift = arguments.integer();
    if (environment.graph) fail(ErrorKind::Native, "cuda.graph: a captured function cannot be part of another");
    // An integer in the bits of the first slot.
    graph.values[0] = __builtin_bit_cast(double, shift);
    const LaunchCommand command{&graph, static_cast<int64_t>(graph.values.size())};
    Stream& stream = environment.stream;
    if (stream.isInline()) {
      launch(command, graph.values.data());
      graph.device->synchronize();
      return nullptr;
    }
    char* payload =
        stream.reserve(executeLaunch, nullptr, "graph", static_cast<int64_t>(sizeof command) + command.count * 8);
    std::memcpy(payload, &command, sizeof command);
    std::memcpy(payload + sizeof command, graph.values.data(), static_cast<size_t>(command.count) * 8);
    stream.submit(kMuchWork);
    return nullptr;
  });
}

napi_value graphDispose(napi_env env, napi_callback_info info) {
  return guarded(env, [&](Environment& environment) -> napi_value {
    Arguments arguments(environment, info);
    Graph& graph = find(arguments);
    if (environment.graph == &graph) fail(ErrorKind::Native, "cuda.graph: it is being captured");
    freeGraph(environment, graph);
    for (std::unique_ptr<Graph>& each : environment.graphs)
      if (each.get() == &graph) each.reset();
    return nullptr;
  });
}

}  // namespace thalweg
