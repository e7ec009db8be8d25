// Attention and its gradients: the operations of the graph one after the other in double, each result rounded to the
// type of its tensor. Only graphs of the two orders that the real one has kernels for are known.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "fake_cudnn.h"

namespace fake {
namespace {

constexpr int64_t kMostWidth = 256;

enum class Kind { Matmul, Reduction, Reshape, Pointwise };

struct Operation {
  Kind kind;
  cudnnPointwiseMode_t mode;
  cudnnReduceTensorOp_t reduction;
  int64_t axis;
  std::vector<Tensor> operands;  // x, b, predicate; a and b of a product
  Tensor result;
};

// ---- the graph ------------------------------------------------------------------------------------------------------

bool isTypeOf(const Descriptor& descriptor, cudnnBackendAttributeName_t name, cudnnDataType_t type) {
  return descriptor.one<cudnnDataType_t>(name) == type;
}

Operation operationOf(const Descriptor& descriptor) {
  const auto tensor = [&](cudnnBackendAttributeName_t name) {
    return tensorOf(descriptor.other(name, CUDNN_BACKEND_TENSOR_DESCRIPTOR));
  };
  Operation o{};
  o.axis = -1;
  switch (descriptor.type) {
    case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: {
      o.kind = Kind::Matmul;
      const Descriptor& matmul = descriptor.other(CUDNN_ATTR_OPERATION_MATMUL_DESC, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
      demand(isTypeOf(matmul, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT), "products of another type");
      o.operands = {tensor(CUDNN_ATTR_OPERATION_MATMUL_ADESC), tensor(CUDNN_ATTR_OPERATION_MATMUL_BDESC)};
      o.result = tensor(CUDNN_ATTR_OPERATION_MATMUL_CDESC);
      return o;
    }
    case CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR: {
      o.kind = Kind::Reduction;
      const Descriptor& how = descriptor.other(CUDNN_ATTR_OPERATION_REDUCTION_DESC, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
      demand(isTypeOf(how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT), "a reduction of another type");
      demand(how.one<char>(CUDNN_ATTR_REDUCTION_IS_DETERMINISTIC) == 1, "a reduction in any order");
      o.reduction = how.one<cudnnReduceTensorOp_t>(CUDNN_ATTR_REDUCTION_OPERATOR);
      o.operands = {tensor(CUDNN_ATTR_OPERATION_REDUCTION_XDESC)};
      o.result = tensor(CUDNN_ATTR_OPERATION_REDUCTION_YDESC);
      return o;
    }
    case CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR:
      o.kind = Kind::Reshape;
      o.operands = {tensor(CUDNN_ATTR_OPERATION_RESHAPE_XDESC)};
      o.result = tensor(CUDNN_ATTR_OPERATION_RESHAPE_YDESC);
      return o;
    default: break;
  }
  o.kind = Kind::Pointwise;
  const Descriptor& how =
      descriptor.other(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  o.mode = how.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  if (how.has(CUDNN_ATTR_POINTWISE_AXIS)) o.axis = how.one<int64_t>(CUDNN_ATTR_POINTWISE_AXIS);
  o.operands = {tensor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)};
  for (const auto name : {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_ATTR_OPERATION_POINTWISE_TDESC})
    if (descriptor.has(name)) o.operands.push_back(tensor(name));
  o.result = tensor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
  const bool indexes = o.mode == CUDNN_POINTWISE_GEN_INDEX;
  const bool compares = o.mode == CUDNN_POINTWISE_CMP_GE;
  const cudnnDataType_t type = indexes ? CUDNN_DATA_INT32 : compares ? CUDNN_DATA_BOOLEAN : CUDNN_DATA_FLOAT;
  demand(isTypeOf(how, CUDNN_ATTR_POINTWISE_MATH_PREC, type), "a function computed in another type");
  demand(!(indexes || compares) || o.result.type == type, "an index or a comparison of another type");
  demand(indexes == (o.axis >= 0), "an index without an axis, or an axis of something else");
  const bool one = indexes || o.mode == CUDNN_POINTWISE_EXP || o.mode == CUDNN_POINTWISE_LOG;
  const size_t arguments = one ? 1 : o.mode == CUDNN_POINTWISE_BINARY_SELECT ? 3 : 2;
  demand(o.operands.size() == arguments, "a function with more arguments, or fewer");
  return o;
}

// In one letter for each operation.
char letterOf(const Operation& o) {
  if (o.kind == Kind::Matmul) return 'P';
  if (o.kind == Kind::Reshape) return 'r';
  if (o.kind == Kind::Reduction) return o.reduction == CUDNN_REDUCE_TENSOR_MAX ? 'M' : 'S';
  switch (o.mode) {
    case CUDNN_POINTWISE_ADD: return '+';
    case CUDNN_POINTWISE_SUB: return '-';
    case CUDNN_POINTWISE_MUL: return '*';
    case CUDNN_POINTWISE_DIV: return '/';
    case CUDNN_POINTWISE_EXP: return 'e';
    case CUDNN_POINTWISE_LOG: return 'l';
    case CUDNN_POINTWISE_GEN_INDEX: return 'i';
    case CUDNN_POINTWISE_CMP_GE: return '>';
    case CUDNN_POINTWISE_BINARY_SELECT: return '?';
  }
  die("an unknown function");
}

bool isKnown(const std::string& order) {
  for (const std::string& mask : {std::string(), std::string("ii>?")}) {
    if (order == "P*" + mask + "M-eSl+/P") return true;
    for (const std::string& grouped : {std::string(), std::string("S")})
      if (order == "*S*P*-" + mask + "erP" + grouped + "P-**rP" + grouped + "rP") return true;
  }
  return false;
}

bool isNarrow(cudnnDataType_t type) { return type == CUDNN_DATA_HALF || type == CUDNN_DATA_BFLOAT16; }

// What the kernels demand of operands and results in memory.
bool isTaken(const Tensor& tensor) {
  demand(tensor.shape.size() == 4, "a tensor of attention that has no 4 dimensions");
  if (!isNarrow(tensor.type)) {
    demand(tensor.type == CUDNN_DATA_FLOAT, "a number of a type that attention does not take");
    return true;
  }
  demand(tensor.alignment == 16, "an operand that is not aligned to 16 bytes");
  // Keys and values may come turned.
  const bool turned = tensor.strides[3] != 1;
  const size_t width = turned ? 2 : 3;
  demand(tensor.strides[width] == 1, "an operand whose rows do not lie contiguously");
  for (size_t d = 0; d < 4; d++)
    demand(d == width || tensor.shape[d] == 1 || tensor.strides[d] % 8 == 0, "a step that is no multiple of 16 bytes");
  return tensor.shape[width] % 8 == 0 && tensor.shape[width] <= kMostWidth;
}

// ---- values ---------------------------------------------------------------------------------------------------------

using Index = std::vector<int64_t>;

// Calls f with each index in order.
template <class F>
void each(const Index& shape, F f) {
  Index at(shape.size(), 0);
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  for (int64_t i = 0; i < count; i++) {
    f(at, i);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
}

int64_t offsetOf(const Index& at, const Index& strides) {
  int64_t offset = 0;
  for (size_t d = 0; d < at.size(); d++) offset += at[d] * strides[d];
  return offset;
}

// Elements in the order of their indices.
struct Values {
  Index shape;
  std::vector<double> numbers;

  // Of a size that the shape divides: consecutive indices share an element.
  double at(const Index& index, const Index& of) const {
    int64_t place = 0;
    for (size_t d = 0; d < shape.size(); d++) place = place * shape[d] + index[d] / (of[d] / shape[d]);
    return numbers[static_cast<size_t>(place)];
  }
};

class Interpreter {
 public:
  explicit Interpreter(const Memory& memory) : memory_(memory) {}

  void run(const Operation& o) {
    Values result{o.result.shape, std::vector<double>(static_cast<size_t>(o.result.count()))};
    switch (o.kind) {
      case Kind::Matmul: multiply(read(o.operands[0]), read(o.operands[1]), result); break;
      case Kind::Reduction: reduce(o, read(o.operands[0]), result); break;
      case Kind::Reshape: reshape(o, read(o.operands[0]), result); break;
      case Kind::Pointwise: map(o, result); break;
    }
    write(o.result, std::move(result));
  }

 private:
  Values read(const Tensor& tensor) const {
    if (tensor.isVirtual) return between_.at(tensor.id);
    Values values{tensor.shape, std::vector<double>(static_cast<size_t>(tensor.count()))};
    each(tensor.shape, [&](const Index& at, int64_t i) {
      values.numbers[static_cast<size_t>(i)] = load(tensor.type, memory_.at(tensor.id), offsetOf(at, tensor.strides));
    });
    return values;
  }
  void write(const Tensor& tensor, Values values) {
    if (!tensor.isVirtual) {
      each(tensor.shape, [&](const Index& at, int64_t i) {
        store(tensor.type, memory_.at(tensor.id), offsetOf(at, tensor.strides), values.numbers[static_cast<size_t>(i)]);
      });
      return;
    }
    if (isNarrow(tensor.type))
      for (double& number : values.numbers) {
        uint16_t rounded;
        store(tensor.type, &rounded, 0, number);
        number = load(tensor.type, &rounded, 0);
      }
    between_[tensor.id] = std::move(values);
  }

  static void multiply(const Values& a, const Values& b, Values& c) {
    const int64_t depth = a.shape[3];
    each(c.shape, [&](const Index& at, int64_t i) {
      double sum = 0;
      for (int64_t k = 0; k < depth; k++)
        sum += a.at({at[0], at[1], at[2], k}, {c.shape[0], c.shape[1], c.shape[2], depth}) *
               b.at({at[0], at[1], k, at[3]}, {c.shape[0], c.shape[1], depth, c.shape[3]});
      c.numbers[static_cast<size_t>(i)] = sum;
    });
  }
  static void reduce(const Operation& o, const Values& x, Values& y) {
    const bool largest = o.reduction == CUDNN_REDUCE_TENSOR_MAX;
    std::fill(y.numbers.begin(), y.numbers.end(), largest ? -HUGE_VAL : 0);
    each(x.shape, [&](const Index& at, int64_t i) {
      int64_t place = 0;
      for (size_t d = 0; d < 4; d++) place = place * y.shape[d] + at[d] / (x.shape[d] / y.shape[d]);
      double& to = y.numbers[static_cast<size_t>(place)];
      const double value = x.numbers[static_cast<size_t>(i)];
      to = largest ? std::max(to, value) : to + value;
    });
  }
  // The element of y is that of x that has its place in memory.
  static void reshape(const Operation& o, const Values& x, Values& y) {
    std::unordered_map<int64_t, double> places;
    each(x.shape, [&](const Index& at, int64_t i) {
      places[offsetOf(at, o.operands[0].strides)] = x.numbers[static_cast<size_t>(i)];
    });
    each(y.shape, [&](const Index& at, int64_t i) {
      const auto found = places.find(offsetOf(at, o.result.strides));
      demand(found != places.end(), "a reshape to other places");
      y.numbers[static_cast<size_t>(i)] = found->second;
    });
  }
  void map(const Operation& o, Values& y) const {
    std::vector<Values> operands;
    if (o.mode != CUDNN_POINTWISE_GEN_INDEX)
      for (const Tensor& tensor : o.operands) operands.push_back(read(tensor));
    each(y.shape, [&](const Index& at, int64_t i) {
      const auto argument = [&](size_t k) { return operands[k].at(at, y.shape); };
      double value = 0;
      switch (o.mode) {
        case CUDNN_POINTWISE_ADD: value = argument(0) + argument(1); break;
        case CUDNN_POINTWISE_SUB: value = argument(0) - argument(1); break;
        case CUDNN_POINTWISE_MUL: value = argument(0) * argument(1); break;
        case CUDNN_POINTWISE_DIV: value = argument(0) / argument(1); break;
        case CUDNN_POINTWISE_EXP: value = std::exp(argument(0)); break;
        case CUDNN_POINTWISE_LOG: value = std::log(argument(0)); break;
        case CUDNN_POINTWISE_GEN_INDEX: value = static_cast<double>(at[static_cast<size_t>(o.axis)]); break;
        case CUDNN_POINTWISE_CMP_GE: value = argument(0) >= argument(1); break;
        case CUDNN_POINTWISE_BINARY_SELECT: value = argument(2) != 0 ? argument(0) : argument(1); break;
      }
      y.numbers[static_cast<size_t>(i)] = value;
    });
  }

  const Memory& memory_;
  std::unordered_map<int64_t, Values> between_;
};

// ---- the family -----------------------------------------------------------------------------------------------------

// Whether each size of a divides that of b.
bool divides(const Index& a, const Index& b, size_t dimensions) {
  for (size_t d = 0; d < dimensions; d++)
    if (b[d] % a[d] != 0) return false;
  return true;
}

void checkShapes(const Operation& o) {
  const Index& to = o.result.shape;
  for (const Tensor& tensor : o.operands) demand(tensor.shape.size() == 4, "an operand that has no 4 dimensions");
  demand(to.size() == 4, "a result that has no 4 dimensions");
  const Index& x = o.operands[0].shape;
  switch (o.kind) {
    case Kind::Matmul: {
      const Index& b = o.operands[1].shape;
      demand(x[3] == b[2] && x[2] == to[2] && b[3] == to[3], "matrices that do not fit");
      demand(divides(x, to, 2) && divides(b, to, 2), "batches of matrices that do not fit");
      demand(isNarrow(o.operands[0].type) || o.operands[0].isVirtual, "a product of wide numbers");
      return;
    }
    case Kind::Reduction: demand(divides(to, x, 4), "a reduction to a shape that does not divide"); return;
    case Kind::Reshape: demand(o.result.count() == o.operands[0].count(), "a reshape to more elements"); return;
    case Kind::Pointwise:
      for (const Tensor& tensor : o.operands)
        for (size_t d = 0; d < 4; d++)
          demand(tensor.shape[d] == 1 || tensor.shape[d] == to[d], "an operand that does not broadcast");
  }
}

std::shared_ptr<Program> program(const std::vector<const Descriptor*>& descriptors) {
  auto operations = std::make_shared<std::vector<Operation>>();
  std::string order;
  for (const Descriptor* descriptor : descriptors) {
    if (descriptor->type != CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR &&
        descriptor->type != CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR &&
        descriptor->type != CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR &&
        descriptor->type != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      return nullptr;
    operations->push_back(operationOf(*descriptor));
    checkShapes(operations->back());
    order += letterOf(operations->back());
  }
  if (!isKnown(order)) return nullptr;

  auto made = std::make_shared<Program>();
  std::map<int64_t, Tensor> inputs, outputs;
  std::map<int64_t, bool> between;  // what was made, and whether it was used
  bool taken = true;
  made->data = CUDNN_DATA_FLOAT;
  for (const Operation& o : *operations) {
    for (const Tensor& tensor : o.operands) {
      if (tensor.isVirtual) {
        demand(between.count(tensor.id), "an operand that is made later, or never");
        between[tensor.id] = true;
      } else if (!outputs.count(tensor.id)) {
        demand(!tensor.isByValue || (tensor.count() == 1 && tensor.type == CUDNN_DATA_FLOAT), "no number by value");
        taken = isTaken(tensor) && taken;
        if (isNarrow(tensor.type)) made->data = tensor.type;
        inputs[tensor.id] = tensor;
      }
    }
    demand(!o.result.isByValue && !inputs.count(o.result.id), "a result in the place of an operand");
    if (o.result.isVirtual) {
      demand(between.emplace(o.result.id, false).second, "a tensor that is made twice");
    } else {
      taken = isTaken(o.result) && taken;
      demand(outputs.emplace(o.result.id, o.result).second, "a result that is made twice");
    }
  }
  for (const auto& [id, used] : between) demand(used, "a tensor between operations that is not used");
  if (!taken) return nullptr;
  for (const auto& [id, tensor] : inputs) made->inputs.push_back(tensor);
  for (const auto& [id, tensor] : outputs) made->outputs.push_back(tensor);
  made->compute = [operations](const Memory& memory, bool) {
    Interpreter interpreter(memory);
    for (const Operation& o : *operations) interpreter.run(o);
  };
  return made;
}

std::vector<AttributeRule> rules() {
  std::vector<AttributeRule> all;
  const auto add = [&](cudnnBackendDescriptorType_t descriptor, cudnnBackendAttributeName_t name,
                       cudnnBackendAttributeType_t type, bool required = true) {
    all.push_back({descriptor, name, type, 1, 1, required});
  };
  add(CUDNN_BACKEND_MATMUL_DESCRIPTOR, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE);
  add(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE);
  add(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE);
  add(CUDNN_BACKEND_REDUCTION_DESCRIPTOR, CUDNN_ATTR_REDUCTION_IS_DETERMINISTIC, CUDNN_TYPE_BOOLEAN);
  add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, false);
  for (const auto name : {CUDNN_ATTR_OPERATION_MATMUL_DESC, CUDNN_ATTR_OPERATION_MATMUL_ADESC,
                          CUDNN_ATTR_OPERATION_MATMUL_BDESC, CUDNN_ATTR_OPERATION_MATMUL_CDESC})
    add(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, name, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  for (const auto name : {CUDNN_ATTR_OPERATION_REDUCTION_DESC, CUDNN_ATTR_OPERATION_REDUCTION_XDESC,
                          CUDNN_ATTR_OPERATION_REDUCTION_YDESC})
    add(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR, name, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  for (const auto name : {CUDNN_ATTR_OPERATION_RESHAPE_XDESC, CUDNN_ATTR_OPERATION_RESHAPE_YDESC})
    add(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR, name, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  add(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR,
      false);
  return all;
}

}  // namespace

const Family& attentions() {
  // A graph is checked as a whole.
  static const Family family{rules(), [](const Descriptor&) {}, program};
  return family;
}

}  // namespace fake
