// What a parallel loop costs: npm run bench:pool [threads] [neighbours]. Neighbours are busy threads beside the pool's,
// standing for other processes. The loop of 16 us is measured beside the same work on one thread, in turn.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "runtime/pool.h"

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

template <class F>
double timed(int repeats, F&& f) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < repeats; i++) f();
  return microseconds(Clock::now() - start) / repeats;
}

// Arithmetic that waits for itself: its time depends on the processor alone.
volatile double sink;
void work(int steps) {
  double x = 1;
  for (int i = 0; i < steps; i++) x = x * 1.0000001 + 1e-9;
  sink = x;
}

int stepsOf(double us) {
  constexpr int kTrial = 1000;
  double best = 1e9;
  for (int i = 0; i < 200; i++) best = std::min(best, timed(10, [] { work(kTrial); }));
  return static_cast<int>(kTrial * us / best);
}

void report(const char* what, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (const double sample : samples) sum += sample;
  const auto at = [&](double q) { return samples[static_cast<size_t>(q * static_cast<double>(samples.size() - 1))]; };
  std::printf("%-46s median %8.3f  mean %8.3f  p90 %8.3f us\n", what, at(0.5),
              sum / static_cast<double>(samples.size()), at(0.9));
}

int argument(char** arguments, int count, int index, int low, int high, int otherwise) {
  return count > index ? std::clamp(std::atoi(arguments[index]), low, high) : otherwise;
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = argument(arguments, count, 1, 1, 256, 2);
  const int neighbours = argument(arguments, count, 2, 0, 256, 0);
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < neighbours; i++)
    busy.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) work(1000);
    });

  thalweg::ThreadPool pool(threads);
  std::printf("%d threads, %d busy neighbours\n", threads, neighbours);
  const auto empty = [&] {
    pool.run(
        2, [](void*, int64_t) {}, nullptr);
  };
  constexpr int kSamples = 2000, kChunks = 8;
  std::vector<double> hot, alone, together, cold, coldAlone;
  for (int i = 0; i < kSamples; i++) hot.push_back(timed(100, empty));
  report("empty loop of 2 chunks, hot", hot);

  int steps = stepsOf(2);
  const auto serial = [&] {
    for (int i = 0; i < kChunks; i++) work(steps);
  };
  const auto parallel = [&] {
    pool.run(
        kChunks, [](void* steps, int64_t) { work(*static_cast<int*>(steps)); }, &steps);
  };
  for (int i = 0; i < kSamples; i++) {
    alone.push_back(timed(10, serial));
    together.push_back(timed(10, parallel));
  }
  report("8 chunks of 2 us on one thread", alone);
  report("the same in the pool, hot", together);
  for (int i = 0; i < kSamples / 10; i++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    coldAlone.push_back(timed(1, serial));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    cold.push_back(timed(1, parallel));
  }
  report("on one thread, after a millisecond of sleep", coldAlone);
  report("the same in the pool, its threads asleep", cold);
  stop.store(true);
  for (std::thread& thread : busy) thread.join();
}
