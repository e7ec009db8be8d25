// What the machine can do at best: multiply-adds in registers, a plain copy, an empty parallel region. The benchmark
// times these and compares the other kernels with them.
#include "cpu/kernel.h"
#include "cpu/simd.h"

namespace thalweg::cpu::THALWEG_ISA {
namespace {

// Enough independent chains to hide the latency of two units, few enough to stay in registers.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kChains = 24;
#else
constexpr int kChains = 12;
#endif
constexpr int64_t kStepsPerRound = 64;
constexpr int64_t kMaxRounds = int64_t{1} << 20;
constexpr int64_t kMaxRegions = int64_t{1} << 20;
constexpr int64_t kMaxChunks = 1024;
constexpr int64_t kCopyGrain = int64_t{1} << 17;  // floats

// The compiler may neither know a value nor drop the work that made it.
template <class V>
THALWEG_INLINE void conceal(V& value) {
#if defined(__x86_64__)
  asm volatile("" : "+x"(value));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(value));
#else
  asm volatile("" : "+m"(value));
#endif
}

// Floating point operations of `rounds` rounds.
double multiplyAdds(int64_t rounds) {
  Vec<float> sums[kChains], factor = broadcast(0.5f), term = broadcast(0.25f);
  conceal(factor);
  conceal(term);
  for (int i = 0; i < kChains; i++) sums[i] = broadcast(static_cast<float>(i));
  for (int64_t step = 0; step < rounds * kStepsPerRound; step++) {
    THALWEG_UNROLL
    for (int i = 0; i < kChains; i++) sums[i] = sums[i] * factor + term;
  }
  for (int i = 0; i < kChains; i++) conceal(sums[i]);
  return 2.0 * lanes<float> * kChains * kStepsPerRound * static_cast<double>(rounds);
}

#if defined(__AVX512F__)
// Each of the 16 sums takes two products.
__attribute__((target("avx512bf16"))) double multiplyAddsBf16(int64_t rounds) {
  __m512 sums[kChains];
  __m512bh a, b;
  std::memset(&a, 0, sizeof a);
  std::memset(&b, 0, sizeof b);
  asm volatile("" : "+v"(a), "+v"(b));
  for (int i = 0; i < kChains; i++) sums[i] = _mm512_setzero_ps();
  for (int64_t step = 0; step < rounds * kStepsPerRound; step++) {
    THALWEG_UNROLL
    for (int i = 0; i < kChains; i++) sums[i] = _mm512_dpbf16_ps(sums[i], a, b);
  }
  for (int i = 0; i < kChains; i++) asm volatile("" : "+v"(sums[i]));
  return 4.0 * 16 * kChains * kStepsPerRound * static_cast<double>(rounds);
}
bool hasBf16() { return __builtin_cpu_supports("avx512bf16"); }
#else
double multiplyAddsBf16(int64_t) { return 0; }
bool hasBf16() { return false; }
#endif

THALWEG_INLINE void storeStreaming(float* p, Vec<float> v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, v);
#elif defined(__x86_64__)
  _mm_stream_ps(p, v);
#else
  store(p, v);
#endif
}

void copyStreaming(float* out, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i < n && reinterpret_cast<uintptr_t>(out + i) % kVectorBytes != 0; i++) out[i] = x[i];
  for (; i + lanes<float> <= n; i += lanes<float>) storeStreaming(out + i, load(x + i));
  for (; i < n; i++) out[i] = x[i];
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

void checkCounts(const char* name, const TensorView& out) {
  if (!out.defined || out.dtype != DType::Float64 || out.ndim != 1 || (out.shape[0] > 1 && out.strides[0] == 0))
    fail(ErrorKind::Shape, "%s: the counts go to a float64 tensor of one dimension", name);
}

void checkBetween(const char* name, const char* what, int64_t value, int64_t most) {
  if (value < 0 || value > most)
    fail(ErrorKind::Native, "%s: %s is %lld, outside 0 to %lld", name, what, static_cast<long long>(value),
         static_cast<long long>(most));
}

}  // namespace

void probeMultiplyAdd(Context& ctx, const TensorView& out, int64_t rounds, bool bfloat16) {
  checkCounts("probeMultiplyAdd", out);
  checkBetween("probeMultiplyAdd", "rounds", rounds, kMaxRounds);
  const bool available = !bfloat16 || hasBf16();
  parallelFor(ctx.pool, out.shape[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      out.as<double>()[i * out.strides[0]] = !available ? 0
                                             : bfloat16 ? multiplyAddsBf16(rounds)
                                                        : multiplyAdds(rounds);
  });
}

void probeCopy(Context& ctx, const TensorView& out, const TensorView& x, bool streaming) {
  if (!out.defined || !x.defined || out.dtype != DType::Float32 || x.dtype != DType::Float32 || !out.isContiguous() ||
      !x.isContiguous() || out.numel() != x.numel())
    fail(ErrorKind::Shape, "probeCopy: out and x are contiguous float32 of one size");
  parallelFor(ctx.pool, out.numel(), kCopyGrain, [&](int64_t begin, int64_t end) {
    float* to = out.as<float>() + begin;
    const float* from = x.as<float>() + begin;
    if (streaming)
      copyStreaming(to, from, end - begin);
    else
      std::memmove(to, from, static_cast<size_t>(end - begin) * sizeof(float));
  });
}

void probeFork(Context& ctx, const TensorView& out, int64_t regions, int64_t chunks) {
  checkCounts("probeFork", out);
  if (out.shape[0] != 1) fail(ErrorKind::Shape, "probeFork: the count goes to a tensor of one element");
  checkBetween("probeFork", "regions", regions, kMaxRegions);
  checkBetween("probeFork", "chunks", chunks, kMaxChunks);
  // A flag for each piece: a counter that all threads share would be what is measured.
  bool done[kMaxChunks] = {};
  double count = 0;
  for (int64_t region = 0; region < regions; region++) {
    parallelFor(ctx.pool, chunks, 1,
                [&](int64_t begin, int64_t) { __atomic_store_n(&done[begin], true, __ATOMIC_RELAXED); });
    count += static_cast<double>(chunks);
  }
  for (int64_t chunk = 0; regions > 0 && chunk < chunks; chunk++)
    if (!done[chunk]) fail(ErrorKind::Native, "probeFork: a piece was not run");
  *out.as<double>() = count;
}

}  // namespace thalweg::cpu::THALWEG_ISA
