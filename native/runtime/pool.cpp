#include "runtime/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "runtime/allocator.h"
#include "runtime/denormal.h"
#include "runtime/error.h"
#include "runtime/exact_blocks.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Why a late worker cannot touch a job that is over
//
// `remaining` counts the chunks of the current job that nobody has claimed, and is the only way in: a thread takes
// chunk (total - remaining) by a compare-exchange from remaining to remaining - 1. The job's description (body, arg,
// total, flush) is plain memory, written before `remaining` is set and read only after such a claim. run() returns, and
// a next job may be described, only when `done` has reached `total`, and a claimed chunk is counted there after its
// body has returned. So while a thread holds a claim that it has not counted, the description it reads is that of the
// job it claimed from and run() is still waiting. A worker that read `remaining` before it was delayed for however long
// either fails its compare-exchange, or succeeds because the value is current again, and then holds a genuine claim on
// whatever job is current: nothing read before the claim is used after it, so there is no ABA problem and no need for a
// generation number. Memory order: claims are read-modify-writes, which continue the release sequence of the store that
// published the job; counting is a release that run() acquires.

namespace thalweg {
namespace {

constexpr int64_t kPauseNs = 1'000;
constexpr int64_t kYieldNs = 40'000;
// Waking a parked thread is a system call that takes the caller 2 us, on virtual machines 10 to 30: a job that would be
// done before the worker arrives wakes nobody. At first, at least and at most; twice what a wake has taken lately.
constexpr int64_t kWakeNs = 20'000;
constexpr int64_t kLeastWakeNs = 10'000;
constexpr int64_t kMostWakeNs = 100'000;
// How long the caller pauses for the chunks that others still have, beside what they should take: yielding instead
// would hand its processor to a busy neighbour for milliseconds.
constexpr int64_t kLastChunksNs = 5'000;
constexpr int64_t kMostPauseNs = 100'000;
// A caller that moves between processors does not drag the workers along more often than this.
constexpr int64_t kAffinityNs = 2'000'000;

int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Sleeps while word == value, until woken. May return early.
void park(std::atomic<uint32_t>& word, uint32_t value) {
#if defined(__linux__)
  static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t));
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
#else
  word.wait(value, std::memory_order_seq_cst);
#endif
}

void wake(std::atomic<uint32_t>& word, int64_t threads) {
  word.fetch_add(1, std::memory_order_seq_cst);
#if defined(__linux__)
  const int count = threads < INT32_MAX ? static_cast<int>(threads) : INT32_MAX;
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
#else
  if (threads == 1)
    word.notify_one();
  else
    word.notify_all();
#endif
}

// Pauses for so long, then yields for so long; true when ready() holds, false when it is time to park. Pausing for long
// takes the processor from the very thread that is waited for when there are more threads than processors.
template <class Ready>
bool waitBriefly(int64_t pauseNs, int64_t yieldNs, Ready&& ready) {
  if (ready()) return true;
  const int64_t start = nowNs();
  int64_t now = start;
  while (now - start < pauseNs) {
    for (int i = 0; i < 8; i++) {
      pauseBriefly();
      if (ready()) return true;
    }
    now = nowNs();
  }
  while (now - start < pauseNs + yieldNs) {
    std::this_thread::yield();
    if (ready()) return true;
    now = nowNs();
  }
  return false;
}

// What a chunk of each loop has taken lately, by the loop's function. Collisions forget.
class ChunkCosts {
 public:
  using Body = void (*)(void*, int64_t);
  static constexpr int64_t kUnknown = int64_t{1} << 40;
  // Nanoseconds; those of a loop not seen before are many.
  int64_t expected(Body body) const {
    const Entry& entry = entries_[slot(body)];
    return entry.body == body ? entry.ns : kUnknown;
  }
  void observe(Body body, int64_t ns) {
    Entry& entry = entries_[slot(body)];
    // Falls slowly: a job taken for a short one that is not costs more than a needless wake.
    entry.ns = entry.body != body ? ns : ns > entry.ns ? (entry.ns + ns) / 2 : (3 * entry.ns + ns) / 4;
    entry.body = body;
  }

 private:
  struct Entry {
    Body body = nullptr;
    int64_t ns = 0;
  };
  static constexpr int kBits = 7;
  static size_t slot(Body body) {
    return static_cast<size_t>((reinterpret_cast<uintptr_t>(body) * 0x9e3779b97f4a7c15u) >> (64 - kBits));
  }
  Entry entries_[1 << kBits];
};

}  // namespace

struct ThreadPool::State {
  // The job; see above. One cache line: a worker fetches the description along with the claim.
  alignas(64) std::atomic<int64_t> remaining{0};
  int64_t total = 0;
  void (*body)(void*, int64_t) = nullptr;
  void* arg = nullptr;
  bool flush = false;  // the caller's setting for subnormal numbers

  alignas(64) std::atomic<int64_t> done{0};
  std::atomic<uint32_t> callerParked{0};
  std::atomic<uint32_t> callerSignal{0};

  alignas(64) std::atomic<int32_t> parkedWorkers{0};
  std::atomic<uint32_t> workerSignal{0};
  std::atomic<bool> stop{false};

  alignas(64) std::atomic<bool> busy{false};  // held by the thread inside run()
  std::atomic<int> threads{1};
  std::atomic<bool> failed{false};
  std::exception_ptr exception;  // written by whoever sets `failed`
  std::vector<std::thread> workers;
  // Of the thread inside run():
  ChunkCosts costs;
  int64_t wakeNs = kWakeNs;  // a cold job of less than this stays on the caller

#if defined(__linux__)
  cpu_set_t allowed;
  bool mayMove = false;
  int callerCpu = -1;
  int64_t callerCpuSince = 0;
#endif

  void start(int count);
  void stopAll();
  void work();
  template <class After>
  int64_t drain(After&& after);
  void execute(int64_t chunks, void (*function)(void*, int64_t), void* argument);
  void avoidCallerCpu();
  void wakeParked();
};

void ThreadPool::State::start(int count) {
#if defined(__linux__)
  CPU_ZERO(&allowed);
  mayMove = sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 1;
  callerCpu = -1;
  // Signals are for the threads of the host program.
  sigset_t all, before;
  sigfillset(&all);
  const bool masked = pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
#endif
  try {
    workers.reserve(static_cast<size_t>(count > 1 ? count - 1 : 0));
    for (int i = 1; i < count; i++) {
      workers.emplace_back([this] { work(); });
#if defined(__linux__)
      pthread_setname_np(workers.back().native_handle(), "thalweg-worker");
#endif
    }
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do the work.
  }
#if defined(__linux__)
  if (masked) pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
  threads.store(static_cast<int>(workers.size()) + 1);
}

void ThreadPool::State::stopAll() {
  stop.store(true);
  wake(workerSignal, INT32_MAX);
  for (std::thread& worker : workers) worker.join();
  workers.clear();
  threads.store(1);
  stop.store(false);
}

// Runs chunks until none is left to claim; after() follows each. Returns how many there were.
template <class After>
int64_t ThreadPool::State::drain(After&& after) {
  int64_t finished = 0;
  int64_t left = remaining.load(std::memory_order_acquire);
  while (left > 0) {
    if (!remaining.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel, std::memory_order_acquire))
      continue;
    setFlushDenormals(flush);
    try {
      body(arg, total - left);
    } catch (...) {
      if (!failed.exchange(true)) exception = std::current_exception();
      finished += remaining.exchange(0, std::memory_order_acq_rel);  // the rest is skipped
    }
    finished++;
    after();
    left = remaining.load(std::memory_order_acquire);
  }
  if (finished == 0) return 0;
  const int64_t expected = total;  // the last read of the job: it may be over after the next line
  const int64_t counted = done.fetch_add(finished, std::memory_order_seq_cst) + finished;
  if (counted == expected && callerParked.load(std::memory_order_seq_cst)) wake(callerSignal, 1);
  return finished;
}

void ThreadPool::State::work() {
  for (;;) {
    const auto ready = [this] {
      return remaining.load(std::memory_order_acquire) > 0 || stop.load(std::memory_order_relaxed);
    };
    while (!waitBriefly(kPauseNs, kYieldNs, ready)) {
      // run() publishes the job and then looks at parkedWorkers; a worker does the opposite. One of the two sees the
      // other.
      parkedWorkers.fetch_add(1, std::memory_order_seq_cst);
      const uint32_t signal = workerSignal.load(std::memory_order_seq_cst);
      if (remaining.load(std::memory_order_seq_cst) == 0 && !stop.load(std::memory_order_seq_cst))
        park(workerSignal, signal);
      parkedWorkers.fetch_sub(1, std::memory_order_seq_cst);
    }
    if (stop.load(std::memory_order_relaxed)) return;
    drain([] {});
  }
}

// A woken worker is often placed on the caller's processor, and stays there: so that one is taken from its choice.
void ThreadPool::State::avoidCallerCpu() {
#if defined(__linux__)
  if (!mayMove) return;
  const int cpu = sched_getcpu();
  if (cpu == callerCpu || cpu < 0 || cpu >= CPU_SETSIZE) return;
  const int64_t now = nowNs();
  if (callerCpu >= 0 && now - callerCpuSince < kAffinityNs) return;
  callerCpu = cpu;
  callerCpuSince = now;
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) == 0) return;
  for (std::thread& worker : workers) pthread_setaffinity_np(worker.native_handle(), sizeof others, &others);
#endif
}

void ThreadPool::State::wakeParked() {
  const int64_t parked = parkedWorkers.load(std::memory_order_seq_cst);
  const int64_t left = remaining.load(std::memory_order_relaxed);
  if (parked <= 0 || left <= 0) return;
  const int64_t start = nowNs();
  wake(workerSignal, std::min(parked, left));
  wakeNs = (3 * wakeNs + std::clamp(2 * (nowNs() - start), kLeastWakeNs, kMostWakeNs)) / 4;
}

void ThreadPool::State::execute(int64_t chunks, void (*function)(void*, int64_t), void* argument) {
  avoidCallerCpu();
  total = chunks;
  body = function;
  arg = argument;
  flush = flushesDenormals();
  done.store(0, std::memory_order_relaxed);
  remaining.store(chunks, std::memory_order_seq_cst);
  // The clock is read only where a decision needs it: when workers are parked, or nothing is known of the loop.
  const int64_t expected = costs.expected(function);
  const bool cold = parkedWorkers.load(std::memory_order_seq_cst) > 0;
  const bool timed = cold || expected == ChunkCosts::kUnknown;
  bool alone = cold && expected < wakeNs / chunks;
  if (cold && !alone) wakeParked();
  const int64_t start = timed ? nowNs() : 0;
  const int64_t own = drain([&] {
    // Taken for a short job, and it is not.
    if (!alone || nowNs() - start < wakeNs) return;
    alone = false;
    wakeParked();
  });
  if (timed && own > 0) costs.observe(function, (nowNs() - start) / own);
  const int64_t pauseNs = std::min(kLastChunksNs + 2 * std::min(expected, kMostPauseNs), kMostPauseNs);
  const auto ready = [&] { return done.load(std::memory_order_acquire) == chunks; };
  while (!waitBriefly(pauseNs, 0, ready)) {
    const uint32_t signal = callerSignal.load(std::memory_order_seq_cst);
    callerParked.store(1, std::memory_order_seq_cst);
    if (done.load(std::memory_order_seq_cst) != chunks) park(callerSignal, signal);
    callerParked.store(0, std::memory_order_seq_cst);
  }
}

ThreadPool::ThreadPool(int threads) : state_(new State) { state_->start(threads); }

ThreadPool::~ThreadPool() { state_->stopAll(); }

int ThreadPool::threads() const { return state_->threads.load(std::memory_order_relaxed); }

void ThreadPool::setThreads(int threads) {
  if (threads < 1) threads = 1;
  // Another thread's run() is waited for; calls to run() meanwhile do their work themselves.
  while (state_->busy.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  if (threads != state_->threads.load()) {
    state_->stopAll();
    state_->start(threads);
  }
  state_->busy.store(false, std::memory_order_release);
}

void ThreadPool::run(int64_t chunks, void (*body)(void* arg, int64_t chunk), void* arg) {
  if (chunks <= 0) return;
  State& state = *state_;
  // Busy: another thread's job, or this call comes from inside a chunk.
  if (chunks == 1 || state.threads.load(std::memory_order_relaxed) == 1 || state.busy.load(std::memory_order_relaxed) ||
      state.busy.exchange(true, std::memory_order_acquire)) {
    for (int64_t chunk = 0; chunk < chunks; chunk++) body(arg, chunk);
    return;
  }
  state.execute(chunks, body, arg);
  std::exception_ptr exception;
  if (state.failed.load(std::memory_order_acquire)) {
    exception = std::move(state.exception);
    state.exception = nullptr;
    state.failed.store(false, std::memory_order_relaxed);
  }
  state.busy.store(false, std::memory_order_release);
  if (exception) std::rethrow_exception(std::move(exception));
}

namespace {

// Buffers from 1 MB on come in 2 MB blocks with huge pages.
constexpr int64_t kSmallScratch = int64_t{1} << 20;

struct Scratch {
  char* data = nullptr;
  int64_t bytes = 0;

  void release() {
    if (!data) return;
    if (fence() != Fence::None)
      fencedRelease(data, bytes);
    else if (bytes < kSmallScratch)
      ::operator delete(data, std::align_val_t(64));
    else
      systemRelease(data, bytes);
    data = nullptr;
    bytes = 0;
  }
  ~Scratch() { release(); }
};

thread_local Scratch threadScratches[kScratchSlots];

}  // namespace

char* threadScratch(int slot, int64_t bytes) {
  if (slot < 0 || slot >= kScratchSlots) fail(ErrorKind::Native, "threadScratch: there is no slot %d", slot);
  Scratch& scratch = threadScratches[slot];
  // Where steps outside a buffer are looked for, a buffer has the size of the last request.
  const bool exact = fence() != Fence::None;
  if (scratch.data && (exact ? bytes == scratch.bytes : bytes <= scratch.bytes)) return scratch.data;
  if (bytes < 64 && !exact) bytes = 64;
  scratch.release();
  if (exact) {
    scratch.data = static_cast<char*>(fencedAllocate(bytes, 64));
  } else if (bytes < kSmallScratch) {
    scratch.data = static_cast<char*>(::operator new(static_cast<size_t>(bytes), std::align_val_t(64), std::nothrow));
  } else {
    const int64_t blocks = bytes / kSystemBlock + (bytes % kSystemBlock != 0);
    bytes = blocks < INT64_MAX / kSystemBlock ? blocks * kSystemBlock : INT64_MAX;
    scratch.data = static_cast<char*>(systemAllocate(bytes));
  }
  if (!scratch.data)
    fail(ErrorKind::OutOfMemory, "no memory for %lld bytes of working space", static_cast<long long>(bytes));
  scratch.bytes = bytes;
  return scratch.data;
}

}  // namespace thalweg
