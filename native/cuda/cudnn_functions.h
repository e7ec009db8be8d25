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
LIBRARY_FUNCTION(cudnnLibrary, cudnnCreateRNNDataDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnCreateRNNDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnCreateTensorDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnDestroy);
LIBRARY_FUNCTION(cudnnLibrary, cudnnDestroyRNNDataDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnDestroyRNNDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnDestroyTensorDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetErrorString);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetLastErrorString);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetRNNTempSpaceSizes);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetRNNWeightParams);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetRNNWeightSpaceSize);
LIBRARY_FUNCTION(cudnnLibrary, cudnnGetTensorNdDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnRNNBackwardData_v8);
LIBRARY_FUNCTION(cudnnLibrary, cudnnRNNBackwardWeights_v8);
LIBRARY_FUNCTION(cudnnLibrary, cudnnRNNForward);
LIBRARY_FUNCTION(cudnnLibrary, cudnnSetRNNDataDescriptor);
LIBRARY_FUNCTION(cudnnLibrary, cudnnSetRNNDescriptor_v8);
LIBRARY_FUNCTION(cudnnLibrary, cudnnSetStream);
LIBRARY_FUNCTION(cudnnLibrary, cudnnSetTensorNdDescriptor);
#if defined(THALWEG_CUDA_EMULATED)
// Which the real library does not have: it cannot run on the emulated device.
LIBRARY_FUNCTION(cudnnLibrary, thalwegEmulatedCudnn);
#endif

}  // namespace thalweg::cuda
