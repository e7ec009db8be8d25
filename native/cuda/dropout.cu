// Dropout: a block of words is compared once, for the mask and for what is kept of x.
#include <cmath>

#include "cuda/philox_draw.h"
#include "cuda/row_access.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// Words up to `last` keep their elements; one: 1, or 0 where nothing is kept.
template <class T>
__global__ void __launch_bounds__(kThreads)
    dropoutKernel(T* out, uint8_t* mask, const T* x, int64_t n, Source source, uint32_t last, uint8_t one,
                  ComputeOf<T> scale, bool aligned) {
  using C = ComputeOf<T>;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t b = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; 4 * b < n; b += step) {
    const PhiloxBlock block = source.block(b);
    Quad<T, 4> values = {};
    Quad<uint8_t, 4> kept;
    const bool whole = aligned && 4 * b + 4 <= n;
    if (whole) {
      values = reinterpret_cast<const Quad<T, 4>*>(x)[b];
    } else {
      for (int k = 0; k < 4 && 4 * b + k < n; k++) values.at[k] = x[4 * b + k];
    }
    for (int k = 0; k < 4; k++) {
      const bool below = block.words[k] <= last;
      kept.at[k] = below ? one : 0;
      values.at[k] = convert<T>(convert<C>(values.at[k]) * (below ? scale : C(0)));
    }
    if (whole) {
      reinterpret_cast<Quad<T, 4>*>(out)[b] = values;
      reinterpret_cast<Quad<uint8_t, 4>*>(mask)[b] = kept;
    } else {
      for (int k = 0; k < 4 && 4 * b + k < n; k++) {
        out[4 * b + k] = values.at[k];
        mask[4 * b + k] = kept.at[k];
      }
    }
  }
}

}  // namespace

void dropout(Context& context, const TensorView& out, const TensorView& mask, const TensorView& x, Scalar seed,
             int64_t offset, double keep, double scale) {
  const char* op = "dropout";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  if (!(keep >= 0 && keep <= 1)) fail(ErrorKind::Native, "%s: probability %g is not between 0 and 1", op, keep);
  if (!out.defined || !mask.defined || !x.defined) fail(ErrorKind::Native, "%s: an operand is undefined", op);
  if (!isFloating(x.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", op, dtypeName(x.dtype));
  if (out.dtype != x.dtype || mask.dtype != DType::Bool)
    fail(ErrorKind::DType, "%s: out is %s and mask %s for x of %s", op, dtypeName(out.dtype), dtypeName(mask.dtype),
         dtypeName(x.dtype));
  if (!sameShape(out, x) || !sameShape(mask, x)) fail(ErrorKind::Shape, "%s: operands differ in shape", op);
  const int64_t n = x.numel();
  if (n == 0) return;
  if (!out.isContiguous() || !mask.isContiguous() || !x.isContiguous())
    fail(ErrorKind::Native, "%s: operands must be contiguous", op);
  const uint64_t threshold = static_cast<uint64_t>(std::ceil(keep * 0x1p32));
  const uint8_t one = threshold > 0;
  const uint32_t last = static_cast<uint32_t>(threshold - 1);
  const bool aligned = isAligned(x.data) && isAligned(out.data) && reinterpret_cast<uintptr_t>(mask.data) % 4 == 0;
  Queue& queue = queueOf(context);
  const auto run = [&](auto type) {
    using T = decltype(type);
    LAUNCH((dropoutKernel<T>), gridFor(queue, (n + 3) / 4, kThreads), kThreads, 0, queue, out.as<T>(),
           mask.as<uint8_t>(), x.as<const T>(), n, source, last, one, one ? static_cast<ComputeOf<T>>(scale) : 0,
           aligned);
  };
  switch (x.dtype) {
    case DType::Float64: return run(double());
    case DType::Float16: return run(Half());
    case DType::BFloat16: return run(BFloat16());
    default: return run(float());
  }
}

}  // namespace thalweg::cuda
