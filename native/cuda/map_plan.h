// What a map is about, made ready for map_kernel.h: groups of tensors checked, each group's dimensions ordered and
// merged, and groups of one kind put together into launches.
#pragma once
#include <string>
#include <vector>

#include "../program.h"
#include "cuda/map_kernel.h"

namespace thalweg::cuda {

static_assert(kMapDims == kMaxDims && kMapOperands == 2 * kMaxProgramOperands);

// The iteration space of one group: `length` elements in each row, and the rows' dimensions.
struct MapSpace {
  ComputeType type;
  bool linear;  // one row, along which every operand is contiguous or uniform
  int dims = 0;
  int64_t rows = 1, length = 1;
  int64_t shape[kMaxDims];
  std::vector<int64_t> strides;  // [operand][dims + 1]
  std::vector<bool> packed;
  std::vector<uint8_t> dtypes;
};

// One launch. External words, where they are more than the arguments hold, are in `words`.
struct MapLaunch {
  ComputeType type;
  MapArguments arguments;
  std::vector<int64_t> words;
};

// Checks all groups (with the messages of the CPU's kernel) and makes the launches. `threads(type)`: of a block.
class MapPlan {
 public:
  MapPlan(const Program& program, TensorList tensors, Scalars scalars);

  // Calls f(MapLaunch&) for each launch. `threadsOf(space)` says how many threads a block has.
  template <class ThreadsOf, class F>
  void forLaunches(ThreadsOf&& threadsOf, F&& f) {
    std::vector<bool> done(spaces_.size());
    for (size_t first = 0; first < spaces_.size(); first++) {
      if (done[first]) continue;
      const int threads = threadsOf(spaces_[first].space);
      MapLaunch launch = begin(spaces_[first].space);
      for (size_t g = first; g < spaces_.size(); g++) {
        if (done[g] || !alike(spaces_[first].space, spaces_[g].space)) continue;
        if (launch.arguments.groups > 0 &&
            static_cast<int64_t>(launch.words.size()) + launch.arguments.groupWords > kMapWords) {
          f(launch);
          launch = begin(spaces_[first].space);
        }
        append(launch, spaces_[g], threads);
        done[g] = true;
      }
      f(launch);
    }
  }

 private:
  struct Group {
    MapSpace space;
    const TensorView* items;
  };

  static bool alike(const MapSpace& a, const MapSpace& b);
  MapLaunch begin(const MapSpace& space) const;
  void append(MapLaunch& launch, const Group& group, int threads) const;

  const Program& program_;
  Scalars scalars_;
  int operands_;
  std::vector<Group> spaces_;
};

}  // namespace thalweg::cuda
