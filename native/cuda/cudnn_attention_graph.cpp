#if defined(THALWEG_HAS_CUDNN)
#include "cuda/cudnn_attention_graph.h"

#include <algorithm>

namespace thalweg::cuda {
namespace {

using Shape = std::vector<int64_t>;

Shape packedStrides(const Shape& shape) {
  Shape strides(shape.size());
  int64_t step = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

Shape turned(const Shape& x) { return {x[0], x[1], x[3], x[2]}; }

// A tensor of the graph, and what operations on it have to know.
struct Node {
  CudnnDescriptor* descriptor;
  Shape shape, strides;
};

// The operations of attention, each of which makes a tensor between operations, or the one that is given.
class Nodes {
 public:
  Nodes(CudnnGraph& graph, cudnnDataType_t data) : graph_(graph), data_(data) {}

  Node operand(int64_t id, const Shape& shape, const Shape& strides) {
    return add({id, data_, shape, strides, 16}, shape, strides);
  }
  Node packed(int64_t id, cudnnDataType_t type, const Shape& shape) {
    const Shape strides = packedStrides(shape);
    return add({id, type, shape, strides, 16}, shape, strides);
  }
  Node number(int64_t id) {
    CudnnTensor tensor{id, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, 4};
    tensor.isByValue = true;
    return add(tensor, tensor.shape, tensor.strides);
  }
  Node between(cudnnDataType_t type, const Shape& shape, const Shape& strides) {
    CudnnTensor tensor{next_++, type, shape, strides, 16};
    tensor.isVirtual = true;
    return add(tensor, shape, strides);
  }
  Node between(cudnnDataType_t type, const Shape& shape) { return between(type, shape, packedStrides(shape)); }

  Node multiply(const Node& a, const Node& b, const Node& to) {
    CudnnDescriptor& matmul = graph_.descriptor(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    matmul.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT).finalize();
    graph_.operation(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATION_MATMUL_DESC, matmul)
        .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, *a.descriptor)
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, *b.descriptor)
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, *to.descriptor)
        .finalize();
    return to;
  }
  Node reduce(cudnnReduceTensorOp_t how, const Node& x, const Node& to) {
    CudnnDescriptor& reduction = graph_.descriptor(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    reduction.set(CUDNN_ATTR_REDUCTION_OPERATOR, how)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_REDUCTION_IS_DETERMINISTIC, true)
        .finalize();
    graph_.operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, reduction)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, *x.descriptor)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, *to.descriptor)
        .finalize();
    return to;
  }
  // The same elements, in the order of their strides.
  Node reshape(const Node& x, const Node& to) {
    graph_.operation(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, *x.descriptor)
        .set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, *to.descriptor)
        .finalize();
    return to;
  }
  Node map(cudnnPointwiseMode_t mode, const Node& x, const Node* b, const Node& to) {
    return map(mode, CUDNN_DATA_FLOAT, x, b, nullptr, to);
  }
  Node map(cudnnPointwiseMode_t mode, const Node& x, const Node* b = nullptr) {
    return map(mode, x, b, between(CUDNN_DATA_FLOAT, x.shape));
  }
  // Scores where the row sees the key, elsewhere the least number.
  Node seen(const Node& scores, const Node& least) {
    const Node row = index(scores, 2), key = index(scores, 3);
    const Node sees =
        map(CUDNN_POINTWISE_CMP_GE, CUDNN_DATA_BOOLEAN, row, &key, nullptr, between(CUDNN_DATA_BOOLEAN, scores.shape));
    return map(CUDNN_POINTWISE_BINARY_SELECT, CUDNN_DATA_FLOAT, scores, &least, &sees,
               between(CUDNN_DATA_FLOAT, scores.shape));
  }

 private:
  Node add(const CudnnTensor& tensor, const Shape& shape, const Shape& strides) {
    return {&graph_.tensor(tensor), shape, strides};
  }
  Node map(cudnnPointwiseMode_t mode, cudnnDataType_t precision, const Node& x, const Node* b, const Node* predicate,
           const Node& to) {
    CudnnDescriptor& pointwise = graph_.descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    pointwise.set(CUDNN_ATTR_POINTWISE_MODE, mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, precision).finalize();
    operate(pointwise, x, b, predicate, to);
    return to;
  }
  Node index(const Node& like, int64_t axis) {
    CudnnDescriptor& pointwise = graph_.descriptor(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    pointwise.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_GEN_INDEX)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_INT32)
        .set(CUDNN_ATTR_POINTWISE_AXIS, axis)
        .finalize();
    const Node to = between(CUDNN_DATA_INT32, like.shape);
    operate(pointwise, like, nullptr, nullptr, to);
    return to;
  }
  void operate(const CudnnDescriptor& pointwise, const Node& x, const Node* b, const Node* predicate, const Node& to) {
    CudnnDescriptor& operation = graph_.operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x.descriptor);
    if (b) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b->descriptor);
    if (predicate) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, *predicate->descriptor);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *to.descriptor).finalize();
  }

  CudnnGraph& graph_;
  const cudnnDataType_t data_;
  int64_t next_ = 100;  // number of the next tensor between operations
};

int64_t largestDivisor(int64_t of, int64_t atMost) {
  for (int64_t divisor = std::max<int64_t>(std::min(of, atMost), 1);; divisor--)
    if (of % divisor == 0) return divisor;
}

Shape shapeOf(const HeadStrides& strides) { return {strides.begin(), strides.end()}; }

}  // namespace

CudnnRules CudnnAttention::rules() const {
  CudnnRules rules = cudnnRules(dtype);
  rules.mostWorkspace = kMostAttentionWorkspace;
  rules.mostPlans = kMostAttentionPlans;
  return rules;
}

CudnnKey CudnnAttention::key() const {
  CudnnKey key = {static_cast<int64_t>(CudnnFamily::Attention),
                  static_cast<int64_t>(dtype),
                  backward,
                  causal,
                  batch,
                  heads,
                  keyHeads,
                  rows,
                  keys,
                  width,
                  valueWidth};
  for (const HeadStrides* strides : {&q, &k, &v, &out}) key.insert(key.end(), strides->begin(), strides->end());
  if (backward)
    for (const HeadStrides* strides : {&g, &gq, &gk, &gv}) key.insert(key.end(), strides->begin(), strides->end());
  return key;
}

int64_t CudnnAttention::workspace() const {
  const auto tiles = [](int64_t count) { return (count + 127) / 128 * 128; };
  const int64_t ofHeads = heads == keyHeads ? 0 : keys * (width + valueWidth);
  return 2 * batch * heads * (tiles(rows) * tiles(keys) + ofHeads);
}

CudnnAttention CudnnAttention::part() const {
  CudnnAttention some = *this;
  const auto atOnce = [&](int64_t of) {
    return largestDivisor(of, kMostCudnnWorkspace / std::max<int64_t>(some.workspace(), 1));
  };
  some.batch = 1;
  some.batch = atOnce(batch);
  if (some.batch > 1) return some;
  some.heads = heads / keyHeads;
  some.keyHeads = 1;
  some.keyHeads = atOnce(keyHeads);
  some.heads *= some.keyHeads;
  return some;
}

// The kernels are found by the shape of the graph: the order of the operations, and those that seem superfluous,
// matter.
void CudnnAttention::describe(CudnnGraph& graph) const {
  const cudnnDataType_t data = cudnnTypeOf(dtype);
  Nodes nodes(graph, data);
  const Shape scoresShape = {batch, heads, rows, keys}, rowShape = {batch, heads, rows, 1};
  const Shape keyShape = {batch, keyHeads, keys, width}, valueShape = {batch, keyHeads, keys, valueWidth};
  const Node scale = nodes.number(kCudnnScale);
  const auto scores = [&](const Node& queries, const Node& turnedKeys) {
    const Node products = nodes.multiply(queries, turnedKeys, nodes.between(CUDNN_DATA_FLOAT, scoresShape));
    return nodes.map(CUDNN_POINTWISE_MUL, products, &scale);
  };
  const Node queries = nodes.operand(kCudnnQ, {batch, heads, rows, width}, shapeOf(q));
  const Node turnedKeys = nodes.operand(kCudnnK, turned(keyShape), turned(shapeOf(k)));
  const Node results = nodes.operand(kCudnnOut, {batch, heads, rows, valueWidth}, shapeOf(out));
  const Node logSums = nodes.packed(kCudnnLogSums, CUDNN_DATA_FLOAT, rowShape);

  if (!backward) {
    const Node values = nodes.operand(kCudnnV, valueShape, shapeOf(v));
    Node x = scores(queries, turnedKeys);
    if (causal) x = nodes.seen(x, nodes.number(kCudnnLeast));
    const Node largest = nodes.reduce(CUDNN_REDUCE_TENSOR_MAX, x, nodes.between(CUDNN_DATA_FLOAT, rowShape));
    const Node powers = nodes.map(CUDNN_POINTWISE_EXP, nodes.map(CUDNN_POINTWISE_SUB, x, &largest));
    const Node sums = nodes.reduce(CUDNN_REDUCE_TENSOR_ADD, powers, nodes.between(CUDNN_DATA_FLOAT, rowShape));
    const Node logs = nodes.map(CUDNN_POINTWISE_LOG, sums);
    nodes.map(CUDNN_POINTWISE_ADD, largest, &logs, logSums);
    const Node probabilities = nodes.map(CUDNN_POINTWISE_DIV, powers, &sums, nodes.between(data, scoresShape));
    nodes.multiply(probabilities, values, results);
    return;
  }

  const Node turnedValues = nodes.operand(kCudnnV, turned(valueShape), turned(shapeOf(v)));
  const Node gradient = nodes.operand(kCudnnG, {batch, heads, rows, valueWidth}, shapeOf(g));
  const Node ofQueries = nodes.operand(kCudnnGq, {batch, heads, rows, width}, shapeOf(gq));
  const Node ofKeys = nodes.operand(kCudnnGk, keyShape, shapeOf(gk));
  const Node ofValues = nodes.operand(kCudnnGv, valueShape, shapeOf(gv));
  const Node one = nodes.number(kCudnnOne), deltas = nodes.packed(kCudnnDeltas, CUDNN_DATA_FLOAT, rowShape);
  const Node elementwise =
      nodes.map(CUDNN_POINTWISE_MUL, gradient, &results, nodes.between(CUDNN_DATA_FLOAT, results.shape));
  const Node rowSums = nodes.reduce(CUDNN_REDUCE_TENSOR_ADD, elementwise, nodes.between(CUDNN_DATA_FLOAT, rowShape));
  nodes.map(CUDNN_POINTWISE_MUL, rowSums, &one, deltas);

  Node x = nodes.map(CUDNN_POINTWISE_SUB, scores(queries, turnedKeys), &logSums);
  if (causal) x = nodes.seen(x, nodes.number(kCudnnLeast));
  const Node probabilities = nodes.map(CUDNN_POINTWISE_EXP, x);

  // The gradient of keys or values: sums over the rows, and over the heads that share them.
  const Shape turnedScores = turned(scoresShape), turnedStrides = turned(packedStrides(scoresShape));
  const auto sumOverRows = [&](const Node& weights, const Node& rowsOf, const Node& to) {
    const Node left = nodes.reshape(weights, nodes.between(data, turnedScores, turnedStrides));
    if (heads == keyHeads) {
      nodes.multiply(left, rowsOf, to);
      return;
    }
    const Node each = nodes.multiply(left, rowsOf, nodes.between(data, {batch, heads, keys, to.shape[3]}));
    nodes.reduce(CUDNN_REDUCE_TENSOR_ADD, each, to);
  };
  sumOverRows(probabilities, gradient, ofValues);
  const Node ofProbabilities = nodes.multiply(gradient, turnedValues, nodes.between(CUDNN_DATA_FLOAT, scoresShape));
  const Node centred = nodes.map(CUDNN_POINTWISE_SUB, ofProbabilities, &deltas);
  const Node ofScores = nodes.map(CUDNN_POINTWISE_MUL, centred, &probabilities);
  const Node scaled = nodes.map(CUDNN_POINTWISE_MUL, ofScores, &scale);
  sumOverRows(scaled, queries, ofKeys);
  const Node keysAgain = nodes.reshape(turnedKeys, nodes.between(data, keyShape, shapeOf(k)));
  // Straight into the result: with float32 sums in memory of their own the kernels would add to them in any order.
  nodes.multiply(scaled, keysAgain, ofQueries);
}

}  // namespace thalweg::cuda
#endif
