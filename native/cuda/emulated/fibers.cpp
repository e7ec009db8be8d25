// Blocks of CUDA threads as fibers: see cuda_runtime.h of this folder.
#include <cuda_runtime.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda/emulated/memory.h"
#include "cuda/emulated/streams.h"

namespace thalweg::cuda::emulated {

thread_local dim3 currentThread, currentBlock, currentBlockDim, currentGridDim;
thread_local unsigned currentLane;

namespace {

#if !defined(__x86_64__)
#error "the emulated device switches stacks by hand, which is written for x86-64 only"
#endif

// Saves what a call must preserve on the stack, and goes on where the other stack was left.
extern "C" void thalwegSwitchFiber(void** from, void* to);
asm(R"(
.text
.type thalwegSwitchFiber, @function
thalwegSwitchFiber:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size thalwegSwitchFiber, .-thalwegSwitchFiber
)");

enum class State : uint8_t { Fresh, Ready, AtBarrier, InWarp, Done };

struct Fiber {
  void* stackPointer = nullptr;
  char* stack = nullptr;
  State state = State::Fresh;
  dim3 index;
  unsigned mask = 0;  // of the warp's collective it waits in
  uint64_t given = 0, seen[kWarpLanes];
};

constexpr size_t kStackBytes = size_t{128} << 10;

struct Scheduler {
  std::vector<Fiber> fibers;
  std::vector<char*> stacks;  // free ones: a thread that ends without waiting leaves a warm stack to the next
  std::vector<uint64_t> dynamic;
  const std::function<void()>* kernel = nullptr;
  void* own = nullptr;  // the launching thread's stack pointer
  unsigned current = 0, count = 0;
  int predicates = 0, barrierResult = 0;

  char* takeStack() {
    if (stacks.empty()) {
      void* memory =
          mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) std::abort();
      // Running over the end must not reach a neighbour.
      mprotect(memory, 4096, PROT_NONE);
      return static_cast<char*>(memory);
    }
    char* stack = stacks.back();
    stacks.pop_back();
    return stack;
  }
};
thread_local Scheduler* scheduler = nullptr;

bool reversed() {
  static const bool value = [] {
    const char* text = std::getenv("THALWEG_CUDA_EMULATED_ORDER");
    return text && std::strcmp(text, "reverse") == 0;
  }();
  return value;
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "emulated CUDA: %s; block (%u,%u,%u), thread (%u,%u,%u)\n", what, currentBlock.x, currentBlock.y,
               currentBlock.z, currentThread.x, currentThread.y, currentThread.z);
  std::abort();
}

void yield(State state) {
  Scheduler& s = *scheduler;
  Fiber& fiber = s.fibers[s.current];
  fiber.state = state;
  thalwegSwitchFiber(&fiber.stackPointer, s.own);
}

void enter() {
  (*scheduler->kernel)();
  yield(State::Done);
  std::abort();
}

void resume(Scheduler& s, unsigned i) {
  Fiber& fiber = s.fibers[i];
  if (fiber.state == State::Fresh) {
    fiber.stack = s.takeStack();
    void** top = reinterpret_cast<void**>(fiber.stack + kStackBytes);
    *--top = nullptr;  // keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(&enter);
    for (int k = 0; k < 6; k++) *--top = nullptr;
    fiber.stackPointer = top;
    fiber.state = State::Ready;
  }
  s.current = i;
  currentThread = fiber.index;
  currentLane = i % kWarpLanes;
  thalwegSwitchFiber(&s.own, fiber.stackPointer);
  if (fiber.state == State::Done) {
    s.stacks.push_back(fiber.stack);
    fiber.stack = nullptr;
  }
}

// Lets the lanes go whose collective is complete; false if none is.
bool completeCollectives(Scheduler& s, unsigned begin, unsigned end) {
  bool any = false;
  for (unsigned i = begin; i < end; i++) {
    Fiber& fiber = s.fibers[i];
    if (fiber.state != State::InWarp) continue;
    bool complete = true;
    for (unsigned lane = 0; lane < kWarpLanes; lane++) {
      // Lanes that a partial warp does not have may be named.
      if (!(fiber.mask >> lane & 1) || begin + lane >= end) continue;
      const Fiber& other = s.fibers[begin + lane];
      if (other.state == State::InWarp && other.mask == fiber.mask) continue;
      if (other.state == State::Done) die("a lane that a warp's collective names has ended");
      complete = false;
    }
    if (!complete) continue;
    uint64_t values[kWarpLanes] = {};
    const unsigned mask = fiber.mask;
    for (unsigned lane = 0; lane < kWarpLanes; lane++)
      if (mask >> lane & 1 && begin + lane < end) values[lane] = s.fibers[begin + lane].given;
    for (unsigned lane = 0; lane < kWarpLanes; lane++) {
      if (!(mask >> lane & 1) || begin + lane >= end) continue;
      std::memcpy(s.fibers[begin + lane].seen, values, sizeof values);
      s.fibers[begin + lane].state = State::Ready;
    }
    any = true;
  }
  return any;
}

void runBlock(Scheduler& s) {
  for (unsigned i = 0; i < s.count; i++) s.fibers[i].state = State::Fresh;
  const unsigned warps = (s.count + kWarpLanes - 1) / kWarpLanes;
  for (;;) {
    for (unsigned k = 0; k < warps; k++) {
      const unsigned warp = reversed() ? warps - 1 - k : k;
      const unsigned begin = warp * kWarpLanes, end = begin + kWarpLanes < s.count ? begin + kWarpLanes : s.count;
      do {
        for (unsigned q = begin; q < end; q++) {
          const unsigned i = reversed() ? begin + end - 1 - q : q;
          if (s.fibers[i].state == State::Ready || s.fibers[i].state == State::Fresh) resume(s, i);
        }
      } while (completeCollectives(s, begin, end));
    }
    unsigned done = 0, waiting = 0;
    for (unsigned i = 0; i < s.count; i++) {
      done += s.fibers[i].state == State::Done;
      waiting += s.fibers[i].state == State::AtBarrier;
    }
    if (done == s.count) return;
    if (waiting != s.count)
      die(done ? "a barrier that some threads have ended before" : "a barrier not all threads reach");
    s.barrierResult = s.predicates;
    s.predicates = 0;
    for (unsigned i = 0; i < s.count; i++) s.fibers[i].state = State::Ready;
  }
}

}  // namespace

void* dynamicShared() { return scheduler->dynamic.data(); }

int barrier(int predicate) {
  scheduler->predicates |= predicate != 0;
  yield(State::AtBarrier);
  return scheduler->barrierResult;
}

uint64_t exchange(unsigned mask, uint64_t value, unsigned from) {
  Fiber& fiber = scheduler->fibers[scheduler->current];
  if (!(mask >> currentLane & 1)) die("a lane in a warp's collective whose mask does not name it");
  fiber.mask = mask;
  fiber.given = value;
  yield(State::InWarp);
  return from < kWarpLanes && mask >> from & 1 ? fiber.seen[from] : value;
}

unsigned ballot(unsigned mask, bool predicate) {
  exchange(mask, predicate, currentLane);
  const Fiber& fiber = scheduler->fibers[scheduler->current];
  unsigned bits = 0;
  for (unsigned lane = 0; lane < kWarpLanes; lane++)
    if (mask >> lane & 1 && fiber.seen[lane]) bits |= 1u << lane;
  return bits;
}

namespace {

void run(dim3 grid, dim3 block, size_t sharedBytes, const std::function<void()>& kernel) {
  const uint64_t blocks = uint64_t{grid.x} * grid.y * grid.z, threads = uint64_t{block.x} * block.y * block.z;
  if (!checkLaunch(blocks != 0 && threads != 0 && threads <= 1024 && block.z <= 64 && grid.y <= 65535 &&
                   grid.z <= 65535 && sharedBytes <= kMostSharedBytes))
    return;
  const DeviceAccess access;
  if (!scheduler) scheduler = new Scheduler;  // kept for the thread's next launches
  Scheduler& s = *scheduler;
  s.count = static_cast<unsigned>(threads);
  if (s.fibers.size() < s.count) s.fibers.resize(s.count);
  for (unsigned i = 0; i < s.count; i++)
    s.fibers[i].index = dim3(i % block.x, i / block.x % block.y, i / (block.x * block.y));
  s.kernel = &kernel;
  currentBlockDim = block;
  currentGridDim = grid;
  for (uint64_t k = 0; k < blocks; k++) {
    const uint64_t b = reversed() ? blocks - 1 - k : k;
    currentBlock = dim3(static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                        static_cast<unsigned>(b / (uint64_t{grid.x} * grid.y)));
    // Shared memory starts with whatever was there.
    s.dynamic.assign((sharedBytes + 7) / 8, 0xCDCDCDCDCDCDCDCDull);
    runBlock(s);
  }
}

}  // namespace

void launch(dim3 grid, dim3 block, size_t sharedBytes, cudaStream_t stream, const std::function<void()>& kernel) {
  if (runsNow(stream)) return run(grid, block, sharedBytes, kernel);
  enqueue(stream, Work::Kernel, [=] { run(grid, block, sharedBytes, kernel); });
}

}  // namespace thalweg::cuda::emulated
