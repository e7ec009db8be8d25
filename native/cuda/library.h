// NVIDIA's libraries, none of which the plugin is linked with: each is looked for when it is first needed, and one that
// is not there switches off what needs it and nothing else. Where they are looked for: library_search.h.
//
// A file that uses one includes its header for the types, and names the functions that it calls:
//
//   namespace thalweg::cuda {
//   LIBRARY_FUNCTION(cudnnLibrary, cudnnCreate);
//   ...
//   if (!cudnnLibrary.available()) return false;  // take another way
//   cudnnCreate(&handle);                         // throws DeviceError with what to do if the library is missing
#pragma once
#include <atomic>
#include <mutex>
#include <string>

namespace thalweg::cuda {

class Library;
class LibraryFunctionBase;

// What is known of a library before it is looked for.
struct LibraryDescription {
  const char* name;       // as people call it
  const char* file;       // what the loader calls it
  const char* olderFile;  // of the CUDA before, to explain why that one does not do; or null
  const char* purpose;    // what its absence means
  const char* pip;        // packages that bring it
  const char* apt;
  int oldest;        // the version that it must have at least, in the form of 10000 * major + 100 * minor + patch
  int compiledWith;  // the version of the headers that this build was made with; 0: without
  bool inThisBuild;  // what needs it was compiled
  // Reads the version of an opened library; 0 when it has no such function.
  int (*version)(void* handle);
  // Why this copy does not do although it is new enough, or an empty string.
  std::string (*objection)(void* handle);
  // What it ends the process without; or null.
  Library* needs = nullptr;
};

class Library {
 public:
  constexpr explicit Library(const LibraryDescription& description) : description_(description) {}

  // Whether it is here, new enough, and has every function that is called. Looks for it at the first call, from any
  // thread.
  bool available() { return state() == State::Ready; }
  // Throws DeviceError: what is missing, where it was looked for, what to do.
  void require() {
    if (state() != State::Ready) fail();
  }
  // 10000 * major + 100 * minor + patch; 0 when it is not available.
  int version() { return available() ? version_ : 0; }
  // Whether any file of this build calls it.
  bool used() const { return functions_ != nullptr; }
  // One line: "cuDNN: 9.24.0, from /.../libcudnn.so.9", or why not and what to do.
  std::string report();

 private:
  friend class LibraryFunctionBase;
  enum class State : unsigned char { Unknown, Ready, Absent };

  State state() {
    const State known = state_.load(std::memory_order_acquire);
    return known == State::Unknown ? open() : known;
  }
  State open();
  bool accept(const std::string& path, std::string& reason);
  [[noreturn]] void fail();

  const LibraryDescription& description_;
  std::atomic<State> state_{State::Unknown};
  std::mutex mutex_;
  // Functions that are called, of all files of the plugin; complete when the plugin is loaded.
  LibraryFunctionBase* functions_ = nullptr;
  int version_ = 0;
  // What report() says; made once and kept until the process ends.
  const std::string* report_ = nullptr;
};

extern Library cublasLtLibrary, cudnnLibrary, ncclLibrary, nvrtcLibrary;

// The reports of those that are used, one a line.
std::string reportLibraries();

// A function of a library, found when the library is opened.
class LibraryFunctionBase {
 public:
  LibraryFunctionBase(Library& library, const char* name, bool required)
      : library_(library), name_(name), required_(required), next_(library.functions_) {
    library.functions_ = this;
  }
  LibraryFunctionBase(const LibraryFunctionBase&) = delete;
  LibraryFunctionBase& operator=(const LibraryFunctionBase&) = delete;

 protected:
  friend class Library;
  Library& library_;
  const char* const name_;
  const bool required_;
  LibraryFunctionBase* const next_;
  void* address_ = nullptr;
};

template <class F>
class LibraryFunction;
template <class R, class... P>
class LibraryFunction<R (*)(P...)> : LibraryFunctionBase {
 public:
  using LibraryFunctionBase::LibraryFunctionBase;
  R operator()(P... arguments) const {
    library_.require();
    return reinterpret_cast<R (*)(P...)>(address_)(arguments...);
  }
  // Of an optional one: whether this version of the library has it.
  bool available() const { return library_.available() && address_; }
};

// Without one of these the library counts as too old.
#define LIBRARY_FUNCTION(library, name) \
  inline ::thalweg::cuda::LibraryFunction<decltype(&::name)> name { library, #name, true }
// One that newer versions have: ask name.available() before it is called.
#define OPTIONAL_LIBRARY_FUNCTION(library, name) \
  inline ::thalweg::cuda::LibraryFunction<decltype(&::name)> name { library, #name, false }

}  // namespace thalweg::cuda
