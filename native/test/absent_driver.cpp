// The CUDA driver of a machine that has no device. cuDNN's engines for attention compile and load their kernels when
// they are planned, and look for the driver's functions before: loading succeeds here, all else says that there is no
// device. For cudnn_attention_plans.cpp.
extern "C" {

constexpr int kSuccess = 0, kNoDevice = 100;

#define LOADS(name)         \
  int name(void** loaded) { \
    static char nothing;    \
    *loaded = &nothing;     \
    return kSuccess;        \
  }
LOADS(cuLibraryLoadData)
LOADS(cuLibraryGetKernel)

#define SUCCEEDS(name) \
  int name() { return kSuccess; }
SUCCEEDS(cuLibraryUnload)
SUCCEEDS(cuKernelSetAttribute)

int cuDriverGetVersion(int* version) {
  *version = 13000;
  return kSuccess;
}

#define FAILS(name) \
  int name() { return kNoDevice; }
FAILS(cuInit)
FAILS(cuCtxGetCurrent)
FAILS(cuCtxGetDevice)
FAILS(cuCtxGetLimit)
FAILS(cuCtxPopCurrent)
FAILS(cuCtxPushCurrent)
FAILS(cuDeviceGet)
FAILS(cuDeviceGetAttribute)
FAILS(cuDeviceGetCount)
FAILS(cuDevicePrimaryCtxRelease)
FAILS(cuDevicePrimaryCtxReset)
FAILS(cuDevicePrimaryCtxRetain)
FAILS(cuFuncGetAttribute)
FAILS(cuFuncSetAttribute)
FAILS(cuGetErrorName)
FAILS(cuGetErrorString)
FAILS(cuKernelGetAttribute)
FAILS(cuLaunchCooperativeKernel)
FAILS(cuLaunchKernel)
FAILS(cuLaunchKernelEx)
FAILS(cuLibraryLoadFromFile)
FAILS(cuLinkAddData)
FAILS(cuLinkAddData_v2)
FAILS(cuLinkAddFile_v2)
FAILS(cuLinkComplete)
FAILS(cuLinkCreate)
FAILS(cuLinkCreate_v2)
FAILS(cuLinkDestroy)
FAILS(cuMemcpyDtoH_v2)
FAILS(cuModuleGetFunction)
FAILS(cuModuleGetGlobal_v2)
FAILS(cuModuleLoadData)
FAILS(cuModuleLoadDataEx)
FAILS(cuModuleLoadFatBinary)
FAILS(cuModuleUnload)
FAILS(cuOccupancyMaxActiveBlocksPerMultiprocessor)
FAILS(cuOccupancyMaxPotentialClusterSize)
FAILS(cuStreamGetCtx)
FAILS(cuStreamSynchronize)
FAILS(cuTensorMapEncodeTiled)

}  // extern "C"
