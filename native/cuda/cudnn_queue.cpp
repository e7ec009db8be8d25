#if defined(THALWEG_HAS_CUDNN)
#include "cuda/cudnn_queue.h"

#include <cstdlib>
#include <cstring>
#include <list>
#include <string_view>
#include <unordered_map>

#include "cuda/cudnn_functions.h"
#if defined(THALWEG_CUDA_EMULATED)
#include "cuda/emulated/memory.h"
#endif

namespace thalweg::cuda {
namespace {

// A plan may hold compiled kernels; programs whose shapes never repeat must not fill the memory with them.
constexpr size_t kMostPlans = 1024;

struct KeyHash {
  size_t operator()(const CudnnKey& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(key.data()), key.size() * sizeof(key[0])});
  }
};

class HandleTarget final : public CudnnTarget {
 public:
  explicit HandleTarget(cudnnHandle_t handle) : handle_(handle) {}
  void applyToGraph(CudnnDescriptor& graph) const override { graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_); }
  void applyToHeuristics(CudnnDescriptor&) const override {}
  void applyToPlan(CudnnDescriptor& plan) const override { plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_); }

 private:
  const cudnnHandle_t handle_;
};

bool switchedOff() {
  static const bool off = [] {
    const char* value = std::getenv("THALWEG_CUDNN");
    return value && std::strcmp(value, "0") == 0;
  }();
  return off;
}

}  // namespace

struct KeptCudnnPlan {
  CudnnKey key;
  std::unique_ptr<CudnnPlan> plan;  // null: cuDNN refused
  bool inGraph = false;             // a CUDA graph has launches of it, and needs its kernels
};

struct Queue::CudnnPlans {
  cudnnHandle_t handle = nullptr;
  std::list<KeptCudnnPlan> entries;  // what was used last comes first
  std::unordered_map<CudnnKey, std::list<KeptCudnnPlan>::iterator, KeyHash> places;
  std::unordered_map<int64_t, int64_t> searches;  // of each family: how often cuDNN had engines to try

  ~CudnnPlans() {
    entries.clear();
    if (handle) cudnnDestroy(handle);
  }

  // The plan that has not been used for longest makes room.
  void evict() {
    for (auto at = entries.end(); places.size() >= kMostPlans && at != entries.begin();) {
      --at;
      if (at->inGraph) continue;
      places.erase(at->key);
      at = entries.erase(at);
    }
  }
};

bool hasCudnn() {
  if (switchedOff() || !cudnnLibrary.available()) return false;
#if defined(THALWEG_CUDA_EMULATED)
  thalwegEmulatedCudnn(emulated::runOnDevice);
#endif
  return true;
}

bool usesCudnn(Queue& queue) {
  if (!hasCudnn()) return false;
  if (!queue.cudnnPlans) {
    queue.cudnnPlans = std::make_shared<Queue::CudnnPlans>();
    cudnnHandle_t& handle = queue.cudnnPlans->handle;
    if (cudnnCreate(&handle) != CUDNN_STATUS_SUCCESS) {
      handle = nullptr;
    } else if (cudnnSetStream(handle, queue.stream) != CUDNN_STATUS_SUCCESS) {
      cudnnDestroy(handle);
      handle = nullptr;
    }
  }
  return queue.cudnnPlans->handle != nullptr;
}

cudnnHandle_t cudnnHandleOf(Queue& queue) { return queue.cudnnPlans->handle; }

KeptCudnnPlan* cudnnPlan(Queue& queue, const CudnnKey& given, const CudnnRules& rules,
                         const std::function<void(CudnnGraph&)>& describe) {
  if (!usesCudnn(queue)) return nullptr;
  Queue::CudnnPlans& plans = *queue.cudnnPlans;
  CudnnKey key = given;
  key.insert(key.end(), {rules.refusedNotes, rules.mostWorkspace, rules.lastResort});
  const auto found = plans.places.find(key);
  if (found != plans.places.end()) {
    plans.entries.splice(plans.entries.begin(), plans.entries, found->second);
  } else {
    int64_t& searches = plans.searches[given.front()];
    if (searches >= rules.mostPlans) return nullptr;
    plans.evict();
    CudnnSearch search = findCudnnPlan(HandleTarget(plans.handle), rules, describe);
    searches += search.considered > 0;
    plans.entries.push_front({std::move(key), std::move(search.plan)});
    plans.places.emplace(plans.entries.front().key, plans.entries.begin());
  }
  KeptCudnnPlan& plan = plans.entries.front();
  return plan.plan ? &plan : nullptr;
}

bool executeCudnn(Queue& queue, KeptCudnnPlan& kept, const std::vector<std::pair<int64_t, const void*>>& memory) {
  void* const workspace = kept.plan->workspace > 0 ? queue.scratch(kScratchOfCudnn, kept.plan->workspace) : nullptr;
  std::vector<int64_t> ids;
  std::vector<void*> pointers;
  for (const auto& [id, data] : memory) {
    ids.push_back(id);
    pointers.push_back(const_cast<void*>(data));
  }
  cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
  try {
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
        .setPointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers)
        .setPointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace})
        .finalize();
    status = cudnnBackendExecute(queue.cudnnPlans->handle, kept.plan->plan.get(), pack.get());
  } catch (const CudnnRefusal& refusal) {
    fail(ErrorKind::Device, "cuDNN: %.400s", refusal.reason.c_str());
  }
  if (status == CUDNN_STATUS_SUCCESS) {
    kept.inGraph = kept.inGraph || queue.isCapturing();
    return true;
  }
  // The thousands are the kind of failure; this one says so before anything is launched.
  if (status / 1000 == CUDNN_STATUS_NOT_SUPPORTED / 1000) {
    if (!kept.inGraph) kept.plan.reset();
    return false;
  }
  fail(ErrorKind::Device, "cuDNN: %.400s", describeCudnnStatus(status).c_str());
}

}  // namespace thalweg::cuda

#else
#include "cuda/queue.h"

namespace thalweg::cuda {
struct Queue::CudnnPlans {};
}  // namespace thalweg::cuda
#endif
