// What every kernel file includes: operand types, the context it runs in, and the dispatch table made from kernels.def.
#pragma once
#include <cstdint>

#include "program.h"
#include "reduce_kind.h"
#include "runtime/error.h"
#include "runtime/pool.h"
#include "runtime/tensor.h"

// Where the kernels of the device are that a file is compiled for. native/operands, which all devices share, is
// compiled in each of these namespaces: of an inline function in one of its own the linker would keep one copy, maybe
// that of an instruction set which this processor does not have.
#if defined(THALWEG_ISA)
#define THALWEG_KERNELS thalweg::cpu::THALWEG_ISA
#else
#define THALWEG_KERNELS thalweg::cuda
#endif

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
