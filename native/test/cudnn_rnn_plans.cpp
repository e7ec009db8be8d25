// What the real cuDNN, where it is found, says of recurrent layers without a GPU: where it wants their weights, which
// arguments it takes and which it refuses. The plugin and fake_cudnn_rnn.cpp go by that, and by the numbers of
// emulated/cudnn.h. Nothing is computed. Without cuDNN the program says so and ends with 77.
//
// cuDNN makes no handle without a device, so zeros stand for one: all that is read of it is how capable the device is,
// and this one is not (it has no bfloat16, which takes 8.0). Arguments are looked at first: if they are right, a call
// ends where it turns to the device that is not there. A cuDNN that reads more of a handle may end the process.
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cuda/cudnn.h"
#include "cuda/cudnn_functions.h"

namespace thalweg::cuda {
namespace {

cudnnHandle_t handle() {
  alignas(64) static char zeros[1 << 18];
  return reinterpret_cast<cudnnHandle_t>(zeros);
}

// Kinds of statuses, of which there are many for most.
bool isRefusal(cudnnStatus_t status) { return status / 1000 == 2 || status / 1000 == 3; }
bool isWithoutDevice(cudnnStatus_t status) { return status / 1000 == CUDNN_STATUS_EXECUTION_FAILED / 1000; }

int failures = 0;
void expect(bool good, const std::string& what, cudnnStatus_t status = CUDNN_STATUS_SUCCESS) {
  if (good) return;
  failures++;
  std::printf("%s", what.c_str());
  if (status != CUDNN_STATUS_SUCCESS) std::printf(": %s", describeCudnnStatus(status).c_str());
  std::printf("\n");
}

// Some memory of a device: nothing may touch it.
char* memory(int number) { return reinterpret_cast<char*>(static_cast<uintptr_t>(number + 1) << 32); }

struct Stack {
  cudnnRNNMode_t cell = CUDNN_LSTM;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  int layers = 1, directions = 1, input = 7, hidden = 5, projection = 5;
  bool bias = true, exact = true;
  std::vector<int> lengths = {6, 6, 6};
  int steps = 6;

  int gates() const { return cell == CUDNN_LSTM ? 4 : cell == CUDNN_GRU ? 3 : 1; }
  size_t itemSize() const { return type == CUDNN_DATA_DOUBLE ? 8 : type == CUDNN_DATA_FLOAT ? 4 : 2; }
  std::string name() const {
    constexpr const char* kCells[] = {"relu", "tanh", "LSTM", "GRU"};
    return std::string(kCells[cell]) + " of type " + std::to_string(type) + ", layers " + std::to_string(layers) +
           ", directions " + std::to_string(directions) + ", sizes " + std::to_string(input) + " and " +
           std::to_string(hidden) + (bias ? "" : ", no bias") + (exact ? "" : ", not exact");
  }
};

// cuDNN's descriptors of a stack, and what is handed over in a call for it. A test changes what it is about.
class Call {
 public:
  explicit Call(const Stack& stack) : stack(stack), shape{stack.layers * stack.directions, batch(), stack.hidden} {
    cudnnCreateRNNDescriptor(&rnn);
    cudnnCreateRNNDataDescriptor(&x);
    cudnnCreateRNNDataDescriptor(&y);
    cudnnCreateTensorDescriptor(&state);
    yLengths = stack.lengths;
    yFeatures = stack.hidden * stack.directions;
  }
  ~Call() {
    cudnnDestroyRNNDescriptor(rnn);
    cudnnDestroyRNNDataDescriptor(x);
    cudnnDestroyRNNDataDescriptor(y);
    cudnnDestroyTensorDescriptor(state);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const Stack stack;
  cudnnRNNDescriptor_t rnn = nullptr;
  cudnnRNNDataDescriptor_t x = nullptr, y = nullptr;
  cudnnTensorDescriptor_t state = nullptr;
  size_t weightBytes = 0, workspace = 0, reserve = 0;

  std::vector<int> shape, yLengths;
  int yFeatures, rowPadding = 0;
  bool training = true, states = true, stateGradients = true, hDescriptor = true, cDescriptor = true, adds = true;
  size_t lessWeights = 0, lessWorkspace = 0, lessReserve = 0;

  int batch() const { return static_cast<int>(stack.lengths.size()); }

  cudnnStatus_t describe() {
    const Stack& s = stack;
    const bool wide = s.type == CUDNN_DATA_DOUBLE;
    cudnnStatus_t status = cudnnSetRNNDescriptor_v8(
        rnn, CUDNN_RNN_ALGO_STANDARD, s.cell, s.bias ? CUDNN_RNN_DOUBLE_BIAS : CUDNN_RNN_NO_BIAS,
        s.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, s.type,
        wide ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT, s.exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH, s.input, s.hidden,
        s.projection, s.layers, nullptr, CUDNN_RNN_PADDED_IO_DISABLED);
    const auto describeData = [&](cudnnRNNDataDescriptor_t data, int features, const std::vector<int>& lengths) {
      if (status == CUDNN_STATUS_SUCCESS)
        status = cudnnSetRNNDataDescriptor(data, s.type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, s.steps, batch(),
                                           features, lengths.data(), nullptr);
    };
    describeData(x, s.input, s.lengths);
    describeData(y, yFeatures, yLengths);
    const int row = shape[2] + rowPadding, strides[] = {shape[1] * row, row, 1};
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnSetTensorNdDescriptor(state, s.type, 3, shape.data(), strides);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnGetRNNWeightSpaceSize(handle(), rnn, &weightBytes);
    if (status != CUDNN_STATUS_SUCCESS) return status;
    // The sizes are there before the device is asked for its number.
    status = cudnnGetRNNTempSpaceSizes(handle(), rnn, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, x,
                                       &workspace, &reserve);
    if (!isWithoutDevice(status)) return status;
    expect(workspace > 0 && training == (reserve > 0), stack.name() + ": the sizes of workspace and reserve");
    return CUDNN_STATUS_SUCCESS;
  }
  cudnnStatus_t forward() const {
    return cudnnRNNForward(handle(), rnn, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE, nullptr, x,
                           memory(0), y, memory(1), h(), given(2), memory(3), c(), cell(given(4)), cell(memory(5)),
                           weightBytes - lessWeights, memory(6), workspace - lessWorkspace, memory(7),
                           reserve - lessReserve, training ? memory(8) : nullptr);
  }
  cudnnStatus_t backwardData() const {
    return cudnnRNNBackwardData_v8(handle(), rnn, nullptr, y, memory(1), memory(9), x, memory(10), h(), given(2),
                                   gradient(11), gradient(12), c(), cell(given(4)), cell(gradient(13)),
                                   cell(gradient(14)), weightBytes - lessWeights, memory(6), workspace - lessWorkspace,
                                   memory(7), reserve - lessReserve, memory(8));
  }
  cudnnStatus_t backwardWeights() const {
    return cudnnRNNBackwardWeights_v8(handle(), rnn, adds ? CUDNN_WGRAD_MODE_ADD : CUDNN_WGRAD_MODE_SET, nullptr, x,
                                      memory(0), h(), given(2), y, memory(1), weightBytes - lessWeights, memory(15),
                                      workspace - lessWorkspace, memory(7), reserve - lessReserve, memory(8));
  }

 private:
  cudnnTensorDescriptor_t h() const { return hDescriptor ? state : nullptr; }
  cudnnTensorDescriptor_t c() const { return cDescriptor && stack.cell == CUDNN_LSTM ? state : nullptr; }
  char* given(int number) const { return states ? memory(number) : nullptr; }
  char* gradient(int number) const { return stateGradients ? memory(number) : nullptr; }
  char* cell(char* data) const { return stack.cell == CUDNN_LSTM ? data : nullptr; }
};

// Every matrix and bias lies in the weight space, in rows, apart from all others.
void checkWeights(const Call& call) {
  const Stack& s = call.stack;
  char* const base = memory(0);
  std::vector<std::pair<size_t, size_t>> pieces;  // where they begin and end
  cudnnTensorDescriptor_t matrix = nullptr, bias = nullptr;
  cudnnCreateTensorDescriptor(&matrix);
  cudnnCreateTensorDescriptor(&bias);
  const auto add = [&](cudnnTensorDescriptor_t descriptor, const void* address, int columns) {
    cudnnDataType_t type{};
    int dimensions = 0, shape[3] = {}, strides[3] = {};
    const cudnnStatus_t status = cudnnGetTensorNdDescriptor(descriptor, 3, &type, &dimensions, shape, strides);
    expect(status == CUDNN_STATUS_SUCCESS && type == s.type && dimensions == 3 && shape[0] == 1 &&
               shape[1] == s.hidden && shape[2] == columns && strides[1] == columns && strides[2] == 1 && address,
           s.name() + ": a weight of another shape", status);
    const size_t begin = static_cast<size_t>(static_cast<const char*>(address) - base);
    pieces.emplace_back(begin, begin + static_cast<size_t>(s.hidden * columns) * s.itemSize());
  };
  for (int layer = 0; layer < s.layers * s.directions; layer++)
    for (int k = 0; k < 2 * s.gates(); k++) {
      void *ofMatrix = nullptr, *ofBias = nullptr;
      const cudnnStatus_t status = cudnnGetRNNWeightParams(handle(), call.rnn, layer, call.weightBytes, base, k, matrix,
                                                           &ofMatrix, bias, &ofBias);
      expect(status == CUDNN_STATUS_SUCCESS, s.name() + ": finding a weight", status);
      const int input = layer < s.directions ? s.input : s.hidden * s.directions;
      add(matrix, ofMatrix, k < s.gates() ? input : s.hidden);
      if (s.bias)
        add(bias, ofBias, 1);
      else
        expect(!ofBias, s.name() + ": a bias");
    }
  cudnnDestroyTensorDescriptor(matrix);
  cudnnDestroyTensorDescriptor(bias);
  std::sort(pieces.begin(), pieces.end());
  bool apart = pieces.back().second <= call.weightBytes;
  for (size_t i = 1; i < pieces.size(); i++) apart = apart && pieces[i - 1].second <= pieces[i].first;
  expect(apart, s.name() + ": weights that overlap or are out of the weight space");
}

// All that the plugin asks for is taken.
int checkTaken() {
  int stacks = 0;
  for (const cudnnRNNMode_t cell : {CUDNN_LSTM, CUDNN_GRU, CUDNN_RNN_TANH, CUDNN_RNN_RELU})
    for (const cudnnDataType_t type : {CUDNN_DATA_FLOAT, CUDNN_DATA_HALF, CUDNN_DATA_BFLOAT16, CUDNN_DATA_DOUBLE})
      for (int bits = 0; bits < 32; bits++) {
        Stack s;
        s.cell = cell, s.type = type;
        s.layers = bits & 1 ? 2 : 1, s.directions = bits & 2 ? 2 : 1, s.bias = bits & 4;
        if (bits & 8) s.lengths = {6, 6, 2, 1};
        if (bits & 16) s.input = 64, s.hidden = s.projection = 32;
        // As the plugin chooses; of float32 both ways.
        s.exact = type == CUDNN_DATA_DOUBLE || (type == CUDNN_DATA_FLOAT && (bits & 1));
        stacks++;
        for (const bool training : {false, true})
          for (const bool states : {false, true}) {
            Call call(s);
            call.training = training, call.states = call.stateGradients = states;
            const cudnnStatus_t status = call.describe();
            if (type == CUDNN_DATA_BFLOAT16) {
              expect(status == CUDNN_STATUS_NOT_SUPPORTED, s.name() + ": no device has it", status);
              checkWeights(call);
              continue;
            }
            expect(status == CUDNN_STATUS_SUCCESS, s.name() + ": describing it", status);
            checkWeights(call);
            const auto taken = [&](const char* what, cudnnStatus_t result) {
              expect(isWithoutDevice(result), s.name() + ": " + what, result);
            };
            taken("forward", call.forward());
            if (!training) continue;
            taken("backward", call.backwardData());
            taken("gradients of weights", call.backwardWeights());
          }
      }
  return stacks;
}

// What the fake cuDNN ends the process for.
int checkRefused() {
  int refusals = 0;
  const auto refused = [&](const char* what, cudnnStatus_t status) {
    refusals++;
    expect(isRefusal(status), std::string(what) + " is not refused", status);
  };
  const auto stack = [&](const char* what, auto change) {
    Stack s;
    change(s);
    refused(what, Call(s).describe());
  };
  stack("0 for no projection", [](Stack& s) { s.projection = 0; });
  stack("a projection to more", [](Stack& s) { s.projection = 6; });
  stack("a layer of nothing", [](Stack& s) { s.hidden = s.projection = 0; });
  stack("no input", [](Stack& s) { s.input = 0; });
  stack("lengths that do not descend", [](Stack& s) { s.lengths = {6, 2, 3}; });
  stack("a length of 0", [](Stack& s) { s.lengths = {6, 2, 0}; });
  stack("a length beyond the steps", [](Stack& s) { s.lengths = {7, 6, 6}; });
  stack("steps beyond the longest", [](Stack& s) { s.lengths = {5, 5, 5}; });

  constexpr unsigned kForward = 1, kData = 2, kWeights = 4, kAll = 7;
  const auto call = [&](const char* what, unsigned of, auto change) {
    const Stack s;
    Call c(s);
    change(c);
    const cudnnStatus_t status = c.describe();
    expect(status == CUDNN_STATUS_SUCCESS, std::string(what) + ": describing it", status);
    if (of & kForward) refused(what, c.forward());
    if (of & kData) refused(what, c.backwardData());
    if (of & kWeights) refused(what, c.backwardWeights());
  };
  call("a state of too many layers", kAll, [](Call& c) { c.shape[0] = 2; });
  call("a state of another batch", kAll, [](Call& c) { c.shape[1] = 2; });
  call("a state of another size", kAll, [](Call& c) { c.shape[2] = 4; });
  call("a state that is not packed", kAll, [](Call& c) { c.rowPadding = 1; });
  call("a state without a descriptor", kAll, [](Call& c) { c.hDescriptor = false; });
  call("a cell's state without a descriptor", kForward | kData, [](Call& c) { c.cDescriptor = false; });
  call("results of another size", kAll, [](Call& c) { c.yFeatures = 6; });
  call("results of other lengths", kAll, [](Call& c) { c.yLengths = {6, 6, 5}; });
  call("a weight space that is too small", kAll, [](Call& c) { c.lessWeights = 1; });
  call("a workspace that is too small", kAll, [](Call& c) { c.lessWorkspace = 1; });
  call("a reserve that is too small", kAll, [](Call& c) { c.lessReserve = 1; });
  call("a reserve of inference", kData | kWeights, [](Call& c) { c.training = false; });
  call("gradients that are not added", kWeights, [](Call& c) { c.adds = false; });
  return refusals;
}

}  // namespace
}  // namespace thalweg::cuda

int main() {
  using namespace thalweg::cuda;
  // Found by its name from now on, even where there is a driver: a device would be given memory that is none.
  if (!dlopen(ABSENT_DRIVER, RTLD_NOW)) {
    std::printf("cudnn_rnn_plans: %s\n", dlerror());
    return 1;
  }
  if (!cudnnLibrary.available()) {
    std::printf("cudnn_rnn_plans: %s\n", cudnnLibrary.report().c_str());
    return 77;
  }
  std::printf("%s\n", cudnnLibrary.report().c_str());
  std::fflush(stdout);
  const int stacks = checkTaken(), refusals = checkRefused();
  std::printf("cudnn_rnn_plans: %d stacks taken, %d calls refused, %d times otherwise\n", stacks, refusals, failures);
  return failures ? 1 : 0;
}
