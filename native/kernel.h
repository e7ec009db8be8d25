// What every kernel file includes: operand types, the context it runs in, and the dispatch table made from kernels.def.
#pragma once
#include <cstdint>

#include "program.h"
#include "runtime/error.h"
#include "runtime/pool.h"
#include "runtime/tensor.h"

namespace thalweg {

// Where a kernel runs. Passed to every kernel; a kernel has no other way to reach threads or memory.
struct Context {
  ThreadPool& pool;
};

enum class ReduceKind : int64_t { Sum, Mean, Prod, Max, Min, ArgMax, ArgMin, MaxIndex, MinIndex, All, Any, Var };
enum class Activation : int64_t { None, Relu, Gelu, Sigmoid, Tanh };

struct KernelTable {
  const char* isa;
#define KERNEL(name, ...) void (*name)(Context&, __VA_ARGS__);
#include "kernels.def"
#undef KERNEL
};

}  // namespace thalweg
