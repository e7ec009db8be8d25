// Where NVIDIA's libraries are looked for and what is said of them, with libraries made for it (fake_library.cpp) in
// folders made for it. Each case is a child process with its own environment. scripts/test-cuda-emulated.sh runs this.
#include "cuda/library.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "cuda/library_search.h"
#include "runtime/error.h"

extern "C" {
int fakeAnswer(int);
int fakeOption(int);
size_t cublasLtGetVersion();
int nvrtcVersion(int*, int*);
}

namespace thalweg::cuda {
namespace {

LIBRARY_FUNCTION(cublasLtLibrary, cublasLtGetVersion);
LIBRARY_FUNCTION(cudnnLibrary, fakeAnswer);
OPTIONAL_LIBRARY_FUNCTION(cudnnLibrary, fakeOption);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcVersion);

namespace fs = std::filesystem;

int failures = 0, checks = 0;
fs::path root;  // of the folders made for this run

void expect(bool holds, const std::string& what) {
  checks++;
  if (holds) return;
  failures++;
  std::printf("failed: %s\n", what.c_str());
}
void expectIn(const std::string& text, const std::string& part) {
  expect(text.find(part) != std::string::npos, "'" + part + "' in '" + text + "'");
}
void expectNotIn(const std::string& text, const std::string& part) {
  expect(text.find(part) == std::string::npos, "no '" + part + "' in '" + text + "'");
}

// Puts the fake library of that kind into a folder, under a name of NVIDIA's; returns the folder.
std::string put(const char* kind, const fs::path& folder, const char* name) {
  fs::create_directories(root / folder);
  fs::copy_file(fs::path(FAKES) / (std::string("thalweg_fake_") + kind + ".so"), root / folder / name);
  return (root / folder).string();
}
// cuDNN together with the cuBLASLt that it needs.
std::string putCudnn(const char* kind, const fs::path& folder) {
  put("new", folder, "libcublasLt.so.13");
  return put(kind, folder, "libcudnn.so.9");
}

// In a process of its own, since what was found once stays found.
void inChild(const char* name, const std::function<void()>& body) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    for (const char* variable : {"THALWEG_CUDA_LIB_DIRS", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONUSERBASE",
                                 "CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH"})
      unsetenv(variable);
    setenv("PATH", (root / "empty").c_str(), 1);
    setenv("HOME", (root / "empty").c_str(), 1);
    failures = checks = 0;
    try {
      body();
    } catch (const std::exception& error) {
      expect(false, std::string("an exception: ") + error.what());
    }
    if (checks == 0) expect(false, "nothing was checked");
    if (failures) std::printf("in '%s'\n", name);
    std::fflush(stdout);
    _exit(failures ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, name);
}

void run() {
  fs::create_directories(root / "empty");
  const std::string good = putCudnn("new", "good");
  const std::string old = putCudnn("old", "old");
  const std::string cuda12 = putCudnn("cuda12", "cuda12");
  const std::string lacking = putCudnn("lacking", "lacking");
  const std::string alone = put("new", "alone", "libcudnn.so.9");
  put("cuda12", "older", "libcublasLt.so.12");
  put("new", "broken", "libcublasLt.so.13");
  std::FILE* broken = std::fopen((root / "broken/libcudnn.so.9").c_str(), "w");
  std::fputs("not a library", broken);
  std::fclose(broken);

  inChild("nothing is there", [] {
    expect(!cudnnLibrary.available(), "cuDNN is not available");
    expect(!fakeOption.available(), "nor is a function of it");
    const std::string report = cudnnLibrary.report();
    expectIn(report, "cuDNN: libcudnn.so.9 was not found, so convolutions");
    expectIn(report, "pip install nvidia-cudnn-cu13");
    expectIn(report, "apt-get install cudnn9-cuda-13");
    expectIn(report, "THALWEG_CUDA_LIB_DIRS is not set.");
    expectIn(report, "where the loader looks");
    try {
      fakeAnswer(1);
      expect(false, "calling a function of a missing library throws");
    } catch (const Error& error) {
      expect(error.kind == ErrorKind::Device && error.what() == report, "the error is the report");
    }
  });
  inChild("THALWEG_CUDA_LIB_DIRS", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", ("/does/not/exist::" + good).c_str(), 1);
    expect(cudnnLibrary.available(), "cuDNN is available");
    expect(cudnnLibrary.version() == 92400, "its version");
    expect(cudnnLibrary.report() == "cuDNN: 9.24.0, from " + good + "/libcudnn.so.9", cudnnLibrary.report());
    expect(fakeAnswer(5) == 92405, "its function is called");
    expect(!fakeOption.available(), "a function that it lacks is not available");
    expect(cublasLtLibrary.available() && !nvrtcLibrary.available(), "of the others the one that is there");
    expectIn(nvrtcLibrary.report(), "Looked in " + good + ", ");
    expectIn(nvrtcLibrary.report(), "THALWEG_CUDA_LIB_DIRS=/does/not/exist::" + good + ".");
    expectIn(reportLibraries(), "\ncuDNN: 9.24.0");
    expectIn(reportLibraries(), "\nNVRTC: libnvrtc.so.13 was not found");
    expectNotIn(reportLibraries(), "NCCL");  // nothing here calls it
  });
  inChild("cuDNN without the cuBLASLt that it needs", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", alone.c_str(), 1);
    expect(!cudnnLibrary.available(), "it is not taken");
    expectIn(cudnnLibrary.report(), "alone/libcudnn.so.9 (9.24.0) needs cuBLASLt, which cannot be used either, so con");
  });
  inChild("one that is too old, then a good one", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", (old + ":" + good).c_str(), 1);
    expect(cudnnLibrary.available(), "the second is taken");
    expect(fakeAnswer(5) == 92405, "and called");
  });
  inChild("only one that is too old", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", old.c_str(), 1);
    expect(!cudnnLibrary.available() && cudnnLibrary.version() == 0, "it is not taken");
    expectIn(cudnnLibrary.report(), "no libcudnn.so.9 that can be used: " + old +
                                        "/libcudnn.so.9 is too old: it is "
                                        "version 8.9.7, needed is 9.0.0 or newer, so ");
  });
  inChild("one for CUDA 12", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", cuda12.c_str(), 1);
    expectIn(cudnnLibrary.report(), "cuda12/libcudnn.so.9 (9.10.2) does not fit: it was made for CUDA 12");
  });
  inChild("one without a function", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", lacking.c_str(), 1);
    expectIn(cudnnLibrary.report(), "lacking/libcudnn.so.9 (9.24.0) is too old: it has no fakeAnswer");
  });
  inChild("a file that is no library", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", (root / "broken").c_str(), 1);
    expectIn(cudnnLibrary.report(), "no libcudnn.so.9 that can be used: " + (root / "broken").string());
  });
  inChild("the one of the CUDA before", [&] {
    setenv("THALWEG_CUDA_LIB_DIRS", (root / "older").c_str(), 1);
    expectIn(cublasLtLibrary.report(), "libcublasLt.so.13 was not found, only the older " +
                                           (root / "older/libcublasLt.so.12").string() + ", so matrix products");
  });
  inChild("LD_LIBRARY_PATH is read by the loader when the process starts", [&] {
    setenv("LD_LIBRARY_PATH", good.c_str(), 1);
    execl("/proc/self/exe", "libraries", "loader", good.c_str(), nullptr);
    expect(false, "starting this program again");
  });

  // The layout of pip, wherever a Python may have it.
  const char* const packages = "site-packages/nvidia";
  const auto found = [&](const char* name, const fs::path& folder, const char* file,
                         const std::function<void()>& prepare) {
    const bool isCudnn = std::string(file).find("cudnn") != std::string::npos;
    const std::string made = isCudnn ? putCudnn("new", folder) : put("new", folder, file);
    inChild(name, [&] {
      prepare();
      Library& library = isCudnn                                                ? cudnnLibrary
                         : std::string(file).find("nvrtc") != std::string::npos ? nvrtcLibrary
                                                                                : cublasLtLibrary;
      expectIn(library.report(), ", from " + made + "/" + file);
    });
  };
  const auto variable = [&](const char* name, const fs::path& value) {
    return [=, path = root / value] { setenv(name, path.c_str(), 1); };
  };
  found("a virtual environment", fs::path("venv/lib/python3.12") / packages / "cudnn/lib", "libcudnn.so.9",
        variable("VIRTUAL_ENV", "venv"));
  found("cuBLAS of CUDA 13", fs::path("venv/lib/python3.12") / packages / "cu13/lib", "libcublasLt.so.13",
        variable("VIRTUAL_ENV", "venv"));
  found("the newer of two Pythons", fs::path("two/lib/python3.13") / packages / "cu13/lib", "libnvrtc.so.13", [&] {
    put("new", fs::path("two/lib/python3.9") / packages / "cu13/lib", "libnvrtc.so.13");
    setenv("VIRTUAL_ENV", (root / "two").c_str(), 1);
  });
  found("conda, pip's packages", fs::path("conda/lib/python3.11") / packages / "cudnn/lib", "libcudnn.so.9",
        variable("CONDA_PREFIX", "conda"));
  found("conda, its own packages", "conda2/lib", "libcublasLt.so.13", variable("CONDA_PREFIX", "conda2"));
  found("PYTHONPATH", "modules/nvidia/cudnn/lib", "libcudnn.so.9", variable("PYTHONPATH", "modules"));
  found("pip install --target", "target/nvidia/cudnn/lib", "libcudnn.so.9",
        variable("THALWEG_CUDA_LIB_DIRS", "target"));
  found("pip install --user", fs::path("home/.local/lib/python3.11") / packages / "cudnn/lib", "libcudnn.so.9",
        variable("HOME", "home"));
  found("a Python on PATH", fs::path("python/lib/python3.11") / packages / "cudnn/lib", "libcudnn.so.9", [&] {
    fs::create_directories(root / "python/bin");
    fs::create_directories(root / "links");
    std::fclose(std::fopen((root / "python/bin/python3").c_str(), "w"));
    fs::create_symlink(root / "python/bin/python3", root / "links/python3");
    setenv("PATH", ("relative:/nowhere:" + (root / "links").string()).c_str(), 1);
  });
  found("a toolkit", "toolkit/lib64", "libnvrtc.so.13", variable("CUDA_HOME", "toolkit"));
  found("a toolkit by its other name", "toolkit2/lib", "libnvrtc.so.13", variable("CUDA_PATH", "toolkit2"));
}

}  // namespace
}  // namespace thalweg::cuda

int main(int count, char** arguments) {
  using namespace thalweg::cuda;
  if (count == 3) {  // the case of LD_LIBRARY_PATH
    expect(cudnnLibrary.report() == std::string("cuDNN: 9.24.0, from ") + arguments[2] + "/libcudnn.so.9",
           cudnnLibrary.report());
    return failures ? 1 : 0;
  }
  char folder[] = "/tmp/thalweg-libraries-XXXXXX";
  if (!mkdtemp(folder)) return 2;
  root = fs::canonical(folder);
  run();
  fs::remove_all(root);
  std::printf("libraries: %d cases, %d failed\n", checks, failures);
  return failures ? 1 : 0;
}
