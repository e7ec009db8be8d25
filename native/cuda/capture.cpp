// CUDA graphs: a queue's launches kept as a graph that is launched as a whole.
#include "cuda/launch.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

void Queue::beginCapture(const uint64_t* philoxShift) {
  makeCurrent();
  // Relaxed: commands are launched by whichever thread runs the environment's stream.
  checkCuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "beginning the capture of a graph");
  captured_ = capturing_ = true;
  philoxShift_ = philoxShift;
}

cudaGraphExec_t Queue::endCapture() {
  makeCurrent();
  capturing_ = false;
  philoxShift_ = nullptr;
  cudaGraph_t graph = nullptr;
  checkCuda(cudaStreamEndCapture(stream, &graph), "ending the capture of a graph");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  checkCuda(status, "preparing a graph");
  return exec;
}

void Queue::launchGraph(cudaGraphExec_t graph) { checkCuda(cudaGraphLaunch(graph, stream), "launching a graph"); }

void* Queue::constants(int slot, const void* from, int64_t bytes) {
  if (!capturing_) {
    void* memory = scratch(slot, bytes);
    upload(memory, from, bytes);
    return memory;
  }
  // The copy must not become part of the graph, which would read the host's memory again at each launch.
  void* memory = nullptr;
  checkCuda(cudaMalloc(&memory, static_cast<size_t>(bytes)), "allocating constants of a graph");
  kept_.push_back(memory);
  cudaStream_t side = nullptr;
  checkCuda(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking), "making a stream");
  cudaError_t status = cudaMemcpyAsync(memory, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, side);
  if (status == cudaSuccess) status = cudaStreamSynchronize(side);
  cudaStreamDestroy(side);
  checkCuda(status, "copying constants of a graph");
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
