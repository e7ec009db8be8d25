// What the files of the fake cuDNN share about recurrent layers: the checked problem of a call, where its weights lie,
// and the arithmetic that runs where device memory may be touched.
#pragma once
#include <cstdint>
#include <vector>

#include "fake_cudnn.h"

namespace fake {

// What an RNN descriptor says.
struct Recurrence {
  cudnnRNNMode_t cell;
  bool addsBias;
  int64_t directions;
  cudnnDataType_t type;
  bool tensorFloat32;
  int64_t inputSize, hiddenSize, layers;

  int64_t gates() const { return cell == CUDNN_LSTM ? 4 : cell == CUDNN_GRU ? 3 : 1; }
  // A layer has one for each direction.
  int64_t pseudoLayers() const { return layers * directions; }
  // Matrices of a pseudo layer: of the gates' inputs, then of their states.
  int64_t linearLayers() const { return 2 * gates(); }
  int64_t outputSize() const { return hiddenSize * directions; }
  int64_t inputsOf(int64_t layer) const { return layer == 0 ? inputSize : outputSize(); }
  int64_t columns(int64_t pseudoLayer, int64_t linearLayer) const {
    return linearLayer < gates() ? inputsOf(pseudoLayer / directions) : hiddenSize;
  }
};

// Packed sequences, the longest first: the rows of a step follow those of the step before, one for each sequence that
// has not ended.
struct Sequences {
  std::vector<int64_t> lengths;

  int64_t batch() const { return static_cast<int64_t>(lengths.size()); }
  int64_t steps() const { return lengths[0]; }
  int64_t rows() const;
  // How many sequences have that step.
  int64_t batchAt(int64_t step) const;
  // The first row of each step.
  std::vector<int64_t> firstRows() const;
};

// Where a matrix and its bias lie in the weight space, in elements. Unlike anywhere else: the last pseudo layer first,
// in it the states' matrices before the inputs', gates backwards, biases before matrices but for the first, and gaps
// that no parameter uses.
struct WeightPlace {
  int64_t matrix, bias;
};
struct WeightSpace {
  std::vector<WeightPlace> places;  // by pseudo layer and linear layer
  int64_t elements;
  int64_t linearLayers;

  explicit WeightSpace(const Recurrence& recurrence);
  const WeightPlace& at(int64_t pseudoLayer, int64_t linearLayer) const {
    return places[static_cast<size_t>(pseudoLayer * linearLayers + linearLayer)];
  }
};

// A checked call. What it does not have, or does not want, is null.
struct RecurrentCall {
  Recurrence recurrence;
  Sequences sequences;
  const void *x, *h0, *c0, *weights;
  const void* y;  // also of a forward, which writes it
  const void *dy, *dhN, *dcN;
  void *result, *hN, *cN;  // of a forward
  void *dx, *dh0, *dc0, *dweights;
  void* workspace;
  size_t workspaceBytes;
  void* reserve;  // null in inference
  size_t reserveBytes;
};

size_t reserveBytes(const Recurrence& recurrence, const Sequences& sequences);

void computeForward(const RecurrentCall& call);
void computeBackwardData(const RecurrentCall& call);
void computeBackwardWeights(const RecurrentCall& call);

}  // namespace fake
