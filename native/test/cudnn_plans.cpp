// The graphs of cudnn_conv_graph.cpp for GPUs that are not there: the real cuDNN plans for a device that is described
// to it, so that what it takes and what it refuses shows without one. What it refuses goes to Thalweg's own kernels; of
// 16-bit convolutions, which tensor cores are for, it must refuse none. Without cuDNN the program says so and ends with
// 77.
//
//   cudnn_plans [-v: every graph, with its engine or why there is none]
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/cudnn_conv_graph.h"
#include "cuda/gemm.h"
#include "cuda/library.h"
#include "described_gpu.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

struct Layer {
  const char* name;
  int64_t images, cin, cout, groups;  // channels of all groups
  int64_t in[3], kernel[3], stride, padding, dilation;
};
constexpr Layer kLayers[] = {
    {"resnet stem", 32, 3, 64, 1, {1, 224, 224}, {1, 7, 7}, 2, 3, 1},
    {"resnet 3x3, 64", 32, 64, 64, 1, {1, 56, 56}, {1, 3, 3}, 1, 1, 1},
    {"resnet 1x1, 64 to 256", 32, 64, 256, 1, {1, 56, 56}, {1, 1, 1}, 1, 0, 1},
    {"resnet 1x1, stride 2", 32, 256, 512, 1, {1, 56, 56}, {1, 1, 1}, 2, 0, 1},
    {"resnet 3x3, stride 2", 32, 128, 128, 1, {1, 56, 56}, {1, 3, 3}, 2, 1, 1},
    {"resnet 3x3, 512", 32, 512, 512, 1, {1, 7, 7}, {1, 3, 3}, 1, 1, 1},
    {"resnext 3x3, 32 groups", 32, 128, 128, 32, {1, 56, 56}, {1, 3, 3}, 1, 1, 1},
    {"lenet 1", 128, 1, 6, 1, {1, 28, 28}, {1, 5, 5}, 1, 2, 1},
    {"lenet 2", 128, 6, 16, 1, {1, 14, 14}, {1, 5, 5}, 1, 0, 1},
    {"depthwise", 32, 96, 96, 96, {1, 56, 56}, {1, 7, 7}, 1, 3, 1},
    {"dilated", 8, 256, 256, 1, {1, 33, 33}, {1, 3, 3}, 1, 6, 6},
    {"even kernel, more zeros behind", 8, 64, 64, 1, {1, 32, 32}, {1, 4, 4}, 1, 1, 1},
    {"1d", 16, 80, 384, 1, {1, 1, 3000}, {1, 1, 3}, 1, 1, 1},
    {"1d, stride 2", 16, 384, 384, 1, {1, 1, 3000}, {1, 1, 3}, 2, 1, 1},
    {"1d, dilated", 8, 64, 128, 1, {1, 1, 1024}, {1, 1, 3}, 1, 8, 8},
    {"3d", 2, 16, 32, 1, {16, 56, 56}, {3, 3, 3}, 1, 1, 1},
    {"3d stem", 2, 3, 64, 1, {16, 112, 112}, {3, 7, 7}, 2, 3, 1},
    {"transposed, stride 2", 16, 64, 128, 1, {1, 64, 64}, {1, 4, 4}, 2, 1, 1},
};

ConvShape shapeOf(const Layer& layer) {
  ConvShape s;
  s.images = layer.images;
  s.groups = layer.groups;
  s.cin = layer.cin / layer.groups;
  s.cout = layer.cout / layer.groups;
  for (int d = 0; d < 3; d++) {
    const bool used = layer.in[d] > 1;
    s.in[d] = layer.in[d];
    s.kernel[d] = layer.kernel[d];
    s.stride[d] = used ? layer.stride : 1;
    s.padding[d] = used && layer.kernel[d] > 1 ? layer.padding : 0;
    s.dilation[d] = used ? layer.dilation : 1;
    s.out[d] = (s.in[d] + 2 * s.padding[d] - s.dilation[d] * (s.kernel[d] - 1) - 1) / s.stride[d] + 1;
  }
  s.multiply();
  return s;
}

struct Counts {
  int graphs = 0, plans = 0, missing = 0;  // missing: that there must be
};

// The graphs of one operation, of all layers.
class Sweep {
 public:
  Sweep(const DescribedGpu& gpu, const CudnnTarget& target, bool verbose)
      : gpu_(gpu), target_(target), verbose_(verbose) {}

  void run(ConvKind kind, DType dtype, bool contiguous, bool bias, Counts& counts) {
    constexpr const char* kKinds[] = {"forward", "gradient of x", "gradient of the weight"};
    const bool tf32 = tensorFloat32.load();
    const std::string title = std::string(gpu_.name) + " " + dtypeName(dtype) + (tf32 ? " as TF32" : "") + ", " +
                              kKinds[static_cast<int>(kind)] + (bias ? " with a bias" : "") +
                              (contiguous ? ", of contiguous images" : "");
    int graphs = 0, plans = 0;
    std::string refused;
    for (const Layer& layer : kLayers) {
      auto convolution =
          cudnnConvolution(kind, dtype, shapeOf(layer), true, kind == ConvKind::BackwardData || !contiguous,
                           kind == ConvKind::Forward || !contiguous);
      if (!convolution) {
        std::printf("%s, %s: no graph\n", title.c_str(), layer.name);
        counts.missing++;
        continue;
      }
      convolution->bias = bias;
      const CudnnSearch search =
          findCudnnPlan(target_, convolution->rules(), [&](CudnnGraph& graph) { convolution->describe(graph); });
      graphs++;
      if (search.plan)
        plans++;
      else
        refused += (refused.empty() ? "; not " : ", ") + std::string(layer.name);
      if (verbose_) describe(title + ", " + layer.name, search);
    }
    std::printf("%s: %d of %d%s\n", title.c_str(), plans, graphs, refused.c_str());
    counts.graphs += graphs, counts.plans += plans;
    // Turing has no bfloat16.
    if (dtype == DType::Float16 || (dtype == DType::BFloat16 && gpu_.version >= 800)) counts.missing += graphs - plans;
  }

 private:
  static void describe(const std::string& title, const CudnnSearch& search) {
    if (search.plan)
      std::printf("%s: engine %lld of %d proposed, notes 0x%x, workspace %lld\n", title.c_str(),
                  static_cast<long long>(search.plan->engine), search.considered, search.plan->notes,
                  static_cast<long long>(search.plan->workspace));
    else
      std::printf("%s: none of %d proposed: %s\n", title.c_str(), search.considered, search.reason.c_str());
  }

  const DescribedGpu& gpu_;
  const CudnnTarget& target_;
  const bool verbose_;
};

Counts planFor(const DescribedGpu& gpu, bool verbose) {
  const DescribedTarget target(gpu);
  Sweep sweep(gpu, target, verbose);
  Counts counts;
  for (const bool tf32 : {false, true})
    for (const DType dtype : {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16}) {
      if (tf32 && dtype != DType::Float32) continue;
      tensorFloat32.store(tf32);
      for (const bool contiguous : {false, true}) {
        sweep.run(ConvKind::Forward, dtype, contiguous, false, counts);
        sweep.run(ConvKind::Forward, dtype, contiguous, true, counts);
        sweep.run(ConvKind::BackwardData, dtype, contiguous, false, counts);
        sweep.run(ConvKind::BackwardWeight, dtype, contiguous, false, counts);
      }
    }
  return counts;
}

}  // namespace

int main(int count, char** arguments) {
  const bool verbose = count > 1 && std::strcmp(arguments[1], "-v") == 0;
  if (!cudnnLibrary.available()) {
    std::printf("cudnn_plans: %s\n", cudnnLibrary.report().c_str());
    return 77;
  }
  std::printf("%s\n", cudnnLibrary.report().c_str());
  Counts all;
  for (const DescribedGpu& gpu : kDescribedGpus) {
    // A process for each: cuDNN plans for the device that it was told of first.
    int channel[2];
    if (pipe(channel) != 0) return 2;
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      Counts counts;
      try {
        counts = planFor(gpu, verbose);
      } catch (const CudnnRefusal& refusal) {
        std::printf("%s: %s\n", gpu.name, refusal.reason.c_str());
        counts.missing = 1;
      }
      std::fflush(stdout);
      const bool written = write(channel[1], &counts, sizeof counts) == static_cast<ssize_t>(sizeof counts);
      _exit(written ? 0 : 2);
    }
    close(channel[1]);
    Counts counts;
    const bool read = ::read(channel[0], &counts, sizeof counts) == static_cast<ssize_t>(sizeof counts);
    close(channel[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (!read || status != 0) {
      std::printf("%s: the process of cuDNN ended (%d)\n", gpu.name, status);
      return 1;
    }
    std::printf("%s: %d graphs, %d plans\n", gpu.name, counts.graphs, counts.plans);
    all.graphs += counts.graphs, all.plans += counts.plans, all.missing += counts.missing;
  }
  std::printf("cudnn_plans: %d graphs, %d plans; %d that must be there are missing\n", all.graphs, all.plans,
              all.missing);
  return all.missing ? 1 : 0;
}
