#include "device.h"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

#include "runtime/device_allocator.h"
#include "runtime/stream.h"

namespace thalweg {

namespace {

std::atomic<const Plugin*> plugin{nullptr};
std::mutex pluginMutex;

void report(Context& context, ErrorKind kind, const char* message) {
  Device& device = *static_cast<Device*>(context.owner);
  if (device.failed) return;
  device.failed = true;
  device.failureKind = kind;
  device.failureMessage = message;
}

}  // namespace

Device::~Device() {
  if (!plugin) return;
  allocator.reset();
  if (context.queue) plugin->closeQueue(context.queue);
}

void Device::throwFailure(const char* op) {
  failed = false;
  if (failureKind == ErrorKind::Device) lossTold_ = true;
  // CUDA's words, and those on its memory, do not name the op.
  if (failureKind == ErrorKind::Device || failureKind == ErrorKind::OutOfMemory)
    fail(failureKind, "%s: %.450s", op, failureMessage.c_str());
  throw Error(failureKind, failureMessage);
}

void Device::synchronize() {
  if (plugin) call("synchronize", [&] { plugin->synchronize(context); });
}

void Device::settle(Stream& stream) {
  const bool told = lossTold_;
  try {
    synchronize();
  } catch (const Error& error) {
    if (!told || error.kind != ErrorKind::Device) stream.setError(error.kind, error.what());
  }
}

void openPlugin(const char* path) {
  const std::lock_guard lock(pluginMutex);
  if (plugin.load()) return;
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) fail(ErrorKind::Device, "%.400s", dlerror());
  const auto entry = reinterpret_cast<PluginEntry>(dlsym(library, kPluginSymbol));
  const Plugin* found = entry ? entry() : nullptr;
  if (!found || found->version != kPluginVersion || found->kernelTableBytes != sizeof(KernelTable) ||
      found->programBytes != sizeof(Program) || found->viewBytes != sizeof(TensorView)) {
    dlclose(library);
    fail(ErrorKind::Device, "%.300s is not of the same build as the addon; build or install both again", path);
  }
  // Never closed: its queues and its threads of the driver may be in use until the process ends.
  plugin.store(found);
}

const Plugin* currentPlugin() { return plugin.load(); }

const Plugin& requirePlugin() {
  const Plugin* found = currentPlugin();
  if (!found) fail(ErrorKind::Device, "the CUDA plugin is not open");
  return *found;
}

std::unique_ptr<Device> openDevice(int ordinal, ThreadPool& pool, Stream& stream) {
  const Plugin& found = requirePlugin();
  auto device = std::make_unique<Device>(ordinal + 1, *found.kernels, pool);
  char message[kPluginMessageBytes] = "";
  device->context.owner = device.get();
  device->context.report = report;
  device->context.queue = found.openQueue(ordinal, message);
  if (!device->context.queue) fail(ErrorKind::Device, "%.500s", message);
  device->plugin = &found;
  void* queue = device->context.queue;
  device->allocator = std::make_unique<DeviceAllocator>(
      [&found, queue](int64_t bytes) -> void* {
        char why[kPluginMessageBytes] = "";
        void* block = found.allocate(queue, bytes, why);
        if (!block && *why) fail(ErrorKind::Device, "%.500s", why);
        return block;
      },
      [&found, queue](void* block) { found.release(queue, block); },
      [&stream, target = device.get()] {
        stream.synchronize();
        target->settle(stream);
      },
      found.exactBlocks);
  int64_t freeBytes = 0, totalBytes = 0;
  found.memoryInfo(queue, &freeBytes, &totalBytes);
  // Garbage of this thread is let grow to as much before it is collected.
  device->budgetBytes = totalBytes / 8 < (int64_t{2} << 30) ? totalBytes / 8 : int64_t{2} << 30;
  return device;
}

}  // namespace thalweg
