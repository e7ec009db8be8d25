// Convolutions and their gradients, by the definition, and a bias added to one.
#include <algorithm>
#include <array>

#include "fake_cudnn.h"

namespace fake {
namespace {

// The three operations, and what each calls its attributes.
struct Operation {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t convolution, x, weight, y, alpha, beta;
};
constexpr Operation kForward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
constexpr Operation kBackwardData{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
constexpr Operation kBackwardWeight{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                    CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};

const Operation* operationOf(const Descriptor& descriptor) {
  for (const Operation* operation : {&kForward, &kBackwardData, &kBackwardWeight})
    if (operation->type == descriptor.type) return operation;
  return nullptr;
}

struct Problem {
  const Operation* operation;
  Tensor x, weight, y;
  std::vector<int64_t> before, after, stride, dilation;
  int64_t groups;
  Tensor bias, result;  // the bias: of rank 0 if there is none
};

Problem problemOf(const Descriptor& descriptor) {
  Problem p{};
  p.operation = operationOf(descriptor);
  const auto tensor = [&](cudnnBackendAttributeName_t name) {
    return tensorOf(descriptor.other(name, CUDNN_BACKEND_TENSOR_DESCRIPTOR));
  };
  p.x = tensor(p.operation->x), p.weight = tensor(p.operation->weight), p.y = tensor(p.operation->y);
  const Descriptor& convolution = descriptor.other(p.operation->convolution, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  p.before = convolution.all<int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
  p.after = convolution.all<int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
  p.stride = convolution.all<int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
  p.dilation = convolution.all<int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS);
  const bool wide = p.x.type == CUDNN_DATA_DOUBLE;
  demand(convolution.one<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) ==
             (wide ? CUDNN_DATA_DOUBLE : CUDNN_DATA_FLOAT),
         "sums of another type");
  for (const cudnnBackendAttributeName_t name : {p.operation->alpha, p.operation->beta}) {
    const bool isDouble = descriptor.attributes.at(name).type == CUDNN_TYPE_DOUBLE;
    demand(isDouble == wide, "a factor of another type than the sums");
    const double value = isDouble ? descriptor.one<double>(name) : descriptor.one<float>(name);
    demand(value == (name == p.operation->alpha ? 1 : 0), "a factor that is not used here");
  }
  return p;
}

void checkProblem(Problem& p) {
  const size_t rank = p.x.shape.size(), spatial = rank - 2;
  demand(rank == 4 || rank == 5, "neither two nor three spatial dimensions");
  demand(p.weight.shape.size() == rank && p.y.shape.size() == rank, "ranks that differ");
  demand(p.before.size() == spatial && p.after.size() == spatial && p.stride.size() == spatial &&
             p.dilation.size() == spatial,
         "numbers of a convolution of another rank");
  demand(p.x.type == p.weight.type, "operands of different types");
  demand(p.x.shape[0] == p.y.shape[0], "different numbers of images");
  demand(p.x.shape[1] % p.weight.shape[1] == 0, "channels that are no multiple of a group's");
  p.groups = p.x.shape[1] / p.weight.shape[1];
  demand(p.weight.shape[0] == p.y.shape[1] && p.y.shape[1] % p.groups == 0, "channels that do not fit");
  for (size_t d = 0; d < spatial; d++) {
    demand(p.before[d] >= 0 && p.after[d] >= 0 && p.stride[d] >= 1 && p.dilation[d] >= 1, "a number out of range");
    const int64_t room =
        p.x.shape[2 + d] + p.before[d] + p.after[d] - (p.dilation[d] * (p.weight.shape[2 + d] - 1) + 1);
    demand(room >= 0 && room / p.stride[d] + 1 == p.y.shape[2 + d], "sizes that do not fit");
  }
}

// Calls f with the offsets of each product of the sums in x, weight and y; all tensors of five dimensions.
template <class F>
void eachProduct(const Problem& p, F&& f) {
  // What two spatial dimensions lack comes first of them, behind `at` other numbers.
  const auto filled = [](const std::vector<int64_t>& numbers, size_t at, int64_t filling) {
    std::array<int64_t, 5> all{};
    const size_t lacking = at + 3 - numbers.size();
    for (size_t i = 0; i < at + 3; i++)
      all[i] = i < at ? numbers[i] : i < at + lacking ? filling : numbers[i - lacking];
    return all;
  };
  const auto y = filled(p.y.shape, 2, 1), w = filled(p.weight.shape, 2, 1), x = filled(p.x.shape, 2, 1);
  const auto ys = filled(p.y.strides, 2, 0), ws = filled(p.weight.strides, 2, 0), xs = filled(p.x.strides, 2, 0);
  const auto before = filled(p.before, 0, 0), stride = filled(p.stride, 0, 1), dilation = filled(p.dilation, 0, 1);
  const int64_t outs = y[1] / p.groups;
  int64_t at[3], tap[3];
  for (int64_t n = 0; n < y[0]; n++)
    for (int64_t k = 0; k < y[1]; k++)
      for (at[0] = 0; at[0] < y[2]; at[0]++)
        for (at[1] = 0; at[1] < y[3]; at[1]++)
          for (at[2] = 0; at[2] < y[4]; at[2]++)
            for (tap[0] = 0; tap[0] < w[2]; tap[0]++)
              for (tap[1] = 0; tap[1] < w[3]; tap[1]++)
                for (tap[2] = 0; tap[2] < w[4]; tap[2]++) {
                  int64_t xAt = n * xs[0], wAt = k * ws[0], yAt = n * ys[0] + k * ys[1];
                  bool inside = true;
                  for (size_t d = 0; d < 3; d++) {
                    const int64_t place = at[d] * stride[d] - before[d] + tap[d] * dilation[d];
                    inside = inside && place >= 0 && place < x[2 + d];
                    xAt += place * xs[2 + d];
                    wAt += tap[d] * ws[2 + d];
                    yAt += at[d] * ys[2 + d];
                  }
                  if (!inside) continue;
                  for (int64_t c = 0; c < w[1]; c++) f(xAt + (k / outs * w[1] + c) * xs[1], wAt + c * ws[1], yAt);
                }
}

void compute(const Problem& p, const Memory& memory, bool tf32) {
  const Tensor& result = p.operation == &kForward ? p.y : p.operation == &kBackwardData ? p.x : p.weight;
  std::vector<double> sums(static_cast<size_t>(result.bytes() / sizeOf(result.type)));
  const auto value = [&](const Tensor& tensor, int64_t at) {
    const double loaded = load(tensor.type, memory.at(tensor.id), at);
    return tf32 ? roundToTF32(loaded) : loaded;
  };
  eachProduct(p, [&](int64_t x, int64_t w, int64_t y) {
    if (p.operation == &kForward)
      sums[static_cast<size_t>(y)] += value(p.x, x) * value(p.weight, w);
    else if (p.operation == &kBackwardData)
      sums[static_cast<size_t>(x)] += value(p.y, y) * value(p.weight, w);
    else
      sums[static_cast<size_t>(w)] += value(p.y, y) * value(p.x, x);
  });
  std::vector<int64_t> index(result.shape.size());
  for (int64_t i = 0; i < result.count(); i++) {
    int64_t rest = i, at = 0, to = 0;
    for (size_t d = index.size(); d-- > 0;) {
      const int64_t place = rest % result.shape[d];
      rest /= result.shape[d];
      at += place * result.strides[d];
      to += place * p.result.strides[d];
      index[d] = place;
    }
    double sum = sums[static_cast<size_t>(at)];
    if (!p.bias.shape.empty()) sum += load(p.bias.type, memory.at(p.bias.id), index[1] * p.bias.strides[1]);
    store(p.result.type, memory.at(p.result.id), to, sum);
  }
}

void check(const Descriptor& descriptor) {
  if (operationOf(descriptor)) {
    Problem p = problemOf(descriptor);
    checkProblem(p);
  } else if (descriptor.type == CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR) {
    demand(descriptor.one<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) == CUDNN_CROSS_CORRELATION,
           "a convolution that turns its kernel");
    const auto spatial = descriptor.one<int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
    for (const auto name : {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS,
                            CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_ATTR_CONVOLUTION_DILATIONS})
      demand(descriptor.attributes.at(name).count == spatial, "numbers of a convolution of another rank");
  }
}

std::shared_ptr<Program> program(const std::vector<const Descriptor*>& operations) {
  if (operations.empty() || operations.size() > 2 || !operationOf(*operations[0])) return nullptr;
  auto p = std::make_shared<Problem>(problemOf(*operations[0]));
  checkProblem(*p);
  auto made = std::make_shared<Program>();
  made->data = p->x.type;
  p->result = p->operation == &kForward ? p->y : p->operation == &kBackwardData ? p->x : p->weight;
  for (const Tensor* tensor : {&p->x, &p->weight, &p->y})
    if (tensor->id != p->result.id) made->inputs.push_back(*tensor);
  if (operations.size() == 2) {
    // The real one has no engine for a bias that is added to a gradient.
    if (p->operation != &kForward || operations[1]->type != CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR)
      return nullptr;
    const Descriptor& add =
        operations[1]->other(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    demand(add.one<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE) == CUDNN_POINTWISE_ADD, "no sum");
    const auto tensor = [&](cudnnBackendAttributeName_t name) {
      return tensorOf(operations[1]->other(name, CUDNN_BACKEND_TENSOR_DESCRIPTOR));
    };
    const Tensor from = tensor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
    demand(from.id == p->result.id && from.isVirtual, "a bias that is added to something else");
    p->bias = tensor(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    p->result = tensor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
    demand(p->result.shape == from.shape, "a sum of another shape");
    demand(p->bias.shape.size() == from.shape.size() && p->bias.count() == from.shape[1] &&
               p->bias.shape[1] == from.shape[1],
           "a bias of another shape");
    made->inputs.push_back(p->bias);
    made->addsBias = true;
  }
  demand(!p->result.isVirtual && p->result.type == made->data, "a result that is not in memory, or of another type");
  made->outputs.push_back(p->result);
  made->compute = [p](const Memory& memory, bool tf32) { compute(*p, memory, tf32); };
  return made;
}

std::vector<AttributeRule> rules() {
  std::vector<AttributeRule> all;
  const auto convolution = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t most = 1) {
    all.push_back({CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, name, type, 1, most});
  };
  convolution(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE);
  convolution(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE);
  convolution(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64);
  convolution(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3);
  convolution(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3);
  convolution(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3);
  convolution(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3);
  for (const Operation* operation : {&kForward, &kBackwardData, &kBackwardWeight}) {
    for (const auto name : {operation->convolution, operation->x, operation->weight, operation->y})
      all.push_back({operation->type, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1});
    // Of either type: problemOf says which.
    for (const auto name : {operation->alpha, operation->beta})
      for (const auto type : {CUDNN_TYPE_FLOAT, CUDNN_TYPE_DOUBLE}) all.push_back({operation->type, name, type, 1, 1});
  }
  all.push_back({CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, 1});
  all.push_back({CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, 1});
  for (const auto name : {CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                          CUDNN_ATTR_OPERATION_POINTWISE_YDESC})
    all.push_back({CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1});
  // Not of functions of one argument.
  all.push_back({CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1, false});
  return all;
}

}  // namespace

const Family& convolutions() {
  static const Family family{rules(), check, program};
  return family;
}

}  // namespace fake
