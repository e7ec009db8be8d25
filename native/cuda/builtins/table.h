// Programs that were compiled together with the plugin: the kernels of programs.txt, found by their text.
#pragma once
#include <cstddef>
#include <string>

#include "cuda/hash.h"

namespace thalweg::cuda {

struct BuiltinKernel {
  TextHash hash;  // of the text in which the kernel is called kProgramKernel
  const void* kernel;
};
struct BuiltinPart {
  const BuiltinKernel* kernels;
  size_t count;
};
// Written by write_builtins.cpp: the table, in parts that are compiled one by one.
extern const BuiltinPart builtinParts[];
extern const size_t builtinPartCount;

// Null: it is none of them.
#if defined(THALWEG_HAS_BUILTINS)
const void* builtinKernel(const std::string& source);
#else
inline const void* builtinKernel(const std::string&) { return nullptr; }
#endif

}  // namespace thalweg::cuda
