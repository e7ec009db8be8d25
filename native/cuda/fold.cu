// im2col and col2im: the patches of images as columns, and the sum of columns at the places they came from.
#include "cuda/divide.h"
#include "cuda/kernel.h"
#include "operands/conv.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// An element of columns a step: [image][channel][tap][position].
template <class T>
__global__ void im2colKernel(T* columns, const T* x, ConvShape s, int64_t count) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i, position[3], tap[3], at = 0;
    for (int d = 2; d >= 0; d--) position[d] = takeOff(rest, s.out[d]);
    for (int d = 2; d >= 0; d--) tap[d] = takeOff(rest, s.kernel[d]);
    bool inside = true;
    for (int d = 0; d < 3; d++) {
      const int64_t place = position[d] * s.stride[d] - s.padding[d] + tap[d] * s.dilation[d];
      inside = inside && place >= 0 && place < s.in[d];
      at = at * s.in[d] + (inside ? place : 0);
    }
    columns[i] = inside ? x[rest * s.inSize + at] : T(0);
  }
}

// An element of x a step, which gathers what belongs to it in the order of the taps.
template <class T>
__global__ void col2imKernel(T* x, const T* columns, ConvShape s, int64_t count) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i, place[3], tap[3] = {}, position[3] = {};
    for (int d = 2; d >= 0; d--) place[d] = takeOff(rest, s.in[d]) + s.padding[d];
    T sum = 0;
    // The position that reads `place` with a tap, if there is one.
    const auto find = [&](int d) {
      const int64_t from = place[d] - tap[d] * s.dilation[d];
      if (from < 0) return false;
      position[d] = from / s.stride[d];
      return position[d] * s.stride[d] == from && position[d] < s.out[d];
    };
    for (tap[0] = 0; tap[0] < s.kernel[0] && tap[0] * s.dilation[0] <= place[0]; tap[0]++) {
      if (!find(0)) continue;
      for (tap[1] = 0; tap[1] < s.kernel[1] && tap[1] * s.dilation[1] <= place[1]; tap[1]++) {
        if (!find(1)) continue;
        for (tap[2] = 0; tap[2] < s.kernel[2] && tap[2] * s.dilation[2] <= place[2]; tap[2]++) {
          if (!find(2)) continue;
          const int64_t row = ((rest * s.kernel[0] + tap[0]) * s.kernel[1] + tap[1]) * s.kernel[2] + tap[2];
          sum += columns[((row * s.out[0] + position[0]) * s.out[1] + position[1]) * s.out[2] + position[2]];
        }
      }
    }
    x[i] = sum;
  }
}

}  // namespace

void im2col(Context& context, const TensorView& out, const TensorView& x, Scalars geometry) {
  const ConvShape s = readFoldShape("im2col", x, out, geometry);
  if (s.taps == 0) return;
  Queue& queue = queueOf(context);
  const int64_t count = out.numel();
  const unsigned blocks = gridFor(queue, count, kThreads);
  if (out.dtype == DType::Float64)
    LAUNCH((im2colKernel<double>), blocks, kThreads, 0, queue, out.as<double>(), x.as<const double>(), s, count);
  else
    LAUNCH((im2colKernel<float>), blocks, kThreads, 0, queue, out.as<float>(), x.as<const float>(), s, count);
}

void col2im(Context& context, const TensorView& out, const TensorView& columns, Scalars geometry) {
  const ConvShape s = readFoldShape("col2im", out, columns, geometry);
  if (s.taps == 0 || emptyView(out)) return;
  Queue& queue = queueOf(context);
  const int64_t count = out.numel();
  const unsigned blocks = gridFor(queue, count, kThreads);
  if (out.dtype == DType::Float64)
    LAUNCH((col2imKernel<double>), blocks, kThreads, 0, queue, out.as<double>(), columns.as<const double>(), s, count);
  else
    LAUNCH((col2imKernel<float>), blocks, kThreads, 0, queue, out.as<float>(), columns.as<const float>(), s, count);
}

}  // namespace thalweg::cuda
