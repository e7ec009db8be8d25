// Recurrent layers by the definition, step by step, in float64: what they return, and their gradients from what a
// training forward left in the reserve.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "fake_cudnn_rnn.h"

namespace fake {
namespace {

using Numbers = std::vector<double>;

Numbers loadAll(cudnnDataType_t type, const void* data, int64_t from, int64_t count) {
  Numbers values(static_cast<size_t>(count));
  // Null: zeros.
  for (int64_t i = 0; data && i < count; i++) values[static_cast<size_t>(i)] = load(type, data, from + i);
  return values;
}
void storeAll(cudnnDataType_t type, void* data, int64_t from, const double* values, int64_t count) {
  for (int64_t i = 0; data && i < count; i++) store(type, data, from + i, values[i]);
}
double rounded(cudnnDataType_t type, double value) {
  alignas(8) char memory[8];
  store(type, memory, 0, value);
  return load(type, memory, 0);
}

// ---- the reserve ----------------------------------------------------------------------------------------------------

// A sum that tells whether the same numbers are given again.
class Checksum {
 public:
  Checksum& add(uint64_t number) {
    for (int byte = 0; byte < 8; byte++) sum_ = (sum_ ^ (number >> 8 * byte & 0xff)) * 0x100000001b3u;
    return *this;
  }
  Checksum& add(const Numbers& values) {
    for (const double value : values) {
      uint64_t bits;
      std::memcpy(&bits, &value, sizeof bits);
      add(bits);
    }
    return *this;
  }
  uint64_t value() const { return sum_; }

 private:
  uint64_t sum_ = 0xcbf29ce484222325u;
};

enum ReserveState : uint64_t { kForwardDone = 0x666f7277617264, kBackwardDataDone = 0x6261636b77617264 };

// It begins with what tells whose it is. The rest are float64: the outputs of all layers but the last, then what each
// step of each pseudo layer keeps.
struct ReserveHeader {
  uint64_t state, problem, x, y, h0, c0, weights;
};
constexpr size_t kReserveTail = 40;

// What an element of a step keeps. The gates become their gradients when the gradients of the data are made; `saved`
// is c after the step (LSTM) or a product with the state (GRU), which becomes its gradient.
struct Kept {
  double gates[4];
  double saved;
  double cellBefore;
};

uint64_t problemOf(const RecurrentCall& call) {
  const Recurrence& r = call.recurrence;
  Checksum sum;
  for (const int64_t number : {int64_t{r.cell}, int64_t{r.addsBias}, r.directions, int64_t{r.type},
                               int64_t{r.tensorFloat32}, r.inputSize, r.hiddenSize, r.layers})
    sum.add(static_cast<uint64_t>(number));
  for (const int64_t length : call.sequences.lengths) sum.add(static_cast<uint64_t>(length));
  return sum.value();
}

// ---- the layers of a call -------------------------------------------------------------------------------------------

// The memory of a call as numbers, and what all three passes do with it.
class Layers {
 public:
  explicit Layers(const RecurrentCall& call)
      : call(call),
        r(call.recurrence),
        space(r),
        H(r.hiddenSize),
        G(r.gates()),
        B(call.sequences.batch()),
        T(call.sequences.steps()),
        rows(call.sequences.rows()),
        first(call.sequences.firstRows()) {
    // It may be used.
    std::memset(call.workspace, 0xff, call.workspaceBytes);
  }

  const RecurrentCall& call;
  const Recurrence& r;
  const WeightSpace space;
  const int64_t H, G, B, T, rows;

  // Calls f(step, sequence, row) in the order in which a direction goes through the steps, or backwards.
  template <class F>
  void eachRow(int64_t pseudoLayer, bool backwards, F&& f) const {
    const bool descends = isReverse(pseudoLayer) != backwards;
    for (int64_t i = 0; i < T; i++) {
      const int64_t t = descends ? T - 1 - i : i, alive = call.sequences.batchAt(t);
      for (int64_t b = 0; b < alive; b++) f(t, b, first[static_cast<size_t>(t)] + b);
    }
  }
  bool isReverse(int64_t pseudoLayer) const { return pseudoLayer % r.directions == 1; }
  // Of the pseudo layer in a row of the outputs of its layer.
  int64_t outputAt(int64_t pseudoLayer, int64_t row) const {
    return row * r.outputSize() + pseudoLayer % r.directions * H;
  }

  // An operand of a product.
  double operand(double value) const { return r.tensorFloat32 ? roundToTF32(value) : value; }

  // h or c of a pseudo layer, by sequence.
  Numbers state(const void* data, int64_t pseudoLayer) const {
    return loadAll(r.type, data, pseudoLayer * B * H, B * H);
  }
  void storeState(void* data, int64_t pseudoLayer, const Numbers& values) const {
    storeAll(r.type, data, pseudoLayer * B * H, values.data(), B * H);
  }

  Numbers matrix(int64_t pseudoLayer, int64_t linearLayer) const {
    return loadAll(r.type, call.weights, space.at(pseudoLayer, linearLayer).matrix,
                   H * r.columns(pseudoLayer, linearLayer));
  }
  Numbers bias(int64_t pseudoLayer, int64_t linearLayer) const {
    if (!r.addsBias) return Numbers(static_cast<size_t>(H));
    return loadAll(r.type, call.weights, space.at(pseudoLayer, linearLayer).bias, H);
  }
  std::vector<Numbers> matrices(int64_t pseudoLayer) const {
    std::vector<Numbers> all;
    for (int64_t i = 0; i < r.linearLayers(); i++) {
      all.push_back(matrix(pseudoLayer, i));
      for (double& value : all.back()) value = operand(value);
    }
    return all;
  }

  // The inputs of a layer and its outputs, which backward has from the caller and from the reserve.
  Numbers inputs(int64_t layer) const {
    return layer == 0 ? loadAll(r.type, call.x, 0, rows * r.inputSize) : outputs(layer - 1);
  }
  Numbers outputs(int64_t layer) const {
    if (layer == r.layers - 1) return loadAll(r.type, call.y, 0, rows * r.outputSize());
    const double* from = keptOutputs(layer);
    return Numbers(from, from + rows * r.outputSize());
  }
  // The state before a step: of the step before in this direction, or h0.
  const double* stateBefore(const Numbers& outputs, const Numbers& h0, int64_t pseudoLayer, int64_t t,
                            int64_t b) const {
    const int64_t before = isReverse(pseudoLayer) ? t + 1 : t - 1;
    if (before < 0 || before >= call.sequences.lengths[static_cast<size_t>(b)]) return &h0[static_cast<size_t>(b * H)];
    return &outputs[static_cast<size_t>(outputAt(pseudoLayer, first[static_cast<size_t>(before)] + b))];
  }

  ReserveHeader& header() const { return *static_cast<ReserveHeader*>(call.reserve); }
  double* keptOutputs(int64_t layer) const {
    return reinterpret_cast<double*>(&header() + 1) + layer * rows * r.outputSize();
  }
  Kept& kept(int64_t pseudoLayer, int64_t row, int64_t j) const {
    return reinterpret_cast<Kept*>(keptOutputs(r.layers - 1))[(pseudoLayer * rows + row) * H + j];
  }

  uint64_t sumOf(const void* data, int64_t count) const {
    return Checksum().add(loadAll(r.type, data, 0, count)).value();
  }
  uint64_t sumOfX() const { return sumOf(call.x, rows * r.inputSize); }
  uint64_t sumOfY() const { return sumOf(call.y, rows * r.outputSize()); }
  uint64_t sumOfState(const void* data) const { return sumOf(data, r.pseudoLayers() * B * H); }
  uint64_t sumOfWeights() const {
    Checksum sum;
    for (int64_t p = 0; p < r.pseudoLayers(); p++)
      for (int64_t i = 0; i < r.linearLayers(); i++) sum.add(matrix(p, i)).add(bias(p, i));
    return sum.value();
  }

 private:
  const std::vector<int64_t> first;
};

double dot(const double* a, const double* b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}
// to += factor * row
void addRow(double* to, double factor, const double* row, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] += factor * row[i];
}

// ---- cells ----------------------------------------------------------------------------------------------------------

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// From the products with the input and with the state, biases added: the state after; c is updated.
double cellForward(cudnnRNNMode_t cell, const double* x, const double* hidden, double h, double& c, Kept& kept) {
  double* const gates = kept.gates;
  switch (cell) {
    case CUDNN_LSTM:
      for (const int g : {0, 1, 3}) gates[g] = sigmoid(x[g] + hidden[g]);
      gates[2] = std::tanh(x[2] + hidden[2]);
      kept.cellBefore = c;
      kept.saved = c = gates[1] * c + gates[0] * gates[2];
      return gates[3] * std::tanh(c);
    case CUDNN_GRU:
      for (const int g : {0, 1}) gates[g] = sigmoid(x[g] + hidden[g]);
      gates[2] = std::tanh(x[2] + gates[0] * hidden[2]);
      kept.saved = hidden[2];
      return (1 - gates[1]) * gates[2] + gates[1] * h;
    case CUDNN_RNN_TANH: return gates[0] = std::tanh(x[0] + hidden[0]);
    case CUDNN_RNN_RELU: {
      const double sum = x[0] + hidden[0];
      return gates[0] = sum <= 0 ? 0 : sum;  // NaN stays
    }
  }
  die("an unknown cell");
}

// From the gradients of h and c after the step, and h before it: the gates' gradients in the place of the gates.
// Returns what reaches h before without a product; dc becomes the gradient of c before.
double cellBackward(cudnnRNNMode_t cell, double dh, double& dc, double h, Kept& kept) {
  double* const gates = kept.gates;
  switch (cell) {
    case CUDNN_LSTM: {
      const double i = gates[0], f = gates[1], g = gates[2], o = gates[3], squashed = std::tanh(kept.saved);
      const double after = dc + dh * o * (1 - squashed * squashed);
      gates[0] = after * g * i * (1 - i);
      gates[1] = after * kept.cellBefore * f * (1 - f);
      gates[2] = after * i * (1 - g * g);
      gates[3] = dh * squashed * o * (1 - o);
      dc = after * f;
      return 0;
    }
    case CUDNN_GRU: {
      const double reset = gates[0], z = gates[1], n = gates[2];
      gates[2] = dh * (1 - z) * (1 - n * n);
      gates[1] = dh * (h - n) * z * (1 - z);
      gates[0] = gates[2] * kept.saved * reset * (1 - reset);
      kept.saved = gates[2] * reset;
      return dh * z;
    }
    case CUDNN_RNN_TANH: gates[0] = dh * (1 - gates[0] * gates[0]); return 0;
    case CUDNN_RNN_RELU: gates[0] = gates[0] > 0 ? dh : 0; return 0;
  }
  die("an unknown cell");
}

// The gradient of a product, once backward has made them: with the input (linear layers of the first half) or with the
// state.
double productGradient(const Recurrence& r, const Kept& kept, int64_t linearLayer) {
  const int64_t gate = linearLayer % r.gates();
  const bool apart = r.cell == CUDNN_GRU && gate == 2 && linearLayer >= r.gates();
  return apart ? kept.saved : kept.gates[gate];
}

// ---- passes over one pseudo layer -----------------------------------------------------------------------------------

void forwardOf(const Layers& layers, int64_t pseudoLayer, const Numbers& inputs, Numbers& outputs) {
  const Recurrence& r = layers.r;
  const int64_t H = layers.H, G = layers.G, width = r.columns(pseudoLayer, 0);
  const std::vector<Numbers> matrices = layers.matrices(pseudoLayer);
  std::vector<Numbers> biases;
  for (int64_t i = 0; i < r.linearLayers(); i++) biases.push_back(layers.bias(pseudoLayer, i));
  Numbers h = layers.state(layers.call.h0, pseudoLayer), c = layers.state(layers.call.c0, pseudoLayer);
  Numbers x(static_cast<size_t>(width)), before(static_cast<size_t>(H));
  layers.eachRow(pseudoLayer, false, [&](int64_t, int64_t b, int64_t row) {
    double* const state = &h[static_cast<size_t>(b * H)];
    for (int64_t k = 0; k < width; k++)
      x[static_cast<size_t>(k)] = layers.operand(inputs[static_cast<size_t>(row * width + k)]);
    for (int64_t k = 0; k < H; k++) before[static_cast<size_t>(k)] = layers.operand(state[k]);
    for (int64_t j = 0; j < H; j++) {
      double products[8];
      for (int64_t i = 0; i < 2 * G; i++) {
        const int64_t count = i < G ? width : H;
        const auto linear = static_cast<size_t>(i);
        products[i] = biases[linear][static_cast<size_t>(j)] +
                      dot(&matrices[linear][static_cast<size_t>(j * count)], i < G ? x.data() : before.data(), count);
      }
      Kept kept{};
      // In inference there is nowhere to keep it.
      Kept& slot = layers.call.reserve ? layers.kept(pseudoLayer, row, j) : kept;
      state[j] = rounded(
          r.type, cellForward(r.cell, products, products + G, state[j], c[static_cast<size_t>(b * H + j)], slot));
    }
    std::copy_n(state, H, &outputs[static_cast<size_t>(layers.outputAt(pseudoLayer, row))]);
  });
  layers.storeState(layers.call.hN, pseudoLayer, h);
  layers.storeState(layers.call.cN, pseudoLayer, c);
}

// Adds to the gradients of the inputs.
void backwardDataOf(const Layers& layers, int64_t pseudoLayer, const Numbers& outputs, const Numbers& doutputs,
                    Numbers& dinputs) {
  const Recurrence& r = layers.r;
  const int64_t H = layers.H, G = layers.G, width = r.columns(pseudoLayer, 0);
  const std::vector<Numbers> matrices = layers.matrices(pseudoLayer);
  const Numbers h0 = layers.state(layers.call.h0, pseudoLayer);
  Numbers dh = layers.state(layers.call.dhN, pseudoLayer), dc = layers.state(layers.call.dcN, pseudoLayer);
  Numbers past(static_cast<size_t>(H));
  layers.eachRow(pseudoLayer, true, [&](int64_t t, int64_t b, int64_t row) {
    const double* const before = layers.stateBefore(outputs, h0, pseudoLayer, t, b);
    double* const gradient = &dh[static_cast<size_t>(b * H)];
    addRow(gradient, 1, &doutputs[static_cast<size_t>(layers.outputAt(pseudoLayer, row))], H);
    for (int64_t j = 0; j < H; j++)
      past[static_cast<size_t>(j)] = cellBackward(r.cell, gradient[j], dc[static_cast<size_t>(b * H + j)], before[j],
                                                  layers.kept(pseudoLayer, row, j));
    std::copy_n(past.data(), H, gradient);
    for (int64_t i = 0; i < 2 * G; i++) {
      const int64_t count = i < G ? width : H;
      double* const to = i < G ? &dinputs[static_cast<size_t>(row * width)] : gradient;
      for (int64_t j = 0; j < H; j++)
        addRow(to, layers.operand(productGradient(r, layers.kept(pseudoLayer, row, j), i)),
               &matrices[static_cast<size_t>(i)][static_cast<size_t>(j * count)], count);
    }
  });
  layers.storeState(layers.call.dh0, pseudoLayer, dh);
  layers.storeState(layers.call.dc0, pseudoLayer, dc);
}

void addWeightGradients(const Layers& layers, int64_t pseudoLayer, const Numbers& inputs, const Numbers& outputs) {
  const Recurrence& r = layers.r;
  const int64_t H = layers.H;
  const Numbers h0 = layers.state(layers.call.h0, pseudoLayer);
  const auto add = [&](int64_t place, const Numbers& gradients) {
    for (size_t i = 0; i < gradients.size(); i++) {
      const int64_t at = place + static_cast<int64_t>(i);
      store(r.type, layers.call.dweights, at, load(r.type, layers.call.dweights, at) + gradients[i]);
    }
  };
  for (int64_t i = 0; i < r.linearLayers(); i++) {
    const int64_t count = r.columns(pseudoLayer, i);
    Numbers dmatrix(static_cast<size_t>(H * count)), dbias(static_cast<size_t>(H)), values(static_cast<size_t>(count));
    layers.eachRow(pseudoLayer, true, [&](int64_t t, int64_t b, int64_t row) {
      const double* const from =
          i < layers.G ? &inputs[static_cast<size_t>(row * count)] : layers.stateBefore(outputs, h0, pseudoLayer, t, b);
      std::transform(from, from + count, values.begin(), [&](double value) { return layers.operand(value); });
      for (int64_t j = 0; j < H; j++) {
        const double gradient = productGradient(r, layers.kept(pseudoLayer, row, j), i);
        addRow(&dmatrix[static_cast<size_t>(j * count)], layers.operand(gradient), values.data(), count);
        dbias[static_cast<size_t>(j)] += gradient;
      }
    });
    const WeightPlace& place = layers.space.at(pseudoLayer, i);
    add(place.matrix, dmatrix);
    if (r.addsBias) add(place.bias, dbias);
  }
}

}  // namespace

size_t reserveBytes(const Recurrence& r, const Sequences& sequences) {
  const auto elements = static_cast<size_t>(sequences.rows() * r.pseudoLayers() * r.hiddenSize);
  const auto outputs = static_cast<size_t>(sequences.rows() * (r.layers - 1) * r.outputSize());
  return sizeof(ReserveHeader) + sizeof(double) * outputs + sizeof(Kept) * elements + kReserveTail;
}

void computeForward(const RecurrentCall& call) {
  if (call.reserve) std::memset(call.reserve, 0xff, call.reserveBytes);
  const Layers layers(call);
  const Recurrence& r = call.recurrence;
  Numbers values = layers.inputs(0);
  for (int64_t layer = 0; layer < r.layers; layer++) {
    Numbers outputs(static_cast<size_t>(layers.rows * r.outputSize()));
    for (int64_t d = 0; d < r.directions; d++) forwardOf(layers, layer * r.directions + d, values, outputs);
    values = std::move(outputs);
    if (call.reserve && layer < r.layers - 1) std::copy(values.begin(), values.end(), layers.keptOutputs(layer));
  }
  storeAll(r.type, call.result, 0, values.data(), static_cast<int64_t>(values.size()));
  if (call.reserve)
    layers.header() = {kForwardDone,
                       problemOf(call),
                       layers.sumOfX(),
                       layers.sumOfY(),
                       layers.sumOfState(call.h0),
                       layers.sumOfState(call.c0),
                       layers.sumOfWeights()};
}

void computeBackwardData(const RecurrentCall& call) {
  const Layers layers(call);
  const Recurrence& r = call.recurrence;
  ReserveHeader& header = layers.header();
  demand(header.state != kBackwardDataDone, "a reserve that a backward has used up");
  demand(header.state == kForwardDone && header.problem == problemOf(call), "a reserve of no such training forward");
  demand(header.y == layers.sumOfY() && header.h0 == layers.sumOfState(call.h0) &&
             header.c0 == layers.sumOfState(call.c0) && header.weights == layers.sumOfWeights(),
         "gradients with another y, h0, c0 or other weights than the forward's");
  header.state = kBackwardDataDone;
  Numbers gradients = loadAll(r.type, call.dy, 0, layers.rows * r.outputSize());
  for (int64_t layer = r.layers - 1; layer >= 0; layer--) {
    const Numbers outputs = layers.outputs(layer);
    Numbers dinputs(static_cast<size_t>(layers.rows * r.inputsOf(layer)));
    for (int64_t d = 0; d < r.directions; d++)
      backwardDataOf(layers, layer * r.directions + d, outputs, gradients, dinputs);
    gradients = std::move(dinputs);
    for (double& value : gradients) value = rounded(r.type, value);
  }
  storeAll(r.type, call.dx, 0, gradients.data(), static_cast<int64_t>(gradients.size()));
}

void computeBackwardWeights(const RecurrentCall& call) {
  const Layers layers(call);
  const Recurrence& r = call.recurrence;
  const ReserveHeader& header = layers.header();
  demand(header.state == kBackwardDataDone, "gradients of weights before those of the data");
  demand(header.problem == problemOf(call), "a reserve of no such training forward");
  demand(header.x == layers.sumOfX() && header.y == layers.sumOfY() && header.h0 == layers.sumOfState(call.h0),
         "gradients with another x, y or h0 than the forward's");
  for (int64_t layer = 0; layer < r.layers; layer++) {
    const Numbers inputs = layers.inputs(layer), outputs = layers.outputs(layer);
    for (int64_t d = 0; d < r.directions; d++) addWeightGradients(layers, layer * r.directions + d, inputs, outputs);
  }
}

}  // namespace fake
