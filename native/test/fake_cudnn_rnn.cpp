// The recurrent layers of the fake cuDNN: their descriptors, and every argument of a call checked before it is launched
// (fake_cudnn_rnn_steps.cpp). Of what the real library can do it knows what the plugin has use for.
#include "fake_cudnn_rnn.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <set>

struct cudnnTensorStruct {
  bool isSet = false;
  cudnnDataType_t type{};
  std::vector<int> shape, strides;
};
struct cudnnRNNStruct {
  bool isSet = false;
  fake::Recurrence recurrence{};
};
struct cudnnRNNDataStruct {
  bool isSet = false;
  cudnnDataType_t type{};
  int64_t features = 0;
  fake::Sequences sequences;
};

namespace fake {

int64_t Sequences::rows() const {
  int64_t sum = 0;
  for (const int64_t length : lengths) sum += length;
  return sum;
}
int64_t Sequences::batchAt(int64_t step) const {
  return std::count_if(lengths.begin(), lengths.end(), [&](int64_t length) { return length > step; });
}
std::vector<int64_t> Sequences::firstRows() const {
  std::vector<int64_t> rows{0};
  for (int64_t t = 0; t + 1 < steps(); t++) rows.push_back(rows.back() + batchAt(t));
  return rows;
}

WeightSpace::WeightSpace(const Recurrence& r)
    : places(static_cast<size_t>(r.pseudoLayers() * r.linearLayers())), elements(0), linearLayers(r.linearLayers()) {
  constexpr int64_t kGap = 3;
  const auto take = [&](int64_t count) {
    const int64_t at = elements;
    elements += count + kGap;
    return at;
  };
  for (int64_t p = r.pseudoLayers() - 1; p >= 0; p--)
    for (int64_t i = linearLayers - 1; i >= 0; i--) {
      WeightPlace& place = places[static_cast<size_t>(p * linearLayers + i)];
      const int64_t count = r.hiddenSize * r.columns(p, i);
      // A matrix begins the space, as the real library's do: its offset is 0.
      const bool isFirst = elements == 0;
      if (isFirst) place.matrix = take(count);
      place.bias = r.addsBias ? take(r.hiddenSize) : -1;
      if (!isFirst) place.matrix = take(count);
    }
}

namespace {

struct RecurrentReport {
  long forwards = 0, training = 0, backwards = 0, layers = 0;
  ~RecurrentReport() {
    if (forwards > 0 && std::getenv("FAKE_CUDNN_REPORT"))
      std::fprintf(stderr, "fake cuDNN RNN: %ld forwards (%ld for training), %ld backwards, %ld layers\n", forwards,
                   training, backwards, layers);
  }
} recurrentReport;

std::mutex mutex;

// ---- descriptors ----------------------------------------------------------------------------------------------------

// Those of a kind that are alive.
template <class T>
std::set<const T*>& living() {
  static auto& all = *new std::set<const T*>;
  return all;
}
template <class T>
cudnnStatus_t create(T** descriptor) {
  demand(descriptor, "nowhere to write a descriptor to");
  *descriptor = new T;
  const std::lock_guard lock(mutex);
  living<T>().insert(*descriptor);
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* descriptor) {
  {
    const std::lock_guard lock(mutex);
    demand(living<T>().erase(descriptor) == 1, "a descriptor destroyed that is none of its kind, or not any more");
  }
  delete descriptor;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
T& aliveOne(T* descriptor) {
  const std::lock_guard lock(mutex);
  demand(living<T>().count(descriptor) == 1, "no descriptor, one of another kind, or none any more");
  return *descriptor;
}
// One to be read.
template <class T>
const T& descriptorThatIsSet(T* descriptor) {
  const T& found = aliveOne(descriptor);
  demand(found.isSet, "a descriptor that was not set");
  return found;
}

bool isFloating(cudnnDataType_t type) {
  return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_DOUBLE || type == CUDNN_DATA_HALF ||
         type == CUDNN_DATA_BFLOAT16;
}

void setTensor(cudnnTensorStruct& tensor, cudnnDataType_t type, std::vector<int> shape) {
  tensor.isSet = true;
  tensor.type = type;
  tensor.strides.assign(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) tensor.strides[d - 1] = tensor.strides[d] * shape[d];
  tensor.shape = std::move(shape);
}

bool isForward(cudnnForwardMode_t mode) { return mode == CUDNN_FWD_MODE_INFERENCE || mode == CUDNN_FWD_MODE_TRAINING; }

size_t workspaceBytes(const Recurrence& r, const Sequences& sequences, bool training) {
  const int64_t elements = sequences.rows() * r.gates() * r.outputSize() + 2 * sequences.batch() * r.hiddenSize;
  return static_cast<size_t>((training ? 640 : 384) + elements * sizeOf(r.type));
}

// ---- the arguments of a call ----------------------------------------------------------------------------------------

class Arguments {
 public:
  Arguments(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor, const int32_t* lengths,
            cudnnRNNDataDescriptor_t xDescriptor, cudnnRNNDataDescriptor_t yDescriptor,
            cudnnTensorDescriptor_t hDescriptor)
      : handle_(alive(handle)) {
    demand(handle_->stream && runOnDevice, "no stream, or no device");
    demand(!lengths, "lengths on the device, which are not read any more");
    const cudnnRNNDataStruct &x = descriptorThatIsSet(xDescriptor), &y = descriptorThatIsSet(yDescriptor);
    r = call.recurrence = descriptorThatIsSet(descriptor).recurrence;
    call.sequences = x.sequences;
    demand(x.type == r.type && y.type == r.type, "sequences of another type than the layers'");
    demand(x.features == r.inputSize && y.features == r.outputSize(), "features that are not the layers'");
    demand(x.sequences.lengths == y.sequences.lengths, "results of other lengths than the inputs'");
    rows_ = x.sequences.rows();
    checkState(hDescriptor);
  }

  RecurrentCall call{};
  Recurrence r;

  const void* inputs(const void* x) { return reads(x, rows_ * r.inputSize, true); }
  const void* outputs(const void* y) { return reads(y, rows_ * r.outputSize(), true); }
  void* writtenInputs(void* dx) { return writes(dx, rows_ * r.inputSize, true); }
  void* writtenOutputs(void* y) { return writes(y, rows_ * r.outputSize(), true); }
  const void* state(const void* h) { return reads(h, states(), false); }
  void* writtenState(void* h) { return writes(h, states(), false); }

  // The descriptor of c: of LSTMs. Others have no c at all.
  void cell(cudnnTensorDescriptor_t descriptor, std::initializer_list<const void*> memory) {
    if (r.cell == CUDNN_LSTM) return checkState(descriptor);
    for (const void* given : memory) demand(!given, "a cell's state of layers that have none");
  }

  const void* weights(size_t bytes, const void* data) {
    checkWeights(bytes, data);
    return reads(data, WeightSpace(r).elements, true);
  }
  void* writtenWeights(size_t bytes, void* data) {
    checkWeights(bytes, data);
    return writes(data, WeightSpace(r).elements, true);
  }

  void spaces(bool training, size_t workBytes, void* workspace, size_t keptBytes, void* reserve) {
    demand(workBytes >= workspaceBytes(r, call.sequences, training), "a workspace that is too small");
    demand(workspace && multipleOf(workspace, kSpaceAlignment), "no workspace, or none that is aligned");
    call.workspace = add(workspace, static_cast<int64_t>(workBytes), true);
    call.workspaceBytes = workBytes;
    if (!training) return;
    demand(keptBytes >= reserveBytes(r, call.sequences), "a reserve that is too small");
    demand(reserve && multipleOf(reserve, kSpaceAlignment), "no reserve, or none that is aligned");
    call.reserve = add(reserve, static_cast<int64_t>(keptBytes), true);
    call.reserveBytes = keptBytes;
  }

  template <void (*compute)(const RecurrentCall&)>
  void launch() const {
    // For graphs, which run it again, and for streams that run it later; as many as there are calls in a test.
    const std::lock_guard lock(mutex);
    static auto& kept = *new std::deque<RecurrentCall>;
    const RecurrentCall* const mine = &kept.emplace_back(call);
    runOnDevice(
        handle_->stream, [](void* argument) { compute(**static_cast<const RecurrentCall**>(argument)); }, &mine,
        sizeof mine);
  }

 private:
  static constexpr int64_t kSpaceAlignment = 256;
  struct Region {
    const char* begin;
    int64_t bytes;
    bool written;
  };

  int64_t states() const { return r.pseudoLayers() * call.sequences.batch() * r.hiddenSize; }
  void checkState(cudnnTensorDescriptor_t descriptor) const {
    const cudnnTensorStruct& tensor = descriptorThatIsSet(descriptor);
    const int64_t shape[]{r.pseudoLayers(), call.sequences.batch(), r.hiddenSize};
    demand(tensor.type == r.type && std::equal(tensor.shape.begin(), tensor.shape.end(), shape, shape + 3),
           "a state of another type or shape");
    const int64_t strides[]{shape[1] * shape[2], shape[2], 1};
    demand(std::equal(tensor.strides.begin(), tensor.strides.end(), strides, strides + 3),
           "a state that is not packed");
  }
  void checkWeights(size_t bytes, const void* data) const {
    demand(bytes >= static_cast<size_t>(WeightSpace(r).elements * sizeOf(r.type)), "a weight space that is too small");
    demand(multipleOf(data, kSpaceAlignment), "a weight space that is not aligned");
  }
  const void* reads(const void* data, int64_t count, bool required) {
    return add(const_cast<void*>(data), count * sizeOf(r.type), false, required);
  }
  void* writes(void* data, int64_t count, bool required) { return add(data, count * sizeOf(r.type), true, required); }
  void* add(void* data, int64_t bytes, bool written, bool required = true) {
    demand(data || !required, "memory that is needed and not given");
    if (!data) return nullptr;
    demand(multipleOf(data, sizeOf(r.type)), "memory that is not aligned to its elements");
    const Region added{static_cast<const char*>(data), bytes, written};
    for (const Region& other : regions_)
      demand(
          !(written || other.written) || added.begin + bytes <= other.begin || other.begin + other.bytes <= added.begin,
          "memory that is written and used for something else, too");
    regions_.push_back(added);
    return data;
  }

  cudnnContext* handle_;
  int64_t rows_;
  std::vector<Region> regions_;
};

bool fails() { return std::getenv("FAKE_CUDNN_FAIL"); }

}  // namespace
}  // namespace fake

using namespace fake;

EXPORTED cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor) { return create(tensor); }
EXPORTED cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) { return destroy(tensor); }
EXPORTED cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t descriptor, cudnnDataType_t type,
                                                  int dimensions, const int shape[], const int strides[]) {
  cudnnTensorStruct& tensor = aliveOne(descriptor);
  // The real one takes two, too; the plugin has none of those.
  demand(dimensions >= 3 && dimensions <= 8 && shape && strides, "a tensor of too few or too many dimensions");
  for (int d = 0; d < dimensions; d++) demand(shape[d] > 0 && strides[d] > 0, "a size or stride that is not positive");
  sizeOf(type);
  tensor = {true, type, {shape, shape + dimensions}, {strides, strides + dimensions}};
  return CUDNN_STATUS_SUCCESS;
}
EXPORTED cudnnStatus_t cudnnGetTensorNdDescriptor(const cudnnTensorDescriptor_t descriptor, int wanted,
                                                  cudnnDataType_t* type, int* dimensions, int shape[], int strides[]) {
  const cudnnTensorStruct& tensor = descriptorThatIsSet(descriptor);
  demand(wanted >= 0 && wanted <= 8 && type && dimensions && (wanted == 0 || (shape && strides)),
         "nowhere to write to, or too many dimensions wanted");
  *type = tensor.type;
  *dimensions = static_cast<int>(tensor.shape.size());
  const int count = std::min(wanted, *dimensions);
  std::copy_n(tensor.shape.begin(), count, shape);
  std::copy_n(tensor.strides.begin(), count, strides);
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* descriptor) { return create(descriptor); }
EXPORTED cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t descriptor) { return destroy(descriptor); }
EXPORTED cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t descriptor, cudnnRNNAlgo_t algorithm,
                                                cudnnRNNMode_t cell, cudnnRNNBiasMode_t bias,
                                                cudnnDirectionMode_t directions, cudnnRNNInputMode_t input,
                                                cudnnDataType_t data, cudnnDataType_t precision, cudnnMathType_t math,
                                                int32_t inputSize, int32_t hiddenSize, int32_t projectionSize,
                                                int32_t layers, cudnnDropoutDescriptor_t dropout, uint32_t flags) {
  cudnnRNNStruct& rnn = aliveOne(descriptor);
  demand(algorithm == CUDNN_RNN_ALGO_STANDARD, "an algorithm that does not take all sizes");
  demand(cell == CUDNN_RNN_RELU || cell == CUDNN_RNN_TANH || cell == CUDNN_LSTM || cell == CUDNN_GRU,
         "an unknown cell");
  demand(bias == CUDNN_RNN_NO_BIAS || bias == CUDNN_RNN_DOUBLE_BIAS, "other biases than there are here");
  demand(directions == CUDNN_UNIDIRECTIONAL || directions == CUDNN_BIDIRECTIONAL, "an unknown direction");
  demand(input == CUDNN_LINEAR_INPUT, "a first layer without weights");
  demand(isFloating(data), "layers of numbers that are not floating");
  demand(precision == (data == CUDNN_DATA_DOUBLE ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT), "sums of another type");
  demand(math == CUDNN_DEFAULT_MATH || math == CUDNN_FMA_MATH, "an unknown kind of products");
  demand(inputSize >= 1 && hiddenSize >= 1 && layers >= 1, "a size that is not positive");
  // The real one takes no 0 for "no projection".
  demand(projectionSize == hiddenSize, "a projection");
  demand(!dropout && flags == 0, "dropout, or flags that are not used here");
  rnn.isSet = true;
  rnn.recurrence = {cell,
                    bias == CUDNN_RNN_DOUBLE_BIAS,
                    directions == CUDNN_BIDIRECTIONAL ? 2 : 1,
                    data,
                    data == CUDNN_DATA_FLOAT && math == CUDNN_DEFAULT_MATH,
                    inputSize,
                    hiddenSize,
                    layers};
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* descriptor) { return create(descriptor); }
EXPORTED cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor) {
  return destroy(descriptor);
}
EXPORTED cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t descriptor, cudnnDataType_t type,
                                                 cudnnRNNDataLayout_t layout, int steps, int batch, int features,
                                                 const int lengths[], void* paddingFill) {
  cudnnRNNDataStruct& data = aliveOne(descriptor);
  demand(isFloating(type), "sequences of numbers that are not floating");
  demand(layout == CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, "sequences that are not packed");
  demand(steps >= 1 && batch >= 1 && features >= 1 && lengths, "no steps, sequences, features or lengths");
  demand(!paddingFill, "a filling of sequences that have no padding");
  demand(lengths[0] == steps, "more steps than the longest sequence has, or fewer");
  for (int b = 0; b < batch; b++)
    demand(lengths[b] >= 1 && (b == 0 || lengths[b] <= lengths[b - 1]), "lengths that are 0 or do not descend");
  data = {true, type, features, {{lengths, lengths + batch}}};
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor,
                                                 cudnnForwardMode_t mode, cudnnRNNDataDescriptor_t xDescriptor,
                                                 size_t* workspace, size_t* reserve) {
  alive(handle);
  const Recurrence& r = descriptorThatIsSet(descriptor).recurrence;
  const cudnnRNNDataStruct& x = descriptorThatIsSet(xDescriptor);
  demand(isForward(mode) && workspace && reserve, "an unknown mode, or nowhere to write sizes to");
  demand(x.type == r.type && x.features == r.inputSize, "sequences of another type or size than the layers'");
  if (refuses("rnn") || refuses("all")) return CUDNN_STATUS_NOT_SUPPORTED;
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  *workspace = workspaceBytes(r, x.sequences, training);
  *reserve = training ? reserveBytes(r, x.sequences) : 0;
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor,
                                                  size_t* bytes) {
  alive(handle);
  const Recurrence& r = descriptorThatIsSet(descriptor).recurrence;
  demand(bytes, "nowhere to write a size to");
  *bytes = static_cast<size_t>(WeightSpace(r).elements * sizeOf(r.type));
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor,
                                               int32_t pseudoLayer, size_t weightBytes, const void* weights,
                                               int32_t linearLayer, cudnnTensorDescriptor_t matrix,
                                               void** matrixAddress, cudnnTensorDescriptor_t bias, void** biasAddress) {
  alive(handle);
  const Recurrence& r = descriptorThatIsSet(descriptor).recurrence;
  cudnnTensorStruct &matrixTensor = aliveOne(matrix), &biasTensor = aliveOne(bias);
  demand(matrix != bias && matrixAddress && biasAddress, "not two places for a matrix and its bias");
  demand(pseudoLayer >= 0 && pseudoLayer < r.pseudoLayers(), "a pseudo layer that there is not");
  demand(linearLayer >= 0 && linearLayer < r.linearLayers(), "a linear layer that there is not");
  const WeightSpace space(r);
  const int64_t size = sizeOf(r.type);
  demand(weightBytes >= static_cast<size_t>(space.elements * size), "a weight space that is too small");
  const WeightPlace& place = space.at(pseudoLayer, linearLayer);
  // Addresses are only computed; without a weight space they are offsets.
  const auto address = [&](int64_t element) {
    return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(weights) + static_cast<uintptr_t>(element * size));
  };
  const int hidden = static_cast<int>(r.hiddenSize);
  setTensor(matrixTensor, r.type, {1, hidden, static_cast<int>(r.columns(pseudoLayer, linearLayer))});
  *matrixAddress = address(place.matrix);
  setTensor(biasTensor, r.type, r.addsBias ? std::vector<int>{1, hidden, 1} : std::vector<int>{});
  *biasAddress = r.addsBias ? address(place.bias) : nullptr;
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnRNNForward(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor, cudnnForwardMode_t mode,
                                       const int32_t lengths[], cudnnRNNDataDescriptor_t xDescriptor, const void* x,
                                       cudnnRNNDataDescriptor_t yDescriptor, void* y,
                                       cudnnTensorDescriptor_t hDescriptor, const void* h0, void* hN,
                                       cudnnTensorDescriptor_t cDescriptor, const void* c0, void* cN,
                                       size_t weightBytes, const void* weights, size_t workspaceSize, void* workspace,
                                       size_t reserveSize, void* reserve) {
  demand(isForward(mode), "an unknown mode");
  const bool training = mode == CUDNN_FWD_MODE_TRAINING;
  Arguments arguments(handle, descriptor, lengths, xDescriptor, yDescriptor, hDescriptor);
  arguments.cell(cDescriptor, {c0, cN});
  RecurrentCall& call = arguments.call;
  call.x = arguments.inputs(x);
  call.y = call.result = arguments.writtenOutputs(y);
  call.h0 = arguments.state(h0), call.hN = arguments.writtenState(hN);
  call.c0 = arguments.state(c0), call.cN = arguments.writtenState(cN);
  call.weights = arguments.weights(weightBytes, weights);
  arguments.spaces(training, workspaceSize, workspace, reserveSize, reserve);
  if (fails()) return CUDNN_STATUS_EXECUTION_FAILED;
  recurrentReport.forwards++;
  recurrentReport.training += training;
  recurrentReport.layers += static_cast<long>(call.recurrence.layers);
  arguments.launch<computeForward>();
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor,
                                               const int32_t lengths[], cudnnRNNDataDescriptor_t yDescriptor,
                                               const void* y, const void* dy, cudnnRNNDataDescriptor_t xDescriptor,
                                               void* dx, cudnnTensorDescriptor_t hDescriptor, const void* h0,
                                               const void* dhN, void* dh0, cudnnTensorDescriptor_t cDescriptor,
                                               const void* c0, const void* dcN, void* dc0, size_t weightBytes,
                                               const void* weights, size_t workspaceSize, void* workspace,
                                               size_t reserveSize, void* reserve) {
  Arguments arguments(handle, descriptor, lengths, xDescriptor, yDescriptor, hDescriptor);
  arguments.cell(cDescriptor, {c0, dcN, dc0});
  RecurrentCall& call = arguments.call;
  call.y = arguments.outputs(y);
  call.dy = arguments.outputs(dy);
  call.dx = arguments.writtenInputs(dx);
  call.h0 = arguments.state(h0), call.dhN = arguments.state(dhN), call.dh0 = arguments.writtenState(dh0);
  call.c0 = arguments.state(c0), call.dcN = arguments.state(dcN), call.dc0 = arguments.writtenState(dc0);
  call.weights = arguments.weights(weightBytes, weights);
  arguments.spaces(true, workspaceSize, workspace, reserveSize, reserve);
  if (fails()) return CUDNN_STATUS_EXECUTION_FAILED;
  recurrentReport.backwards++;
  arguments.launch<computeBackwardData>();
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t handle, cudnnRNNDescriptor_t descriptor,
                                                  cudnnWgradMode_t mode, const int32_t lengths[],
                                                  cudnnRNNDataDescriptor_t xDescriptor, const void* x,
                                                  cudnnTensorDescriptor_t hDescriptor, const void* h0,
                                                  cudnnRNNDataDescriptor_t yDescriptor, const void* y,
                                                  size_t weightBytes, void* dweights, size_t workspaceSize,
                                                  void* workspace, size_t reserveSize, void* reserve) {
  demand(mode == CUDNN_WGRAD_MODE_ADD, "gradients that are not added");
  Arguments arguments(handle, descriptor, lengths, xDescriptor, yDescriptor, hDescriptor);
  RecurrentCall& call = arguments.call;
  call.x = arguments.inputs(x);
  call.y = arguments.outputs(y);
  call.h0 = arguments.state(h0);
  call.dweights = arguments.writtenWeights(weightBytes, dweights);
  arguments.spaces(true, workspaceSize, workspace, reserveSize, reserve);
  if (fails()) return CUDNN_STATUS_EXECUTION_FAILED;
  arguments.launch<computeBackwardWeights>();
  return CUDNN_STATUS_SUCCESS;
}
