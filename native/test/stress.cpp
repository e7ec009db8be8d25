// Everything in native/runtime that several threads touch, used by several threads in random order, with results
// checked: the pool, the stream, the allocator, the handles. Meant for ThreadSanitizer (npm run test:tsan), which sees
// an unordered access even when it happens to do no harm. Arguments: rounds (default 10), seed (default 1).
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/handles.h"
#include "runtime/pool.h"
#include "runtime/stream.h"

namespace thalweg {
namespace {

using Random = std::mt19937;

int64_t pick(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

// ---- The pool -------------------------------------------------------------------------------------------------------

// Each chunk runs once, also beside other callers, from inside chunks, and when chunks throw.
void useLoops(ThreadPool& pool, Random& random, int count) {
  for (int i = 0; i < count; i++) {
    const int64_t n = pick(random, 1, 300), grain = pick(random, 1, 40);
    const bool nested = pick(random, 0, 9) == 0;
    const int64_t thrower = pick(random, 0, 9) == 0 ? pick(random, 0, n - 1) : -1;
    std::vector<int> visits(static_cast<size_t>(n));  // not atomic: each element has one visitor
    bool caught = false;
    try {
      parallelFor(pool, n, grain, [&](int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; k++) {
          visits[static_cast<size_t>(k)]++;
          if (k == thrower) throw std::runtime_error("on purpose");
        }
        if (nested) {
          std::atomic<int64_t> sum{0};
          parallelFor(pool, 50, 7, [&](int64_t a, int64_t b) { sum.fetch_add(b - a); });
          CHECK(sum.load() == 50);
        }
        std::memset(threadScratch(0, 4096), 1, 4096);
      });
    } catch (const std::runtime_error&) {
      caught = true;
    }
    CHECK(caught == (thrower >= 0));
    for (const int visit : visits) CHECK(visit == 1 || (caught && visit == 0));
  }
}

void stressPool(ThreadPool& pool, uint32_t seed) {
  std::vector<std::thread> callers;
  for (uint32_t t = 0; t < 3; t++)
    callers.emplace_back([&pool, seed, t] {
      Random random(seed * 16 + t);
      useLoops(pool, random, 60);
    });
  Random random(seed * 16 + 9);
  for (int i = 0; i < 4; i++) {
    pool.setThreads(static_cast<int>(pick(random, 1, 5)));
    std::this_thread::sleep_for(std::chrono::microseconds(pick(random, 0, 500)));
  }
  for (std::thread& caller : callers) caller.join();
}

// ---- A stream with its memory ---------------------------------------------------------------------------------------

// What one JavaScript thread does with its stream: tensors are made, filled and compared by commands, and freed while
// commands that use them are still queued.
class Client {
 public:
  Client(ThreadPool& pool, uint32_t id, uint32_t seed)
      : pool_(pool),
        stream_(false),
        allocator_([this] { stream_.synchronize(); }),
        handles_(id, allocators_),
        random_(seed) {}

  ~Client() {
    stream_.close();
    handles_.freeAll();
    CHECK(handles_.liveTensors() == 0 && handles_.liveBytes() == 0);
    CHECK(started_ == finished_ + dropped_);
  }

  void run(int steps) {
    for (int i = 0; i < steps; i++) step();
    if (pick(random_, 0, 1) == 0) return;  // the destructor finds commands in the queue
    stream_.synchronize();
    CHECK(stream_.isIdle() && started_ == finished_ + dropped_);
  }

 private:
  struct Tensor {
    uint32_t handle;
    int64_t value;
  };
  struct Command {
    Client* client;
    TensorView view;
    int64_t write;   // fills with this, unless negative
    int64_t expect;  // compares before
    int64_t number;  // commands run in this order
    bool fail;
    bool flush = false;  // how subnormal numbers are to be taken; submit() fills it in
  };

  // Plain memory, touched by whoever runs commands: the order has to come from the stream.
  static void runCommand(const Command& command) {
    Client& client = *command.client;
    CHECK(command.number == client.next_++);
    client.finished_++;
    CHECK(flushesDenormals() == command.flush);
    int64_t* data = command.view.as<int64_t>();
    const int64_t n = command.view.numel();
    parallelFor(client.pool_, n, 64, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; k++) {
        if (command.expect >= 0) CHECK(data[k] == command.expect);
        if (command.write >= 0) data[k] = command.write;
      }
    });
    if (command.fail) fail(ErrorKind::Index, "command %lld", static_cast<long long>(command.number));
  }

  void submit(Command command) {
    started_++;
    command.flush = stream_.flushesDenormals();
    if (stream_.prefersNow(command.view.numel())) {
      stream_.runNow("now", [&] { runCommand(command); });
      return;
    }
    // Some are longer than fits the ring.
    const int64_t padding = pick(random_, 0, 99) == 0 ? 200'000 : pick(random_, 0, 3000);
    char* payload =
        stream_.reserve([](Stream&, char* payload) { runCommand(*reinterpret_cast<Command*>(payload)); },
                        [](Stream&, char* payload) { reinterpret_cast<Command*>(payload)->client->dropped_++; },
                        "queued", static_cast<int64_t>(sizeof(Command)) + padding);
    new (payload) Command(command);
    std::memset(payload + sizeof(Command), 7, static_cast<size_t>(padding));
    stream_.submit(pick(random_, 0, 1) * 500'000);
  }

  void step() {
    const int64_t what = pick(random_, 0, 99);
    if (tensors_.empty() || (what < 25 && tensors_.size() < 40)) {
      const int64_t shape[1] = {pick(random_, 0, 30) == 0 ? pick(random_, 100'000, 300'000) : pick(random_, 1, 3000)};
      const uint32_t handle = handles_.create(0, DType::Int64, 1, shape, shape[0] * 8);
      CHECK(handle != 0);
      tensors_.push_back({handle, -1});
      write(tensors_.back());
      return;
    }
    Tensor& tensor = tensors_[static_cast<size_t>(pick(random_, 0, static_cast<int64_t>(tensors_.size()) - 1))];
    if (what < 50) {
      write(tensor);
    } else if (what < 80) {
      submit({this, handles_.get(tensor.handle, "read").view, -1, tensor.value, number_++, false});
    } else if (what < 95) {
      if (what < 85) {  // through a view that outlives it
        const int64_t one[1] = {1};
        const uint32_t view = handles_.createView(tensor.handle, 1, one, one, 0);
        submit({this, handles_.get(view, "read").view, -1, tensor.value, number_++, false});
        handles_.free(view);
      }
      handles_.free(tensor.handle);
      CHECK(!handles_.isLive(tensor.handle));
      tensor = tensors_.back();
      tensors_.pop_back();
    } else if (what < 96) {
      if (stream_.settles()) CHECK(stream_.isIdle() && started_ == finished_ + dropped_);
    } else if (what < 97) {
      stream_.synchronize();
      CHECK(!flushesDenormals());  // the producer's thread is the host program's
      const std::unique_ptr<StreamError> error = stream_.takeError();
      CHECK((error != nullptr) == (firstFailure_ >= 0));
      if (error) CHECK(error->message == "command " + std::to_string(firstFailure_));
      firstFailure_ = -1;
    } else if (what < 98) {
      const int64_t failing = number_++;
      if (firstFailure_ < 0) firstFailure_ = failing;
      submit({this, handles_.get(tensor.handle, "fail").view, -1, tensor.value, failing, true});
    } else if (what < 99) {
      stream_.flushDenormals(canFlushDenormals() && pick(random_, 0, 1) == 0);
    } else {
      stream_.synchronize();
      allocator_.trim();
    }
  }

  void write(Tensor& tensor) {
    const int64_t before = tensor.value;
    tensor.value = pick(random_, 0, 1 << 30);
    submit({this, handles_.get(tensor.handle, "write").view, tensor.value, before, number_++, false});
  }

  ThreadPool& pool_;
  Stream stream_;
  CachingAllocator allocator_;
  Allocators allocators_{{&allocator_}};
  HandleTable handles_;
  Random random_;
  std::vector<Tensor> tensors_;
  int64_t number_ = 0, firstFailure_ = -1, started_ = 0;
  int64_t next_ = 0, finished_ = 0, dropped_ = 0;  // of whoever runs commands
};

void stressStreams(ThreadPool& pool, uint32_t seed) {
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 3; t++)
    threads.emplace_back([&pool, seed, t] {
      Client client(pool, t, seed * 16 + t);
      client.run(600);
    });
  for (std::thread& thread : threads) thread.join();
}

// ---- An allocator that several threads use --------------------------------------------------------------------------

void stressAllocator(uint32_t seed) {
  CachingAllocator allocator;
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 3; t++)
    threads.emplace_back([&allocator, seed, t] {
      Random random(seed * 16 + t);
      std::vector<std::pair<char*, int64_t>> blocks;
      for (int i = 0; i < 400; i++) {
        if (blocks.size() < 20 && pick(random, 0, 2) > 0) {
          const int64_t bytes = pick(random, 0, 20) == 0 ? pick(random, 1 << 20, 5 << 20) : pick(random, 0, 5000);
          char* block = static_cast<char*>(allocator.allocate(bytes));
          CHECK(block && reinterpret_cast<uintptr_t>(block) % 64 == 0);
          std::memset(block, static_cast<int>(t), static_cast<size_t>(bytes));
          blocks.emplace_back(block, bytes);
        } else if (!blocks.empty()) {
          const auto [block, bytes] = blocks.back();
          blocks.pop_back();
          for (int64_t k = 0; k < bytes; k += 97) CHECK(block[k] == static_cast<char>(t));
          allocator.release(block, bytes);
        }
      }
      for (const auto& [block, bytes] : blocks) allocator.release(block, bytes);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(allocator.cachedBytes() == allocator.reservedBytes());
  allocator.trim();
  CHECK(allocator.reservedBytes() == 0);
}

}  // namespace
}  // namespace thalweg

int main(int count, char** arguments) {
  const long rounds = count > 1 ? std::atol(arguments[1]) : 10;
  const long seed = count > 2 ? std::atol(arguments[2]) : 1;
  thalweg::ThreadPool pool(3);
  for (long round = 0; round < rounds; round++) {
    const auto each = static_cast<uint32_t>(seed + round);
    thalweg::stressPool(pool, each);
    thalweg::stressStreams(pool, each);
    thalweg::stressAllocator(each);
  }
  std::printf("%ld rounds from seed %ld: all as it should be\n", rounds, seed);
}
