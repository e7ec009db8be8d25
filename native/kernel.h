// What every kernel file includes: operand types, the context it runs in, and the dispatch table made from kernels.def.
#pragma once
#include <cstdint>

#include "program.h"
#include "reduce_kind.h"
#include "runtime/error.h"
#include "runtime/pool.h"
#include "runtime/tensor.h"

namespace thalweg {

// Where a kernel runs. Passed to every kernel; a kernel has no other way to reach threads or memory.
struct Context {
  ThreadPool& pool;
  // Of a command for another device than the CPU: the plugin's queue, and how it reports a failure, since no exception
  // passes from one library to another.
  void* queue = nullptr;
  void* owner = nullptr;  // for report
  void (*report)(Context& context, ErrorKind kind, const char* message) = nullptr;
};

enum class Activation : int64_t { None, Relu, Gelu, Sigmoid, Tanh };

struct KernelTable {
  const char* isa;
#define KERNEL(name, ...) void (*name)(Context&, __VA_ARGS__);
#include "kernels.def"
#undef KERNEL
};

}  // namespace thalweg
