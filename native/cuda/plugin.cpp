// The plugin's face: see plugin.h.
#include "cuda/plugin.h"
#include "cuda/cudnn_rnn.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "cuda/gemm.h"
#include "cuda/kernel.h"
#include "cuda/launch.h"
#include "cuda/library.h"
#include "cuda/nvrtc.h"

namespace thalweg::cuda {
namespace {

void say(char* message, const char* text) { std::snprintf(message, kPluginMessageBytes, "%s", text); }

// Runs body; what it throws goes to `context.report`.
template <class Body>
void reporting(Context& context, Body&& body) {
  try {
    queueOf(context).makeCurrent();
    body();
  } catch (...) {
    const Error error = caughtError();
    context.report(context, error.kind, error.what());
  }
}
template <class Body>
bool explaining(char* message, Body&& body) {
  try {
    body();
    return true;
  } catch (const std::exception& error) {
    say(message, error.what());
    return false;
  }
}

// A kernel whose exceptions stay in this library. THALWEG_SYNC=1 waits for each, so that a failure names its kernel.
template <auto Kernel>
struct Guarded;
template <class... P, void (*Kernel)(Context&, P...)>
struct Guarded<Kernel> {
  static void call(Context& context, P... operands) {
    reporting(context, [&] {
      queueOf(context).use(operands...);
      Kernel(context, operands...);
      if (queueOf(context).waitsAlways() && !queueOf(context).isCapturing()) queueOf(context).synchronize();
    });
    queueOf(context).deviceScalars = nullptr;
  }
};

// A kernel that this build does not have is a weak symbol at 0.
const KernelTable table = {
    "cuda",
#define KERNEL(name, ...) &name ? &Guarded<&name>::call : nullptr,
#include "kernels.def"
#undef KERNEL
};

int deviceCount(char* message) {
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  cudaGetLastError();
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  char text[512];
  if (driver == 0) {
    say(message, "no NVIDIA driver was found on this machine; install one (nvidia-smi then lists the GPUs)");
  } else if (status == cudaErrorInsufficientDriver || driver / 1000 < runtime / 1000) {
    std::snprintf(
        text, sizeof text,
        "the NVIDIA driver is too old: it supports CUDA %d.%d, this build needs %d.%d or newer; update the driver",
        driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
    say(message, text);
  } else if (status == cudaErrorNoDevice || status == cudaSuccess) {
    say(message, "the NVIDIA driver shows no GPU to this process; check nvidia-smi and CUDA_VISIBLE_DEVICES");
  } else {
    std::snprintf(text, sizeof text, "CUDA does not start: it reports %s (%s)%s", cudaGetErrorName(status),
                  cudaGetErrorString(status), adviceOn(status));
    say(message, text);
  }
  return -1;
}

bool describeDevice(int ordinal, PluginDevice* device, char* message) {
  return explaining(message, [&] {
    cudaDeviceProp properties;
    checkCuda(cudaGetDeviceProperties(&properties, ordinal), "reading the properties of the device");
    *device = {};
    std::snprintf(device->name, sizeof device->name, "%s", properties.name);
    device->memoryBytes = static_cast<int64_t>(properties.totalGlobalMem);
    device->computeMajor = properties.major;
    device->computeMinor = properties.minor;
    device->multiprocessors = properties.multiProcessorCount;
  });
}

void* openQueue(int ordinal, char* message) {
  Queue* queue = nullptr;
  explaining(message, [&] {
    auto made = std::make_unique<Queue>(ordinal);
    made->cudnnRnns = makeCudnnRnns();
    queue = made.release();
  });
  return queue;
}
void closeQueue(void* queue) { delete static_cast<Queue*>(queue); }

void* allocate(void* queue, int64_t bytes, char* message) {
  void* block = nullptr;
  explaining(message, [&] {
    static_cast<Queue*>(queue)->makeCurrent();
    const cudaError_t status = cudaMalloc(&block, static_cast<size_t>(bytes));
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      block = nullptr;
      return;
    }
    checkCuda(status, "allocating device memory");
  });
  return block;
}
void release(void* queue, void* block) {
  char message[kPluginMessageBytes];
  explaining(message, [&] {
    static_cast<Queue*>(queue)->makeCurrent();
    static_cast<Queue*>(queue)->finishCopies();
    cudaFree(block);
  });
}
bool memoryInfo(void* queue, int64_t* freeBytes, int64_t* totalBytes) {
  char message[kPluginMessageBytes];
  return explaining(message, [&] {
    static_cast<Queue*>(queue)->makeCurrent();
    size_t free = 0, total = 0;
    checkCuda(cudaMemGetInfo(&free, &total), "asking for free memory");
    *freeBytes = static_cast<int64_t>(free);
    *totalBytes = static_cast<int64_t>(total);
  });
}

int64_t pinnedBytes(void* queue) { return static_cast<Queue*>(queue)->pinnedBytes(); }
void trim(void* queue) {
  char message[kPluginMessageBytes];
  explaining(message, [&] {
    static_cast<Queue*>(queue)->makeCurrent();
    static_cast<Queue*>(queue)->trim();
  });
}

void upload(Context& context, void* to, const void* from, int64_t bytes) {
  reporting(context, [&] {
    queueOf(context).upload(to, from, bytes);
    if (queueOf(context).waitsAlways()) queueOf(context).synchronize();
  });
}
void uploadAside(Context& context, void* to, const void* from, int64_t bytes) {
  reporting(context, [&] {
    queueOf(context).uploadAside(to, from, bytes);
    if (queueOf(context).waitsAlways()) queueOf(context).synchronize();
  });
}
void download(Context& context, void* to, const void* from, int64_t bytes) {
  reporting(context, [&] { queueOf(context).download(to, from, bytes); });
}
void copyPeer(Context& context, void* to, void* fromQueue, const void* from, int64_t bytes) {
  reporting(context, [&] { queueOf(context).copyFrom(*static_cast<Queue*>(fromQueue), to, from, bytes); });
}
void beginCapture(Context& context, const void* philoxShift) {
  reporting(context, [&] { queueOf(context).beginCapture(static_cast<const uint64_t*>(philoxShift)); });
}
void* endCapture(Context& context) {
  CapturedGraph* graph = nullptr;
  reporting(context, [&] { graph = queueOf(context).endCapture(); });
  return graph;
}
void takeScalars(void* queue, const double* scalars) { static_cast<Queue*>(queue)->deviceScalars = scalars; }
void launchGraph(Context& context, void* graph) {
  reporting(context, [&] { queueOf(context).launchGraph(*static_cast<CapturedGraph*>(graph)); });
}
void destroyGraph(void* queue, void* graph) {
  char message[kPluginMessageBytes];
  explaining(message, [&] {
    static_cast<Queue*>(queue)->destroyGraph(std::unique_ptr<CapturedGraph>(static_cast<CapturedGraph*>(graph)));
  });
}
void synchronize(Context& context) {
  reporting(context, [&] { queueOf(context).synchronize(); });
}

int64_t rnnReserve(void* queue, const RnnStack& stack) {
  char message[kPluginMessageBytes];
  int64_t bytes = -1;
  explaining(message, [&] { bytes = cudnnRnnReserve(*static_cast<Queue*>(queue), stack); });
  return bytes;
}

void libraries(char* message) {
  explaining(message, [&] {
    std::string report = reportLibraries();
#if !defined(THALWEG_CUDA_EMULATED)
    if (const std::string trouble = compilerTrouble(); !trouble.empty()) {
      if (!report.empty() && report.back() != '\n') report += '\n';
      report += "Programs that NVRTC should have compiled: interpreted instead, " + trouble;
    }
#endif
    say(message, report.c_str());
  });
}

void allowTf32(bool allow) { tensorFloat32.store(allow, std::memory_order_relaxed); }

const Plugin plugin = {
    kPluginVersion,
    sizeof(KernelTable),
    sizeof(Program),
    sizeof(TensorView),
    &table,
    deviceCount,
    describeDevice,
    openQueue,
    closeQueue,
    allocate,
    release,
    memoryInfo,
    pinnedBytes,
    trim,
#if defined(__SANITIZE_ADDRESS__)
    true,
#else
    false,
#endif
    upload,
    uploadAside,
    download,
    copyPeer,
    beginCapture,
    endCapture,
    takeScalars,
    launchGraph,
    destroyGraph,
    rnnReserve,
    synchronize,
    allowTf32,
    libraries,
};

}  // namespace
}  // namespace thalweg::cuda

extern "C" __attribute__((visibility("default"))) const thalweg::Plugin* thalwegPlugin() {
  return &thalweg::cuda::plugin;
}
