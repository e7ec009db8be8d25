// What every kernel file of this folder includes: the kernels' declarations, the queue they are launched on, launching.
#pragma once
#include "../kernel.h"
#include "cuda/launch.h"
#include "cuda/queue.h"

namespace thalweg::cuda {
// Weak: a kernel that is not there yet is null in the table, and the addon says so when it is asked for.
#define KERNEL(name, ...) __attribute__((weak)) void name(Context&, __VA_ARGS__);
#include "kernels.def"
#undef KERNEL
}  // namespace thalweg::cuda
