// Streams, events and graphs of the emulated device. What is launched is done in the call that launches it, which hides
// that streams run beside each other. THALWEG_CUDA_EMULATED_STREAMS chooses an order in which that shows:
//   late    nothing is done before the host waits for it, or for something that waits for it: who uses what a stream
//           makes without waiting for the event finds that it is not there yet
//   early   kernels, and what stands behind them in their stream, as late as that; all else at once: a copy of another
//           stream that does not wait for the kernels before it overwrites what they still have to read
#include "cuda/emulated/streams.h"

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/emulated/memory.h"

namespace thalweg::cuda::emulated {
namespace {

enum class Mode { Now, Late, Early };

Mode mode() {
  static const Mode value = [] {
    const char* text = std::getenv("THALWEG_CUDA_EMULATED_STREAMS");
    if (!text) return Mode::Now;
    return std::strcmp(text, "late") == 0 ? Mode::Late : std::strcmp(text, "early") == 0 ? Mode::Early : Mode::Now;
  }();
  return value;
}

// One thread at a time launches, waits, or does what is left to do.
std::recursive_mutex turn;

// What is left to do on a stream, in order.
struct Line {
  std::deque<std::function<void()>> left;
  uint64_t launched = 0, done = 0;

  void reach(uint64_t position) {
    while (done < position && !left.empty()) {
      const std::function<void()> work = std::move(left.front());
      left.pop_front();
      done++;
      work();
    }
  }
};
std::vector<std::shared_ptr<Line>> lines;  // of the streams that exist

}  // namespace
}  // namespace thalweg::cuda::emulated

using namespace thalweg::cuda::emulated;

struct EmulatedGraph {
  std::vector<std::function<void()>> work;
};
struct EmulatedStream {
  std::shared_ptr<Line> line = std::make_shared<Line>();
  EmulatedGraph* graph = nullptr;  // while it captures
  bool invalid = false;            // something was asked for that a graph cannot hold
};
struct EmulatedEvent {
  std::shared_ptr<Line> line;  // null: never recorded
  uint64_t position = 0;
};

namespace thalweg::cuda::emulated {

bool captures(const EmulatedStream* stream) { return stream && stream->graph; }
bool runsNow(const EmulatedStream* stream) { return !stream || (mode() == Mode::Now && !stream->graph); }

void enqueue(EmulatedStream* stream, Work kind, std::function<void()> work) {
  if (captures(stream)) {
    stream->graph->work.push_back(std::move(work));
    return;
  }
  if (runsNow(stream)) return work();
  const std::lock_guard lock(turn);
  Line& line = *stream->line;
  if (mode() == Mode::Early && kind == Work::Copy && line.left.empty()) return work();
  line.launched++;
  line.left.push_back(std::move(work));
}

void finish(EmulatedStream* stream) {
  if (mode() == Mode::Now || !stream) return;
  const std::lock_guard lock(turn);
  const std::shared_ptr<Line> line = stream->line;
  line->reach(line->launched);
}

void finishAll() {
  if (mode() == Mode::Now) return;
  const std::lock_guard lock(turn);
  // A copy: streams of other threads come and go.
  for (const std::shared_ptr<Line>& line : std::vector(lines)) line->reach(line->launched);
}

}  // namespace thalweg::cuda::emulated

namespace {

cudaError_t refuseCapture(cudaStream_t stream, cudaError_t error) {
  stream->invalid = true;
  return remember(error);
}

}  // namespace

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new EmulatedStream;
  const std::lock_guard lock(turn);
  lines.push_back((*stream)->line);
  return remember(state());
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  finish(stream);
  const std::lock_guard lock(turn);
  std::erase(lines, stream->line);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (captures(stream)) return refuseCapture(stream, cudaErrorStreamCaptureUnsupported);
  finish(stream);
  return remember(state());
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  // No event of a graph's own is used here, and others a graph cannot wait for.
  if (captures(stream)) return refuseCapture(stream, cudaErrorStreamCaptureIsolation);
  if (event->line && event->line != stream->line) {
    const EmulatedEvent now = *event;
    enqueue(stream, Work::Copy, [now] { now.line->reach(now.position); });
  }
  return remember(state());
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new EmulatedEvent;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (captures(stream)) return refuseCapture(stream, cudaErrorStreamCaptureUnsupported);
  const std::lock_guard lock(turn);
  *event = {stream->line, stream->line->launched};
  return remember(state());
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (state() != cudaSuccess) return remember(state());
  const std::lock_guard lock(turn);
  return remember(event->line && event->line->done < event->position ? cudaErrorNotReady : cudaSuccess);
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::lock_guard lock(turn);
  if (const std::shared_ptr<Line> line = event->line) line->reach(event->position);
  return remember(state());
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (captures(stream)) return remember(cudaErrorInvalidValue);
  stream->graph = new EmulatedGraph;
  stream->invalid = false;
  return remember(state());
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = std::exchange(stream->graph, nullptr);
  if (!*graph) return remember(cudaErrorInvalidValue);
  if (!stream->invalid) return remember(state());
  delete std::exchange(*graph, nullptr);
  return remember(cudaErrorStreamCaptureInvalidated);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new EmulatedGraph(*graph);
  return remember(state());
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (state() != cudaSuccess) return remember(state());
  enqueue(stream, Work::Kernel, [exec] {
    for (const auto& work : exec->work) work();
  });
  return remember(state());
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  // It may have been launched.
  finishAll();
  delete exec;
  return cudaSuccess;
}
