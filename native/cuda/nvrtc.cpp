// The emulated device runs no machine code, so that it has no use for this file.
#if !defined(THALWEG_CUDA_EMULATED)
#include "cuda/nvrtc.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "cuda/device_headers.h"
#include "cuda/hash.h"
#include "cuda/library.h"

// What is called of NVRTC, in the types of its interface: its header need not be there.
extern "C" {
typedef struct ThalwegNvrtcProgram* ThalwegNvrtcHandle;
int nvrtcCreateProgram(ThalwegNvrtcHandle* program, const char* source, const char* name, int headers,
                       const char* const* texts, const char* const* names);
int nvrtcDestroyProgram(ThalwegNvrtcHandle* program);
int nvrtcCompileProgram(ThalwegNvrtcHandle program, int options, const char* const* texts);
int nvrtcGetProgramLogSize(ThalwegNvrtcHandle program, size_t* bytes);
int nvrtcGetProgramLog(ThalwegNvrtcHandle program, char* log);
int nvrtcGetCUBINSize(ThalwegNvrtcHandle program, size_t* bytes);
int nvrtcGetCUBIN(ThalwegNvrtcHandle program, char* image);
const char* nvrtcGetErrorString(int result);
}

namespace thalweg::cuda {

LIBRARY_FUNCTION(nvrtcLibrary, nvrtcCreateProgram);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcDestroyProgram);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcCompileProgram);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcGetProgramLogSize);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcGetProgramLog);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcGetCUBINSize);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcGetCUBIN);
LIBRARY_FUNCTION(nvrtcLibrary, nvrtcGetErrorString);

namespace {

// Behind the architecture.
constexpr const char* kOptions[] = {"-std=c++20", "--device-as-default-execution-space"};

// In front of the image in a file.
struct ImageHeader {
  char magic[8];
  uint64_t bytes, check[2];
};
constexpr char kMagic[8] = {'T', 'H', 'A', 'L', 'C', 'U', 'B', '1'};

ImageHeader headerOf(const std::string& bytes) {
  ImageHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.bytes = bytes.size();
  for (int i = 0; i < 2; i++) header.check[i] = hashOf(bytes.data(), bytes.size(), kHashStarts[i]);
  return header;
}

std::string cacheFolder() {
  if (const char* named = std::getenv("THALWEG_CACHE"); named && *named) return named;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/')
    return std::string(cache) + "/thalweg/cuda";
  if (const char* home = std::getenv("HOME"); home && *home == '/') return std::string(home) + "/.cache/thalweg/cuda";
  return "";
}

void makeFolders(const std::string& path) {
  for (size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at + 1);
    mkdir(path.substr(0, at).c_str(), 0777);  // the parents mostly exist
  }
}

std::mutex troubleMutex;
std::string& trouble() {
  static auto* text = new std::string;  // never destroyed: other threads may still run at exit
  return *text;
}

}  // namespace

std::string compilerTrouble() {
  const std::lock_guard lock(troubleMutex);
  return trouble();
}
void noteCompilerTrouble(const std::string& what) {
  const std::lock_guard lock(troubleMutex);
  if (trouble().empty()) trouble() = what.substr(0, what.find('\n'));
}

std::string imageFile(const std::string& source, const std::string& architecture) {
  const std::string folder = cacheFolder();
  if (folder.empty()) return "";
  uint64_t hash[2];
  const int version = nvrtcLibrary.version();
  for (int i = 0; i < 2; i++) {
    const auto add = [&](const char* text) { hash[i] = hashOf(text, std::strlen(text) + 1, hash[i]); };
    hash[i] = hashOf(&version, sizeof version, kHashStarts[i]);
    add(architecture.c_str());
    for (const char* option : kOptions) add(option);
    for (int h = 0; h < deviceHeaderCount; h++) add(deviceHeaders[h].text);
    add(source.c_str());
  }
  char name[48];
  std::snprintf(name, sizeof name, "/%016llx%016llx.cubin", static_cast<unsigned long long>(hash[0]),
                static_cast<unsigned long long>(hash[1]));
  return folder + name;
}

std::string readImage(const std::string& file) {
  std::FILE* f = std::fopen(file.c_str(), "rbe");
  if (f == nullptr) return "";
  std::string bytes;
  ImageHeader header;
  constexpr uint64_t kMost = uint64_t{1} << 28;
  if (std::fread(&header, sizeof header, 1, f) == 1 && std::memcmp(header.magic, kMagic, sizeof kMagic) == 0 &&
      header.bytes > 0 && header.bytes < kMost) {
    bytes.resize(header.bytes);
    const bool whole = std::fread(bytes.data(), 1, bytes.size(), f) == bytes.size() && std::fgetc(f) == EOF;
    const ImageHeader expected = headerOf(bytes);
    if (!whole || std::memcmp(&header, &expected, sizeof header) != 0) bytes.clear();
  }
  std::fclose(f);
  return bytes;
}

void writeImage(const std::string& file, const std::string& bytes) {
  // Under another name first: who reads sees the whole file or none. What cannot be written is not kept.
  static std::atomic<unsigned> counter{0};
  const std::string unfinished = file + "." + std::to_string(getpid()) + "." + std::to_string(counter++);
  std::FILE* f = std::fopen(unfinished.c_str(), "wbxe");
  if (f == nullptr && errno == ENOENT) {
    makeFolders(file.substr(0, file.rfind('/')));
    f = std::fopen(unfinished.c_str(), "wbxe");
  }
  if (f == nullptr) return;
  const ImageHeader header = headerOf(bytes);
  bool written =
      std::fwrite(&header, sizeof header, 1, f) == 1 && std::fwrite(bytes.data(), 1, bytes.size(), f) == bytes.size();
  written = std::fclose(f) == 0 && written;
  if (!written || std::rename(unfinished.c_str(), file.c_str()) != 0) std::remove(unfinished.c_str());
}

namespace {

// NVRTC opens a second library of its package by name, which the loader does not find in a folder that is on no path of
// its own. It is found when it is there already.
void openBuiltins() {
  void* handle = dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_NOLOAD);
  link_map* map = nullptr;
  if (handle == nullptr || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return;
  std::string path = map->l_name;
  const int version = nvrtcLibrary.version();
  path.resize(path.rfind('/') + 1);
  path += "libnvrtc-builtins.so." + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100);
  dlopen(path.c_str(), RTLD_NOW);
  dlclose(handle);
}

}  // namespace

CompiledImage compileImage(const std::string& source, const std::string& architecture) {
  static std::once_flag opened;
  std::call_once(opened, openBuiltins);
  std::vector<const char*> names, texts;
  for (int h = 0; h < deviceHeaderCount; h++) {
    names.push_back(deviceHeaders[h].name);
    texts.push_back(deviceHeaders[h].text);
  }
  CompiledImage image;
  ThalwegNvrtcHandle program = nullptr;
  int result =
      nvrtcCreateProgram(&program, source.c_str(), "program.cu", deviceHeaderCount, texts.data(), names.data());
  if (result != 0) {
    image.log = std::string("NVRTC: ") + nvrtcGetErrorString(result);
    return image;
  }
  const std::string target = "--gpu-architecture=" + architecture;
  std::vector<const char*> options = {target.c_str()};
  for (const char* option : kOptions) options.push_back(option);
  result = nvrtcCompileProgram(program, static_cast<int>(options.size()), options.data());
  size_t bytes = 0;
  if (result == 0 && (result = nvrtcGetCUBINSize(program, &bytes)) == 0) {
    image.bytes.resize(bytes);
    result = nvrtcGetCUBIN(program, image.bytes.data());
  }
  if (result != 0) {
    image.bytes.clear();
    image.log = std::string("NVRTC: ") + nvrtcGetErrorString(result);
    if (nvrtcGetProgramLogSize(program, &bytes) == 0 && bytes > 1) {
      std::string log(bytes, '\0');
      if (nvrtcGetProgramLog(program, log.data()) == 0) image.log += ": " + log;
    }
  }
  nvrtcDestroyProgram(&program);
  return image;
}

}  // namespace thalweg::cuda
#endif
