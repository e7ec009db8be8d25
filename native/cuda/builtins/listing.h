// Variants of programs as lines of text: what programs.txt consists of, and what the emulated device writes when it
// records which ones run. A line says what the generated text depends on, and nothing else:
//
//   linear float32 bfloat16 <- float32 float32, scalars 1: mul i1 s0; add i0 x0 => x1
//   rows sum float32 <- float16: square i0 => x0
//
// How the operands are walked (maps: linear, strided; reductions: rows, columns, and by which operation), the type it
// computes in, a map's outputs, the inputs; then instructions on inputs (i0), scalars (s0), earlier results (x0) and
// constants (0.5), and which of these are the outputs.
#pragma once
#include <string>
#include <vector>

#include "cuda/generate.h"

namespace thalweg::cuda {

struct ListedProgram {
  Program program;
  ComputeType type;
  std::vector<uint8_t> dtypes;
  bool linear, isReduction, columns;
  ReduceKind kind;

  GeneratedVariant variant() const { return {type, dtypes.data(), linear, isReduction, columns, kind}; }
};

std::string listingLine(const Program& program, const GeneratedVariant& variant);

// The opposite; fails on what is no such line.
ListedProgram parseListing(const std::string& line);

// The lines of a file, without its comments (#); fails when it cannot be read.
std::vector<std::string> readListing(const std::string& file);

}  // namespace thalweg::cuda
