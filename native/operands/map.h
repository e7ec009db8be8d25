// The operands of map, and what mapUnless is steered by, checked.
#pragma once
#include "operands/check.h"

namespace THALWEG_KERNELS {
namespace {

inline void checkView(const Program& p, const TensorView& v, const char* role, int64_t index) {
  const auto number = static_cast<long long>(index);
  if (!v.defined) fail(ErrorKind::Native, "%s: %s %lld is undefined", p.name.c_str(), role, number);
  if (v.ndim > kMaxDims || static_cast<int>(v.dtype) >= kDTypeCount)
    fail(ErrorKind::Native, "%s: %s %lld has ndim %d and dtype %d", p.name.c_str(), role, number, v.ndim,
         static_cast<int>(v.dtype));
}

// The number of elements of a group.
inline int64_t checkGroup(const Program& p, const TensorView* items, int64_t group) {
  const TensorView& first = items[0];
  int64_t n = 1;
  for (int k = 0; k < p.outputs; k++) {
    const TensorView& out = items[k];
    checkView(p, out, "output", k);
    if (k > 0 && !sameShape(first, out))
      fail(ErrorKind::Shape, "%s: output %d of group %lld has shape %s, output 0 has %s", p.name.c_str(), k,
           static_cast<long long>(group), shapeText(out).c_str(), shapeText(first).c_str());
    n = out.numel();
    for (int d = 0; n > 0 && d < out.ndim; d++)
      if (out.shape[d] > 1 && out.strides[d] == 0)
        fail(ErrorKind::Shape, "%s: output %d of group %lld is expanded along dimension %d", p.name.c_str(), k,
             static_cast<long long>(group), d);
    if (n > 0 && out.data == nullptr) fail(ErrorKind::Native, "%s: output %d has no memory", p.name.c_str(), k);
  }
  for (int i = 0; i < p.inputs; i++) {
    const TensorView& in = items[p.outputs + i];
    checkView(p, in, "input", i);
    const int missing = first.ndim - in.ndim;
    bool fits = missing >= 0;
    for (int d = 0; fits && d < in.ndim; d++) fits = in.shape[d] == first.shape[d + missing] || in.shape[d] == 1;
    if (!fits)
      fail(ErrorKind::Shape, "%s: input %d of group %lld, shape %s, does not broadcast to the output's shape %s",
           p.name.c_str(), i, static_cast<long long>(group), shapeText(in).c_str(), shapeText(first).c_str());
    if (n > 0 && in.data == nullptr) fail(ErrorKind::Native, "%s: input %d has no memory", p.name.c_str(), i);
  }
  return n;
}

// The number of groups that the tensors are.
inline int64_t checkGroups(const Program& p, TensorList tensors) {
  const int64_t perGroup = p.outputs + p.inputs;
  if (tensors.count < 0 || tensors.count % perGroup != 0)
    fail(ErrorKind::Native, "%s: %lld tensors given, groups have %lld", p.name.c_str(),
         static_cast<long long>(tensors.count), static_cast<long long>(perGroup));
  return tensors.count / perGroup;
}

// One element that a kernel reads or writes as a float32.
inline void checkFlag(const char* op, const char* name, const TensorView& flag) {
  if (!flag.defined || flag.dtype != DType::Float32)
    fail(ErrorKind::DType, "%s: %s must be float32, not %s", op, name,
         flag.defined ? dtypeName(flag.dtype) : "undefined");
  if (flag.ndim > kMaxDims || flag.numel() != 1) fail(ErrorKind::Shape, "%s: %s must have one element", op, name);
  if (flag.data == nullptr) fail(ErrorKind::Native, "%s: %s has no memory", op, name);
}

// Whether the outputs of a program of several elements reach into a vector: other threads may read it still.
inline bool outputsReach(const Program& program, TensorList tensors, const TensorView& vector) {
  const auto begin = reinterpret_cast<uintptr_t>(vector.data);
  const auto end = begin + static_cast<uintptr_t>(vector.numel() * itemSize(vector.dtype));
  const int64_t perGroup = program.outputs + program.inputs;
  for (int64_t i = 0; i < tensors.count; i++) {
    if (i % perGroup >= program.outputs) continue;
    const TensorView& out = tensors[i];
    if (!out.defined || out.ndim > kMaxDims) continue;  // the kernel says so
    const int64_t n = out.numel();
    if (n == 0 || (n == 1 && tensors.count == perGroup)) continue;
    int64_t last = 0;
    for (int d = 0; d < out.ndim; d++) last += (out.shape[d] - 1) * out.strides[d];
    const auto from = reinterpret_cast<uintptr_t>(out.data);
    if (from < end && begin < from + static_cast<uintptr_t>((last + 1) * itemSize(out.dtype))) return true;
  }
  return false;
}

inline void checkControl(const Program& program, TensorList tensors, Scalars scalars, const OptionalTensor& skip,
                         const OptionalTensor& given) {
  const char* op = program.name.c_str();
  if (skip.defined) {
    checkFlag(op, "skip", skip);
    if (outputsReach(program, tensors, skip)) fail(ErrorKind::Native, "%s: an output lies over skip", op);
  }
  if (!given.defined) return;
  if (scalars.count != 0) fail(ErrorKind::Native, "%s: scalars are given twice", op);
  if (given.dtype != DType::Float64)
    fail(ErrorKind::DType, "%s: the given scalars must be float64, not %s", op, dtypeName(given.dtype));
  if (given.ndim != 1 || given.shape[0] != program.scalars || !given.isContiguous())
    fail(ErrorKind::Shape, "%s: the given scalars must be a contiguous vector of %d", op, program.scalars);
  if (program.scalars > 0 && given.data == nullptr) fail(ErrorKind::Native, "%s: the given scalars have no memory", op);
  if (outputsReach(program, tensors, given)) fail(ErrorKind::Native, "%s: an output lies over the given scalars", op);
  // Of integers the values of scalars decide what is computed in, and those only the device knows.
  const int64_t perGroup = program.outputs + program.inputs;
  for (int64_t at = 0; at + perGroup <= tensors.count; at += perGroup)
    if (computeTypeOf(tensors.items + at, perGroup) == ComputeType::Int64)
      fail(ErrorKind::DType, "%s: given scalars need a float operand", op);
}

}  // namespace
}  // namespace THALWEG_KERNELS
