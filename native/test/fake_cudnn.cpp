// cuDNN on the emulated device: graphs are interpreted by plain loops, with every descriptor, attribute and pointer
// checked against what the interface demands. A wrong one ends the process: a status would only make the plugin take
// its own kernels. Heuristics propose engines that must not be taken before the one that may.
//   FAKE_CUDNN_REFUSE=all | bias | execution: no engines, none that adds a bias, none that runs after all
//   FAKE_CUDNN_REFUSE=all | rnn: no recurrent layers
//   FAKE_CUDNN_FAIL=1: executions fail
//   FAKE_CUDNN_VERSION=80907: says to be this version
//   FAKE_CUDNN_REPORT=1: at the end of the process, how many graphs, plans and executions there were; and how many
//   calls of recurrent layers, if there were any
#include "fake_cudnn.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "runtime/dtype.h"

namespace fake {

RunOnDevice* runOnDevice = nullptr;

struct Report {
  long graphs = 0, plans = 0, executions = 0, biases = 0;
  ~Report() {
    if (std::getenv("FAKE_CUDNN_REPORT"))
      std::fprintf(stderr, "fake cuDNN: %ld graphs, %ld plans, %ld executions, %ld with a bias\n", graphs, plans,
                   executions, biases);
  }
} report;

void die(const char* what) {
  std::fprintf(stderr, "fake cuDNN: %s\n", what);
  std::abort();
}

bool refuses(const char* what) {
  const char* text = std::getenv("FAKE_CUDNN_REFUSE");
  return text && std::strcmp(text, what) == 0;
}

cudnnContext* alive(cudnnHandle_t handle) {
  demand(handle && handle->alive == kAlive, "no handle");
  return handle;
}

bool multipleOf(const void* data, int64_t alignment) {
  return reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(alignment) == 0;
}

// ---- numbers --------------------------------------------------------------------------------------------------------

int64_t sizeOf(cudnnDataType_t type) {
  switch (type) {
    case CUDNN_DATA_FLOAT:
    case CUDNN_DATA_INT32: return 4;
    case CUDNN_DATA_DOUBLE:
    case CUDNN_DATA_INT64: return 8;
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16: return 2;
    case CUDNN_DATA_BOOLEAN: return 1;
  }
  die("an unknown type of data");
}
double load(cudnnDataType_t type, const void* data, int64_t i) {
  switch (type) {
    case CUDNN_DATA_FLOAT: return static_cast<const float*>(data)[i];
    case CUDNN_DATA_DOUBLE: return static_cast<const double*>(data)[i];
    case CUDNN_DATA_HALF: return toFloat(static_cast<const thalweg::Half*>(data)[i]);
    case CUDNN_DATA_BFLOAT16: return toFloat(static_cast<const thalweg::BFloat16*>(data)[i]);
    case CUDNN_DATA_INT32: return static_cast<const int32_t*>(data)[i];
    case CUDNN_DATA_INT64: return static_cast<double>(static_cast<const int64_t*>(data)[i]);
    case CUDNN_DATA_BOOLEAN: return static_cast<const uint8_t*>(data)[i] != 0;
  }
  die("an unknown type of data");
}
void store(cudnnDataType_t type, void* data, int64_t i, double value) {
  switch (type) {
    case CUDNN_DATA_FLOAT: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case CUDNN_DATA_DOUBLE: static_cast<double*>(data)[i] = value; return;
    case CUDNN_DATA_HALF: static_cast<thalweg::Half*>(data)[i] = thalweg::toHalf(static_cast<float>(value)); return;
    case CUDNN_DATA_BFLOAT16:
      static_cast<thalweg::BFloat16*>(data)[i] = thalweg::toBFloat16(static_cast<float>(value));
      return;
    default: die("a result of a type that there is not");
  }
}

// ---- descriptors ----------------------------------------------------------------------------------------------------

namespace {

constexpr int64_t kMostDimensions = 8;

const std::vector<const Family*>& families() {
  static const std::vector<const Family*> all{&convolutions(), &attentions()};
  return all;
}

const std::vector<AttributeRule>& commonRules() {
  static const std::vector<AttributeRule> rules{
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, 1},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, 1},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 1, kMostDimensions},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 1, kMostDimensions},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, 1},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, 1, false},
      {CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, 1, false},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, 1},
      {CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 64},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, 1},
      {CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, 1},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, 1},
      {CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR,
       1, 1},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 1, 64},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 1, 64},
      {CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, 1},
  };
  return rules;
}

// All rules for an attribute: more than one where it may have several types.
std::vector<const AttributeRule*> rulesOf(cudnnBackendDescriptorType_t type) {
  std::vector<const AttributeRule*> found;
  const auto add = [&](const std::vector<AttributeRule>& rules) {
    for (const AttributeRule& rule : rules)
      if (rule.descriptor == type) found.push_back(&rule);
  };
  add(commonRules());
  for (const Family* family : families()) add(family->rules);
  return found;
}

int64_t sizeOfAttribute(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN:
    case CUDNN_TYPE_CHAR: return 1;
    case CUDNN_TYPE_FLOAT:
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_POINTWISE_MODE:
    case CUDNN_TYPE_REDUCTION_OPERATOR_TYPE: return 4;
    default: return 8;
  }
}

// Bytes that lie apart: no two elements of the tensor are the same memory.
void checkTensor(const Descriptor& descriptor) {
  const Tensor tensor = tensorOf(descriptor);
  demand(tensor.shape.size() == tensor.strides.size(), "a tensor with more sizes than strides, or fewer");
  std::vector<std::pair<int64_t, int64_t>> steps;
  for (size_t d = 0; d < tensor.shape.size(); d++) {
    demand(tensor.shape[d] > 0 && tensor.strides[d] > 0, "a size or stride that is not positive");
    if (tensor.shape[d] > 1) steps.emplace_back(tensor.strides[d], tensor.shape[d]);
  }
  std::sort(steps.begin(), steps.end());
  int64_t reach = 1;
  for (const auto& [stride, size] : steps) {
    demand(stride >= reach, "a tensor whose elements overlap");
    reach = stride * size;
  }
  const int64_t alignment = tensor.alignment;
  demand(alignment >= sizeOf(tensor.type) && (alignment & (alignment - 1)) == 0, "an alignment that there is not");
}

void checkGraph(Descriptor& graph) {
  report.graphs++;
  std::vector<const Descriptor*> operations;
  for (const auto handle : graph.all<cudnnBackendDescriptor_t>(CUDNN_ATTR_OPERATIONGRAPH_OPS))
    operations.push_back(&descriptorOf(handle));
  for (const Family* family : families())
    if (!graph.program) graph.program = family->program(operations);
  // A graph that nobody knows is none that the real one refuses: it just has no engines.
  if (!graph.program) return;
  graph.program->handle = alive(graph.one<cudnnHandle_t>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE));
  std::set<int64_t> ids;
  for (const auto* tensors : {&graph.program->inputs, &graph.program->outputs})
    for (const Tensor& tensor : *tensors) demand(ids.insert(tensor.id).second, "two tensors of the same number");
}

// ---- engines --------------------------------------------------------------------------------------------------------

// In the order in which they are proposed.
enum Engine { kRandom, kTensorFloat32, kRounding, kNarrowSums, kHungry, kUnwilling, kGood, kSlow };
constexpr int64_t kWorkspace = 4096, kMuch = int64_t{1} << 40;

std::vector<int> enginesFor(const Descriptor& heuristics) {
  const Program* program =
      heuristics.other(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR).program.get();
  if (!program || refuses("all") || (refuses("bias") && program->addsBias)) return {};
  if (heuristics.one<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE) == CUDNN_HEUR_MODE_FALLBACK) return {kSlow};
  if (program->data == CUDNN_DATA_FLOAT) return {kRandom, kRounding, kTensorFloat32, kHungry, kUnwilling, kGood};
  return {kRandom, kNarrowSums, kHungry, kUnwilling, kGood};
}

std::vector<cudnnBackendNumericalNote_t> notesOf(const Descriptor& engine) {
  const bool narrow = sizeOf(engine.program->data) == 2;
  switch (engine.engine) {
    case kRandom: return {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
    case kTensorFloat32: return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE};
    case kRounding: return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS};
    case kNarrowSums: return {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION};
    default:
      return narrow ? std::vector<cudnnBackendNumericalNote_t>{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}
                    : std::vector<cudnnBackendNumericalNote_t>{};
  }
}

void finalizePlan(Descriptor& plan, cudnnStatus_t& status) {
  const Descriptor& config = plan.other(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  demand(config.engine >= 0, "a plan for a configuration that was not filled");
  plan.program = config.program;
  plan.engine = config.engine;
  demand(plan.one<cudnnHandle_t>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE) == plan.program->handle,
         "a plan for another handle than the graph's");
  if (plan.engine == kUnwilling) {
    status = CUDNN_STATUS_NOT_SUPPORTED;
    return;
  }
  report.plans++;
}

// ---- execution ------------------------------------------------------------------------------------------------------

// The memory of a call, and the numbers that were given by value.
struct Kept {
  Memory memory;
  std::map<int64_t, std::vector<char>> numbers;
};

struct Call {
  // Of the plan, which lives as long as graphs that have launches of it.
  const Program* program;
  int engine;
  const Memory* memory;
  char* workspace;
};

void compute(void* argument) {
  const Call& call = *static_cast<const Call*>(argument);
  call.program->compute(*call.memory, call.engine == kTensorFloat32);
  // It may be used.
  std::memset(call.workspace, 0xA5, kWorkspace);
}

// The pointers of a variant pack, each checked.
Memory memoryOf(const Program& program, const Descriptor& pack) {
  const auto ids = pack.all<int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  Memory memory;
  for (size_t i = 0; i < ids.size(); i++) demand(memory.emplace(ids[i], pointers[i]).second, "a number twice");
  demand(memory.size() == program.inputs.size() + program.outputs.size(), "memory for other tensors than the graph's");
  const auto checked = [&](const Tensor& tensor) -> char* {
    const auto found = memory.find(tensor.id);
    demand(found != memory.end() && found->second, "a tensor without memory");
    demand(multipleOf(found->second, tensor.alignment), "memory that is aligned less than was said");
    return static_cast<char*>(found->second);
  };
  for (const Tensor& out : program.outputs) {
    const char* const to = checked(out);
    for (const Tensor& in : program.inputs) {
      const char* const from = checked(in);
      demand(from + in.bytes() <= to || to + out.bytes() <= from, "a result that overlaps an operand");
    }
  }
  return memory;
}

}  // namespace

Descriptor& descriptorOf(cudnnBackendDescriptor_t handle) {
  Descriptor* descriptor = static_cast<Descriptor*>(handle);
  demand(descriptor && descriptor->alive == kAlive, "no descriptor");
  return *descriptor;
}
Descriptor& descriptorOf(cudnnBackendDescriptor_t handle, cudnnBackendDescriptorType_t type) {
  Descriptor& descriptor = descriptorOf(handle);
  demand(descriptor.type == type, "a descriptor of another type");
  return descriptor;
}
const Descriptor& Descriptor::other(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t wanted) const {
  return descriptorOf(one<cudnnBackendDescriptor_t>(name), wanted);
}

Tensor tensorOf(const Descriptor& descriptor) {
  return {descriptor.one<int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID),
          descriptor.one<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE),
          descriptor.all<int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS),
          descriptor.all<int64_t>(CUDNN_ATTR_TENSOR_STRIDES),
          descriptor.one<int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT),
          descriptor.has(CUDNN_ATTR_TENSOR_IS_VIRTUAL) && descriptor.one<char>(CUDNN_ATTR_TENSOR_IS_VIRTUAL) != 0,
          descriptor.has(CUDNN_ATTR_TENSOR_IS_BY_VALUE) && descriptor.one<char>(CUDNN_ATTR_TENSOR_IS_BY_VALUE) != 0};
}
int64_t Tensor::count() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}
int64_t Tensor::bytes() const {
  int64_t last = 0;
  for (size_t d = 0; d < shape.size(); d++) last += (shape[d] - 1) * strides[d];
  return (last + 1) * sizeOf(type);
}

}  // namespace fake

using namespace fake;

EXPORTED void thalwegEmulatedCudnn(RunOnDevice* run) { runOnDevice = run; }
EXPORTED size_t cudnnGetVersion() {
  const char* version = std::getenv("FAKE_CUDNN_VERSION");
  return version ? static_cast<size_t>(std::atoi(version)) : 92400;
}
EXPORTED size_t cudnnGetCudartVersion() { return 13000; }
EXPORTED const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
    case CUDNN_STATUS_SUCCESS: return "CUDNN_STATUS_SUCCESS";
    case CUDNN_STATUS_NOT_SUPPORTED: return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_EXECUTION_FAILED: return "CUDNN_STATUS_EXECUTION_FAILED";
    default: return "another status";
  }
}
EXPORTED void cudnnGetLastErrorString(char* message, size_t bytes) {
  std::snprintf(message, bytes, "as the test\nasked for");
}
EXPORTED cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}
EXPORTED cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete alive(handle);
  return CUDNN_STATUS_SUCCESS;
}
EXPORTED cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  demand(stream, "no stream");
  alive(handle)->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                                    cudnnBackendDescriptor_t* descriptor) {
  const bool isFilled = type == CUDNN_BACKEND_ENGINE_DESCRIPTOR || type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
  demand(isFilled || !rulesOf(type).empty(), "an unknown descriptor");
  auto* made = new Descriptor;
  made->type = type;
  *descriptor = made;
  return CUDNN_STATUS_SUCCESS;
}
EXPORTED cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  delete &descriptorOf(descriptor);
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                                cudnnBackendAttributeType_t type, int64_t count, const void* elements) {
  Descriptor& descriptor = descriptorOf(handle);
  demand(!descriptor.finalized, "an attribute of a descriptor that is finalized");
  demand(count > 0 && elements, "an attribute without elements");
  bool known = false;
  for (const AttributeRule* rule : rulesOf(descriptor.type))
    known = known || (rule->name == name && rule->type == type && count >= rule->least && count <= rule->most);
  demand(known, "an attribute that there is not, or of another type or count");
  if (type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
    for (int64_t i = 0; i < count; i++)
      demand(descriptorOf(static_cast<const cudnnBackendDescriptor_t*>(elements)[i]).finalized,
             "a descriptor that refers to one that is not finalized");
  const char* from = static_cast<const char*>(elements);
  descriptor.attributes[name] = {type, count, std::vector<char>(from, from + count * sizeOfAttribute(type))};
  return CUDNN_STATUS_SUCCESS;
}

EXPORTED cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t handle) {
  Descriptor& descriptor = descriptorOf(handle);
  demand(!descriptor.finalized, "a descriptor that is finalized twice");
  for (const AttributeRule* rule : rulesOf(descriptor.type))
    demand(!rule->required || descriptor.has(rule->name), "a descriptor without all its attributes");
  cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
  switch (descriptor.type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: checkTensor(descriptor); break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: checkGraph(descriptor); break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: finalizePlan(descriptor, status); break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      demand(descriptor.attributes.at(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).count ==
                 descriptor.attributes.at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).count,
             "more numbers than pointers, or fewer");
      break;
    default:
      for (const Family* family : families()) family->check(descriptor);
  }
  descriptor.finalized = status == CUDNN_STATUS_SUCCESS;
  return status;
}

EXPORTED cudnnStatus_t cudnnBackendGetAttribute(const cudnnBackendDescriptor_t handle, cudnnBackendAttributeName_t name,
                                                cudnnBackendAttributeType_t type, int64_t wanted, int64_t* count,
                                                void* elements) {
  const Descriptor& descriptor = descriptorOf(handle);
  demand(count && wanted >= 0 && (wanted == 0 || elements), "nowhere to write to");
  if (!descriptor.finalized) return CUDNN_STATUS_NOT_INITIALIZED;
  const auto expect = [&](cudnnBackendAttributeType_t right) { demand(type == right, "an attribute of another type"); };
  const auto filled = [&](int64_t i, cudnnBackendDescriptorType_t of, int engine, std::shared_ptr<Program> program) {
    Descriptor& to = descriptorOf(static_cast<cudnnBackendDescriptor_t*>(elements)[i], of);
    demand(!to.finalized, "a descriptor that is filled twice");
    to.finalized = true;
    to.engine = engine;
    to.program = std::move(program);
  };
  switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS: {
      expect(CUDNN_TYPE_BACKEND_DESCRIPTOR);
      const std::vector<int> engines = enginesFor(descriptor);
      *count = static_cast<int64_t>(engines.size());
      const Descriptor& graph =
          descriptor.other(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
      for (int64_t i = 0; i < wanted && i < *count; i++)
        filled(i, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, engines[static_cast<size_t>(i)], graph.program);
      return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_ENGINECFG_ENGINE:
      expect(CUDNN_TYPE_BACKEND_DESCRIPTOR);
      demand(wanted == 1, "an engine is one");
      filled(0, CUDNN_BACKEND_ENGINE_DESCRIPTOR, descriptor.engine, descriptor.program);
      *count = 1;
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
      expect(CUDNN_TYPE_INT64);
      *static_cast<int64_t*>(elements) = descriptor.engine;
      *count = 1;
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: {
      expect(CUDNN_TYPE_NUMERICAL_NOTE);
      const auto notes = notesOf(descriptor);
      *count = static_cast<int64_t>(notes.size());
      for (int64_t i = 0; i < wanted && i < *count; i++)
        static_cast<cudnnBackendNumericalNote_t*>(elements)[i] = notes[static_cast<size_t>(i)];
      return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      expect(CUDNN_TYPE_INT64);
      *static_cast<int64_t*>(elements) = descriptor.engine == kHungry ? kMuch : kWorkspace;
      *count = 1;
      return CUDNN_STATUS_SUCCESS;
    default: die("an attribute that is not read");
  }
}

EXPORTED cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t planHandle,
                                           cudnnBackendDescriptor_t packHandle) {
  alive(handle);
  const Descriptor& plan = descriptorOf(planHandle, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  const Descriptor& pack = descriptorOf(packHandle, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  demand(plan.finalized && pack.finalized, "an execution of what is not finalized");
  demand(plan.program->handle == handle && handle->stream && runOnDevice, "another handle, no stream, or no device");
  demand(plan.engine == kGood || plan.engine == kSlow || plan.engine == kTensorFloat32,
         "a plan that is not repeatable, rounds, or needs too much memory");
  plan.other(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  const Memory memory = memoryOf(*plan.program, pack);
  void* const workspace = pack.one<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  demand(workspace && multipleOf(workspace, 256), "no workspace, or none that is aligned");
  if (refuses("execution")) return CUDNN_STATUS_NOT_SUPPORTED;
  if (std::getenv("FAKE_CUDNN_FAIL")) return CUDNN_STATUS_EXECUTION_FAILED;
  report.executions++;
  report.biases += plan.program->addsBias;
  // For graphs, which run it again; as many as there are executions in a test.
  static auto& kept = *new std::vector<std::unique_ptr<Kept>>;
  kept.push_back(std::make_unique<Kept>(Kept{memory, {}}));
  Kept& mine = *kept.back();
  for (const Tensor& tensor : plan.program->inputs) {
    if (!tensor.isByValue) continue;
    const char* const from = static_cast<const char*>(memory.at(tensor.id));
    std::vector<char>& bytes = mine.numbers[tensor.id];
    bytes.assign(from, from + tensor.bytes());
    mine.memory[tensor.id] = bytes.data();
  }
  Call call{plan.program.get(), plan.engine, &mine.memory, static_cast<char*>(workspace)};
  runOnDevice(handle->stream, compute, &call, sizeof call);
  return CUDNN_STATUS_SUCCESS;
}
