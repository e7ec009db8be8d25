// The devices of an environment: the CPU, and those of a plugin (cuda/plugin.h) that have been asked for.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cuda/plugin.h"
#include "kernel.h"
#include "runtime/allocator.h"

namespace thalweg {

class Stream;

// Commands of all devices go through the environment's one stream, in order: a kernel of the CPU runs there, a kernel
// of another device is launched there. So a copy between devices needs no more than its place in the queue.
struct Device {
  Device(int index, const KernelTable& kernels, ThreadPool& pool) : index(index), kernels(&kernels), context{pool} {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  bool isCpu() const { return index == 0; }
  // Runs body, which calls kernels or the plugin with `context`, for `op`; throws what they report.
  template <class Body>
  void call(const char* op, Body&& body) {
    body();
    if (failed) throwFailure(op);
  }
  // Waits for what was launched; throws what went wrong.
  void synchronize();
  // The same, but leaves what went wrong for the next read to tell. A lost device says so at every turn: it is told
  // once.
  void settle(Stream& stream);

  const int index;  // as in TensorView
  const KernelTable* kernels;
  Context context;
  const Plugin* plugin = nullptr;
  std::unique_ptr<Allocator> allocator;
  int64_t budgetBytes = INT64_MAX;  // live bytes past which a new tensor asks for a collection first

  bool failed = false;
  ErrorKind failureKind = ErrorKind::Native;
  std::string failureMessage;

 private:
  [[noreturn]] void throwFailure(const char* op);

  bool lossTold_ = false;
};

// Opens the library at `path` as the process's plugin, once. Throws DeviceError that says why not.
void openPlugin(const char* path);
// Null before openPlugin has succeeded.
const Plugin* currentPlugin();
// The plugin, or DeviceError.
const Plugin& requirePlugin();

// Device `ordinal` of the plugin for an environment whose commands go through `stream`. Throws DeviceError.
std::unique_ptr<Device> openDevice(int ordinal, ThreadPool& pool, Stream& stream);

}  // namespace thalweg
