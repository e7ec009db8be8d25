// Elementwise programs as CUDA C++: a body for the kernels of map_kernel.h and reduce_kernel.h, with a value for each
// instruction.
#pragma once
#include <string>

#include "../program.h"
#include "reduce_kind.h"

namespace thalweg::cuda {

// What of a launch the text depends on, besides the program.
struct GeneratedVariant {
  ComputeType type;
  const uint8_t* dtypes;  // of a map's outputs and inputs; of a reduction's inputs
  bool linear;            // of maps
  bool isReduction, columns;
  ReduceKind kind;
};

// The name of the kernel in a text that is compiled by itself.
constexpr const char* kProgramKernel = "thalwegProgram";

// The text, in which the kernel is called `kernelName`: a function of C with the parameters
//   map:     MapArguments, FaultSite
//   reduce:  ReduceArguments, an operation of reduce_ops.h, FaultSite
std::string generateSource(const Program& program, const GeneratedVariant& variant, const std::string& kernelName);

}  // namespace thalweg::cuda
