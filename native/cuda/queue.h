// What an environment has of one GPU: a CUDA stream, scratch memory, and where kernels leave word of bad operands.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "../kernel.h"
#include "cuda/copy_stream.h"
#include "cuda/fault.h"
#include "cuda/staging.h"

namespace thalweg::cuda {

// Scratch memory of a kernel, by what it is for. Kernels run one after the other, so the next may have the same slot; a
// kernel made of several launches uses a slot for each of its buffers.
constexpr int kScratchSlots = 8;

// What an endCapture() gives: a graph, the memory that its kernels were given, in order and without overlaps, and what
// they read besides, which is freed with it.
struct CapturedGraph {
  CapturedGraph() = default;
  ~CapturedGraph();
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;

  cudaGraphExec_t executable = nullptr;
  std::vector<MemoryRange> memory;
  std::vector<void*> constants;
};

class Queue {
 public:
  // Makes `ordinal` the current device of this thread first. Throws DeviceError.
  explicit Queue(int ordinal);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Before anything is launched from a thread that may have used another device.
  void makeCurrent() const;
  // At least `bytes` of device memory, 256-byte aligned, contents unspecified, until the slot is asked for again.
  void* scratch(int slot, int64_t bytes);
  template <class T>
  T* scratch(int slot, int64_t count) {
    return static_cast<T*>(scratch(slot, count * static_cast<int64_t>(sizeof(T))));
  }
  // Where the kernels about to be launched report operands that only the device can see are bad: an index out of range,
  // a singular matrix. `format` takes up to five %lld: what is passed to report(). It surfaces at the next read
  // or synchronise.
  FaultSite faultSite(ErrorKind kind, const char* format);
  // Waits for all that was launched, copies that run beside the kernels too; throws the first fault, or CUDA's own
  // error.
  void synchronize();
  // THALWEG_SYNC=1: every kernel is waited for.
  bool waitsAlways() const { return waitsAlways_; }

  // Called with the operands of what is launched next, before it is: it waits for copies that run beside the kernels.
  // To be told of everything in device memory that did not come from scratch(), constants() or cudaMalloc.
  template <class... P>
  void use(const P&... operands) {
    if (capturing_ || !copies_.isSettled()) (useOperand(operands), ...);
  }
  // Waits on the host, before memory goes back to the device.
  void finishCopies() { copies_.finish(); }
  // Pinned memory that copies pass through, and how to be rid of it until copies need it again: of that, and of scratch
  // memory, whatever nothing uses.
  int64_t pinnedBytes() const { return staging_.bytes(); }
  void trim();

  // See plugin.h. Host memory is pageable: it goes through pinned memory, in pieces.
  void upload(void* to, const void* from, int64_t bytes);
  void uploadAside(void* to, const void* from, int64_t bytes);
  void download(void* to, const void* from, int64_t bytes);
  void copyFrom(Queue& other, void* to, const void* from, int64_t bytes);

  // Device memory with a copy of `bytes` of host memory, for the kernels about to be launched. In `slot` of the scratch
  // memory; while a graph is captured, in memory of the graph, filled at once.
  void* constants(int slot, const void* from, int64_t bytes);

  // The words of a program's launch in device memory, `scalars` numbers and then what the launch is about; of a dynamic
  // part of a graph the numbers are read anew at each launch.
  const int64_t* words(int slot, const std::vector<int64_t>& words, int64_t scalars);

  // Graphs: see plugin.h; capture.cpp.
  void beginCapture(const uint64_t* philoxShift);
  CapturedGraph* endCapture();
  void launchGraph(const CapturedGraph& graph);
  void destroyGraph(std::unique_ptr<CapturedGraph> graph);
  bool isCapturing() const { return capturing_; }
  // What a kernel adds to the offset of its random numbers: null outside of graphs. A replay draws further numbers.
  const uint64_t* philoxShift() const { return philoxShift_; }

  // Of the kernel that runs now: its scalars in device memory, where a graph reads them; mostly null.
  const double* deviceScalars = nullptr;

  const int ordinal;
  cudaStream_t stream = nullptr;
  int multiprocessors = 0;
  int computeMajor = 0, computeMinor = 0;
  int sharedBytes = 0;  // of a block, without asking for more
  // What was made of elementwise programs for this queue: programs.cu.
  struct Programs;
  std::shared_ptr<Programs> programs;
  // What cuBLASLt was asked for this queue: cublaslt.cpp.
  struct LibraryPlans;
  std::shared_ptr<LibraryPlans> libraryPlans;
  // cuDNN's handle and plans: cudnn_queue.cpp.
  struct CudnnPlans;
  std::shared_ptr<CudnnPlans> cudnnPlans;
  // Recurrent layers that cuDNN was asked about, from this thread and from others; made with the queue:
  // cudnn_rnn.cpp.
  struct CudnnRnns;
  std::shared_ptr<CudnnRnns> cudnnRnns;

 private:
  struct Slot {
    void* data = nullptr;
    int64_t bytes = 0;
  };
  Slot slots_[kScratchSlots];
  // Scratch memory that has been outgrown, but may be used by a graph: freed with the last one.
  std::vector<void*> outgrown_;
  void freeOutgrown();
  int graphs_ = 0;                           // that there are, the one that is captured too
  std::unique_ptr<CapturedGraph> captured_;  // while one is
  bool capturing_ = false;
  const uint64_t* philoxShift_ = nullptr;
  bool waitsAlways_ = false;
  template <class T>
  void useOperand(const T&) {
    static_assert(std::is_arithmetic_v<T> || std::is_same_v<T, Scalar> || std::is_same_v<T, Scalars> ||
                      std::is_same_v<T, Program>,
                  "an operand that may have device memory");
  }
  void useOperand(const TensorView& view);
  void useOperand(const OptionalTensor& view) {
    if (view.defined) useOperand(static_cast<const TensorView&>(view));
  }
  void useOperand(const TensorList& list) {
    for (int64_t i = 0; i < list.count; i++) useOperand(list[i]);
  }
  void useMemory(const void* data, int64_t bytes);
  // As synchronize(), but copies beside the kernels go on.
  void finish();

  StagingPool staging_;
  StagingPool::Lane lane_;
  CopyStream copies_{staging_};
  cudaEvent_t reached_ = nullptr;  // for other devices to wait for
  DeviceFault* fault_ = nullptr;
};

inline Queue& queueOf(Context& context) { return *static_cast<Queue*>(context.queue); }

// Blocks of `threads` that cover n elements, at most as many as keep the device busy: kernels go on in strides of the
// grid.
inline unsigned gridFor(const Queue& queue, int64_t n, int threads) {
  const int64_t wanted = (n + threads - 1) / threads;
  const int64_t most = static_cast<int64_t>(queue.multiprocessors) * (2048 / threads) * 4;
  return static_cast<unsigned>(wanted < 1 ? 1 : wanted < most ? wanted : most);
}

}  // namespace thalweg::cuda
