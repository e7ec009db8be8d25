// What the files of the fake cuDNN share: descriptors, their attributes, and families of operations. A family knows the
// attributes of its descriptors and makes programs of the graphs that it recognises: one file each
// (fake_cudnn_conv.cpp), listed in fake_cudnn.cpp. Recurrent layers are no graphs (fake_cudnn_rnn.h).
#pragma once
#include <cudnn.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tf32.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace fake {

[[noreturn]] void die(const char* what);
inline void demand(bool holds, const char* what) {
  if (!holds) die(what);
}

constexpr uint64_t kAlive = 0x6e6e647563;

}  // namespace fake

struct cudnnContext {
  uint64_t alive = fake::kAlive;
  cudaStream_t stream = nullptr;
  ~cudnnContext() { alive = 0; }
};

namespace fake {

cudnnContext* alive(cudnnHandle_t handle);
// Runs what reads and writes device memory.
extern RunOnDevice* runOnDevice;
// Whether FAKE_CUDNN_REFUSE is this.
bool refuses(const char* what);
bool multipleOf(const void* data, int64_t alignment);

struct Attribute {
  cudnnBackendAttributeType_t type;
  int64_t count;
  std::vector<char> bytes;
};

// What an attribute must be, of which descriptor.
struct AttributeRule {
  cudnnBackendDescriptorType_t descriptor;
  cudnnBackendAttributeName_t name;
  cudnnBackendAttributeType_t type;
  int64_t least, most;  // elements
  bool required = true;
};

struct Program;

struct Descriptor {
  uint64_t alive = kAlive;
  cudnnBackendDescriptorType_t type;
  bool finalized = false;
  std::map<int, Attribute> attributes;
  // Of graphs, configurations of engines and plans: what they compute, and with which engine.
  std::shared_ptr<Program> program;
  int engine = -1;

  ~Descriptor() { alive = 0; }
  bool has(cudnnBackendAttributeName_t name) const { return attributes.count(name) != 0; }
  template <class T>
  std::vector<T> all(cudnnBackendAttributeName_t name) const {
    const auto found = attributes.find(name);
    demand(found != attributes.end(), "an attribute that was not set is needed");
    std::vector<T> values(static_cast<size_t>(found->second.count));
    std::memcpy(values.data(), found->second.bytes.data(), found->second.bytes.size());
    return values;
  }
  template <class T>
  T one(cudnnBackendAttributeName_t name) const {
    return all<T>(name).at(0);
  }
  const Descriptor& other(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type) const;
};

// The descriptor behind a handle, alive and of that type.
Descriptor& descriptorOf(cudnnBackendDescriptor_t handle);
Descriptor& descriptorOf(cudnnBackendDescriptor_t handle, cudnnBackendDescriptorType_t type);

struct Tensor {
  int64_t id;
  cudnnDataType_t type;
  std::vector<int64_t> shape, strides;
  int64_t alignment;
  bool isVirtual;
  bool isByValue;  // in the host's memory, which is read when the plan is executed

  int64_t count() const;
  // Of the memory from the first element to behind the last.
  int64_t bytes() const;
};
Tensor tensorOf(const Descriptor& descriptor);

int64_t sizeOf(cudnnDataType_t type);
double load(cudnnDataType_t type, const void* data, int64_t at);
void store(cudnnDataType_t type, void* data, int64_t at, double value);

// What a graph computes, on memory by the tensors' numbers; it runs where device memory may be touched.
using Memory = std::map<int64_t, void*>;
struct Program {
  cudnnHandle_t handle = nullptr;
  std::vector<Tensor> inputs, outputs;  // that are in memory
  cudnnDataType_t data;                 // of the operands
  bool addsBias = false;
  std::function<void(const Memory&, bool tensorFloat32)> compute;
};

struct Family {
  std::vector<AttributeRule> rules;
  // Checks a descriptor of the family when it is finalized.
  void (*check)(const Descriptor& descriptor);
  // Null if the operations are none of this family, or in an order that it does not know.
  std::shared_ptr<Program> (*program)(const std::vector<const Descriptor*>& operations);
};
const Family& convolutions();
const Family& attentions();

}  // namespace fake
