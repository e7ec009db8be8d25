// Convolutions by cuDNN, the fast way where the library is there.
#pragma once
#include "operands/conv.h"

namespace thalweg::cuda {

// Launches a convolution or one of its gradients of operands that are not empty, with the bias. False if the library is
// not there, or has no engine for it; nothing that matters has been launched then. Uses the queue's scratch slots 0 and
// 6.
bool convolveByCudnn(Context& context, const Convolution& convolution);

}  // namespace thalweg::cuda
