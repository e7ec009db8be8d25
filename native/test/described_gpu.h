// GPUs that are not there: cuDNN plans for a device that is described to it, so that what it takes and what it refuses
// shows without one.
#pragma once
#include <string>

#include "cuda/cudnn.h"

namespace thalweg::cuda {

struct DescribedGpu {
  const char* name;
  int version, multiprocessors, sharedBytes, threads;  // of a block at most, of a multiprocessor
};
constexpr DescribedGpu kDescribedGpus[] = {
    {"sm_75", 750, 40, 65536, 1024},     {"sm_80", 800, 108, 166912, 2048},   {"sm_90", 900, 132, 232448, 2048},
    {"sm_100", 1000, 148, 232448, 2048}, {"sm_120", 1200, 170, 101376, 1536},
};

class DescribedTarget final : public CudnnTarget {
 public:
  explicit DescribedTarget(const DescribedGpu& gpu) : properties_(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR) {
    std::string text = R"({"maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], )";
    const auto add = [&](const char* name, int64_t value) {
      text.append("\"").append(name).append("\": ").append(std::to_string(value)).append(", ");
    };
    add("regsPerBlock", 65536), add("multiProcessorCount", gpu.multiprocessors), add("warpSize", 32);
    add("maxSharedMemoryPerBlock", 49152), add("maxSharedMemoryPerBlockOptin", gpu.sharedBytes);
    add("reservedSharedMemoryPerBlock", 1024), add("maxRegistersPerSM", 65536), add("maxCtasPerSM", 32);
    add("maxThreadsPerBlock", 1024), add("maxThreadsPerSM", gpu.threads), add("deviceVer", gpu.version);
    add("driverVer", 13000), add("smClockRateKHz", 1980000), add("memClockRateKHz", 3201000);
    add("l2CacheSize", 62914560), add("totalGlobalMem", int64_t{1} << 35), add("pciDeviceId", 0);
    add("isTccDriver", 0), add("supportCoopLaunch", 1), add("cudaDeviceId", 0);
    text.append("\"deviceName\": \"").append(gpu.name).append("\"}");
    properties_.setText(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, text).finalize();
  }
  void applyToGraph(CudnnDescriptor&) const override {}
  void applyToHeuristics(CudnnDescriptor& heuristics) const override {
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, properties_);
  }
  void applyToPlan(CudnnDescriptor& plan) const override {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, properties_);
  }

 private:
  CudnnDescriptor properties_;
};

}  // namespace thalweg::cuda
