#include "cuda/library_search.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace thalweg::cuda {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> splitPath(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t from = 0; from <= list.size();) {
    const size_t to = std::min(list.find(':', from), list.size());
    if (to > from) parts.push_back(list.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

// Folders, each once, in the order of their first mention.
class Folders {
 public:
  void add(const fs::path& folder) {
    std::error_code error;
    // Neither a relative path nor a file may decide what is loaded; canonical() also says that it exists.
    if (!folder.is_absolute()) return;
    const fs::path real = fs::canonical(folder, error);
    if (error || !fs::is_directory(real, error)) return;
    if (std::find(list.begin(), list.end(), real.string()) == list.end()) list.push_back(real.string());
  }
  // A folder of Python packages, in which NVIDIA's have theirs.
  void addPackages(const fs::path& packages) {
    for (const char* inside : {"cu13", "cublas", "cudnn", "nccl", "cuda_nvrtc"})
      add(packages / "nvidia" / inside / "lib");
  }
  // What `prefix/lib` has of Pythons, the newest first.
  void addPythons(const fs::path& prefix) {
    if (!prefix.is_absolute()) return;
    for (const fs::path& python : numbered(prefix / "lib", "python3."))
      for (const char* packages : {"site-packages", "dist-packages"}) addPackages(python / packages);
  }
  void addToolkit(const fs::path& toolkit) {
    for (const char* inside : {"lib64", "lib"}) add(toolkit / inside);
  }
  // prefix12, prefix11, prefix2: the folders of that name with a number behind it.
  static std::vector<fs::path> numbered(const fs::path& folder, const std::string& prefix) {
    std::vector<std::pair<int, fs::path>> found;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename().string();
      if (name.rfind(prefix, 0) == 0) found.emplace_back(std::atoi(name.c_str() + prefix.size()), at->path());
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<fs::path> paths;
    for (auto& [number, path] : found) paths.push_back(std::move(path));
    return paths;
  }

  std::vector<std::string> list;
};

const char* const kDirectories = "THALWEG_CUDA_LIB_DIRS";

fs::path pluginFolder() {
  Dl_info info{};
  // Any address inside this library tells the loader which one is meant.
  if (!dladdr(reinterpret_cast<const void*>(&libraryFolders), &info) || !info.dli_fname) return {};
  std::error_code error;
  return fs::absolute(info.dli_fname, error).parent_path();
}

std::vector<std::string> findFolders() {
  Folders folders;
  std::error_code error;
  for (const std::string& named : splitPath(environment(kDirectories))) {
    const fs::path folder = fs::absolute(named, error);
    folders.add(folder);
    folders.addPackages(folder);
  }
  folders.add(pluginFolder());

  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) folders.addPythons(environment(variable));
  // conda's own packages of CUDA.
  if (const fs::path conda = environment("CONDA_PREFIX"); !conda.empty()) folders.add(conda / "lib");
  for (const std::string& packages : splitPath(environment("PYTHONPATH"))) folders.addPackages(packages);
  for (const std::string& bin : splitPath(environment("PATH"))) {
    const fs::path python = fs::path(bin) / "python3";
    if (!fs::exists(python, error)) continue;
    // A virtual environment's is a link to the Python that it was made from.
    folders.addPythons(fs::path(bin).parent_path());
    const fs::path real = fs::canonical(python, error);
    if (!error) folders.addPythons(real.parent_path().parent_path());
  }
  const fs::path home = environment("HOME");
  if (const fs::path base = environment("PYTHONUSERBASE"); !base.empty()) folders.addPythons(base);
  if (!home.empty()) {
    folders.addPythons(home / ".local");
    for (const fs::path& version : Folders::numbered(home / ".pyenv" / "versions", "3.")) folders.addPythons(version);
  }
  for (const char* prefix : {"/usr/local", "/usr"}) folders.addPythons(prefix);
  // Debian's packages of its own Python have no number.
  folders.addPackages("/usr/lib/python3/dist-packages");

  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const fs::path toolkit = environment(variable); !toolkit.empty()) folders.addToolkit(toolkit);
  folders.addToolkit("/usr/local/cuda");
  for (const fs::path& toolkit : Folders::numbered("/usr/local", "cuda-13.")) folders.addToolkit(toolkit);
  folders.addToolkit("/opt/cuda");
  return folders.list;
}

}  // namespace

const std::vector<std::string>& libraryFolders() {
  // Never destroyed: threads may still ask while the process ends.
  static const auto& folders = *new std::vector<std::string>(findFolders());
  return folders;
}

std::string describeLibraryFolders() {
  const std::string named = environment(kDirectories);
  std::string text = "Looked in ";
  for (const std::string& folder : libraryFolders()) text += folder + ", ";
  return text + "and where the loader looks (LD_LIBRARY_PATH, ld.so.conf); " + kDirectories +
         (named.empty() ? " is not set" : "=" + named);
}

}  // namespace thalweg::cuda
