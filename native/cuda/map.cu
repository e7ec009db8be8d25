// map: runs an elementwise program over groups of tensors. Groups of one kind (dtypes, dimensions) share launches: an
// optimizer's update of hundreds of tensors is a few of them.
#include <cstring>
#include <vector>

#include "cuda/compiled.h"
#include "cuda/generated.h"
#include "cuda/interpreted.h"
#include "cuda/kernel.h"
#include "cuda/map_plan.h"
#include "operands/map.h"

namespace thalweg::cuda {
namespace {

constexpr int kExternalSlot = 0;

// Moves the words to where the kernel finds them.
void placeWords(Queue& queue, MapLaunch& launch) {
  MapArguments& a = launch.arguments;
  if (launch.words.size() <= kMapWords)
    std::memcpy(a.words, launch.words.data(), launch.words.size() * sizeof(int64_t));
  else
    a.external = static_cast<const int64_t*>(queue.constants(
        kExternalSlot, launch.words.data(), static_cast<int64_t>(launch.words.size() * sizeof(int64_t))));
}

// given: the scalars in device memory; null: those of `scalars`.
void launchMap(Queue& queue, const Program& program, TensorList tensors, Scalars scalars, const double* given,
               const float* skip) {
  MapPlan plan(program, tensors, scalars);
  const void* kernel = nullptr;  // of the launches to come
  const auto threadsOf = [&](const MapSpace& space) {
    kernel = compiledKernel(queue, program, {space.type, space.dtypes.data(), space.linear, false, false, {}});
    return kernel != nullptr ? kGeneratedThreads
                             : interpretedMapThreads(interpretedProgram(queue, program), space.type);
  };
  plan.forLaunches(threadsOf, [&](MapLaunch& launch) {
    placeWords(queue, launch);
    launch.arguments.given = reinterpret_cast<const int64_t*>(given);
    launch.arguments.skip = skip;
    noteLaunch(kernel);
    if (kernel == nullptr)
      return launchInterpretedMap(queue, interpretedProgram(queue, program), launch.type, launch.arguments);
    const int64_t threads = launch.arguments.tiles * kGeneratedThreads;
    launchCompiled(queue, kernel, gridFor(queue, threads, kGeneratedThreads), launch.arguments,
                   divisionSite(queue, program));
  });
}

}  // namespace

// A graph's dynamic scalars stay where the graph has them.
void map(Context& context, const Program& program, TensorList tensors, Scalars scalars) {
  Queue& queue = queueOf(context);
  launchMap(queue, program, tensors, scalars, queue.deviceScalars, nullptr);
}

void mapUnless(Context& context, const Program& program, TensorList tensors, Scalars scalars,
               const OptionalTensor& skip, const OptionalTensor& given) {
  checkControl(program, tensors, scalars, skip, given);
  Queue& queue = queueOf(context);
  const float* flag = skip.defined ? skip.as<const float>() : nullptr;
  if (!given.defined) return launchMap(queue, program, tensors, scalars, queue.deviceScalars, flag);
  const std::vector<double> unused(static_cast<size_t>(program.scalars));
  launchMap(queue, program, tensors, {unused.data(), program.scalars}, given.as<const double>(), flag);
}

}  // namespace thalweg::cuda
