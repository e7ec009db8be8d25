// Steps over the ends of storages and scratch buffers must stop the process where blocks are fenced
// (runtime/exact_blocks.h). Each is tried in a child process. scripts/test-fuzz.sh and scripts/test-asan.sh run this
// first: fuzzing with fences that do not hold would find nothing.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/allocator.h"
#include "runtime/exact_blocks.h"
#include "runtime/pool.h"

namespace {

using namespace thalweg;

// Whether touching `byte` of a fresh block of `bytes` ends the process. Every byte of the block must be usable before.
bool stops(bool scratch, int64_t bytes, int64_t byte) {
  const pid_t child = fork();
  if (child == 0) {
    std::fclose(stderr);  // the sanitizer's report is expected
    CachingAllocator allocator;
    volatile char* block = scratch ? threadScratch(3, bytes) : static_cast<char*>(allocator.allocate(bytes));
    for (int64_t i = 0; i < bytes; i++) block[i] = static_cast<char>(i);
    for (int64_t i = 0; i < bytes; i++)
      if (block[i] != static_cast<char>(i)) _exit(2);
    block[byte] = 1;
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
    std::printf("a block of %lld bytes cannot be used\n", static_cast<long long>(bytes));
  return !(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
}

int failures = 0;

void expectStop(const char* what, bool scratch, int64_t bytes, int64_t byte, bool wanted) {
  if (stops(scratch, bytes, byte) == wanted) return;
  failures++;
  std::printf("%s of %lld bytes, byte %lld: the process %s\n", what, static_cast<long long>(bytes),
              static_cast<long long>(byte), wanted ? "went on" : "stopped");
}

}  // namespace

int main() {
  if (fence() == Fence::None) {
    std::printf("nothing is fenced: set THALWEG_GUARD or build with AddressSanitizer\n");
    return 1;
  }
  const bool watchesStart = fence() != Fence::End, watchesEnd = fence() != Fence::Start;
  for (const int64_t bytes : {int64_t{1}, int64_t{4}, int64_t{100}, int64_t{4096}, int64_t{4100}, int64_t{3} << 20}) {
    expectStop("a storage", false, bytes, bytes - 1, false);
    if (watchesEnd) expectStop("a storage", false, bytes, bytes, true);
    if (watchesStart) expectStop("a storage", false, bytes, -1, true);
    expectStop("a scratch buffer", true, bytes, bytes - 1, false);
    // Scratch buffers start at a multiple of 64 bytes, so a page at their end may be that far away.
    if (watchesEnd)
      expectStop("a scratch buffer", true, bytes, fence() == Fence::Sanitizer ? bytes : (bytes + 63) / 64 * 64, true);
    if (watchesStart) expectStop("a scratch buffer", true, bytes, -1, true);
  }
  if (failures == 0) std::printf("fences hold: storages and scratch buffers\n");
  return failures == 0 ? 0 : 1;
}
