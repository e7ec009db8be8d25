// CUDA on the CPU, for tests: what the .cu files need of the compiler, the device and the runtime, as ordinary C++. The
// build of the emulated device finds this header in the place of CUDA's own.
//
// Each CUDA thread of a block is a fiber, all of them on the launching thread; a fiber runs until it waits for others
// (at a barrier, in a warp's collective) or ends. Lanes and warps run in their order, or in reverse
// (THALWEG_CUDA_EMULATED_ORDER=reverse): results that depend on it show a race. What else can be set: runtime.cpp.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __restrict__
// One block runs at a time on a thread, so what is static there is the block's.
#define __shared__ static thread_local

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};

// -- the runtime: the calls that the plugin makes
// -------------------------------------------------------------------------
enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorStubLibrary = 34,
  cudaErrorInsufficientDriver = 35,
  cudaErrorDevicesUnavailable = 46,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorNotReady = 600,
  cudaErrorECCUncorrectable = 214,
  cudaErrorNvlinkUncorrectable = 220,
  cudaErrorUnsupportedPtxVersion = 222,
  cudaErrorJitCompilationDisabled = 223,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchTimeout = 702,
  cudaErrorAssert = 710,
  cudaErrorHardwareStackError = 714,
  cudaErrorIllegalInstruction = 715,
  cudaErrorMisalignedAddress = 716,
  cudaErrorInvalidAddressSpace = 717,
  cudaErrorInvalidPc = 718,
  cudaErrorLaunchFailure = 719,
  cudaErrorSystemNotReady = 802,
  cudaErrorSystemDriverMismatch = 803,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorStreamCaptureIsolation = 905,
};
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
typedef struct EmulatedStream* cudaStream_t;
typedef struct EmulatedEvent* cudaEvent_t;
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin;
  int major, minor, multiProcessorCount, warpSize, l2CacheSize;
};
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0;

const char* cudaGetErrorName(cudaError_t);
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaDriverGetVersion(int*);
cudaError_t cudaRuntimeGetVersion(int*);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int);
cudaError_t cudaSetDevice(int);
cudaError_t cudaGetDevice(int*);
cudaError_t cudaMalloc(void**, size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaHostAlloc(void**, size_t, unsigned);
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemGetInfo(size_t*, size_t*);
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t = nullptr);
cudaError_t cudaMemcpyPeerAsync(void*, int, const void*, int, size_t, cudaStream_t = nullptr);
cudaError_t cudaMemsetAsync(void*, int, size_t, cudaStream_t = nullptr);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr);
cudaError_t cudaEventQuery(cudaEvent_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaDeviceCanAccessPeer(int*, int, int);
cudaError_t cudaDeviceEnablePeerAccess(int, unsigned);
// Graphs: what is launched on a stream that captures is kept, and run when the graph is launched.
typedef struct EmulatedGraph* cudaGraph_t;
typedef struct EmulatedGraph* cudaGraphExec_t;
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t cudaGraphDestroy(cudaGraph_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);
template <class T>
cudaError_t cudaMalloc(T** to, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(to), bytes);
}
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
template <class F>
cudaError_t cudaFuncSetAttribute(F*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

// -- the device
// ---------------------------------------------------------------------------------------------------------
namespace thalweg::cuda::emulated {

// The thread that runs now. Its fiber changes them; kernels see them as threadIdx and so on.
extern thread_local dim3 currentThread, currentBlock, currentBlockDim, currentGridDim;
extern thread_local unsigned currentLane;

void launch(dim3 grid, dim3 block, size_t sharedBytes, cudaStream_t stream, const std::function<void()>& kernel);
void* dynamicShared();
// Waits for all threads of the block; the or of what they give.
int barrier(int predicate);
// Waits for the lanes of the mask; the value of lane `from` (of its own, if that is not in the mask or the warp).
uint64_t exchange(unsigned mask, uint64_t value, unsigned from);
// The lanes of the mask for which the predicate holds.
unsigned ballot(unsigned mask, bool predicate);

template <class T>
T exchangeAs(unsigned mask, T value, unsigned from) {
  static_assert(sizeof(T) <= 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(mask, bits, from);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace thalweg::cuda::emulated

#define threadIdx (::thalweg::cuda::emulated::currentThread)
#define blockIdx (::thalweg::cuda::emulated::currentBlock)
#define blockDim (::thalweg::cuda::emulated::currentBlockDim)
#define gridDim (::thalweg::cuda::emulated::currentGridDim)
constexpr int warpSize = 32;

inline void __syncthreads() { thalweg::cuda::emulated::barrier(0); }
inline int __syncthreads_or(int predicate) { return thalweg::cuda::emulated::barrier(predicate); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { thalweg::cuda::emulated::ballot(mask, false); }
inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  const unsigned self = thalweg::cuda::emulated::currentLane, base = self & ~(static_cast<unsigned>(width) - 1);
  return thalweg::cuda::emulated::exchangeAs(mask, value, base + (static_cast<unsigned>(lane) & (width - 1u)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int = 32) {
  return thalweg::cuda::emulated::exchangeAs(mask, value,
                                             thalweg::cuda::emulated::currentLane ^ static_cast<unsigned>(lanes));
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned self = thalweg::cuda::emulated::currentLane, end = (self | (static_cast<unsigned>(width) - 1)) + 1;
  return thalweg::cuda::emulated::exchangeAs(mask, value, self + delta < end ? self + delta : self);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned self = thalweg::cuda::emulated::currentLane, base = self & ~(static_cast<unsigned>(width) - 1);
  return thalweg::cuda::emulated::exchangeAs(mask, value, self >= base + delta ? self - delta : self);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return thalweg::cuda::emulated::ballot(mask, predicate != 0);
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }

// All blocks of a launch run on one thread: nothing can come between.
#define THALWEG_EMULATED_ATOMIC(name, expression) \
  template <class T>                              \
  T name(T* at, T value) {                        \
    const T old = *at;                            \
    *at = (expression);                           \
    return old;                                   \
  }
THALWEG_EMULATED_ATOMIC(atomicAdd, old + value)
THALWEG_EMULATED_ATOMIC(atomicExch, value)
THALWEG_EMULATED_ATOMIC(atomicMax, old < value ? value : old)
THALWEG_EMULATED_ATOMIC(atomicMin, value < old ? value : old)
THALWEG_EMULATED_ATOMIC(atomicOr, old | value)
THALWEG_EMULATED_ATOMIC(atomicAnd, old& value)
#undef THALWEG_EMULATED_ATOMIC
template <class T>
T atomicCAS(T* at, T expected, T value) {
  const T old = *at;
  if (old == expected) *at = value;
  return old;
}
template <class T>
T __ldg(const T* at) {
  return *at;
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
inline uint64_t __umul64hi(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32); }
