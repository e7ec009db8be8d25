#include "cuda/compiled.h"

#include <map>
#include <mutex>
#include <string>

#include "cuda/builtins/record.h"
#include "cuda/builtins/table.h"
#include "cuda/library.h"
#include "cuda/nvrtc.h"
#include "cuda/programs.h"

namespace thalweg::cuda {

namespace {

// Beyond these the compiler takes seconds, and what it makes spills its registers.
constexpr int kMostOperands = 32;
constexpr size_t kMostCode = 256;

bool worthCompiling(const Program& program) {
  return program.inputs + program.outputs <= kMostOperands && program.code.size() <= kMostCode;
}

#if defined(THALWEG_CUDA_EMULATED)

// It runs no machine code.
const void* compiledNow(Queue&, const std::string&) { return nullptr; }

#else

// From machine code to a kernel; null if the driver refuses it.
const void* load(const std::string& image) {
  cudaLibrary_t library;
  cudaKernel_t kernel;
  if (cudaLibraryLoadData(&library, image.data(), nullptr, nullptr, 0, nullptr, nullptr, 0) == cudaSuccess) {
    if (cudaLibraryGetKernel(&kernel, library, kProgramKernel) == cudaSuccess) return kernel;
    cudaLibraryUnload(library);
  }
  cudaGetLastError();
  return nullptr;
}

const void* build(const std::string& source, const std::string& architecture) {
  const std::string file = imageFile(source, architecture);
  if (!file.empty()) {
    const std::string image = readImage(file);
    if (!image.empty())
      if (const void* kernel = load(image)) return kernel;
  }
  const CompiledImage made = compileImage(source, architecture);
  if (made.bytes.empty()) {
    noteCompilerTrouble(made.log);
    return nullptr;
  }
  const void* kernel = load(made.bytes);
  if (kernel == nullptr)
    noteCompilerTrouble("the driver does not load what NVRTC compiled for " + architecture);
  else if (!file.empty())
    writeImage(file, made.bytes);
  return kernel;
}

// Of the process: a kernel serves all devices of its architecture, and is never unloaded.
const void* kernelOf(const std::string& source, const std::string& architecture) {
  static std::mutex mutex;
  static auto* kernels = new std::map<std::string, const void*>;
  const std::lock_guard lock(mutex);
  const auto [entry, isNew] = kernels->try_emplace(architecture + "\n" + source, nullptr);
  if (isNew) entry->second = build(source, architecture);
  return entry->second;
}

const void* compiledNow(Queue& queue, const std::string& source) {
  if (!nvrtcLibrary.available()) return nullptr;
  return kernelOf(source, "sm_" + std::to_string(queue.computeMajor * 10 + queue.computeMinor));
}

#endif

}  // namespace

const void* compiledKernel(Queue& queue, const Program& program, const GeneratedVariant& variant) {
  if (!worthCompiling(program)) return nullptr;
  std::string key(reinterpret_cast<const char*>(&program.id), sizeof program.id);
  key += static_cast<char>(variant.type);
  key += static_cast<char>(variant.linear | variant.isReduction << 1 | variant.columns << 2);
  key += static_cast<char>(variant.kind);
  const int operands = program.inputs + (variant.isReduction ? 0 : program.outputs);
  key.append(reinterpret_cast<const char*>(variant.dtypes), static_cast<size_t>(operands));
  auto& known = programsOf(queue).compiled;
  const auto [entry, isNew] = known.try_emplace(std::move(key), nullptr);
  if (isNew) {
#if defined(THALWEG_CUDA_EMULATED)
    recordProgram(program, variant);
#endif
    const std::string source = generateSource(program, variant, kProgramKernel);
    entry->second = builtinKernel(source);
    if (entry->second == nullptr) entry->second = compiledNow(queue, source);
  }
  return entry->second;
}

}  // namespace thalweg::cuda
