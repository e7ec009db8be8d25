// map: runs an elementwise program over groups of tensors. Groups of one kind (dtypes, dimensions) share launches: an
// optimizer's update of hundreds of tensors is a few of them.
#include <cstring>

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
  const InterpretedProgram& interpreted = interpretedProgram(queue, program);
  plan.forLaunches([&](const MapSpace& space) { return interpretedMapThreads(interpreted, space.type); },
                   [&](MapLaunch& launch) {
                     placeWords(queue, launch);
                     launchInterpretedMap(queue, interpreted, launch.type, launch.arguments);
                   });
}

}  // namespace thalweg::cuda
