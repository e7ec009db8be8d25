// Random numbers: Philox words (runtime/philox.h says which element takes which) made into values, a tile at a time.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <new>

#include "cpu/convert.h"
#include "cpu/kernel.h"
#include "cpu/philox_words.h"
#include "cpu/strided.h"
#include "operands/random.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

constexpr int64_t kTile = 1024;  // words made at once: they stay in the L1 cache
constexpr int64_t kTilesPerChunk = 32;

static_assert(kTile % (4 * kStepBlocks) == 0);

// -- tiles ------------------------------------------------------------------------------------------------------------

struct Source {
  uint64_t seed;
  uint64_t counter;
};

Source sourceOf(const char* op, Scalar seed, int64_t offset) {
  if (offset < 0) fail(ErrorKind::Native, "%s: offset %lld is negative", op, static_cast<long long>(offset));
  return {static_cast<uint64_t>(seed.integer), static_cast<uint64_t>(offset)};
}

// Keeps a product and the sum it goes into apart: fused on one ISA and not on another they would round differently.
template <class V>
THALWEG_INLINE V unfused(V product) {
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__x86_64__)
  asm("" : "+x"(product));
#elif defined(__aarch64__)
  asm("" : "+w"(product));
#endif
  return product;
}

// make(words, values) turns the words of a whole tile into T values (more than are needed, in a last tile), of which
// put stores n: put(values, bytes of out, stride, n). WordsEach: words an element takes.
template <int WordsEach, class T, class Make, class Put>
THALWEG_INLINE void generate(Context& ctx, const TensorView& out, Source source, bool direct, Make&& make, Put&& put) {
  const int64_t n = out.numel();
  if (n == 0) return;
  Strided walk;
  mergeDims(walk, out.shape, out.strides, out.ndim);
  constexpr int64_t tile = kTile / WordsEach;
  const int64_t size = itemSize(out.dtype);
  direct = direct && walk.contiguous();
  parallelFor(ctx.pool, n, tile * kTilesPerChunk, [&](int64_t begin, int64_t end) {
    alignas(64) uint32_t words[kTile];
    alignas(64) T buffer[tile];
    for (int64_t i = begin; i < end; i += tile) {
      const int64_t count = end - i < tile ? end - i : tile;
      const int64_t blocks = (count * WordsEach + 3) / 4;
      philoxWords(words, source.seed, source.counter + static_cast<uint64_t>(i * WordsEach / 4), blocks);
      if (count < tile)
        for (int64_t w = (blocks + kStepBlocks - 1) / kStepBlocks * kStepBlocks * 4; w < kTile; w++) words[w] = 0;
      if (direct && count == tile) {
        make(words, out.as<T>() + i);
        continue;
      }
      make(words, buffer);
      const T* values = buffer;
      forRuns(walk, i, count, [&](int64_t offset, int64_t stride, int64_t run) {
        put(values, out.data + offset * size, stride, run);
        values += run;
      });
    }
  });
}

// -- uniform ----------------------------------------------------------------------------------------------------------

// Clamping to the largest value of the result's type below high also takes care of rounding to a 16-bit type: whatever
// lies above it would become it, or high.
struct UniformFloat {
  float low, scale, top;
  THALWEG_INLINE void operator()(const uint32_t* words, float* values) const {
    for (int64_t i = 0; i < kTile; i += lanes<float>) {
      const Vec<int32_t> w = reinterpret<Vec<int32_t>>(load(words + i) >> 8);
      const Vec<float> u = __builtin_convertvector(w, Vec<float>) * 0x1p-24f;
      const Vec<float> x = unfused(u * scale) + low;
      store(values + i, x > top ? broadcast(top) : x);
    }
  }
};

struct UniformDouble {
  double low, scale, top;
  THALWEG_INLINE void operator()(const uint32_t* words, double* values) const {
    for (int64_t i = 0; i < kTile / 2; i += kWideLanes) {
      const Wide w = load(reinterpret_cast<const uint64_t*>(words + 2 * i)) >> 11;
      const Vec<double> u = __builtin_convertvector(reinterpret<Vec<int64_t>>(w), Vec<double>) * 0x1p-53;
      const Vec<double> x = unfused(u * scale) + low;
      store(values + i, x > top ? broadcast(top) : x);
    }
  }
};

// -- normal -----------------------------------------------------------------------------------------------------------

struct NormalFloat {
  float mean, std;
  THALWEG_INLINE void operator()(const uint32_t* words, float* values) const {
    using Math = VectorMath<float>;
    using V = Vec<float>;
    using I = Vec<int32_t>;
    constexpr int step = lanes<float>;
    const uint64_t* p = reinterpret_cast<const uint64_t*>(words);
    uint64_t* q = reinterpret_cast<uint64_t*>(values);
    for (int64_t i = 0; i < kTile / 2; i += step) {
      // Two vectors of word pairs: their even words side by side, and their odd words.
      const Wide a = load(p + i), b = load(p + i + kWideLanes);
      const Words even = reinterpret<Words>((a & kLowHalf) | (b << 32));
      const Words odd = reinterpret<Words>((a >> 32) | (b & ~kLowHalf));
      const V u = (__builtin_convertvector(reinterpret<I>(even >> 1), V) + 1.f) * 0x1p-31f;
      const V radius = Math::sqrt(Approximate<Math>::log(u) * -2.f);
      // The angle in quarter turns, exact: its nearest integer, and what is left in [-1/2, 1/2].
      const V turns = __builtin_convertvector(reinterpret<I>(odd >> 8), V) * 0x1p-22f;
      const I quarter = __builtin_convertvector(turns + 0.5f, I);
      const V r = turns - __builtin_convertvector(quarter, V);
      const V z = r * r;
      V s = z * -4.602149213e-03f + 7.968021765e-02f;
      s = s * z - 6.459634777e-01f;
      s = (s * z + 1.570796322e+00f) * r;
      V c = z * 9.067398956e-04f - 2.086152834e-02f;
      c = c * z + 2.536694104e-01f;
      c = c * z - 1.233700549e+00f;
      c = c * z + 1.f;
      const I swapped = -(quarter & 1);
      const I sine = (swapped & reinterpret<I>(c)) | (~swapped & reinterpret<I>(s));
      const I cosine = (swapped & reinterpret<I>(s)) | (~swapped & reinterpret<I>(c));
      const V x = reinterpret<V>(cosine ^ (((quarter + 1) & 2) << 30)) * radius * std + mean;
      const V y = reinterpret<V>(sine ^ ((quarter & 2) << 30)) * radius * std + mean;
      const Wide xs = reinterpret<Wide>(x), ys = reinterpret<Wide>(y);
      store(q + i, (xs & kLowHalf) | (ys << 32));
      store(q + i + kWideLanes, (xs >> 32) | (ys & ~kLowHalf));
    }
  }
};

struct NormalDouble {
  double mean, std;
  THALWEG_INLINE void operator()(const uint32_t* words, double* values) const {
    for (int64_t i = 0; i < kTile / 2; i += 2) {
      const uint32_t* w = words + 2 * i;
      const uint64_t first = (uint64_t{w[1]} << 32 | w[0]) >> 11, second = (uint64_t{w[3]} << 32 | w[2]) >> 11;
      const double radius = std::sqrt(-2 * std::log(static_cast<double>(first + 1) * 0x1p-53));
      const double angle = static_cast<double>(second) * 0x1p-53 * 6.283185307179586476925;
      values[i] = mean + this->std * (radius * std::cos(angle));
      values[i + 1] = mean + this->std * (radius * std::sin(angle));
    }
  }
};

void putFloat(Context& ctx, const TensorView& out, Source source, auto make) {
  generate<1, float>(
      ctx, out, source, out.dtype == DType::Float32, make,
      [&](const float* values, char* dst, int64_t stride, int64_t n) { storeRun(values, out.dtype, dst, stride, n); });
}

void putDouble(Context& ctx, const TensorView& out, Source source, auto make) {
  generate<2, double>(ctx, out, source, true, make, [&](const double* values, char* dst, int64_t stride, int64_t n) {
    storeRun(values, DType::Float64, dst, stride, n);
  });
}

// -- bernoulli --------------------------------------------------------------------------------------------------------

// T: an unsigned integer of the result's size; `one` its bits for 1.
template <class T>
void bernoulliAs(Context& ctx, const TensorView& out, Source source, uint64_t threshold, T one) {
  const bool never = threshold == 0;
  const uint32_t last = static_cast<uint32_t>(threshold - 1);  // threshold <= 2^32
  if (never) one = 0;
  generate<1, T>(
      ctx, out, source, true,
      [=](const uint32_t* words, T* values) {
        for (int64_t i = 0; i < kTile; i++) values[i] = words[i] <= last ? one : T(0);
      },
      [](const T* values, char* dst, int64_t stride, int64_t n) {
        T* p = reinterpret_cast<T*>(dst);
        for (int64_t i = 0; i < n; i++) p[i * stride] = values[i];
      });
}

// -- integers ---------------------------------------------------------------------------------------------------------

// -- permutation ------------------------------------------------------------------------------------------------------

struct Keyed {
  uint64_t key;
  int64_t index;
};

template <class F>
void forKeys(int64_t n, Source source, F&& f) {
  constexpr int64_t tile = kTile / 2;
  alignas(64) uint32_t words[kTile];
  for (int64_t i = 0; i < n; i += tile) {
    const int64_t count = n - i < tile ? n - i : tile;
    philoxWords(words, source.seed, source.counter + static_cast<uint64_t>(i / 2), (count + 1) / 2);
    for (int64_t k = 0; k < count; k++) f(uint64_t{words[2 * k + 1]} << 32 | words[2 * k], i + k);
  }
}

}  // namespace

void randomUniform(Context& ctx, const TensorView& out, Scalar seed, int64_t offset, double low, double high) {
  const char* op = "randomUniform";
  const Source source = sourceOf(op, seed, offset);
  const double top = checkUniform(op, out, low, high);
  if (out.dtype == DType::Float64)
    putDouble(ctx, out, source, UniformDouble{low, high - low, top});
  else
    putFloat(ctx, out, source,
             UniformFloat{static_cast<float>(low), static_cast<float>(high - low), static_cast<float>(top)});
}

void randomNormal(Context& ctx, const TensorView& out, Scalar seed, int64_t offset, double mean, double std) {
  const char* op = "randomNormal";
  const Source source = sourceOf(op, seed, offset);
  checkNormal(op, out, mean, std);
  if (out.dtype == DType::Float64)
    putDouble(ctx, out, source, NormalDouble{mean, std});
  else
    putFloat(ctx, out, source, NormalFloat{static_cast<float>(mean), static_cast<float>(std)});
}

void randomBernoulli(Context& ctx, const TensorView& out, Scalar seed, int64_t offset, double probability) {
  const char* op = "randomBernoulli";
  const Source source = sourceOf(op, seed, offset);
  const uint64_t threshold = bernoulliThreshold(op, probability);
  switch (out.dtype) {
    case DType::Float32: return bernoulliAs<uint32_t>(ctx, out, source, threshold, std::bit_cast<uint32_t>(1.f));
    case DType::Float64: return bernoulliAs<uint64_t>(ctx, out, source, threshold, std::bit_cast<uint64_t>(1.0));
    case DType::Float16: return bernoulliAs<uint16_t>(ctx, out, source, threshold, toHalf(1.f).bits);
    case DType::BFloat16: return bernoulliAs<uint16_t>(ctx, out, source, threshold, toBFloat16(1.f).bits);
    case DType::Int32: return bernoulliAs<uint32_t>(ctx, out, source, threshold, 1);
    case DType::Int64: return bernoulliAs<uint64_t>(ctx, out, source, threshold, 1);
    case DType::UInt8:
    case DType::Bool: return bernoulliAs<uint8_t>(ctx, out, source, threshold, 1);
  }
}

void randomIntegers(Context& ctx, const TensorView& out, Scalar seed, int64_t offset, Scalar low, Scalar high) {
  const Source source = sourceOf("randomIntegers", seed, offset);
  checkIntegers(out, low.integer, high.integer);
  const uint64_t first = static_cast<uint64_t>(low.integer);
  const uint64_t range = static_cast<uint64_t>(high.integer) - first;
  const auto put = [&](const int64_t* values, char* dst, int64_t stride, int64_t n) {
    storeRun(values, out.dtype, dst, stride, n);
  };
  const bool direct = out.dtype == DType::Int64;
  if (range <= uint64_t{1} << 32) {
    generate<1, int64_t>(
        ctx, out, source, direct,
        [=](const uint32_t* words, int64_t* values) {
          for (int64_t i = 0; i < kTile; i++) values[i] = static_cast<int64_t>(first + (words[i] * range >> 32));
        },
        put);
  } else {
    generate<2, int64_t>(
        ctx, out, source, direct,
        [=](const uint32_t* words, int64_t* values) {
          for (int64_t i = 0; i < kTile / 2; i++) {
            const uint64_t wide = uint64_t{words[2 * i + 1]} << 32 | words[2 * i];
            __extension__ using Product = unsigned __int128;
            values[i] = static_cast<int64_t>(first + static_cast<uint64_t>(static_cast<Product>(wide) * range >> 64));
          }
        },
        put);
  }
}

// The keys are spread evenly, so a bucket for each few of them, then a sort of each bucket, takes linear time.
void randomPermutation(Context& ctx, const TensorView& out, Scalar seed, int64_t offset) {
  const char* op = "randomPermutation";
  const Source source = sourceOf(op, seed, offset);
  if (out.ndim != 1) fail(ErrorKind::Shape, "%s: the result must have 1 dimension, not %d", op, out.ndim);
  if (out.dtype != DType::Int64 && out.dtype != DType::Int32)
    fail(ErrorKind::DType, "%s: the result must be int64 or int32, not %s", op, dtypeName(out.dtype));
  const int64_t n = out.shape[0];
  if (n <= 0) return;
  if (out.dtype == DType::Int32 && n > INT32_MAX)
    fail(ErrorKind::DType, "%s: %lld indices do not fit int32", op, static_cast<long long>(n));
  const int bits = std::max(1, std::min(26, static_cast<int>(std::bit_width(static_cast<uint64_t>(n / 4)))));
  const int shift = 64 - bits;
  const int64_t buckets = int64_t{1} << bits;
  if (n > int64_t{1} << 43)
    fail(ErrorKind::OutOfMemory, "%s: no memory to sort %lld keys", op, static_cast<long long>(n));
  std::unique_ptr<Keyed[]> sorted(new (std::nothrow) Keyed[static_cast<size_t>(n)]);
  std::unique_ptr<int64_t[]> starts(new (std::nothrow) int64_t[static_cast<size_t>(buckets) + 1]());
  if (!sorted || !starts)
    fail(ErrorKind::OutOfMemory, "%s: no memory to sort %lld keys", op, static_cast<long long>(n));
  // starts[b + 1] counts bucket b, then is where it begins, and after placing, where it ends: starts[b] is its begin.
  forKeys(n, source, [&](uint64_t key, int64_t) { starts[static_cast<int64_t>(key >> shift) + 1]++; });
  int64_t sum = 0;
  for (int64_t b = 1; b <= buckets; b++) {
    const int64_t count = starts[b];
    starts[b] = sum;
    sum += count;
  }
  forKeys(n, source, [&](uint64_t key, int64_t i) {
    sorted[starts[static_cast<int64_t>(key >> shift) + 1]++] = {key, i};
  });
  const int64_t stride = out.strides[0];
  parallelFor(ctx.pool, buckets, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      for (int64_t i = starts[b]; i < starts[b + 1]; i++) {
        const Keyed item = sorted[i];
        int64_t place = i;
        // Equal keys stay in the order in which they came, that of their indices.
        for (; place > starts[b] && sorted[place - 1].key > item.key; place--) sorted[place] = sorted[place - 1];
        sorted[place] = item;
      }
      for (int64_t i = starts[b]; i < starts[b + 1]; i++) {
        if (out.dtype == DType::Int64)
          out.as<int64_t>()[i * stride] = sorted[i].index;
        else
          out.as<int32_t>()[i * stride] = static_cast<int32_t>(sorted[i].index);
      }
    }
  });
}

}  // namespace thalweg::cpu::THALWEG_ISA
