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

Stream::Stream(bool inlineMode) : inline_(inlineMode), memory_(new char[kRingBytes + kAlign]) {
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
  if (end - head_.load(std::memory_order_acquire) > kRingBytes && !help())
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

void Stream::drain() {
  int64_t head = head_.load(std::memory_order_relaxed);
  for (int64_t tail; head != (tail = tail_.load(std::memory_order_acquire));) {
    while (head != tail) {
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
    head_.store(head, std::memory_order_seq_cst);
    producer_.wake();
  }
}

void Stream::main() {
  for (;;) {
    const auto hasCommands = [&] {
      return tail_.load(std::memory_order_seq_cst) != head_.load(std::memory_order_relaxed);
    };
    consumer_.wait([&] {
      return stop_.load(std::memory_order_seq_cst) || (hasCommands() && !running_.load(std::memory_order_relaxed));
    });
    // Whoever stops the stream is the producer, which is not helping then.
    if (stop_.load(std::memory_order_seq_cst) && !hasCommands()) return;
    if (running_.exchange(true, std::memory_order_acquire)) continue;
    setFlushDenormals(runFlush_);
    drain();
    running_.store(false, std::memory_order_release);
  }
}

bool Stream::help() {
  if (running_.exchange(true, std::memory_order_acquire)) return false;
  {
    const FlushScope scope(runFlush_);
    drain();
  }
  running_.store(false, std::memory_order_release);
  return true;
}

void Stream::synchronize() {
  if (isIdle() || help()) return;
  const int64_t target = tail_.load(std::memory_order_relaxed);
  producer_.wait([&] { return head_.load(std::memory_order_seq_cst) >= target; });
}

bool Stream::settles() {
  if (isIdle()) return true;
  if (queuedWork_ > kSoonWork) return false;
  return help() || producer_.waitFor(kSoonNs, [&] { return isIdle(); });
}

void Stream::flushDenormals(bool flush) {
  if (!inline_) {
    char* payload = reserve([](Stream& stream, char* payload) { setFlushDenormals(stream.runFlush_ = *payload != 0); },
                            nullptr, "setFlushDenormal", 1);
    *payload = flush ? 1 : 0;
    submit();
  }
  flush_ = flush;
}

void Stream::setCaught(const char* name) {
  const Error error = caughtError(std::string(name) + ": ");
  setError(error.kind, error.what());
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
