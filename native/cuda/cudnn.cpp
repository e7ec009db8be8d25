#if defined(THALWEG_HAS_CUDNN)
#include "cuda/cudnn.h"

#include <atomic>
#include <utility>

#include "cuda/cudnn_functions.h"
#include "cuda/gemm.h"

namespace thalweg::cuda {

void checkCudnn(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) throw CudnnRefusal{status, what + (": " + describeCudnnStatus(status))};
}

namespace {

// Engines that heuristics propose; more are of no use.
constexpr int64_t kMostEngines = 64;
constexpr int kMostNotes = 32;

// Configurations of engines, the most promising first.
std::vector<CudnnDescriptor> proposedEngines(const CudnnDescriptor& graph, const CudnnTarget& target,
                                             cudnnBackendHeurMode_t mode) {
  CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  target.applyToHeuristics(heuristics);
  heuristics.finalize();
  const int64_t offered =
      heuristics.getElements(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<CudnnDescriptor> configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < offered && i < kMostEngines; i++) {
    configs.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    raw.push_back(configs.back().get());
  }
  if (raw.empty()) return configs;
  const auto room = static_cast<int64_t>(raw.size());
  const int64_t written =
      heuristics.getElements(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, room, raw.data());
  while (static_cast<int64_t>(configs.size()) > written) configs.pop_back();
  return configs;
}

struct Engine {
  int64_t number = 0;
  unsigned notes = 0;
};

Engine engineOf(const CudnnDescriptor& config) {
  CudnnDescriptor descriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = descriptor.get();
  config.getElements(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
  Engine engine{descriptor.get<int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX), 0};
  cudnnBackendNumericalNote_t notes[kMostNotes] = {};
  const int64_t count =
      descriptor.getElements(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, kMostNotes, notes);
  for (int64_t i = 0; i < count && i < kMostNotes; i++)
    if (notes[i] < 32) engine.notes |= cudnnNote(notes[i]);
  return engine;
}

}  // namespace

std::string describeCudnnStatus(cudnnStatus_t status) {
  char message[1024] = {};
  cudnnGetLastErrorString(message, sizeof message - 1);
  std::string text = cudnnGetErrorString(status);
  if (*message) text += std::string(" (") + message + ")";
  // It may have several lines.
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

cudnnDataType_t cudnnTypeOf(DType dtype) {
  switch (dtype) {
    case DType::Float32: return CUDNN_DATA_FLOAT;
    case DType::Float64: return CUDNN_DATA_DOUBLE;
    case DType::Float16: return CUDNN_DATA_HALF;
    case DType::BFloat16: return CUDNN_DATA_BFLOAT16;
    case DType::Int32: return CUDNN_DATA_INT32;
    case DType::Int64: return CUDNN_DATA_INT64;
    default: throw CudnnRefusal{CUDNN_STATUS_NOT_SUPPORTED, std::string("no type of cuDNN for ") + dtypeName(dtype)};
  }
}

int64_t cudnnAlignment(const void* data) {
  const uint64_t bits = reinterpret_cast<uintptr_t>(data) | 16u;
  return static_cast<int64_t>(bits & ~(bits - 1));
}

CudnnRules cudnnRules(DType dtype) {
  unsigned refused =
      cudnnNote(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) | cudnnNote(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
  const bool wide = dtype == DType::Float32 || dtype == DType::Float64;
  if (wide) refused |= cudnnNote(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
  if (dtype == DType::Float32 && !tensorFloat32.load(std::memory_order_relaxed))
    refused |= cudnnNote(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  return {refused, kMostCudnnWorkspace, true};
}

// ---- descriptors ----------------------------------------------------------------------------------------------------

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  checkCudnn(cudnnBackendCreateDescriptor(type, &descriptor_), "making a descriptor");
}
CudnnDescriptor::~CudnnDescriptor() {
  if (descriptor_) cudnnBackendDestroyDescriptor(descriptor_);
}

CudnnDescriptor& CudnnDescriptor::setElements(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                              int64_t count, const void* elements) {
  checkCudnn(cudnnBackendSetAttribute(descriptor_, name, type, count, elements), "setting an attribute");
  return *this;
}
CudnnDescriptor& CudnnDescriptor::set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other) {
  return setElements(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.descriptor_);
}
CudnnDescriptor& CudnnDescriptor::setDescriptors(cudnnBackendAttributeName_t name,
                                                 const std::vector<cudnnBackendDescriptor_t>& others) {
  return setElements(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(others.size()), others.data());
}
CudnnDescriptor& CudnnDescriptor::setPointers(cudnnBackendAttributeName_t name, const std::vector<void*>& pointers) {
  return setElements(name, CUDNN_TYPE_VOID_PTR, static_cast<int64_t>(pointers.size()), pointers.data());
}
CudnnDescriptor& CudnnDescriptor::setText(cudnnBackendAttributeName_t name, const std::string& text) {
  return setElements(name, CUDNN_TYPE_CHAR, static_cast<int64_t>(text.size()), text.data());
}
CudnnDescriptor& CudnnDescriptor::finalize() {
  checkCudnn(cudnnBackendFinalize(descriptor_), "finalizing a descriptor");
  return *this;
}
int64_t CudnnDescriptor::getElements(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t wanted,
                                     void* elements) const {
  int64_t count = 0;
  checkCudnn(cudnnBackendGetAttribute(descriptor_, name, type, wanted, &count, elements), "reading an attribute");
  return count;
}

// ---- graphs ---------------------------------------------------------------------------------------------------------

CudnnDescriptor& CudnnGraph::descriptor(cudnnBackendDescriptorType_t type) { return descriptors_.emplace_back(type); }

CudnnDescriptor& CudnnGraph::operation(cudnnBackendDescriptorType_t type) {
  CudnnDescriptor& made = descriptor(type);
  operations_.push_back(made.get());
  return made;
}

CudnnDescriptor& CudnnGraph::tensor(const CudnnTensor& tensor) {
  return descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, tensor.id)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, tensor.type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, tensor.shape)
      .set(CUDNN_ATTR_TENSOR_STRIDES, tensor.strides)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, tensor.alignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, tensor.isVirtual)
      .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, tensor.isByValue)
      .finalize();
}

const CudnnDescriptor& CudnnGraph::finalize(const CudnnTarget& target) {
  CudnnDescriptor& graph = descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.setDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
  target.applyToGraph(graph);
  return graph.finalize();
}

// ---- plans ----------------------------------------------------------------------------------------------------------

CudnnSearch findCudnnPlan(const CudnnTarget& target, const CudnnRules& rules,
                          const std::function<void(CudnnGraph&)>& describe) {
  CudnnSearch search;
  CudnnGraph graph;
  const CudnnDescriptor* finished = nullptr;
  try {
    describe(graph);
    finished = &graph.finalize(target);
  } catch (const CudnnRefusal& refusal) {
    search.reason = refusal.reason;
    return search;
  }
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    if (mode == CUDNN_HEUR_MODE_FALLBACK && !rules.lastResort) break;
    std::vector<CudnnDescriptor> configs;
    try {
      configs = proposedEngines(*finished, target, mode);
    } catch (const CudnnRefusal& refusal) {
      search.reason = refusal.reason;
      continue;
    }
    for (CudnnDescriptor& config : configs) {
      search.considered++;
      try {
        const Engine engine = engineOf(config);
        if (engine.notes & rules.refusedNotes) {
          search.reason = "engine " + std::to_string(engine.number) + " is not precise or not repeatable";
          continue;
        }
        CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
        target.applyToPlan(plan);
        plan.finalize();
        const auto workspace = plan.get<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
        if (workspace > rules.mostWorkspace) {
          search.reason = "engine " + std::to_string(engine.number) + " needs too much workspace";
          continue;
        }
        search.plan = std::unique_ptr<CudnnPlan>(new CudnnPlan{std::move(graph), std::move(config), std::move(plan),
                                                               workspace, engine.number, engine.notes});
        return search;
      } catch (const CudnnRefusal& refusal) {
        search.reason = refusal.reason;
      }
    }
  }
  if (search.reason.empty()) search.reason = "cuDNN proposes no engine";
  return search;
}

}  // namespace thalweg::cuda
#endif
