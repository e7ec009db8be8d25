// Plans of cuDNN for a queue: made when something is computed for the first time, kept, and executed on the queue's
// stream. Only for files that were compiled with cuDNN's header: THALWEG_HAS_CUDNN.
#pragma once
#include <utility>

#include "cuda/cudnn.h"
#include "cuda/queue.h"

namespace thalweg::cuda {

// The workspace of plans; what calls them may use all other slots.
constexpr int kScratchOfCudnn = 6;

// Whether cuDNN is here and not switched off (THALWEG_CUDNN=0); it can be called then. From any thread.
bool hasCudnn();
// Whether it also works with the queue's device.
bool usesCudnn(Queue& queue);
// The handle for the queue's stream: after usesCudnn().
cudnnHandle_t cudnnHandleOf(Queue& queue);

// A plan that the queue keeps, or that there is none.
struct KeptCudnnPlan;
// The plan for what `key` says and `describe` describes, made at the first time; null if there is none that the rules
// allow, which is kept, too: cuDNN is asked once. Valid until the next call.
KeptCudnnPlan* cudnnPlan(Queue& queue, const CudnnKey& key, const CudnnRules& rules,
                         const std::function<void(CudnnGraph&)>& describe);

// Executes a plan, on memory by the tensors' numbers. False if cuDNN refuses after all: nothing has been launched, and
// there is no plan any more. Throws DeviceError when the execution fails.
bool executeCudnn(Queue& queue, KeptCudnnPlan& plan, const std::vector<std::pair<int64_t, const void*>>& memory);

}  // namespace thalweg::cuda
