// Random numbers: Philox words (runtime/philox.h says which element takes which) made into values.
#include "cuda/random_values.h"

#include "cuda/philox_draw.h"
#include "operands/random.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;

// Make: kEach words an element; make(block, values) makes the elements of a block. direct: out is contiguous, and what
// a block serves is aligned.
template <class T, class Make>
__global__ void __launch_bounds__(kThreads) drawKernel(T* out, Walk<1> walk, bool direct, Source source, Make make) {
  constexpr int kCount = 4 / Make::kEach;
  using C = typename Make::Value;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t b = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; kCount * b < walk.count; b += step) {
    C values[kCount];
    make(source.block(b), values);
    if (direct && kCount * b + kCount <= walk.count) {
      Quad<T, kCount> quad;
      for (int k = 0; k < kCount; k++) quad.at[k] = convert<T>(values[k]);
      reinterpret_cast<Quad<T, kCount>*>(out)[b] = quad;
      continue;
    }
    for (int k = 0; k < kCount; k++)
      if (kCount * b + k < walk.count) out[walk.locate(kCount * b + k).at[0]] = convert<T>(values[k]);
  }
}

template <class T, class Make>
void drawAs(Context& context, const TensorView& out, Source source, const Make& make) {
  const Walk<1> walk = walkOf(out);
  if (walk.count == 0) return;
  Queue& queue = queueOf(context);
  const bool direct = walk.isContiguous(0) && reinterpret_cast<uintptr_t>(out.data) % 32 == 0;
  LAUNCH((drawKernel<T, Make>), gridFor(queue, (walk.count * Make::kEach + 3) / 4, kThreads), kThreads, 0, queue,
         out.as<T>(), walk, direct, source, make);
}
template <class Make>
void draw(Context& context, const TensorView& out, Source source, const Make& make) {
  withType(out.dtype, [&](auto* to) {
    using T = std::remove_pointer_t<decltype(to)>;
    // Floats of 64 bits are drawn from wide words, and only those.
    if constexpr (!std::is_floating_point_v<typename Make::Value> ||
                  std::is_same_v<T, double> == std::is_same_v<typename Make::Value, double>)
      drawAs<T>(context, out, source, make);
  });
}

}  // namespace

void randomUniform(Context& context, const TensorView& out, Scalar seed, int64_t offset, double low, double high) {
  const char* op = "randomUniform";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  const double top = checkUniform(op, out, low, high);
  if (out.dtype == DType::Float64)
    draw(context, out, source, UniformDouble{low, high - low, top});
  else
    draw(context, out, source,
         UniformFloat{static_cast<float>(low), static_cast<float>(high - low), static_cast<float>(top)});
}

void randomNormal(Context& context, const TensorView& out, Scalar seed, int64_t offset, double mean, double std) {
  const char* op = "randomNormal";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  checkNormal(op, out, mean, std);
  if (out.dtype == DType::Float64)
    draw(context, out, source, NormalDouble{mean, std});
  else
    draw(context, out, source, NormalFloat{static_cast<float>(mean), static_cast<float>(std)});
}

void randomBernoulli(Context& context, const TensorView& out, Scalar seed, int64_t offset, double probability) {
  const char* op = "randomBernoulli";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  const uint64_t threshold = bernoulliThreshold(op, probability);
  draw(context, out, source, Bernoulli{threshold});
}

void randomIntegers(Context& context, const TensorView& out, Scalar seed, int64_t offset, Scalar low, Scalar high) {
  const Source source = sourceOf(queueOf(context), "randomIntegers", seed, offset);
  checkIntegers(out, low.integer, high.integer);
  const uint64_t first = static_cast<uint64_t>(low.integer);
  const uint64_t range = static_cast<uint64_t>(high.integer) - first;
  if (range <= uint64_t{1} << 32)
    draw(context, out, source, Integers{first, range});
  else
    draw(context, out, source, WideIntegers{first, range});
}

}  // namespace thalweg::cuda
