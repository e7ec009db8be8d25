// When the work of the emulated device's streams is done.
#pragma once
#include <cuda_runtime.h>

#include <functional>

namespace thalweg::cuda::emulated {

enum class Work { Kernel, Copy };

// Whether what is launched on a stream is kept for a graph.
bool captures(const EmulatedStream* stream);
// Whether what is launched on a stream is done in the call that launches it.
bool runsNow(const EmulatedStream* stream);
// Keeps work for the graph that the stream captures, does it now, or leaves it for later.
void enqueue(EmulatedStream* stream, Work kind, std::function<void()> work);
// Does what is left to do on one stream, with all that it waits for; and on all of them.
void finish(EmulatedStream* stream);
void finishAll();

}  // namespace thalweg::cuda::emulated
