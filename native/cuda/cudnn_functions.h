// The functions of cuDNN that the plugin calls.
#pragma once
#include <cudnn.h>

#include "cuda/library.h"

namespace thalweg::cuda {

LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendCreateDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendDestroyDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendExecute);
LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendFinalize);
LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendGetAttribute);
LIBRARY_FUNCTION(cudnnLibrary, cudnnBackendSetAttribute);
LIBRARY_FUNCTION(cudnnLibrary, cudnnCreate);
LIBRARY_FUNCTION(cudnnLibrary, cudnnDestroy);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetErrorString);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetLastErrorString);
LIBRARY_FUNCTION(cudnnLibrary, cudnnSetStream);
#if defined(THALWEG_CUDA_EMULATED)
// Which the real library does not have: it cannot run on the emulated device.
LIBRARY_FUNCTION(cudnnLibrary, thalwegEmulatedCudnn);
#endif

}  // namespace thalweg::cuda
