// CUDA graphs: a queue's launches kept as a graph that is launched as a whole.
#include <algorithm>
#include <memory>
#include <utility>

#include "cuda/launch.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

namespace {

// In order, each byte once.
std::vector<MemoryRange> united(std::vector<MemoryRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const MemoryRange& a, const MemoryRange& b) { return a.begin < b.begin; });
  std::vector<MemoryRange> result;
  for (const MemoryRange& range : ranges) {
    if (result.empty() || result.back().end < range.begin)
      result.push_back(range);
    else
      result.back().end = std::max(result.back().end, range.end);
  }
  return result;
}

bool uses(const std::vector<MemoryRange>& memory, const MemoryRange& range) {
  const auto after = std::partition_point(memory.begin(), memory.end(),
                                          [&](const MemoryRange& each) { return each.end <= range.begin; });
  return after != memory.end() && after->overlaps(range);
}

}  // namespace

CapturedGraph::~CapturedGraph() {
  if (executable) cudaGraphExecDestroy(executable);
  // This waits for a launch that still reads them.
  for (void* memory : constants) cudaFree(memory);
}

void Queue::beginCapture(const uint64_t* philoxShift) {
  makeCurrent();
  // A graph cannot wait for what is outside of it. What its kernels use is there from now on.
  copies_.awaitAll(stream);
  auto graph = std::make_unique<CapturedGraph>();
  // Relaxed: commands are launched by whichever thread runs the environment's stream.
  checkCuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "beginning the capture of a graph");
  captured_ = std::move(graph);
  graphs_++;
  capturing_ = true;
  philoxShift_ = philoxShift;
}

CapturedGraph* Queue::endCapture() {
  makeCurrent();
  capturing_ = false;
  philoxShift_ = nullptr;
  std::unique_ptr<CapturedGraph> result = std::move(captured_);
  cudaGraph_t graph = nullptr;
  cudaError_t status = cudaStreamEndCapture(stream, &graph);
  const char* const what = status == cudaSuccess ? "preparing a graph" : "ending the capture of a graph";
  if (status == cudaSuccess) {
    status = cudaGraphInstantiate(&result->executable, graph, 0);
    cudaGraphDestroy(graph);
  }
  if (status != cudaSuccess) {
    destroyGraph(std::move(result));
    checkCuda(status, what);
  }
  result->memory = united(std::move(result->memory));
  return result.release();
}

void Queue::destroyGraph(std::unique_ptr<CapturedGraph> graph) {
  makeCurrent();
  graph.reset();
  if (--graphs_ == 0) freeOutgrown();
}

void Queue::freeOutgrown() {
  for (void* memory : outgrown_) cudaFree(memory);
  outgrown_.clear();
}

void Queue::launchGraph(const CapturedGraph& graph) {
  // The batch after this one may go on travelling.
  copies_.await(stream, [&](const MemoryRange& filled) { return uses(graph.memory, filled); });
  checkCuda(cudaGraphLaunch(graph.executable, stream), "launching a graph");
}

void* Queue::constants(int slot, const void* from, int64_t bytes) {
  if (!capturing_) {
    void* memory = scratch(slot, bytes);
    upload(memory, from, bytes);
    return memory;
  }
  void* memory = nullptr;
  checkCuda(cudaMalloc(&memory, static_cast<size_t>(bytes)), "allocating constants of a graph");
  captured_->constants.push_back(memory);
  upload(memory, from, bytes);
  return memory;
}

const int64_t* Queue::words(int slot, const std::vector<int64_t>& words, int64_t scalars) {
  void* memory = constants(slot, words.data(), static_cast<int64_t>(words.size() * sizeof(int64_t)));
  if (deviceScalars && scalars > 0)
    checkCuda(cudaMemcpyAsync(memory, deviceScalars, static_cast<size_t>(scalars) * sizeof(double),
                              cudaMemcpyDeviceToDevice, stream),
              "copying scalars");
  return static_cast<const int64_t*>(memory);
}

}  // namespace thalweg::cuda
