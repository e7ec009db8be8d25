// Dropout: the words of a tile are compared once, for the mask and for what is kept of x.
#include <cmath>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/philox_words.h"
#include "cpu/reduce_softmax.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kTile = 1024;  // words made at once: they stay in the first-level cache
constexpr int64_t kTilesPerChunk = 32;

static_assert(kTile % (4 * kStepBlocks) == 0);

struct Draw {
  uint64_t seed, counter;
  uint64_t threshold;  // words below it, at most 2^32, keep their elements
  double scale;
};

// As many 32-bit words, and bytes, as a vector of T has lanes.
template <class T>
struct LanesOf {
  typedef uint32_t words __attribute__((vector_size(lanes<T> * 4)));
  typedef int32_t wordMask __attribute__((vector_size(lanes<T> * 4)));
  typedef uint8_t bytes __attribute__((vector_size(lanes<T>)));
};

// one: 1, or 0 where nothing is kept.
template <class T>
void keepTile(T* to, const T* from, uint8_t* kept, const uint32_t* words, int64_t n, uint32_t last, T scale,
              uint8_t one) {
  constexpr int L = lanes<T>;
  for (int64_t i = 0; i < n; i += L) {
    const int m = n - i < L ? static_cast<int>(n - i) : L;
    typename LanesOf<T>::words word;
    std::memcpy(&word, words + i, sizeof(word));
    const typename LanesOf<T>::wordMask below = word <= last;
    const auto bytes = __builtin_convertvector(below, typename LanesOf<T>::bytes) & one;
    const Vec<MaskOf<T>> keep = __builtin_convertvector(below, Vec<MaskOf<T>>);
    const Vec<T> v = loadLanes(from + i, m, T(0)) * (keep ? broadcast(scale) : Vec<T>{});
    if (m == L) {
      store(to + i, v);
      std::memcpy(kept + i, &bytes, sizeof(bytes));
    } else {
      storeFirst(to + i, v, m);
      std::memcpy(kept + i, &bytes, static_cast<size_t>(m));
    }
  }
}

// T: the compute type.
template <class T>
void dropoutAs(Context& ctx, const TensorView& out, const TensorView& mask, const TensorView& x, const Draw& draw) {
  const int64_t size = itemSize(x.dtype);
  const bool direct = x.dtype == dtypeOf<T>;
  const uint8_t one = draw.threshold > 0;
  const T scale = one ? static_cast<T>(draw.scale) : T(0);
  const uint32_t last = static_cast<uint32_t>(draw.threshold - 1);
  parallelFor(ctx.pool, x.numel(), kTile * kTilesPerChunk, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[kTile];
    alignas(64) T values[kTile];
    for (int64_t i = begin; i < end; i += kTile) {
      const int64_t n = end - i < kTile ? end - i : kTile;
      philoxWords(words, draw.seed, draw.counter + static_cast<uint64_t>(i / 4), (n + 3) / 4);
      const T* from = direct ? x.as<const T>() + i : values;
      T* to = direct ? out.as<T>() + i : values;
      if (!direct) loadRun(values, x.dtype, x.data + i * size, 1, n);
      keepTile(to, from, mask.as<uint8_t>() + i, words, n, last, scale, one);
      if (!direct) storeRun(values, out.dtype, out.data + i * size, 1, n);
    }
  });
}

}  // namespace

void dropout(Context& ctx, const TensorView& out, const TensorView& mask, const TensorView& x, Scalar seed,
             int64_t offset, double keep, double scale) {
  const char* op = "dropout";
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  if (!(keep >= 0 && keep <= 1)) fail(ErrorKind::Native, "%s: probability %g is not between 0 and 1", op, keep);
  if (!out.defined || !mask.defined || !x.defined) fail(ErrorKind::Native, "%s: an operand is undefined", op);
  if (!isFloating(x.dtype)) fail(ErrorKind::DType, "%s: takes floats, not %s", op, dtypeName(x.dtype));
  if (out.dtype != x.dtype || mask.dtype != DType::Bool)
    fail(ErrorKind::DType, "%s: out is %s and mask %s for x of %s", op, dtypeName(out.dtype), dtypeName(mask.dtype),
         dtypeName(x.dtype));
  if (!sameShape(out, x) || !sameShape(mask, x)) fail(ErrorKind::Shape, "%s: operands differ in shape", op);
  if (x.numel() == 0) return;
  if (!out.isContiguous() || !mask.isContiguous() || !x.isContiguous())
    fail(ErrorKind::Native, "%s: operands must be contiguous", op);
  const Draw draw = {static_cast<uint64_t>(seed.integer), static_cast<uint64_t>(offset),
                     static_cast<uint64_t>(std::ceil(keep * 0x1p32)), scale};
  if (x.dtype == DType::Float64)
    dropoutAs<double>(ctx, out, mask, x, draw);
  else
    dropoutAs<float>(ctx, out, mask, x, draw);
}

}  // namespace thalweg::cpu::THALWEG_ISA
