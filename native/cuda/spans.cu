#include "cuda/spans.h"

#include <algorithm>

#include "cuda/launch.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostSpans = 64;  // of a launch: what its parameters have room for

struct Spans {
  Span spans[kMostSpans];
};

template <class Word>
__device__ void copyWords(const Span& span) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x, count = span.bytes / sizeof(Word);
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    static_cast<Word*>(span.to)[i] = static_cast<const Word*>(span.from)[i];
}

// A row of blocks for each span.
__global__ void copySpansKernel(Spans of) {
  const Span& span = of.spans[blockIdx.y];
  const size_t bits = reinterpret_cast<size_t>(span.from) | reinterpret_cast<size_t>(span.to) | span.bytes;
  if (bits % sizeof(uint4) == 0)
    copyWords<uint4>(span);
  else if (bits % sizeof(uint32_t) == 0)
    copyWords<uint32_t>(span);
  else
    copyWords<uint16_t>(span);
}

}  // namespace

void copySpans(Queue& queue, const std::vector<Span>& spans) {
  for (size_t first = 0; first < spans.size(); first += kMostSpans) {
    const size_t count = std::min(spans.size() - first, static_cast<size_t>(kMostSpans));
    Spans of{};
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
      of.spans[i] = spans[first + i];
      longest = std::max(longest, of.spans[i].bytes);
    }
    if (longest == 0) continue;
    const dim3 grid(gridFor(queue, static_cast<int64_t>(longest / sizeof(uint4)), kThreads),
                    static_cast<unsigned>(count));
    LAUNCH(copySpansKernel, grid, kThreads, 0, queue, of);
  }
}

}  // namespace thalweg::cuda
