// Random numbers: Philox words (runtime/philox.h says which element takes which) made into values.
#include "cuda/random_values.h"

#include "cuda/philox_draw.h"

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

void requireFloating(const char* op, const TensorView& out) {
  if (!isFloating(out.dtype))
    fail(ErrorKind::DType, "%s: the result must have a floating dtype, not %s", op, dtypeName(out.dtype));
}

// Integers of magnitude up to this are exact, or the type's own range.
void checkRange(DType dtype, int64_t low, int64_t high) {
  int64_t least, most;
  switch (dtype) {
    case DType::Float32: most = int64_t{1} << 24, least = -most; break;
    case DType::Float64: most = int64_t{1} << 53, least = -most; break;
    case DType::Float16: most = int64_t{1} << 11, least = -most; break;
    case DType::BFloat16: most = int64_t{1} << 8, least = -most; break;
    case DType::Int32: least = INT32_MIN, most = INT32_MAX; break;
    case DType::UInt8: least = 0, most = 255; break;
    case DType::Bool: least = 0, most = 1; break;
    default: least = INT64_MIN, most = INT64_MAX; break;
  }
  if (low >= high)
    fail(ErrorKind::Native, "randomIntegers: low %lld is not less than high %lld", static_cast<long long>(low),
         static_cast<long long>(high));
  if (low < least || high - 1 > most)
    fail(ErrorKind::DType, "randomIntegers: integers of [%lld, %lld) do not all fit %s", static_cast<long long>(low),
         static_cast<long long>(high), dtypeName(dtype));
}

}  // namespace

void randomUniform(Context& context, const TensorView& out, Scalar seed, int64_t offset, double low, double high) {
  const char* op = "randomUniform";
  requireFloating(op, out);
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  const double largest = largestOf(out.dtype);
  if (!(low <= high)) fail(ErrorKind::Native, "%s: low %g is not at most high %g", op, low, high);
  if (!(std::fabs(low) <= largest && std::fabs(high) <= largest && high - low <= largest))
    fail(ErrorKind::Native, "%s: the range from %g to %g is too large for %s", op, low, high, dtypeName(out.dtype));
  const double first = rounded(out.dtype, low);
  double top = below(out.dtype, high);
  if (top < first) top = first;
  if (out.dtype == DType::Float64)
    draw(context, out, source, UniformDouble{low, high - low, top});
  else
    draw(context, out, source,
         UniformFloat{static_cast<float>(low), static_cast<float>(high - low), static_cast<float>(top)});
}

void randomNormal(Context& context, const TensorView& out, Scalar seed, int64_t offset, double mean, double std) {
  const char* op = "randomNormal";
  requireFloating(op, out);
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  if (!std::isfinite(mean)) fail(ErrorKind::Native, "%s: mean %g is not finite", op, mean);
  if (!(std >= 0 && std::isfinite(std)))
    fail(ErrorKind::Native, "%s: std %g is not a finite number from 0 on", op, std);
  if (out.dtype == DType::Float64)
    draw(context, out, source, NormalDouble{mean, std});
  else
    draw(context, out, source, NormalFloat{static_cast<float>(mean), static_cast<float>(std)});
}

void randomBernoulli(Context& context, const TensorView& out, Scalar seed, int64_t offset, double probability) {
  const char* op = "randomBernoulli";
  const Source source = sourceOf(queueOf(context), op, seed, offset);
  if (!(probability >= 0 && probability <= 1))
    fail(ErrorKind::Native, "%s: probability %g is not between 0 and 1", op, probability);
  // word < probability * 2^32, which is exact, for a whole word: word < its ceiling, at most 2^32.
  const uint64_t threshold = static_cast<uint64_t>(std::ceil(probability * 0x1p32));
  draw(context, out, source, Bernoulli{threshold});
}

void randomIntegers(Context& context, const TensorView& out, Scalar seed, int64_t offset, Scalar low, Scalar high) {
  const Source source = sourceOf(queueOf(context), "randomIntegers", seed, offset);
  checkRange(out.dtype, low.integer, high.integer);
  const uint64_t first = static_cast<uint64_t>(low.integer);
  const uint64_t range = static_cast<uint64_t>(high.integer) - first;
  if (range <= uint64_t{1} << 32)
    draw(context, out, source, Integers{first, range});
  else
    draw(context, out, source, WideIntegers{first, range});
}

}  // namespace thalweg::cuda
