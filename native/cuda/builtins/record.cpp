#include "cuda/builtins/record.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

#include "cuda/builtins/listing.h"

namespace thalweg::cuda {
namespace {

struct LaunchCounts {
  std::atomic<long> builtin{0}, interpreted{0};
  ~LaunchCounts() {
    if (std::getenv("THALWEG_CUDA_EMULATED_LAUNCHES"))
      std::fprintf(stderr, "programs: %ld launches of built-in kernels, %ld of the interpreter\n", builtin.load(),
                   interpreted.load());
  }
} launches;

}  // namespace

void countLaunch(bool isBuiltin) { (isBuiltin ? launches.builtin : launches.interpreted)++; }

void recordProgram(const Program& program, const GeneratedVariant& variant) {
  const char* const file = std::getenv("THALWEG_CUDA_EMULATED_PROGRAMS");
  if (file == nullptr || *file == '\0') return;
  // Each instruction's result is a register of its own in a listing.
  if (program.firstTemporary() + static_cast<int>(program.code.size()) > kMaxRegisters) return;
  static std::mutex mutex;
  static auto* written = new std::set<std::string>;  // never destroyed: other threads may still run at exit
  const std::lock_guard lock(mutex);
  const std::string line = listingLine(program, variant) + "\n";
  if (!written->insert(line).second) return;
  std::FILE* const f = std::fopen(file, "ae");
  if (f == nullptr) return;
  std::fputs(line.c_str(), f);
  std::fclose(f);
}

}  // namespace thalweg::cuda
