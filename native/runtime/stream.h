// The command stream of a device: JavaScript enqueues, one native thread executes in order.
//
// Commands are plain records (a function, a name, operands by value) in a ring of bytes. The producer is the
// environment's JavaScript thread, the consumer the stream's thread. A full ring blocks the producer. Waiting: a short
// pause loop, then yielding, then parking; the other side wakes a parked thread only when its flag says that it parked.
//
// Handing a command over costs more than adding a few numbers: the ring's cache lines travel between two processors,
// and a parked thread has to be woken. So when everything submitted has run, a command of little work runs in the call
// that made it. No lock is needed for that: the consumer touches nothing but what the producer submits, and the
// producer is busy running. What the consumer did before is visible once its position has been read (an acquire), what
// the producer did is published with the next command.
//
// A producer that has to wait for its commands anyway does not wait for a thread that still has to be woken, or that
// other programs keep from a processor: it runs them itself, unless the consumer is at it. Who runs commands holds
// `running_`; only the producer submits, so the queue is empty when it has helped.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "kernel.h"
#include "runtime/denormal.h"

namespace thalweg {

// One thread waits until the other makes progress.
class Waiter {
 public:
  // Returns when ready() holds. ready is called repeatedly.
  template <class Ready>
  void wait(Ready&& ready) {
    if (waitFor(kYieldNs, ready)) return;
    for (;;) {
      parked_.store(1, std::memory_order_seq_cst);
      if (ready()) break;
      parked_.wait(1, std::memory_order_seq_cst);
      if (ready()) break;
    }
    parked_.store(0, std::memory_order_seq_cst);
  }
  // The same for at most about so long, without parking; false when the time is up.
  template <class Ready>
  bool waitFor(int64_t ns, Ready&& ready) {
    for (int i = 0; i < kPauses; i++) {
      if (ready()) return true;
      pause();
    }
    const int64_t until = nowNs() + ns;
    do {
      if (ready()) return true;
      std::this_thread::yield();
    } while (nowNs() < until);
    return ready();
  }
  // Called after the progress has been published with seq_cst order.
  void wake() {
    if (parked_.load(std::memory_order_seq_cst) && parked_.exchange(0, std::memory_order_seq_cst)) parked_.notify_one();
  }

  bool isParked() const { return parked_.load(std::memory_order_relaxed) != 0; }

  // Without that order: may miss a thread that is just parking, so wake() has to follow before long.
  void wakeIfSeen() {
    if (parked_.load(std::memory_order_relaxed)) wake();
  }

 private:
  static constexpr int kPauses = 40;          // about 1 us
  static constexpr int64_t kYieldNs = 30000;  // 30 us
  static void pause();
  static int64_t nowNs();
  std::atomic<int32_t> parked_{0};
};

struct StreamError {
  ErrorKind kind = ErrorKind::Native;
  std::string message;
};

class Stream {
 public:
  using Run = void (*)(Stream&, char* payload);

  explicit Stream(bool inlineMode);
  ~Stream();

  bool isInline() const { return inline_; }
  // Whether kernels take subnormal numbers as zeros; of an inline stream, during each call.
  bool flushesDenormals() const { return flush_; }
  // In order with the commands.
  void flushDenormals(bool flush);

  // Space for a command's operands, 16-byte aligned; then submit(). Blocks while the ring is full. `drop` frees what
  // the payload owns when the command will not run, because the environment is closing. `work` as in prefersNow().
  char* reserve(Run run, Run drop, const char* name, int64_t payloadBytes);
  void submit(int64_t work = 0);

  // Whether a command of so much work (elements read and written, about) had better run in the call that makes it.
  bool prefersNow(int64_t work) const {
    return work <= kLittleWork && isIdle() && (work <= kTinyWork || consumer_.isParked() || !thread_.joinable());
  }
  // Whether everything submitted has run; waits for it, or sees to it, when that is a matter of microseconds.
  bool settles();
  // Runs a command on the calling thread, the producer's. Everything submitted has run. Errors are those of the stream.
  template <class Body>
  void runNow(const char* name, Body&& body) {
    const FlushScope scope(flush_);
    attempt(name, body);
  }

  int64_t position() const { return tail_.load(std::memory_order_relaxed); }
  bool isIdle() const { return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_relaxed); }
  // Returns when everything submitted so far has run.
  void synchronize();
  // The first error since the last call, if any.
  std::unique_ptr<StreamError> takeError();
  void setError(ErrorKind kind, const std::string& message);

  // Finishes the running command, drops the rest, joins the thread.
  void close();

 private:
  struct Header {
    Run run;
    Run drop;
    const char* name;
    char* external;  // payload outside the ring, or null
    int64_t size;    // of the record, header included
  };
  static constexpr int64_t kRingBytes = 1 << 20;
  static constexpr int64_t kAlign = 16;
  static constexpr int64_t kMaxInline = kRingBytes / 8;
  // Up to about 0.5 us, which a handover costs at its best; and up to about 5 us, what waking the consumer takes.
  static constexpr int64_t kTinyWork = 2'048;
  static constexpr int64_t kLittleWork = 32'768;
  // What a read waits for rather than be told of it by the event loop, which takes about as long.
  static constexpr int64_t kSoonWork = 1'000'000;
  static constexpr int64_t kSoonNs = 60'000;

  // A failure of body becomes the stream's error.
  template <class Body>
  void attempt(const char* name, Body&& body) {
    try {
      body();
    } catch (...) {
      setCaught(name);
    }
  }
  // setError of the exception that is being caught.
  void setCaught(const char* name);
  void start();
  void main();
  // Runs what is queued, on the producer's thread; false when the consumer is running it.
  bool help();
  // Runs commands until there are none. Called with `running_` held.
  void drain();
  void execute(Header* header, bool run);

  const bool inline_;
  bool flush_ = false;
  std::unique_ptr<char[]> memory_;
  char* ring_;
  int64_t reservedEnd_ = 0;
  int64_t queuedWork_ = 0;  // since the stream was last seen idle
  // Byte positions that only grow; the ring index is position % kRingBytes.
  alignas(64) std::atomic<int64_t> tail_{0};
  alignas(64) std::atomic<int64_t> head_{0};
  alignas(64) std::atomic<bool> running_{false};
  bool runFlush_ = false;  // flush_ as of the command that runs; guarded by running_
  alignas(64) Waiter consumer_;
  alignas(64) Waiter producer_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::mutex errorMutex_;
  std::unique_ptr<StreamError> error_;
  std::thread thread_;
};

}  // namespace thalweg
