// map: runs an elementwise program over groups of tensors. Groups of one kind (dtypes, dimensions) share launches: an
// optimizer's update of hundreds of tensors is a few of them.
#include <cstring>

#include "cuda/compiled.h"
#include "cuda/generated.h"
#include "cuda/interpreted.h"
#include "cuda/kernel.h"
#include "cuda/map_plan.h"

namespace thalweg::cuda {
namespace {

constexpr int kExternalSlot = 0;

// Moves the words to where the kernel finds them.
void placeWords(Queue& queue, MapLaunch& launch) {
  const size_t bytes = launch.words.size() * sizeof(int64_t);
  if (launch.words.size() <= kMapWords && !queue.deviceScalars) {
    std::memcpy(launch.arguments.words, launch.words.data(), bytes);
    return;
  }
  launch.arguments.external = queue.words(kExternalSlot, launch.words, launch.arguments.scalars);
}

}  // namespace

void map(Context& context, const Program& program, TensorList tensors, Scalars scalars) {
  MapPlan plan(program, tensors, scalars);
  Queue& queue = queueOf(context);
  const void* kernel = nullptr;  // of the launches to come
  const auto threadsOf = [&](const MapSpace& space) {
    kernel = compiledKernel(queue, program, {space.type, space.dtypes.data(), space.linear, false, false, {}});
    return kernel != nullptr ? kGeneratedThreads
                             : interpretedMapThreads(interpretedProgram(queue, program), space.type);
  };
  plan.forLaunches(threadsOf, [&](MapLaunch& launch) {
    placeWords(queue, launch);
    if (kernel == nullptr)
      return launchInterpretedMap(queue, interpretedProgram(queue, program), launch.type, launch.arguments);
    FaultSite division = divisionSite(queue, program);
    void* arguments[] = {&launch.arguments, &division};
    const int64_t threads = launch.arguments.tiles * kGeneratedThreads;
    launchCompiled(queue, kernel, gridFor(queue, threads, kGeneratedThreads), arguments);
  });
}

}  // namespace thalweg::cuda
