// Copies between any dtypes and strides, constants, and ranges.
#include "cuda/convert.h"
#include "cuda/kernel.h"
#include "cuda/walk.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

template <class To, class From>
__global__ void copyKernel(To* to, const From* from, Walk<2> walk) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step) {
    const Offsets<2> at = walk.locate(i);
    to[at.at[0]] = convert<To>(from[at.at[1]]);
  }
}

template <class T>
__global__ void fillKernel(T* to, T value, Walk<1> walk) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += step)
    to[walk.locate(i).at[0]] = value;
}

// Floats are computed in float64, integers in uint64: a sequence that leaves int64 wraps.
template <class T, class C>
__global__ void arangeKernel(T* to, C start, C step, Walk<1> walk) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < walk.count; i += stride)
    if constexpr (std::is_floating_point_v<C>)
      to[walk.locate(i).at[0]] = convert<T>(start + static_cast<C>(i) * step);
    else
      to[walk.locate(i).at[0]] = convert<T>(static_cast<int64_t>(start + static_cast<C>(i) * step));
}

}  // namespace

void copy(Context& context, const TensorView& out, const TensorView& x) {
  if (!sameShape(out, x)) fail(ErrorKind::Shape, "copy: the shapes differ");
  const Walk<2> walk = walkOf(out, x);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withType(out.dtype, [&](auto* to) {
    withType(x.dtype, [&](auto* from) {
      using To = std::remove_pointer_t<decltype(to)>;
      using From = std::remove_pointer_t<decltype(from)>;
      LAUNCH((copyKernel<To, From>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<To>(),
             x.as<const From>(), walk);
    });
  });
}

void fill(Context& context, const TensorView& out, Scalar value) {
  const Walk<1> walk = walkOf(out);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withType(out.dtype, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    const T element = isFloating(out.dtype) ? convert<T>(value.real) : convert<T>(value.integer);
    LAUNCH((fillKernel<T>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<T>(), element, walk);
  });
}

void arange(Context& context, const TensorView& out, Scalar start, Scalar step) {
  const Walk<1> walk = walkOf(out);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  withType(out.dtype, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    const auto launch = [&](auto first, auto by) {
      LAUNCH((arangeKernel<T, decltype(first)>), gridFor(queue, walk.count, kThreads), kThreads, 0, queue, out.as<T>(),
             first, by, walk);
    };
    if (isFloating(out.dtype))
      launch(start.real, step.real);
    else
      launch(static_cast<uint64_t>(start.integer), static_cast<uint64_t>(step.integer));
  });
}

}  // namespace thalweg::cuda
