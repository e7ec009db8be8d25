// What a mapUnless is steered by, checked: the same on every device.
#pragma once
#include "../kernel.h"

namespace THALWEG_KERNELS {
namespace {

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
