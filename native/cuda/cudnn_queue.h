// Plans of cuDNN for a queue: made when something is computed for the first time, kept, and executed on the queue's
// stream. Only for files that were compiled with cuDNN's header: THALWEG_HAS_CUDNN.
#pragma once
#include <utility>

#include "cuda/cudnn.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// The workspace of plans; what calls them may use all other slots.
constexpr int kScratchOfCudnn = 6;

// What a kept plan is found by: numbers that say all of a graph (which family it is of, dtypes, shapes, strides,
// alignments).
using CudnnKey = std::vector<int64_t>;
// The families, as first number of a key.
enum class CudnnFamily : int64_t { Convolution };

// Whether cuDNN is here and not switched off (THALWEG_CUDNN=0) and works with the queue's device.
bool usesCudnn(Queue& queue);

// Executes the plan for what `key` says and `describe` describes, on memory by the tensors' numbers. False if there is
// no plan, or cuDNN refuses: nothing has been launched then. What was refused once is not asked again. Throws
// DeviceError when the execution fails.
bool executeCudnn(Queue& queue, const char* op, const CudnnKey& key, const CudnnRules& rules,
                  const std::function<void(CudnnGraph&)>& describe,
                  std::initializer_list<std::pair<int64_t, const void*>> memory);

}  // namespace thalweg::cuda
