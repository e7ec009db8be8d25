// Errors of CUDA's runtime in words that say what to do.
#include "cuda/launch.h"

namespace thalweg::cuda {

const char* adviceOn(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return "; nvidia-smi shows which processes hold the GPU's memory, CUDA_VISIBLE_DEVICES chooses another GPU";
    case cudaErrorDevicesUnavailable:
      return "; another process has the GPU for itself, or it is out of order: see nvidia-smi, or choose another one "
             "with "
             "CUDA_VISIBLE_DEVICES";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilationDisabled:
      return "; the plugin has no code for this GPU: build it for that, THALWEG_CUDA_ARCHITECTURES=native npm run "
             "build:cuda";
    case cudaErrorSystemNotReady:
      return "; services of the driver are not running, such as the fabric manager (nvidia-fabricmanager) on machines "
             "with NVSwitch";
    case cudaErrorSystemDriverMismatch:
      return "; the driver's module and its libraries are of different versions: restart the machine after an update, "
             "or "
             "install the same one in the container";
    case cudaErrorStubLibrary:
      return "; the libcuda.so that was found is the toolkit's stub: take its folder out of LD_LIBRARY_PATH";
    // After these every further call fails, until the process ends.
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure: return "; this process has lost its GPUs, start it again (the CPU still works)";
    default: return "";
  }
}

void checkCuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  // Or the next launch would find it again.
  cudaGetLastError();
  const ErrorKind kind = status == cudaErrorMemoryAllocation ? ErrorKind::OutOfMemory : ErrorKind::Device;
  fail(kind, "%.200s: CUDA reports %s (%s)%s", what, cudaGetErrorName(status), cudaGetErrorString(status),
       adviceOn(status));
}

}  // namespace thalweg::cuda
