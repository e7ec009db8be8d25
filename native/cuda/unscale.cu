// unscale: gradients divided by the factor of a scaled loss, and looked at, in one pass over all of them: the walk of
// elementwise programs with a body of its own.
#include <cstring>
#include <vector>

#include "cuda/kernel.h"
#include "cuda/map_plan.h"
#include "operands/map.h"

namespace thalweg::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kExternalSlot = 0;
constexpr const char* kName = "GradScaler.unscale_";

__device__ inline bool isFinite(float x) { return x - x == 0.0f; }
__device__ inline bool isFinite(double x) { return x - x == 0.0; }

// T: what is computed in; S: as it is stored.
template <class T, class S, DType kDType>
class UnscaleBody {
 public:
  using Value = T;
  static constexpr int kVector = cuda::kVector<T>;
  static constexpr int kLinear = -1;

  __device__ explicit UnscaleBody(const float* scale) : factor_(T(1) / static_cast<T>(*scale)) {}

  __device__ static constexpr int inputs() { return 1; }
  __device__ static constexpr int outputs() { return 1; }
  __device__ static constexpr DType dtype(const uint8_t*, int) { return kDType; }
  __device__ void input(int, const T (&values)[kVector]) {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) values_[v] = values[v];
  }
  __device__ void evaluate() {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) {
      values_[v] *= factor_;
      bad_ = bad_ || !isFinite(convert<T>(convert<S>(values_[v])));
    }
  }
  __device__ void output(int, T (&values)[kVector]) const {
    THALWEG_UNROLL_LOOP
    for (int v = 0; v < kVector; v++) values[v] = values_[v];
  }
  __device__ bool bad() const { return bad_; }

 private:
  T factor_;
  T values_[kVector];
  bool bad_ = false;
};

// Whoever finds something writes the same.
template <class Body>
__global__ void __launch_bounds__(kThreads)
    unscaleKernel(const __grid_constant__ MapArguments arguments, const float* scale, float* found) {
  Body body(scale);
  mapTiles(body, arguments);
  if (body.bad()) *found = 1.0f;
}

template <class Body>
void launchUnscale(Queue& queue, MapLaunch& launch, const float* scale, float* found) {
  MapArguments& a = launch.arguments;
  const auto bytes = static_cast<int64_t>(launch.words.size() * sizeof(int64_t));
  if (launch.words.size() <= kMapWords)
    std::memcpy(a.words, launch.words.data(), static_cast<size_t>(bytes));
  else
    a.external = static_cast<const int64_t*>(queue.constants(kExternalSlot, launch.words.data(), bytes));
  LAUNCH(unscaleKernel<Body>, gridFor(queue, a.tiles * kThreads, kThreads), kThreads, 0, queue, a, scale, found);
}

// For the plan: one tensor in, the same one out.
const Program& inPlace() {
  static const auto* program = [] {
    auto* p = new Program;
    p->name = kName;
    p->inputs = p->outputs = 1;
    p->outputRegisters = {0};
    return p;
  }();
  return *program;
}

}  // namespace

void unscale(Context& context, TensorList grads, const TensorView& scale, const TensorView& found) {
  checkFlag(kName, "scale", scale);
  checkFlag(kName, "found", found);
  std::vector<TensorView> items;
  items.reserve(static_cast<size_t>(2 * grads.count));
  for (int64_t i = 0; i < grads.count; i++) {
    if (grads[i].defined && !isFloating(grads[i].dtype))
      fail(ErrorKind::DType, "%s: takes floats, not %s", kName, dtypeName(grads[i].dtype));
    items.insert(items.end(), 2, grads[i]);
  }
  Queue& queue = queueOf(context);
  MapPlan plan(inPlace(), {items.data(), static_cast<int64_t>(items.size())}, {});
  plan.forLaunches([](const MapSpace&) { return kThreads; },
                   [&](MapLaunch& launch) {
                     const auto* from = scale.as<const float>();
                     auto* to = found.as<float>();
                     switch (static_cast<DType>(launch.arguments.dtypes[0])) {
                       case DType::Float32:
                         return launchUnscale<UnscaleBody<float, float, DType::Float32>>(queue, launch, from, to);
                       case DType::Float16:
                         return launchUnscale<UnscaleBody<float, Half, DType::Float16>>(queue, launch, from, to);
                       case DType::BFloat16:
                         return launchUnscale<UnscaleBody<float, BFloat16, DType::BFloat16>>(queue, launch, from, to);
                       default:
                         return launchUnscale<UnscaleBody<double, double, DType::Float64>>(queue, launch, from, to);
                     }
                   });
}

}  // namespace thalweg::cuda
