#include "cuda/cudnn_rnn.h"

#if defined(THALWEG_HAS_CUDNN)
#include <algorithm>
#include <initializer_list>
#include <list>
#include <mutex>
#include <vector>

#include "cuda/cudnn_functions.h"
#include "cuda/cudnn_queue.h"
#include "cuda/launch.h"
#include "cuda/spans.h"
#include "operands/rnn.h"

namespace thalweg::cuda {
namespace {

// Scratch slots besides that of the workspace; the caller may have used others.
constexpr int kScratchOfWeights = 0, kScratchOfGradients = 1;

// Stacks that are remembered; packed batches are of new lengths each time.
constexpr size_t kMostStacks = 256;

cudnnRNNMode_t modeOf(int64_t kind) {
  switch (static_cast<Cell>(kind)) {
    case Cell::Lstm: return CUDNN_LSTM;
    case Cell::Gru: return CUDNN_GRU;
    case Cell::Tanh: return CUDNN_RNN_TANH;
    default: return CUDNN_RNN_RELU;
  }
}

// A descriptor, destroyed with its owner.
template <class T, auto& create, auto& destroy>
class Owned {
 public:
  Owned() { checkCudnn(create(&descriptor_), "making a descriptor"); }
  ~Owned() { destroy(descriptor_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  operator T() const { return descriptor_; }

 private:
  T descriptor_ = nullptr;
};
using RnnDescriptor = Owned<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor, cudnnDestroyRNNDescriptor>;
using DataDescriptor = Owned<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor, cudnnDestroyRNNDataDescriptor>;
using TensorDescriptor = Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;

// Part of a weight or bias, and where cuDNN wants it among all weights.
struct Part {
  int64_t tensor;  // in the list of weights
  size_t offset, place, bytes;
};

// What cuDNN knows of a stack of layers.
class RnnPlan {
 public:
  RnnPlan(cudnnHandle_t handle, const RnnStack& s) {
    const cudnnDataType_t type = cudnnTypeOf(s.dtype);
    const bool wide = s.dtype == DType::Float64;
    const bool exact = wide || (s.dtype == DType::Float32 && !s.tf32);
    const int hidden = static_cast<int>(s.hiddenSize), input = static_cast<int>(s.inputSize);
    const int batch = static_cast<int>(s.batch), steps = static_cast<int>(s.steps);
    checkCudnn(cudnnSetRNNDescriptor_v8(
                   rnn, CUDNN_RNN_ALGO_STANDARD, modeOf(s.kind), s.bias ? CUDNN_RNN_DOUBLE_BIAS : CUDNN_RNN_NO_BIAS,
                   s.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, type,
                   wide ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT, exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH, input,
                   hidden, hidden, static_cast<int>(s.layers), nullptr, CUDNN_RNN_PADDED_IO_DISABLED),
               "describing recurrent layers");
    std::vector<int> lengths(static_cast<size_t>(batch), steps);
    if (s.lengths)
      for (int b = 0; b < batch; b++) lengths[static_cast<size_t>(b)] = static_cast<int>(s.lengths[b]);
    const auto describe = [&](cudnnRNNDataDescriptor_t data, int features) {
      checkCudnn(cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, steps, batch, features,
                                           lengths.data(), nullptr),
                 "describing sequences");
    };
    describe(x, input);
    describe(y, hidden * static_cast<int>(s.directions));
    const int shape[] = {static_cast<int>(s.layers * s.directions), batch, hidden};
    const int strides[] = {batch * hidden, hidden, 1};
    checkCudnn(cudnnSetTensorNdDescriptor(state, type, 3, shape, strides), "describing states");

    checkCudnn(cudnnGetRNNWeightSpaceSize(handle, rnn, &weightBytes), "measuring weights");
    size_t none = 0;
    checkCudnn(cudnnGetRNNTempSpaceSizes(handle, rnn, CUDNN_FWD_MODE_INFERENCE, x, &workspaceOfInference, &none),
               "measuring the workspace of recurrent layers");
    checkCudnn(cudnnGetRNNTempSpaceSizes(handle, rnn, CUDNN_FWD_MODE_TRAINING, x, &workspaceOfTraining, &reserveBytes),
               "measuring the workspace of recurrent layers");
    findParts(handle, s);
  }

  RnnDescriptor rnn;
  DataDescriptor x, y;
  TensorDescriptor state;
  size_t weightBytes = 0, workspaceOfInference = 0, workspaceOfTraining = 0, reserveBytes = 0;
  std::vector<Part> parts;

 private:
  void findParts(cudnnHandle_t handle, const RnnStack& s) {
    const TensorDescriptor matrix, bias;
    const int64_t gates = gatesOf(static_cast<Cell>(s.kind)), item = itemSize(s.dtype), of = s.bias ? 4 : 2;
    // Only distances from it matter.
    char* const base = reinterpret_cast<char*>(uintptr_t{1} << 20);
    const auto add = [&](int64_t tensor, int64_t gate, const TensorDescriptor& descriptor, const void* address,
                         int64_t count) {
      cudnnDataType_t type{};
      int dimensions = 0, shape[3] = {}, strides[3] = {};
      checkCudnn(cudnnGetTensorNdDescriptor(descriptor, 3, &type, &dimensions, shape, strides), "finding weights");
      const size_t place = static_cast<size_t>(static_cast<const char*>(address) - base);
      const size_t bytes = static_cast<size_t>(count * item);
      if (!address || dimensions != 3 || int64_t{shape[0]} * shape[1] * shape[2] != count || place > weightBytes ||
          bytes > weightBytes - place)
        throw CudnnRefusal{CUDNN_STATUS_NOT_SUPPORTED, "weights are not where they were expected"};
      parts.push_back({tensor, static_cast<size_t>(gate) * bytes, place, bytes});
    };
    for (int64_t layer = 0; layer < s.layers * s.directions; layer++) {
      const int64_t input = layer < s.directions ? s.inputSize : s.directions * s.hiddenSize;
      for (int64_t k = 0; k < 2 * gates; k++) {
        void *ofMatrix = nullptr, *ofBias = nullptr;
        checkCudnn(cudnnGetRNNWeightParams(handle, rnn, static_cast<int>(layer), weightBytes, base, static_cast<int>(k),
                                           matrix, &ofMatrix, bias, &ofBias),
                   "finding weights");
        const int64_t recurrent = k / gates, gate = k % gates;
        add(layer * of + recurrent, gate, matrix, ofMatrix, s.hiddenSize * (recurrent ? s.hiddenSize : input));
        if (s.bias) add(layer * of + 2 + recurrent, gate, bias, ofBias, s.hiddenSize);
      }
    }
  }
};

// Whether cuDNN counts that far.
bool isCountable(const RnnStack& s) {
  const auto fits = [](std::initializer_list<int64_t> factors) {
    int64_t product = 1;
    for (const int64_t factor : factors) {
      if (factor < 1 || factor > INT32_MAX) return false;
      product *= factor;
      if (product > INT32_MAX) return false;
    }
    return true;
  };
  return fits({s.layers, s.directions, s.batch, s.hiddenSize}) && fits({s.steps}) && fits({s.inputSize}) &&
         fits({s.hiddenSize, 4}) && (s.directions == 1 || s.directions == 2);
}

std::vector<int64_t> keyOf(const RnnStack& s) {
  std::vector<int64_t> key = {static_cast<int64_t>(s.dtype),
                              s.kind,
                              s.layers,
                              s.directions,
                              s.inputSize,
                              s.hiddenSize,
                              s.batch,
                              s.steps,
                              s.bias,
                              s.tf32};
  if (s.lengths)
    for (int64_t b = 0; b < s.batch; b++) key.push_back(static_cast<int64_t>(s.lengths[b]));
  return key;
}

void* workspaceFor(Queue& queue, size_t bytes) {
  return bytes > 0 ? queue.scratch(kScratchOfCudnn, static_cast<int64_t>(bytes)) : nullptr;
}

void* packedWeights(Queue& queue, const RnnPlan& plan, const TensorList& weights) {
  char* const packed = static_cast<char*>(queue.scratch(kScratchOfWeights, static_cast<int64_t>(plan.weightBytes)));
  std::vector<Span> spans;
  for (const Part& part : plan.parts)
    spans.push_back(
        {static_cast<const char*>(weights[part.tensor].data) + part.offset, packed + part.place, part.bytes});
  copySpans(queue, spans);
  return packed;
}

void run(cudnnStatus_t status) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  fail(ErrorKind::Device, "cuDNN: %.400s; THALWEG_CUDNN=0 takes Thalweg's own kernels",
       describeCudnnStatus(status).c_str());
}

}  // namespace

struct Queue::CudnnRnns {
  struct Entry {
    std::vector<int64_t> key;
    std::shared_ptr<const RnnPlan> plan;  // null: cuDNN refused
  };
  std::mutex mutex;
  // Of whichever thread has the mutex: a handle is not for several at a time.
  cudnnHandle_t handle = nullptr;
  bool works = true;
  std::list<Entry> entries;  // what was used last comes first

  ~CudnnRnns() {
    entries.clear();
    if (handle) cudnnDestroy(handle);
  }

  std::shared_ptr<const RnnPlan> find(Queue& queue, const RnnStack& stack) {
    if (!hasCudnn() || !isCountable(stack)) return nullptr;
    const std::lock_guard lock(mutex);
    std::vector<int64_t> key = keyOf(stack);
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    if (found != entries.end()) {
      entries.splice(entries.begin(), entries, found);
      return found->plan;
    }
    queue.makeCurrent();
    if (works && !handle) {
      works = cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS;
      if (!works) handle = nullptr;
    }
    if (!works) return nullptr;
    if (entries.size() >= kMostStacks) entries.pop_back();
    std::shared_ptr<const RnnPlan> plan;
    try {
      plan = std::make_shared<const RnnPlan>(handle, stack);
    } catch (const CudnnRefusal&) {
      // Thalweg's own kernels compute it.
    }
    entries.push_front({std::move(key), plan});
    return plan;
  }
};

std::shared_ptr<Queue::CudnnRnns> makeCudnnRnns() { return std::make_shared<Queue::CudnnRnns>(); }

namespace {

// What was promised when the layers' tensors were made. reserveBytes: -1 if there is no reserve.
std::shared_ptr<const RnnPlan> promised(Queue& queue, const char* op, const RnnStack& stack, int64_t reserveBytes) {
  const auto plan = usesCudnn(queue) ? queue.cudnnRnns->find(queue, stack) : nullptr;
  if (!plan) fail(ErrorKind::Device, "cuDNN does not compute these layers here");
  if (reserveBytes >= 0 && static_cast<size_t>(reserveBytes) < plan->reserveBytes)
    fail(ErrorKind::Shape, "%s: the reserve has %lld bytes, and needed are %zu", op,
         static_cast<long long>(reserveBytes), plan->reserveBytes);
  return plan;
}

}  // namespace

int64_t cudnnRnnReserve(Queue& queue, const RnnStack& stack) {
  const auto plan = queue.cudnnRnns->find(queue, stack);
  return plan ? static_cast<int64_t>(plan->reserveBytes) : -1;
}

void cudnnRnnForward(Queue& queue, const RnnStack& stack, const CudnnRnnForward& of) {
  const auto plan = promised(queue, "rnnStack", stack, of.reserve ? of.reserveBytes : -1);
  const bool training = of.reserve != nullptr;
  const size_t workspace = training ? plan->workspaceOfTraining : plan->workspaceOfInference;
  const void* weights = packedWeights(queue, *plan, of.weights);
  const bool cells = modeOf(stack.kind) == CUDNN_LSTM;
  run(cudnnRNNForward(cudnnHandleOf(queue), plan->rnn, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
                      nullptr, plan->x, of.x, plan->y, of.y, plan->state, of.h0, of.hN,
                      cells ? static_cast<cudnnTensorDescriptor_t>(plan->state) : nullptr, of.c0, of.cN,
                      plan->weightBytes, weights, workspace, workspaceFor(queue, workspace),
                      training ? plan->reserveBytes : 0, of.reserve));
}

void cudnnRnnBackward(Queue& queue, const RnnStack& stack, const CudnnRnnBackward& of) {
  const char* const op = "rnnStackBackward";
  const auto plan = promised(queue, op, stack, of.reserveBytes);
  const void* weights = packedWeights(queue, *plan, of.weights);
  void* const workspace = workspaceFor(queue, plan->workspaceOfTraining);
  const cudnnHandle_t handle = cudnnHandleOf(queue);
  const bool cells = modeOf(stack.kind) == CUDNN_LSTM;
  run(cudnnRNNBackwardData_v8(handle, plan->rnn, nullptr, plan->y, of.y, of.g, plan->x, of.dx, plan->state, of.h0,
                              of.gN, of.dh0, cells ? static_cast<cudnnTensorDescriptor_t>(plan->state) : nullptr, of.c0,
                              of.gCell, of.dc0, plan->weightBytes, weights, plan->workspaceOfTraining, workspace,
                              plan->reserveBytes, of.reserve));
  if (of.dweights.count == 0) return;
  char* const gradients =
      static_cast<char*>(queue.scratch(kScratchOfGradients, static_cast<int64_t>(plan->weightBytes)));
  checkCuda(cudaMemsetAsync(gradients, 0, plan->weightBytes, queue.stream), "clearing gradients");
  run(cudnnRNNBackwardWeights_v8(handle, plan->rnn, CUDNN_WGRAD_MODE_ADD, nullptr, plan->x, of.x, plan->state, of.h0,
                                 plan->y, of.y, plan->weightBytes, gradients, plan->workspaceOfTraining, workspace,
                                 plan->reserveBytes, of.reserve));
  std::vector<Span> spans;
  for (const Part& part : plan->parts)
    spans.push_back(
        {gradients + part.place, static_cast<char*>(of.dweights[part.tensor].data) + part.offset, part.bytes});
  copySpans(queue, spans);
}

}  // namespace thalweg::cuda

#else
namespace thalweg::cuda {

struct Queue::CudnnRnns {};
std::shared_ptr<Queue::CudnnRnns> makeCudnnRnns() { return nullptr; }
int64_t cudnnRnnReserve(Queue&, const RnnStack&) { return -1; }
void cudnnRnnForward(Queue&, const RnnStack&, const CudnnRnnForward&) {
  fail(ErrorKind::Device, "this build does not use cuDNN");
}
void cudnnRnnBackward(Queue&, const RnnStack&, const CudnnRnnBackward&) {
  fail(ErrorKind::Device, "this build does not use cuDNN");
}

}  // namespace thalweg::cuda
#endif
