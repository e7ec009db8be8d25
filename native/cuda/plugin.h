// What the addon knows of a plugin for devices: a library beside it, opened when a device is first asked for. C
// functions and plain data only: no exception passes between the libraries, each of which may bring its own C++
// library.
#pragma once
#include <cstdint>

#include "../kernel.h"

namespace thalweg {

// Room for what is wrong, and for the folders in which four libraries were looked for.
constexpr int kPluginMessageBytes = 8192;

struct PluginDevice {
  char name[256];
  int64_t memoryBytes;
  int computeMajor, computeMinor, multiprocessors;
};

// Of one build: addon and plugin refuse each other if this differs. Counted up when the structures below change; the
// sizes catch what was forgotten.
constexpr uint32_t kPluginVersion = 6;

// Recurrent layers on top of each other, over packed sequences: what `rnnStack` of kernels.def computes.
struct RnnStack {
  DType dtype;
  int64_t kind;  // Cell of operands/rnn.h
  int64_t layers, directions, inputSize, hiddenSize, batch, steps;
  bool bias, tf32;
  const double* lengths;  // steps of each sequence, descending; null: all have all steps
};

struct Plugin {
  uint32_t version;
  uint32_t kernelTableBytes, programBytes, viewBytes;
  const KernelTable* kernels;

  // The number of devices, or -1 with a message: no driver, too old a driver, no device.
  int (*deviceCount)(char* message);
  bool (*describeDevice)(int ordinal, PluginDevice* device, char* message);
  // What an environment has of a device (a stream, scratch memory); null with a message.
  void* (*openQueue)(int ordinal, char* message);
  void (*closeQueue)(void* queue);

  // Device memory; null: there is not so much, or the device is lost (with a message then).
  void* (*allocate)(void* queue, int64_t bytes, char* message);
  void (*release)(void* queue, void* block);
  bool (*memoryInfo)(void* queue, int64_t* freeBytes, int64_t* totalBytes);
  // What a queue keeps for itself: pinned memory of the host, in bytes; and all that nothing uses is given back.
  int64_t (*pinnedBytes)(void* queue);
  void (*trim)(void* queue);
  // Blocks are taken one by one, never cut from larger ones: under a sanitizer.
  bool exactBlocks;

  // In order with the kernels of the queue. Failures go to context.report. `from` may be used again when upload
  // returns, `to` is filled when download returns.
  void (*upload)(Context& context, void* to, const void* from, int64_t bytes);
  // The same, but kernels that do not use this memory need not wait for the copy, nor the copy for those launched after
  // it.
  void (*uploadAside)(Context& context, void* to, const void* from, int64_t bytes);
  void (*download)(Context& context, void* to, const void* from, int64_t bytes);
  // Between two devices: context's queue is the target's.
  void (*copyPeer)(Context& context, void* to, void* fromQueue, const void* from, int64_t bytes);
  // Graphs. What is launched between begin and end runs when the graph is launched, each time on the same memory.
  // philoxShift: device memory with a number that kernels add to the offset of their random numbers.
  void (*beginCapture)(Context& context, const void* philoxShift);
  void* (*endCapture)(Context& context);
  // The next kernel reads its scalars from device memory: a graph's next launch may have others there.
  void (*takeScalars)(void* queue, const double* scalars);
  void (*launchGraph)(Context& context, void* graph);
  void (*destroyGraph)(void* queue, void* graph);

  // Bytes that rnnStack leaves for the backward pass; -1: the device does not compute these layers at once. From the
  // thread of JavaScript, while kernels are launched from another.
  int64_t (*rnnReserve)(void* queue, const RnnStack& stack);

  // Waits for everything launched; reports faults that kernels found, and errors of the device.
  void (*synchronize)(Context& context);
  // Whether products of float32 may round their operands to TF32, which tensor cores multiply; of the process.
  void (*allowTf32)(bool allow);
  // Names of optional libraries and what is known of them, one a line: "cuDNN: 9.24.0, from ..." or why not.
  void (*libraries)(char* message);
};

// The one symbol of the library.
constexpr const char* kPluginSymbol = "thalwegPlugin";
using PluginEntry = const Plugin* (*)();

}  // namespace thalweg
