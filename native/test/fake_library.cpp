// A library that has of NVIDIA's what libraries.cpp asks for, in the versions that the build gives.
#include <cstddef>

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED size_t cublasLtGetVersion() { return 10000 * CUDA_MAJOR + 101; }
EXPORTED size_t cudnnGetVersion() { return CUDNN_NUMBER; }
EXPORTED size_t cudnnGetCudartVersion() { return 1000 * CUDA_MAJOR; }
EXPORTED int nvrtcVersion(int* major, int* minor) {
  *major = CUDA_MAJOR;
  *minor = 2;
  return 0;
}
#if defined(HAS_ANSWER)
EXPORTED int fakeAnswer(int question) { return question + CUDNN_NUMBER; }
#endif
