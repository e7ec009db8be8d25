// Pieces of device memory copied to many places by few launches.
#pragma once
#include <vector>

#include "cuda/queue.h"

namespace thalweg::cuda {

struct Span {
  const void* from;
  void* to;
  size_t bytes;  // an even number, as the addresses are
};
void copySpans(Queue& queue, const std::vector<Span>& spans);

}  // namespace thalweg::cuda
