// cuDNN by its graph interface: what is to be computed is described as a graph of operations on tensors, cuDNN says
// which of its engines can do it, and a plan for one of them is made once and executed many times. This file describes
// and plans, which takes no device; cudnn_queue.h keeps and executes plans. Of each family of operations one file
// describes the graphs (cudnn_conv_graph.h). Only for files that were compiled with cuDNN's header: THALWEG_HAS_CUDNN.
#pragma once
#include <cudnn.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/dtype.h"

namespace thalweg::cuda {

// What cuDNN said no to, and why: whoever asked takes another way.
struct CudnnRefusal {
  cudnnStatus_t status;
  std::string reason;
};

// Throws CudnnRefusal unless a call succeeded.
void checkCudnn(cudnnStatus_t status, const char* what);

cudnnDataType_t cudnnTypeOf(DType dtype);

// How cuDNN calls the types of attributes.
template <class T>
constexpr cudnnBackendAttributeType_t kCudnnType = [] {
  if constexpr (std::is_same_v<T, cudnnHandle_t>) return CUDNN_TYPE_HANDLE;
  if constexpr (std::is_same_v<T, cudnnDataType_t>) return CUDNN_TYPE_DATA_TYPE;
  if constexpr (std::is_same_v<T, bool>) return CUDNN_TYPE_BOOLEAN;
  if constexpr (std::is_same_v<T, int64_t>) return CUDNN_TYPE_INT64;
  if constexpr (std::is_same_v<T, float>) return CUDNN_TYPE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return CUDNN_TYPE_DOUBLE;
  if constexpr (std::is_same_v<T, cudnnConvolutionMode_t>) return CUDNN_TYPE_CONVOLUTION_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendHeurMode_t>) return CUDNN_TYPE_HEUR_MODE;
  if constexpr (std::is_same_v<T, cudnnBackendNumericalNote_t>) return CUDNN_TYPE_NUMERICAL_NOTE;
  if constexpr (std::is_same_v<T, cudnnPointwiseMode_t>) return CUDNN_TYPE_POINTWISE_MODE;
  if constexpr (std::is_same_v<T, cudnnReduceTensorOp_t>) return CUDNN_TYPE_REDUCTION_OPERATOR_TYPE;
}();

// A descriptor of cuDNN: attributes are set, then it is finalized, and others refer to it. Every call that cuDNN does
// not like throws CudnnRefusal.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = nullptr; }
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;

  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, T value) {
    return setElements(name, kCudnnType<T>, 1, &value);
  }
  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
    return setElements(name, kCudnnType<T>, static_cast<int64_t>(values.size()), values.data());
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other);
  CudnnDescriptor& setDescriptors(cudnnBackendAttributeName_t name,
                                  const std::vector<cudnnBackendDescriptor_t>& others);
  CudnnDescriptor& setPointers(cudnnBackendAttributeName_t name, const std::vector<void*>& pointers);
  CudnnDescriptor& setText(cudnnBackendAttributeName_t name, const std::string& text);
  CudnnDescriptor& finalize();

  template <class T>
  T get(cudnnBackendAttributeName_t name) const {
    T value{};
    getElements(name, kCudnnType<T>, 1, &value);
    return value;
  }
  // How many there are, of which up to `wanted` are written.
  int64_t getElements(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t wanted,
                      void* elements) const;
  cudnnBackendDescriptor_t get() const { return descriptor_; }

 private:
  CudnnDescriptor& setElements(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                               const void* elements);
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

// A tensor of a graph. Its number says which memory it is when a plan is executed; it is the same wherever the tensor
// appears. Virtual: only between operations, in no memory. By value: its memory is the host's, and read at once.
struct CudnnTensor {
  int64_t id;
  cudnnDataType_t type;
  std::vector<int64_t> shape, strides;
  int64_t alignment;  // of its memory, in bytes
  bool isVirtual = false;
  bool isByValue = false;
};

// Where plans are to run. The tests describe devices that are not there (native/test/cudnn_plans.cpp).
class CudnnTarget {
 public:
  virtual ~CudnnTarget() = default;
  virtual void applyToGraph(CudnnDescriptor& graph) const = 0;
  virtual void applyToHeuristics(CudnnDescriptor& heuristics) const = 0;
  virtual void applyToPlan(CudnnDescriptor& plan) const = 0;
};

// Operations and their tensors. Owns every descriptor that was made for it.
class CudnnGraph {
 public:
  CudnnDescriptor& tensor(const CudnnTensor& tensor);
  // A descriptor that operations refer to; to be finalized by the caller.
  CudnnDescriptor& descriptor(cudnnBackendDescriptorType_t type);
  // An operation of the graph; to be finalized by the caller. In the order in which data flows.
  CudnnDescriptor& operation(cudnnBackendDescriptorType_t type);
  const CudnnDescriptor& finalize(const CudnnTarget& target);

 private:
  std::deque<CudnnDescriptor> descriptors_;
  std::vector<cudnnBackendDescriptor_t> operations_;
};

// What a kept plan is found by: numbers that say all of a graph (which family it is of, dtypes, shapes, strides,
// alignments).
using CudnnKey = std::vector<int64_t>;
// The families, as first number of a key.
enum class CudnnFamily : int64_t { Convolution, Attention };

// Which engines may be taken.
struct CudnnRules {
  unsigned refusedNotes;  // bits of cudnnBackendNumericalNote_t
  int64_t mostWorkspace;  // in bytes
  bool lastResort;        // also those that cuDNN promises no speed of
  // Graphs of the family that a queue plans; no plan is made of further ones.
  int64_t mostPlans = std::numeric_limits<int64_t>::max();
};
constexpr unsigned cudnnNote(cudnnBackendNumericalNote_t note) { return 1u << note; }
constexpr int64_t kMostCudnnWorkspace = int64_t{256} << 20;

// For operands of that dtype, as the process is set now (tensorFloat32): results are the same each time, float32 is not
// rounded to less unless that is allowed, and sums of 16-bit numbers are float32.
CudnnRules cudnnRules(DType dtype);

struct CudnnPlan {
  CudnnGraph graph;
  CudnnDescriptor config, plan;
  int64_t workspace = 0;  // in bytes
  int64_t engine = 0;     // cuDNN's number of it
  unsigned notes = 0;
};

struct CudnnSearch {
  std::unique_ptr<CudnnPlan> plan;  // null: there is none that the rules allow
  int considered = 0;               // engines that cuDNN proposed
  std::string reason;               // of the last that was refused
};

// The first plan in the order of cuDNN's heuristics that can be made and that the rules allow. `describe` fills the
// graph.
CudnnSearch findCudnnPlan(const CudnnTarget& target, const CudnnRules& rules,
                          const std::function<void(CudnnGraph&)>& describe);

// For errors: cuDNN's words for a status, and what it says of the call that failed last.
std::string describeCudnnStatus(cudnnStatus_t status);

// The largest power of two up to 16 that an address is a multiple of: what engines ask for.
int64_t cudnnAlignment(const void* data);

}  // namespace thalweg::cuda
