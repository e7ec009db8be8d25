// Stacks of recurrent layers, which cuDNN computes at once where it can: here the operands are checked. Layers one by
// one: rnn.cu.
#include "cuda/cudnn_rnn.h"
#include "cuda/kernel.h"
#include "operands/rnn.h"

namespace thalweg::cuda {
namespace {

constexpr int kScratchOfUnwanted = 2, kScratchOfZeros = 3;

const void* dataOf(const TensorView& view) { return view.defined ? view.data : nullptr; }
void* memoryOf(const TensorView& view) { return view.defined ? view.data : nullptr; }

struct StackOperands {
  const char* op;
  RnnStack stack{};
  int64_t rows = 0;

  StackOperands(const char* op, const TensorView& y, const TensorView& x, const TensorList& weights,
                const Scalars& lengths, int64_t batch, int64_t kind, int64_t layers, bool bidirectional, bool tf32)
      : op(op) {
    if (kind < 0 || kind > static_cast<int64_t>(Cell::Relu))
      fail(ErrorKind::Native, "%s: cell %lld is unknown", op, static_cast<long long>(kind));
    if (!isFloating(x.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", op, dtypeName(x.dtype));
    if (x.ndim != 2 || y.ndim != 2)
      fail(ErrorKind::Shape, "%s: x %s and y %s must have 2 dimensions", op, shapeText(x).c_str(),
           shapeText(y).c_str());
    stack = {x.dtype, kind, layers, bidirectional ? 2 : 1, x.shape[1], 0, batch, 0, false, tf32, nullptr};
    rows = x.shape[0];
    // Of each layer and direction there are two weights, or two and two biases.
    const int64_t count = weights.count, directions = stack.directions;
    if (layers < 1 || layers > count || (count != layers * directions * 2 && count != layers * directions * 4))
      fail(ErrorKind::Native, "%s: %lld weights are not those of %lld layers", op, static_cast<long long>(count),
           static_cast<long long>(layers));
    stack.bias = count == layers * directions * 4;
    stack.hiddenSize = y.shape[1] / directions;
    if (stack.hiddenSize < 1 || stack.inputSize < 1 || batch < 1 || rows < 1)
      fail(ErrorKind::Shape, "%s: x %s and y %s: nothing may be empty", op, shapeText(x).c_str(), shapeText(y).c_str());
    readLengths(lengths);
    check("x", x, {rows, stack.inputSize});
    check("y", y, {rows, stack.hiddenSize * directions});
  }

  void check(const char* name, const TensorView& view, std::initializer_list<int64_t> shape) const {
    if (!view.defined) fail(ErrorKind::Native, "%s: %s is missing", op, name);
    if (view.dtype != stack.dtype)
      fail(ErrorKind::DType, "%s: %s is %s, not %s", op, name, dtypeName(view.dtype), dtypeName(stack.dtype));
    bool fits = view.ndim == static_cast<int>(shape.size());
    for (int d = 0; fits && d < view.ndim; d++) fits = view.shape[d] == shape.begin()[d];
    if (!fits) fail(ErrorKind::Shape, "%s: %s has shape %s, which does not fit", op, name, shapeText(view).c_str());
    if (!view.isContiguous()) fail(ErrorKind::Shape, "%s: %s is not contiguous", op, name);
  }
  void checkIfGiven(const char* name, const TensorView& view, std::initializer_list<int64_t> shape) const {
    if (view.defined) check(name, view, shape);
  }
  void checkState(const char* name, const TensorView& view) const {
    checkIfGiven(name, view, {stack.layers * stack.directions, stack.batch, stack.hiddenSize});
  }
  // Of cell states, which only an LSTM has.
  void checkCell(const char* name, const TensorView& view) const {
    if (view.defined && static_cast<Cell>(stack.kind) != Cell::Lstm)
      fail(ErrorKind::Native, "%s: %s is only of an LSTM", op, name);
    checkState(name, view);
  }
  void checkWeights(const TensorList& weights) const {
    const int64_t columns = gatesOf(static_cast<Cell>(stack.kind)) * stack.hiddenSize, of = stack.bias ? 4 : 2;
    for (int64_t i = 0; i < weights.count; i++) {
      const int64_t layer = i / (of * stack.directions);
      const int64_t input = layer == 0 ? stack.inputSize : stack.directions * stack.hiddenSize;
      if (i % of < 2)
        check("a weight", weights[i], {columns, i % of == 0 ? input : stack.hiddenSize});
      else
        check("a bias", weights[i], {columns});
    }
  }
  void checkReserve(const TensorView& reserve) const {
    if (reserve.defined && (reserve.dtype != DType::UInt8 || reserve.ndim != 1 || !reserve.isContiguous()))
      fail(ErrorKind::Shape, "%s: the reserve must be uint8, contiguous and of one dimension", op);
  }

 private:
  void readLengths(const Scalars& lengths) {
    if (lengths.count == 0) {
      if (rows % stack.batch != 0)
        fail(ErrorKind::Shape, "%s: %lld rows are no steps of a batch of %lld", op, static_cast<long long>(rows),
             static_cast<long long>(stack.batch));
      stack.steps = rows / stack.batch;
      return;
    }
    if (lengths.count != stack.batch)
      fail(ErrorKind::Shape, "%s: there are %lld lengths for a batch of %lld", op,
           static_cast<long long>(lengths.count), static_cast<long long>(stack.batch));
    int64_t total = 0;
    double last = static_cast<double>(rows);
    for (int64_t b = 0; b < lengths.count; b++) {
      const double length = lengths[b];
      // Also of a NaN.
      if (!(length >= 1 && length <= last) || length != static_cast<double>(static_cast<int64_t>(length)))
        fail(ErrorKind::Shape, "%s: lengths[%lld] is %g, after %g", op, static_cast<long long>(b), length, last);
      last = length;
      total += static_cast<int64_t>(length);
      if (total > rows) break;
    }
    if (total != rows)
      fail(ErrorKind::Shape, "%s: lengths do not add up to %lld rows", op, static_cast<long long>(rows));
    stack.steps = static_cast<int64_t>(lengths[0]);
    stack.lengths = lengths.items;
  }
};

}  // namespace

void rnnStack(Context& context, const TensorView& y, const TensorView& hN, const OptionalTensor& cN,
              const OptionalTensor& reserve, const TensorView& x, const OptionalTensor& h0, const OptionalTensor& c0,
              TensorList weights, Scalars lengths, int64_t kind, int64_t layers, bool bidirectional, bool tf32) {
  if (hN.ndim != 3) fail(ErrorKind::Shape, "rnnStack: hN %s must have 3 dimensions", shapeText(hN).c_str());
  const StackOperands s("rnnStack", y, x, weights, lengths, hN.shape[1], kind, layers, bidirectional, tf32);
  s.checkState("hN", hN);
  s.checkCell("cN", cN);
  s.checkState("h0", h0);
  s.checkCell("c0", c0);
  s.checkWeights(weights);
  s.checkReserve(reserve);
  cudnnRnnForward(queueOf(context), s.stack,
                  {x.data, dataOf(h0), dataOf(c0), y.data, hN.data, memoryOf(cN), memoryOf(reserve),
                   reserve.defined ? reserve.numel() : 0, weights});
}

void rnnStackBackward(Context& context, const OptionalTensor& dx, const OptionalTensor& dh0, const OptionalTensor& dc0,
                      TensorList dweights, const OptionalTensor& g, const OptionalTensor& gN,
                      const OptionalTensor& gCell, const TensorView& reserve, const TensorView& y, const TensorView& x,
                      const OptionalTensor& h0, const OptionalTensor& c0, TensorList weights, Scalars lengths,
                      int64_t batch, int64_t kind, int64_t layers, bool bidirectional, bool tf32) {
  const StackOperands s("rnnStackBackward", y, x, weights, lengths, batch, kind, layers, bidirectional, tf32);
  s.checkIfGiven("dx", dx, {s.rows, s.stack.inputSize});
  s.checkIfGiven("g", g, {s.rows, s.stack.hiddenSize * s.stack.directions});
  s.checkState("dh0", dh0);
  s.checkState("gN", gN);
  s.checkState("h0", h0);
  s.checkCell("dc0", dc0);
  s.checkCell("gCell", gCell);
  s.checkCell("c0", c0);
  s.checkWeights(weights);
  if (dweights.count != 0 && dweights.count != weights.count)
    fail(ErrorKind::Native, "rnnStackBackward: %lld gradients of %lld weights", static_cast<long long>(dweights.count),
         static_cast<long long>(weights.count));
  if (dweights.count != 0) s.checkWeights(dweights);
  s.checkReserve(reserve);

  Queue& queue = queueOf(context);
  const int64_t item = itemSize(s.stack.dtype);
  // cuDNN always computes the one and reads the other.
  void* const ofInput = dx.defined ? dx.data : queue.scratch(kScratchOfUnwanted, x.numel() * item);
  const void* ofOutput = dataOf(g);
  if (!ofOutput) {
    void* const zeros = queue.scratch(kScratchOfZeros, y.numel() * item);
    checkCuda(cudaMemsetAsync(zeros, 0, static_cast<size_t>(y.numel() * item), queue.stream), "clearing a gradient");
    ofOutput = zeros;
  }
  cudnnRnnBackward(queue, s.stack,
                   {x.data, y.data, dataOf(h0), dataOf(c0), ofOutput, dataOf(gN), dataOf(gCell), ofInput, memoryOf(dh0),
                    memoryOf(dc0), reserve.data, reserve.numel(), weights, dweights});
}

}  // namespace thalweg::cuda
