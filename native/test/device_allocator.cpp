// The allocator of device memory, by itself: random requests against a model of what it may do, then the cases that a
// random walk seldom meets. scripts/test-fuzz.sh and scripts/test-asan.sh build and run it. Its memory is made-up
// addresses: the allocator must never touch what they stand for. Arguments: rounds of the random walk, its seed.
#include "runtime/device_allocator.h"

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <random>
#include <vector>

#include "runtime/error.h"

namespace {

using namespace thalweg;

constexpr int64_t kKiB = 1024, kMiB = 1024 * kKiB;

[[noreturn]] void failed(const char* file, int line, const char* what) {
  std::printf("%s:%d: does not hold: %s\n", file, line, what);
  std::exit(1);
}
#define REQUIRE(condition) \
  if (!(condition)) failed(__FILE__, __LINE__, #condition)

// A device of so many bytes. Segments lie apart, at addresses that nothing is at.
class FakeDevice {
 public:
  explicit FakeDevice(int64_t capacity) : capacity(capacity) {}

  void* take(int64_t bytes) {
    REQUIRE(bytes > 0);
    takes++;
    if (lost) fail(ErrorKind::Device, "the device is lost");
    if (bytes > capacity - used) {
      refusals++;
      return nullptr;
    }
    used += bytes;
    const uintptr_t at = next_;
    next_ += (static_cast<uintptr_t>(bytes) + 2 * kMiB - 1) / kMiB * kMiB;
    segments[at] = bytes;
    return reinterpret_cast<void*>(at);
  }
  void giveBack(void* segment) {
    const auto found = segments.find(reinterpret_cast<uintptr_t>(segment));
    REQUIRE(found != segments.end());
    used -= found->second;
    segments.erase(found);
    returns++;
    returnsSinceWait++;
  }
  void synchronise() {
    waits++;
    returnsSinceWait = 0;
  }

  int64_t capacity, used = 0;
  int takes = 0, refusals = 0, returns = 0, returnsSinceWait = 0, waits = 0;
  bool lost = false;
  std::map<uintptr_t, int64_t> segments;

 private:
  uintptr_t next_ = uintptr_t{1} << 40;
};

// An allocator, and what is live of it.
struct Model {
  explicit Model(int64_t capacity, bool exact = false)
      : device(capacity),
        allocator([this](int64_t bytes) { return device.take(bytes); },
                  [this](void* segment) { device.giveBack(segment); }, [this] { device.synchronise(); }, exact),
        exact(exact) {}
  ~Model() { releaseAll(); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // The address, checked against everything else; 0 if there is no memory.
  uintptr_t allocate(int64_t bytes) {
    const uintptr_t at = reinterpret_cast<uintptr_t>(allocator.allocate(bytes));
    if (!at) return 0;
    const int64_t taken = bytes ? bytes : 1;
    if (!exact) REQUIRE(at % 512 == 0);
    const auto segment = std::prev(device.segments.upper_bound(at));
    REQUIRE(at >= segment->first);
    REQUIRE(at + static_cast<uintptr_t>(taken) <= segment->first + static_cast<uintptr_t>(segment->second));
    const auto after = live.lower_bound(at);
    if (after != live.end()) REQUIRE(at + static_cast<uintptr_t>(taken) <= after->first);
    if (after != live.begin()) {
      const auto before = std::prev(after);
      REQUIRE(before->first + static_cast<uintptr_t>(before->second) <= at);
    }
    live[at] = taken;
    liveBytes += taken;
    check();
    return at;
  }
  void release(uintptr_t at) {
    const auto found = live.find(at);
    REQUIRE(found != live.end());
    const int64_t bytes = found->second;
    liveBytes -= bytes;
    live.erase(found);
    allocator.release(reinterpret_cast<void*>(at), bytes);
    check();
  }
  void releaseAll() {
    while (!live.empty()) release(live.begin()->first);
  }
  void check() const {
    REQUIRE(allocator.reservedBytes() == device.used);
    REQUIRE(allocator.cachedBytes() >= 0);
    REQUIRE(allocator.cachedBytes() <= device.used - liveBytes);
  }

  FakeDevice device;
  std::map<uintptr_t, int64_t> live;
  int64_t liveBytes = 0;
  DeviceAllocator allocator;  // behind the device, to which it gives back at its end
  const bool exact;
};

// Sizes around every limit of the allocator, and between.
int64_t randomSize(std::mt19937_64& random) {
  const auto upTo = [&](int64_t most) { return static_cast<int64_t>(random() % static_cast<uint64_t>(most + 1)); };
  constexpr int64_t limits[] = {0, 512, 64 * kKiB, kMiB, 2 * kMiB, 10 * kMiB, 20 * kMiB};
  switch (random() % 8) {
    case 0: {
      const int64_t size = limits[random() % std::size(limits)] + upTo(4) - 2;
      return size < 0 ? 0 : size;
    }
    case 1: return upTo(20 * kMiB);
    case 2: return upTo(4 * kMiB);
    case 3: return upTo(kMiB);
    case 4: return upTo(64 * kKiB);
    default: return upTo(4 * kKiB);
  }
}

void walk(uint64_t seed, int rounds, int64_t capacity, bool exact) {
  std::mt19937_64 random(seed);
  Model model(capacity, exact);
  int refused = 0;
  for (int i = 0; i < rounds; i++) {
    // Fills up and empties again, in waves.
    const bool growing = random() % 100 < (i / 2000 % 2 ? 35u : 60u);
    if (growing || model.live.empty()) {
      const int64_t size = randomSize(random);
      const int waits = model.device.waits;
      if (!model.allocate(size)) {
        refused++;
        REQUIRE(exact || size + model.liveBytes > 0);
        // Whatever could go back did: each segment that is left holds something live.
        for (const auto& [at, bytes] : model.device.segments) {
          const auto inside = model.live.lower_bound(at);
          REQUIRE(inside != model.live.end() && inside->first < at + static_cast<uintptr_t>(bytes));
        }
      } else if (!exact && model.device.waits != waits) {
        REQUIRE(model.device.waits == waits + 1);
      }
    } else {
      auto victim = model.live.begin();
      std::advance(victim, static_cast<long>(random() % model.live.size()));
      model.release(victim->first);
    }
    if (random() % 5000 == 0) model.allocator.trim();
    model.check();
  }
  REQUIRE(capacity > 256 * kMiB || refused > 0);
  model.releaseAll();
  // Free neighbours have become one block each, or a segment would stay.
  model.allocator.trim();
  REQUIRE(model.device.segments.empty() && model.device.used == 0);
  REQUIRE(model.allocator.reservedBytes() == 0 && model.allocator.cachedBytes() == 0);
}

void reuse() {
  Model model(256 * kMiB);
  const uintptr_t first = model.allocate(1000);
  REQUIRE(model.device.used == 2 * kMiB);
  REQUIRE(model.allocate(1000) == first + 1024);
  model.release(first);
  REQUIRE(model.allocate(700) == first);
  model.releaseAll();
  // A step after the first takes nothing from the device.
  const int64_t sizes[] = {0, 1, 512, 513, kMiB, kMiB + 1, 3 * kMiB, 12 * kMiB, 21 * kMiB, 100};
  for (int step = 0; step < 4; step++) {
    const int takes = model.device.takes;
    for (const int64_t size : sizes) REQUIRE(model.allocate(size) != 0);
    REQUIRE(step == 0 || model.device.takes == takes);
    model.releaseAll();
  }
  REQUIRE(model.device.waits == 0 && model.device.returns == 0);
}

void splitAndMerge() {
  Model model(256 * kMiB);
  std::vector<uintptr_t> blocks;
  for (int i = 0; i < 4096; i++) blocks.push_back(model.allocate(512));
  REQUIRE(model.device.takes == 1 && model.device.used == 2 * kMiB && model.allocator.cachedBytes() == 0);
  // Every other one: no two are neighbours, so nothing larger fits.
  for (size_t i = 0; i < blocks.size(); i += 2) model.release(blocks[i]);
  REQUIRE(model.allocator.cachedBytes() == kMiB);
  const uintptr_t other = model.allocate(1024);
  REQUIRE(model.device.takes == 2 && other != 0);
  // Its neighbours on both sides are free: three become one.
  model.release(blocks[101]);
  REQUIRE(model.allocate(1536) == blocks[100]);
  REQUIRE(model.device.takes == 2);
  // The best fit is taken, not the first: a hole of 1,024 bytes rather than what is left of a segment.
  Model fit(256 * kMiB);
  const uintptr_t a = fit.allocate(4096), b = fit.allocate(512), c = fit.allocate(1024), d = fit.allocate(512);
  REQUIRE(a && b && d);
  fit.release(a);
  fit.release(c);
  REQUIRE(fit.allocate(1024) == c);
  REQUIRE(fit.allocate(2048) == a);
  // A large block keeps what would be left of it if that is no more than 1 MB.
  Model large(256 * kMiB);
  const uintptr_t big = large.allocate(12 * kMiB);
  large.release(big);
  REQUIRE(large.allocate(11 * kMiB) == big);
  REQUIRE(large.allocator.cachedBytes() == 0);
}

void segmentSizes() {
  const auto segmentOf = [](int64_t bytes) {
    Model model(256 * kMiB);
    REQUIRE(model.allocate(bytes) != 0);
    return model.device.used;
  };
  REQUIRE(segmentOf(0) == 2 * kMiB);
  REQUIRE(segmentOf(kMiB) == 2 * kMiB);
  REQUIRE(segmentOf(kMiB + 1) == 20 * kMiB);
  REQUIRE(segmentOf(10 * kMiB - 512) == 20 * kMiB);
  REQUIRE(segmentOf(10 * kMiB) == 10 * kMiB);
  REQUIRE(segmentOf(11 * kMiB) == 12 * kMiB);
}

void refusal() {
  Model model(64 * kMiB);
  const uintptr_t a = model.allocate(30 * kMiB), b = model.allocate(30 * kMiB);
  REQUIRE(a && b);
  REQUIRE(model.allocate(40 * kMiB) == 0);
  REQUIRE(model.device.waits == 0);  // nothing was cached: there was nothing to wait for
  model.release(a);
  REQUIRE(model.allocate(40 * kMiB) == 0);
  REQUIRE(model.device.waits == 1 && model.device.returns == 1);
  model.release(b);
  // Two cached segments of 30 MB make room for one of 60: after waiting for who used them, once.
  const uintptr_t c = model.allocate(30 * kMiB);
  model.release(c);
  const int waits = model.device.waits;
  REQUIRE(model.allocate(60 * kMiB) != 0);
  REQUIRE(model.device.waits == waits + 1);
  REQUIRE(model.device.returnsSinceWait > 0);  // first the wait, then what goes back
  // The last megabytes do for a block, though not for the segment that it would be cut from.
  Model tight(5 * kMiB);
  REQUIRE(tight.allocate(100) != 0);
  const uintptr_t last = tight.allocate(2 * kMiB);
  REQUIRE(last != 0 && tight.device.used == 4 * kMiB);
  REQUIRE(tight.allocate(2 * kMiB) == 0);
  REQUIRE(tight.allocate(kMiB) != 0 && tight.device.used == 4 * kMiB);
  REQUIRE(tight.allocate(kMiB) != 0 && tight.device.used == 5 * kMiB);
  tight.release(last);
  REQUIRE(tight.allocate(2 * kMiB) == last);
  // No size makes it compute past int64.
  REQUIRE(model.allocate(-1) == 0);
  REQUIRE(model.allocate(INT64_MAX) == 0);
  REQUIRE(model.allocate(INT64_MAX / 2) == 0);
}

// What the device throws reaches the caller, and nothing is half done.
void lostDevice() {
  Model model(64 * kMiB);
  const uintptr_t a = model.allocate(512);
  model.device.lost = true;
  bool thrown = false;
  try {
    model.allocate(12 * kMiB);
  } catch (const Error& error) {
    thrown = error.kind == ErrorKind::Device;
  }
  REQUIRE(thrown);
  model.check();
  // What is cached is still given out.
  REQUIRE(model.allocate(512) != 0);
  model.release(a);
  model.device.lost = false;
  REQUIRE(model.allocate(12 * kMiB) != 0);
}

void exactBlocks() {
  Model model(64 * kMiB, true);
  const uintptr_t a = model.allocate(5), b = model.allocate(0), c = model.allocate(3 * kMiB + 1);
  REQUIRE(model.device.segments.at(a) == 5 && model.device.segments.at(b) == 1);
  REQUIRE(model.device.segments.at(c) == 3 * kMiB + 1);
  REQUIRE(model.allocator.cachedBytes() == 0);
  model.release(a);
  REQUIRE(model.device.waits == 1 && model.device.returns == 1 && model.device.returnsSinceWait == 1);
  REQUIRE(model.allocate(5) != a);
}

void strangers() {
  Model model(64 * kMiB);
  const uintptr_t a = model.allocate(1000);
  // What it has not given out, and what has come back already, changes nothing.
  model.allocator.release(reinterpret_cast<void*>(a + 512), 512);
  model.allocator.release(nullptr, 0);
  model.release(a);
  model.allocator.release(reinterpret_cast<void*>(a), 1000);
  model.check();
  REQUIRE(model.allocator.cachedBytes() == 2 * kMiB);
}

// At its end an allocator gives everything back.
void end() {
  FakeDevice device(64 * kMiB);
  {
    DeviceAllocator allocator([&](int64_t bytes) { return device.take(bytes); },
                              [&](void* segment) { device.giveBack(segment); }, [&] { device.synchronise(); }, false);
    allocator.release(allocator.allocate(12 * kMiB), 12 * kMiB);
    allocator.release(allocator.allocate(100), 100);
    REQUIRE(device.segments.size() == 2);
  }
  REQUIRE(device.segments.empty());
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 40'000;
  const uint64_t seed = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  reuse();
  splitAndMerge();
  segmentSizes();
  refusal();
  lostDevice();
  exactBlocks();
  strangers();
  end();
  for (uint64_t i = 0; i < 4; i++) {
    walk(seed + 4 * i, rounds, 64 * kMiB, false);
    walk(seed + 4 * i + 1, rounds, 200 * kMiB, false);
    walk(seed + 4 * i + 2, rounds, int64_t{64} << 30, false);
    walk(seed + 4 * i + 3, rounds, 64 * kMiB, true);
  }
  std::printf("device memory: %d random requests from seed %llu, and the cases by hand\n", 16 * rounds,
              static_cast<unsigned long long>(seed));
  return 0;
}
