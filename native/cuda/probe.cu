// What the device can do at best: multiply-adds in registers, a plain copy, launches that do nothing. The benchmark
// times these and compares the other kernels with them.
#include "cuda/check.h"
#include "cuda/kernel.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kChains = 16;  // independent ones of a thread, to hide the latency of an addition
constexpr int64_t kStepsPerRound = 64;
constexpr int64_t kMaxRounds = int64_t{1} << 20;
constexpr int64_t kMaxRegions = int64_t{1} << 20;
constexpr int64_t kMaxChunks = 1024;

// A block for each element of out. The sums are stored where the compiler does not know that it never happens.
__global__ void multiplyAdds(double* out, int64_t stride, int64_t rounds, float factor, float term) {
  float sums[kChains];
  for (int i = 0; i < kChains; i++) sums[i] = static_cast<float>(i);
  for (int64_t step = 0; step < rounds * kStepsPerRound; step++) {
    THALWEG_UNROLL
    for (int i = 0; i < kChains; i++) sums[i] = sums[i] * factor + term;
  }
  float sum = 0;
  for (int i = 0; i < kChains; i++) sum += sums[i];
  double operations = 2.0 * kThreads * kChains * kStepsPerRound * static_cast<double>(rounds);
  if (sum < 0) operations = -1;
  if (threadIdx.x == 0 || sum < 0) out[blockIdx.x * stride] = operations;
}

// Pairs of bfloat16 in a register, with the instruction that multiplies and adds both.
__global__ void multiplyAddPairs(double* out, int64_t stride, int64_t rounds, unsigned factor, unsigned term) {
  double operations = 0;
  unsigned sum = 0;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned sums[kChains];
  for (int i = 0; i < kChains; i++) sums[i] = static_cast<unsigned>(i) << 7;
  for (int64_t step = 0; step < rounds * kStepsPerRound; step++) {
    THALWEG_UNROLL
    for (int i = 0; i < kChains; i++)
      asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(sums[i]) : "r"(sums[i]), "r"(factor), "r"(term));
  }
  for (int i = 0; i < kChains; i++) sum |= sums[i];
  operations = 4.0 * kThreads * kChains * kStepsPerRound * static_cast<double>(rounds);
#else
  static_cast<void>(rounds);
  static_cast<void>(factor);
  static_cast<void>(term);
#endif
  // Signs are never set.
  const bool negative = (sum & 0x80008000u) != 0;
  if (negative) operations = -1;
  if (threadIdx.x == 0 || negative) out[blockIdx.x * stride] = operations;
}

template <class U, bool Streaming>
__global__ void copyPlain(U* to, const U* from, int64_t n) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
#if defined(__CUDA_ARCH__)
    if constexpr (Streaming) {
      __stcs(to + i, __ldcs(from + i));
      continue;
    }
#endif
    to[i] = from[i];
  }
}

// Each block leaves a mark; the last launch counts them.
__global__ void leaveMark(unsigned char* marks) {
  if (threadIdx.x == 0) marks[blockIdx.x] = 1;
}
__global__ void countMarks(double* out, const unsigned char* marks, int64_t regions, int64_t chunks) {
  int64_t marked = 0;
  for (int64_t i = 0; regions > 0 && i < chunks; i++) marked += marks[i];
  *out = static_cast<double>(marked * regions);
}

void checkCounts(const char* name, const TensorView& out) {
  if (!out.defined || out.dtype != DType::Float64 || out.ndim != 1 || (out.shape[0] > 1 && out.strides[0] == 0))
    fail(ErrorKind::Shape, "%s: the counts go to a float64 tensor of one dimension", name);
  checkMemory(name, "output", out);
}

void checkBetween(const char* name, const char* what, int64_t value, int64_t most) {
  if (value < 0 || value > most)
    fail(ErrorKind::Native, "%s: %s is %lld, outside 0 to %lld", name, what, static_cast<long long>(value),
         static_cast<long long>(most));
}

template <class U>
void copyBy(Queue& queue, const TensorView& out, const TensorView& x, int64_t n, bool streaming) {
  const unsigned blocks = gridFor(queue, n, kThreads);
  if (streaming)
    LAUNCH((copyPlain<U, true>), blocks, kThreads, 0, queue, out.as<U>(), x.as<const U>(), n);
  else
    LAUNCH((copyPlain<U, false>), blocks, kThreads, 0, queue, out.as<U>(), x.as<const U>(), n);
}

}  // namespace

void probeMultiplyAdd(Context& context, const TensorView& out, int64_t rounds, bool bfloat16) {
  checkCounts("probeMultiplyAdd", out);
  checkBetween("probeMultiplyAdd", "rounds", rounds, kMaxRounds);
  const int64_t n = out.shape[0];
  if (n == 0) return;
  if (n > INT32_MAX) fail(ErrorKind::Shape, "probeMultiplyAdd: %lld elements are too many", static_cast<long long>(n));
  Queue& queue = queueOf(context);
  const unsigned blocks = static_cast<unsigned>(n);
  if (bfloat16)
    LAUNCH(multiplyAddPairs, blocks, kThreads, 0, queue, out.as<double>(), out.strides[0], rounds, 0x3f003f00u,
           0x3e803e80u);
  else
    LAUNCH(multiplyAdds, blocks, kThreads, 0, queue, out.as<double>(), out.strides[0], rounds, 0.5f, 0.25f);
}

void probeCopy(Context& context, const TensorView& out, const TensorView& x, bool streaming) {
  if (!out.defined || !x.defined || out.dtype != DType::Float32 || x.dtype != DType::Float32 || !out.isContiguous() ||
      !x.isContiguous() || out.numel() != x.numel())
    fail(ErrorKind::Shape, "probeCopy: out and x are contiguous float32 of one size");
  checkMemory("probeCopy", "output", out);
  checkMemory("probeCopy", "input", x);
  const int64_t n = out.numel();
  if (n == 0) return;
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(out.data) | reinterpret_cast<uintptr_t>(x.data);
  Queue& queue = queueOf(context);
  if (n % 4 == 0 && addresses % sizeof(float4) == 0)
    copyBy<float4>(queue, out, x, n / 4, streaming);
  else
    copyBy<float>(queue, out, x, n, streaming);
}

void probeFork(Context& context, const TensorView& out, int64_t regions, int64_t chunks) {
  checkCounts("probeFork", out);
  if (out.shape[0] != 1) fail(ErrorKind::Shape, "probeFork: the count goes to a tensor of one element");
  checkBetween("probeFork", "regions", regions, kMaxRegions);
  checkBetween("probeFork", "chunks", chunks, kMaxChunks);
  Queue& queue = queueOf(context);
  unsigned char* marks = queue.scratch<unsigned char>(0, kMaxChunks);
  checkCuda(cudaMemsetAsync(marks, 0, kMaxChunks, queue.stream), "clearing marks");
  for (int64_t region = 0; chunks > 0 && region < regions; region++)
    LAUNCH(leaveMark, static_cast<unsigned>(chunks), kWarp, 0, queue, marks);
  LAUNCH(countMarks, 1, 1, 0, queue, out.as<double>(), marks, regions, chunks);
}

}  // namespace thalweg::cuda
