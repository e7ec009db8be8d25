#include "cuda/library.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cuda/library_search.h"
#include "runtime/error.h"

// The headers say which versions this build was made with.
#if defined(THALWEG_HAS_CUBLASLT) && __has_include(<cublas_api.h>)
#include <cublas_api.h>
#endif
#if defined(THALWEG_HAS_CUDNN) && __has_include(<cudnn_version.h>)
#include <cudnn_version.h>
#endif
#if defined(THALWEG_HAS_NCCL) && __has_include(<nccl.h>)
#include <nccl.h>
#endif

namespace thalweg::cuda {
namespace {

template <class F>
F symbol(void* handle, const char* name) {
  return reinterpret_cast<F>(dlsym(handle, name));
}
using VersionFunction = size_t (*)();

std::string none(void*) { return {}; }

#if defined(CUBLAS_VERSION)
constexpr int kCublasCompiled = CUBLAS_VERSION;
#else
constexpr int kCublasCompiled = 0;
#endif
#if defined(CUDNN_VERSION)
constexpr int kCudnnCompiled = CUDNN_VERSION;
#else
constexpr int kCudnnCompiled = 0;
#endif
#if defined(NCCL_VERSION_CODE)
constexpr int kNcclCompiled = NCCL_VERSION_CODE;
#else
constexpr int kNcclCompiled = 0;
#endif

// The emulated device needs no headers: what is tested with it brings its own declarations.
#if defined(THALWEG_HAS_CUBLASLT) || defined(THALWEG_CUDA_EMULATED)
constexpr bool kHasCublasLt = true;
#else
constexpr bool kHasCublasLt = false;
#endif
#if defined(THALWEG_HAS_CUDNN) || defined(THALWEG_CUDA_EMULATED)
constexpr bool kHasCudnn = true;
#else
constexpr bool kHasCudnn = false;
#endif
#if defined(THALWEG_HAS_NCCL) || defined(THALWEG_CUDA_EMULATED)
constexpr bool kHasNccl = true;
#else
constexpr bool kHasNccl = false;
#endif

const LibraryDescription cublasLt = {
    "cuBLASLt",
    "libcublasLt.so.13",
    "libcublasLt.so.12",
    "matrix products run on Thalweg's own, slower kernels",
    "nvidia-cublas",
    "libcublas-13-0",
    130000,
    kCublasCompiled,
    kHasCublasLt,
    [](void* handle) {
      const auto version = symbol<VersionFunction>(handle, "cublasLtGetVersion");
      return version ? static_cast<int>(version()) : 0;
    },
    none,
};

const LibraryDescription cudnn = {
    "cuDNN",
    "libcudnn.so.9",
    "libcudnn.so.8",
    "convolutions, recurrent layers and attention run on Thalweg's own, slower kernels",
    "nvidia-cudnn-cu13",
    "cudnn9-cuda-13",
    90000,
    kCudnnCompiled,
    kHasCudnn,
    [](void* handle) {
      const auto version = symbol<VersionFunction>(handle, "cudnnGetVersion");
      return version ? static_cast<int>(version()) : 0;
    },
    // cuDNN 9 for CUDA 12 has the same file name.
    [](void* handle) -> std::string {
      const auto runtime = symbol<VersionFunction>(handle, "cudnnGetCudartVersion");
      const int of = runtime ? static_cast<int>(runtime()) : 0;
      if (of == 0 || of / 1000 >= 13) return {};
      return "it was made for CUDA " + std::to_string(of / 1000) + ", and this build needs the one for CUDA 13";
    },
    &cublasLtLibrary,
};

const LibraryDescription nccl = {
    "NCCL",
    "libnccl.so.2",
    nullptr,
    "several GPUs cannot be trained on together",
    "nvidia-nccl-cu13",
    "libnccl2",
    21800,
    kNcclCompiled,
    kHasNccl,
    [](void* handle) {
      const auto read = symbol<int (*)(int*)>(handle, "ncclGetVersion");
      int version = 0;
      return read && read(&version) == 0 ? version : 0;
    },
    none,
};

// What it is needed for: the others were compiled with this library.
#if defined(THALWEG_HAS_BUILTINS)
#define THALWEG_COMPILED_PROGRAMS "fused elementwise programs that are not built in"
#else
#define THALWEG_COMPILED_PROGRAMS "fused elementwise programs"
#endif

const LibraryDescription nvrtc = {
    "NVRTC",
    "libnvrtc.so.13",
    "libnvrtc.so.12",
    THALWEG_COMPILED_PROGRAMS " are interpreted on the device, which is slower than compiling them",
    "nvidia-cuda-nvrtc",
    "cuda-nvrtc-13-0",
    130000,
    0,
    true,
    [](void* handle) {
      const auto read = symbol<int (*)(int*, int*)>(handle, "nvrtcVersion");
      int major = 0, minor = 0;
      return read && read(&major, &minor) == 0 ? major * 10000 + minor * 100 : 0;
    },
    none,
};

std::string numberOf(int version) {
  char text[48];
  std::snprintf(text, sizeof text, "%d.%d.%d", version / 10000, version / 100 % 100, version % 100);
  return text;
}

// Where the loader found it.
std::string pathOf(void* handle, const std::string& asked) {
  link_map* map = nullptr;
  return dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name && *map->l_name ? map->l_name : asked;
}

// What to do about a library that is missing, and where it was looked for.
std::string advice(const LibraryDescription& of) {
  return std::string(", so ") + of.purpose + ". Install it (pip install " + of.pip + ", or apt-get install " + of.apt +
         " from NVIDIA's repository) or name its folder in THALWEG_CUDA_LIB_DIRS. " + describeLibraryFolders() + ".";
}

std::string loaderError() {
  const char* text = dlerror();
  return text ? text : "the loader gives no reason";
}

}  // namespace

// Constant initialisation: functions of other files register themselves before this file's turn may have come.
constinit Library cublasLtLibrary(cublasLt), cudnnLibrary(cudnn), ncclLibrary(nccl), nvrtcLibrary(nvrtc);

// Opens `path` and keeps it if it does; else why it does not.
bool Library::accept(const std::string& path, std::string& reason) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    reason = loaderError();
    return false;
  }
  const std::string from = pathOf(handle, path);
  const int version = description_.version(handle);
  if (version < description_.oldest) {
    reason = from + " is too old: it is version " + (version ? numberOf(version) : "unknown") + ", needed is " +
             numberOf(description_.oldest) + " or newer";
  } else if (std::string objection = description_.objection(handle); !objection.empty()) {
    reason = from + " (" + numberOf(version) + ") does not fit: " + objection;
  } else if (description_.needs && !description_.needs->available()) {
    reason = from + " (" + numberOf(version) + ") needs " + description_.needs->description_.name +
             ", which cannot be used either";
  } else {
    const LibraryFunctionBase* missing = nullptr;
    for (LibraryFunctionBase* function = functions_; function; function = function->next_) {
      function->address_ = dlsym(handle, function->name_);
      if (!function->address_ && function->required_) missing = function;
    }
    if (!missing) {
      version_ = version;
      reason = from;
      return true;
    }
    reason = from + " (" + numberOf(version) + ") is too old: it has no " + missing->name_;
  }
  dlclose(handle);
  return false;
}

Library::State Library::open() {
  // cuDNN asks the loader for these two by name, and gets the ones that are there already.
  if (description_.needs) description_.needs->available();
  if (this == &cudnnLibrary) nvrtcLibrary.available();
  const std::lock_guard lock(mutex_);
  if (state_.load(std::memory_order_relaxed) != State::Unknown) return state_;
  const std::string name = description_.name;
  const auto conclude = [&](State state, std::string text) {
    report_ = new std::string(name + ": " + std::move(text));
    state_.store(state, std::memory_order_release);
    return state;
  };
  if (!description_.inThisBuild)
    return conclude(State::Absent,
                    std::string("this build was made without its headers, so ") + description_.purpose + ".");

  std::string rejected, reason;
  const auto addReason = [&](const std::string& why) {
    if (!rejected.empty()) rejected += "; ";
    rejected += why;
  };
  const auto ready = [&] {
    std::string text = numberOf(version_) + ", from " + reason;
    if (version_ < description_.compiledWith)
      text += "; older than " + numberOf(description_.compiledWith) +
              ", which this build was made with (to update it: pip install --upgrade " + description_.pip + ")";
    return conclude(State::Ready, text);
  };
  const std::string file = description_.file;
  std::string older;
  for (const std::string& folder : libraryFolders()) {
    const std::string path = folder + "/" + file;
    if (access(path.c_str(), F_OK) == 0) {
      if (accept(path, reason)) return ready();
      addReason(reason);
    } else if (description_.olderFile && older.empty()) {
      const std::string other = folder + "/" + description_.olderFile;
      if (access(other.c_str(), F_OK) == 0) older = other;
    }
  }
  if (accept(file, reason)) return ready();
  // That the loader knows no such file is said in other words below; what it says of a file that is there is news.
  const std::string unknown = file + ": cannot open shared object file";
  if (reason.rfind(unknown, 0) != 0) addReason(reason);

  std::string text = rejected.empty() ? file + " was not found" : "no " + file + " that can be used: " + rejected;
  if (rejected.empty() && !older.empty()) text += ", only the older " + older;
  text += advice(description_);
  return conclude(State::Absent, text);
}

std::string Library::report() {
  state();
  return *report_;
}

void Library::fail() { throw Error(ErrorKind::Device, report()); }

std::string reportLibraries() {
  std::string text;
  for (Library* library : {&cublasLtLibrary, &cudnnLibrary, &ncclLibrary, &nvrtcLibrary}) {
    if (!library->used()) continue;
    if (!text.empty()) text += '\n';
    text += library->report();
  }
  return text;
}

}  // namespace thalweg::cuda
