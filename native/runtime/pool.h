// A fork-join thread pool. The caller takes part; late workers never hold a job up: chunks are claimed one by one.
#pragma once
#include <cstdint>
#include <memory>

namespace thalweg {

class ThreadPool {
 public:
  // threads counts the caller: 1 means no workers.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;
  void setThreads(int threads);

  // Runs body(arg, chunk) for every chunk of [0, chunks), in any order, on any thread; returns when all are done. The
  // first exception of a chunk is rethrown here after the others have finished or been skipped. A call made while
  // another thread is inside run() (another worker's stream), or from inside a chunk, runs its chunks on the calling
  // thread.
  void run(int64_t chunks, void (*body)(void* arg, int64_t chunk), void* arg);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls f(begin, end) over [0, n) in pieces of `grain` (the last may be shorter). The pieces depend on n and grain
// only, so that results do not depend on the number of threads.
template <class F>
void parallelFor(ThreadPool& pool, int64_t n, int64_t grain, F&& f) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  const int64_t chunks = (n + grain - 1) / grain;
  if (chunks == 1) {
    f(int64_t{0}, n);
    return;
  }
  struct Job {
    F& f;
    int64_t n, grain;
  } job{f, n, grain};
  pool.run(
      chunks,
      [](void* arg, int64_t chunk) {
        Job& job = *static_cast<Job*>(arg);
        const int64_t begin = chunk * job.grain;
        const int64_t end = begin + job.grain < job.n ? begin + job.grain : job.n;
        job.f(begin, end);
      },
      &job);
}

// Grow-only 64-byte-aligned memory of the calling thread, kept between calls; slot tells apart buffers used at once
// (0 .. kScratchSlots-1). Contents are unspecified. Large buffers are 2 MB aligned and use huge pages.
constexpr int kScratchSlots = 8;
char* threadScratch(int slot, int64_t bytes);

}  // namespace thalweg
