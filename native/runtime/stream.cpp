#include "runtime/stream.h"

#include <chrono>
#include <cstdlib>
#include <system_error>

namespace thalweg {

void Waiter::pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int64_t Waiter::nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Stream::Stream(ThreadPool& pool, bool inlineMode)
    : context_{pool}, inline_(inlineMode), memory_(new char[kRingBytes + kAlign]) {
  const auto address = reinterpret_cast<uintptr_t>(memory_.get());
  ring_ = memory_.get() + ((address + kAlign - 1) / kAlign * kAlign - address);
}

Stream::~Stream() { close(); }

char* Stream::reserve(Run run, Run drop, const char* name, int64_t payloadBytes) {
  const bool external = payloadBytes > kMaxInline;
  const int64_t inlineBytes = external ? 0 : payloadBytes;
  const int64_t size = (static_cast<int64_t>(sizeof(Header)) + kAlign - 1) / kAlign * kAlign +
                       (inlineBytes + kAlign - 1) / kAlign * kAlign;
  char* block = nullptr;
  if (!thread_.joinable()) start();
  if (external) {
    block = static_cast<char*>(std::malloc(static_cast<size_t>(payloadBytes)));
    if (!block)
      fail(ErrorKind::OutOfMemory, "%s: no memory for a command of %lld bytes", name,
           static_cast<long long>(payloadBytes));
  }
  int64_t tail = tail_.load(std::memory_order_relaxed);
  int64_t offset = tail % kRingBytes;
  // A record is contiguous: when it does not fit before the end of the ring, the rest of the ring is skipped.
  const int64_t skip = offset + size > kRingBytes ? kRingBytes - offset : 0;
  const int64_t end = tail + skip + size;
  if (end - head_.load(std::memory_order_acquire) > kRingBytes)
    producer_.wait([&] { return end - head_.load(std::memory_order_seq_cst) <= kRingBytes; });
  if (skip) {
    if (skip >= static_cast<int64_t>(sizeof(Header)))
      *reinterpret_cast<Header*>(ring_ + offset) = Header{nullptr, nullptr, nullptr, nullptr, skip};
    // A gap too small for a header is recognised by the consumer from the position alone.
    offset = 0;
  }
  Header* header = reinterpret_cast<Header*>(ring_ + offset);
  *header = Header{run, drop, name, block, size};
  reservedEnd_ = end;
  return external ? block : reinterpret_cast<char*>(header) + (sizeof(Header) + kAlign - 1) / kAlign * kAlign;
}

void Stream::submit(int64_t work) {
  queuedWork_ = (isIdle() ? 0 : queuedWork_) + work;
  tail_.store(reservedEnd_, std::memory_order_seq_cst);
  consumer_.wake();
}

// Before the first command is written: should the system refuse a thread, nothing waits for one.
void Stream::start() {
  try {
    thread_ = std::thread([this] { main(); });
  } catch (const std::system_error& error) {
    fail(ErrorKind::Native, "the system gives no thread for the command stream: %s", error.what());
  }
}

void Stream::execute(Header* header, bool run) {
  char* payload = header->external ? header->external
                                   : reinterpret_cast<char*>(header) + (sizeof(Header) + kAlign - 1) / kAlign * kAlign;
  if (!run) {
    if (header->drop) header->drop(*this, payload);
  } else {
    attempt(header->name, [&] { header->run(*this, payload); });
  }
  std::free(header->external);
}

void Stream::runQueued(int64_t tail) {
  for (int64_t head = head_.load(std::memory_order_relaxed); head != tail;) {
    const int64_t offset = head % kRingBytes;
    if (kRingBytes - offset < static_cast<int64_t>(sizeof(Header))) {
      head += kRingBytes - offset;
    } else {
      Header* header = reinterpret_cast<Header*>(ring_ + offset);
      const int64_t size = header->size;
      if (header->run) execute(header, !stop_.load(std::memory_order_relaxed));
      head += size;
    }
    head_.store(head, std::memory_order_release);
    producer_.wakeIfSeen();
  }
  // Published again, now in the order that wake() needs: once for the whole run, for it costs as much as a tiny
  // command.
  head_.store(tail, std::memory_order_seq_cst);
}

void Stream::main() {
  for (;;) {
    consumer_.wait([&] {
      return (tail_.load(std::memory_order_seq_cst) != head_.load(std::memory_order_seq_cst) && !running_.load()) ||
             stop_.load(std::memory_order_seq_cst);
    });
    if (!tryRunning()) continue;
    const int64_t tail = tail_.load(std::memory_order_acquire);
    const bool last = stop_.load(std::memory_order_seq_cst) && tail == head_.load(std::memory_order_relaxed);
    setFlushDenormals(queueFlushes_);
    runQueued(tail);
    running_.store(false);
    producer_.wake();
    if (last) return;
  }
}

void Stream::synchronize() {
  const int64_t target = tail_.load(std::memory_order_relaxed);
  if (!isIdle() && tryRunning()) {
    const FlushScope scope(queueFlushes_);
    runQueued(target);
    running_.store(false);
  }
  producer_.wait([&] { return head_.load(std::memory_order_seq_cst) >= target; });
}

bool Stream::settles() {
  if (queuedWork_ > kSoonWork) return isIdle();
  return producer_.waitFor(kSoonNs, [&] { return isIdle(); });
}

void Stream::flushDenormals(bool flush) {
  if (!inline_) {
    char* payload = reserve(
        [](Stream& stream, char* payload) {
          stream.queueFlushes_ = *payload != 0;
          setFlushDenormals(stream.queueFlushes_);
        },
        nullptr, "setFlushDenormal", 1);
    *payload = flush ? 1 : 0;
    submit();
  }
  flush_ = flush;
}

void Stream::setError(ErrorKind kind, const std::string& message) {
  std::lock_guard<std::mutex> lock(errorMutex_);
  if (error_) return;
  error_ = std::make_unique<StreamError>(StreamError{kind, message});
  failed_.store(true, std::memory_order_release);
}

std::unique_ptr<StreamError> Stream::takeError() {
  if (!failed_.load(std::memory_order_acquire)) return nullptr;
  std::lock_guard<std::mutex> lock(errorMutex_);
  failed_.store(false, std::memory_order_release);
  return std::move(error_);
}

void Stream::close() {
  stop_.store(true, std::memory_order_seq_cst);
  consumer_.wake();
  if (thread_.joinable()) thread_.join();
}

}  // namespace thalweg
