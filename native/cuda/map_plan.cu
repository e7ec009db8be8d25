#include "cuda/map_plan.h"

#include <cstring>

#include "cuda/programs.h"
#include "operands/map.h"

namespace thalweg::cuda {
namespace {

// Dimensions go in the order of the first output's strides, so that an update of a transposed tensor walks through
// memory in order, and are merged as far as the strides of all operands allow.
MapSpace makeSpace(const TensorView* items, int operands) {
  const TensorView& first = items[0];
  int order[kMaxDims], n = 0;
  for (int d = 0; d < first.ndim; d++) {
    if (first.shape[d] == 1) continue;
    int at = n++;
    for (; at > 0 && first.strides[order[at - 1]] < first.strides[d]; at--) order[at] = order[at - 1];
    order[at] = d;
  }
  const auto strideOf = [&](int k, int d) -> int64_t {
    const TensorView& v = items[k];
    const int own = d - (first.ndim - v.ndim);
    return own < 0 || v.shape[own] == 1 ? 0 : v.strides[own];
  };

  MapSpace space;
  int64_t shape[kMaxDims];
  std::vector<int64_t> strides(static_cast<size_t>(operands) * kMaxDims);  // [operand][dim]
  const auto at = [&](int k, int d) -> int64_t& {
    return strides[static_cast<size_t>(k) * kMaxDims + static_cast<size_t>(d)];
  };
  int ndim = 0;
  for (int i = 0; i < n; i++) {
    const int64_t size = first.shape[order[i]];
    bool merge = ndim > 0;
    for (int k = 0; k < operands && merge; k++) merge = at(k, ndim - 1) == strideOf(k, order[i]) * size;
    if (!merge) shape[ndim++] = 1;
    shape[ndim - 1] *= size;
    for (int k = 0; k < operands; k++) at(k, ndim - 1) = strideOf(k, order[i]);
  }
  if (ndim == 0) shape[ndim++] = 1;  // one element: strides of 0

  space.dims = ndim - 1;
  space.length = shape[space.dims];
  for (int d = 0; d < space.dims; d++) space.rows *= space.shape[d] = shape[d];
  space.linear = space.dims == 0;
  for (int k = 0; k < operands; k++) {
    const int64_t inner = at(k, space.dims);
    space.linear = space.linear && (inner == 1 || inner == 0);
    for (int d = 0; d < ndim; d++) space.strides.push_back(at(k, d));
    space.dtypes.push_back(static_cast<uint8_t>(items[k].dtype));
  }
  return space;
}

// Which operands' rows can be read in whole vectors of `width` elements.
void findPacked(MapSpace& space, const TensorView* items, int operands, int width) {
  for (int k = 0; k < operands; k++) {
    const int64_t* strides = space.strides.data() + k * (space.dims + 1);
    const int64_t bytes = width * itemSize(items[k].dtype);
    bool packed = strides[space.dims] == 1 && bytes <= 16 &&
                  reinterpret_cast<uintptr_t>(items[k].data) % static_cast<uintptr_t>(bytes) == 0;
    for (int d = 0; d < space.dims; d++) packed = packed && strides[d] % width == 0;
    space.packed.push_back(packed);
  }
}

}  // namespace

MapPlan::MapPlan(const Program& program, TensorList tensors, Scalars scalars)
    : program_(program), scalars_(scalars), operands_(program.outputs + program.inputs) {
  const int64_t groups = checkGroups(program, tensors);
  spaces_.reserve(static_cast<size_t>(groups));
  for (int64_t g = 0; g < groups; g++) {
    const TensorView* items = tensors.items + g * operands_;
    if (checkGroup(program, items, g) == 0) continue;
    MapSpace space = makeSpace(items, operands_);
    space.type = programComputeType(program, scalars, items, operands_);
    checkProgram(program, space.type, scalars);
    findPacked(space, items, operands_, space.type == ComputeType::Float32 ? kVector<float> : kVector<double>);
    spaces_.push_back({std::move(space), items});
  }
}

bool MapPlan::alike(const MapSpace& a, const MapSpace& b) {
  return a.type == b.type && a.linear == b.linear && a.dims == b.dims && a.dtypes == b.dtypes;
}

MapLaunch MapPlan::begin(const MapSpace& space) const {
  MapLaunch launch{};
  launch.type = space.type;
  MapArguments& a = launch.arguments;
  a.scalars = program_.scalars;
  a.linear = space.linear;
  a.dims = space.dims;
  const int masks = 2 * maskWords(operands_);
  a.groupWords = kGroupHeader + a.dims + operands_ + masks + (space.linear ? 0 : operands_ * (a.dims + 1));
  std::memcpy(a.dtypes, space.dtypes.data(), space.dtypes.size());
  for (int64_t i = 0; i < scalars_.count; i++) launch.words.push_back(__builtin_bit_cast(int64_t, scalars_[i]));
  return launch;
}

void MapPlan::append(MapLaunch& launch, const Group& group, int threads) const {
  const MapSpace& space = group.space;
  MapArguments& a = launch.arguments;
  const int64_t width = space.type == ComputeType::Float32 ? kVector<float> : kVector<double>;
  const int64_t vectors = space.rows * ((space.length + width - 1) / width);
  std::vector<int64_t>& words = launch.words;
  words.push_back(a.tiles);
  words.push_back(space.rows);
  words.push_back(space.length);
  for (int d = 0; d < space.dims; d++) words.push_back(space.shape[d]);
  for (int k = 0; k < operands_; k++)
    words.push_back(static_cast<int64_t>(reinterpret_cast<uintptr_t>(group.items[k].data)));
  const int masks = maskWords(operands_);
  std::vector<uint64_t> bits(static_cast<size_t>(2 * masks));
  for (int k = 0; k < operands_; k++) {
    const auto word = static_cast<size_t>(k / 64);
    const uint64_t bit = uint64_t{1} << k % 64;
    if (space.packed[static_cast<size_t>(k)]) bits[word] |= bit;
    if (space.strides[static_cast<size_t>(k * (space.dims + 1) + space.dims)] == 0)
      bits[static_cast<size_t>(masks) + word] |= bit;
  }
  for (uint64_t word : bits) words.push_back(static_cast<int64_t>(word));
  if (!space.linear) words.insert(words.end(), space.strides.begin(), space.strides.end());
  a.groups++;
  a.tiles += (vectors + threads - 1) / threads;
}

}  // namespace thalweg::cuda
