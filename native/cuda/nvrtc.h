// Compiling generated programs at run time: NVRTC, if it is there, and the files that keep what it made. They are in
// the folder that THALWEG_CACHE names, or in thalweg/cuda of the user's cache (XDG_CACHE_HOME, or ~/.cache).
#pragma once
#include <string>

namespace thalweg::cuda {

struct CompiledImage {
  std::string bytes;  // machine code; empty: it could not be made
  std::string log;    // then, why
};

// Machine code for an architecture ("sm_90") of a text that includes only deviceHeaders. From any thread.
CompiledImage compileImage(const std::string& source, const std::string& architecture);

// The file that keeps the image of a text; empty: none is kept.
std::string imageFile(const std::string& source, const std::string& architecture);
// An image from a file and into it. A file that is not whole, or not of this format, counts as none.
std::string readImage(const std::string& file);
void writeImage(const std::string& file, const std::string& bytes);

// What went wrong with the first program that could not be compiled, in one line; empty: nothing has.
std::string compilerTrouble();
void noteCompilerTrouble(const std::string& what);

}  // namespace thalweg::cuda
