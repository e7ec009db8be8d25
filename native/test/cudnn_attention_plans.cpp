// The graphs of cudnn_attention_graph.cpp for GPUs that are not there, planned by the real cuDNN. A problem of the
// table that has a plan on none of them is a failure. Without cuDNN it says so and ends with 77.
//
//   cudnn_attention_plans [-v: every graph, its engine or why there is none]
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/cudnn_attention_graph.h"
#include "cuda/library.h"
#include "described_gpu.h"

using namespace thalweg;
using namespace thalweg::cuda;

namespace {

struct Problem {
  const char* name;
  int64_t batch, heads, keyHeads, rows, keys, width, valueWidth;
  bool causal, rowsFirst;  // rowsFirst: memory has rows before heads, as projections of sequences have
  bool wide = false;       // gradients only on sm_90
};
constexpr Problem kProblems[] = {
    {"gpt, 1024", 8, 12, 12, 1024, 1024, 64, 64, true, true},
    {"bert, 512", 32, 16, 16, 512, 512, 64, 64, false, true},
    {"llama, grouped, 4096", 1, 32, 8, 4096, 4096, 128, 128, true, true},
    {"one key head", 2, 16, 1, 1024, 1024, 128, 128, true, true},
    {"heads first", 4, 8, 8, 256, 256, 64, 64, false, false},
    {"odd lengths", 3, 4, 4, 199, 333, 64, 64, false, true},
    {"causal, more rows", 2, 4, 2, 300, 100, 64, 64, true, true},
    {"causal, more keys", 2, 4, 2, 100, 300, 64, 64, true, true},
    {"cross attention", 4, 8, 8, 64, 1500, 64, 64, false, true},
    {"one row", 8, 32, 8, 1, 2048, 128, 128, false, true},
    {"one key", 8, 8, 8, 77, 1, 64, 64, false, true},
    {"narrow", 2, 4, 4, 128, 128, 8, 8, true, true},
    {"width 40", 2, 8, 8, 1024, 1024, 40, 40, false, true},
    {"width 96, values 64", 2, 8, 8, 512, 512, 96, 64, true, true},
    {"width 256", 2, 8, 1, 1024, 1024, 256, 256, true, true, true},
};

CudnnAttention attentionOf(const Problem& p, DType dtype, bool backward) {
  const auto strides = [&](int64_t heads, int64_t rows, int64_t width) {
    return p.rowsFirst ? HeadStrides{heads * rows * width, width, heads * width, 1}
                       : HeadStrides{heads * rows * width, rows * width, width, 1};
  };
  CudnnAttention a{};
  a.dtype = dtype, a.backward = backward, a.causal = p.causal;
  a.batch = p.batch, a.heads = p.heads, a.keyHeads = p.keyHeads;
  a.rows = p.rows, a.keys = p.keys, a.width = p.width, a.valueWidth = p.valueWidth;
  a.q = a.gq = strides(p.heads, p.rows, p.width);
  a.k = a.gk = strides(p.keyHeads, p.keys, p.width);
  a.v = a.gv = strides(p.keyHeads, p.keys, p.valueWidth);
  a.out = a.g = strides(p.heads, p.rows, p.valueWidth);
  return a;
}

}  // namespace

int main(int count, char** arguments) {
  bool verbose = false;
  std::vector<std::string> wanted;
  for (int i = 1; i < count; i++) {
    if (std::strcmp(arguments[i], "-v") == 0)
      verbose = true;
    else
      wanted.emplace_back(arguments[i]);
  }
  // The driver, or what stands for it: found by its name from now on.
  if (!dlopen("libcuda.so.1", RTLD_NOW) && !dlopen(ABSENT_DRIVER, RTLD_NOW)) {
    std::printf("cudnn_attention_plans: %s\n", dlerror());
    return 1;
  }
  if (!cudnnLibrary.available()) {
    std::printf("cudnn_attention_plans: %s\n", cudnnLibrary.report().c_str());
    return 77;
  }
  std::printf("%s\n", cudnnLibrary.report().c_str());
  int graphs = 0, plans = 0, failures = 0;
  for (const DescribedGpu& gpu : kDescribedGpus) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), gpu.name) == wanted.end()) continue;
    const DescribedTarget target(gpu);
    for (const DType dtype : {DType::Float16, DType::BFloat16})
      for (const bool backward : {false, true}) {
        int good = 0;
        std::string missing;
        for (const Problem& problem : kProblems) {
          const CudnnAttention whole = attentionOf(problem, dtype, backward);
          const CudnnAttention a = backward ? whole.part() : whole;
          const CudnnSearch search = findCudnnPlan(target, a.rules(), [&](CudnnGraph& graph) { a.describe(graph); });
          graphs++;
          if (search.plan) {
            good++, plans++;
          } else {
            if (!missing.empty()) missing += "; ";
            missing += problem.name;
            failures += gpu.version >= 800 && !(problem.wide && backward && gpu.version != 900);
          }
          if (!verbose) continue;
          std::printf("  %s %s %s, %s: ", gpu.name, dtypeName(dtype), backward ? "backward" : "forward", problem.name);
          if (search.plan)
            std::printf("engine %lld, notes %x, workspace %lld, of %d\n", static_cast<long long>(search.plan->engine),
                        search.plan->notes, static_cast<long long>(search.plan->workspace), search.considered);
          else
            std::printf("none of %d: %s\n", search.considered, search.reason.c_str());
        }
        std::printf("%s %s %s: %d of %zu%s%s\n", gpu.name, dtypeName(dtype), backward ? "backward" : "forward", good,
                    std::size(kProblems), missing.empty() ? "" : "; not ", missing.c_str());
        std::fflush(stdout);
      }
  }
  std::printf("%d graphs, %d plans%s\n", graphs, plans, failures > 0 ? ": more are refused than should be" : "");
  return failures > 0;
}
