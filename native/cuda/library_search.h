// Where NVIDIA's libraries may be on a machine.
#pragma once
#include <string>
#include <vector>

namespace thalweg::cuda {

// Folders that exist, in the order in which they are looked through:
//   1. THALWEG_CUDA_LIB_DIRS, folders separated by ':'; one that holds packages of pip (nvidia/...) does too
//   2. the folder of this plugin
//   3. what pip installed: in the active virtual or conda environment, in PYTHONPATH, in the environments of the
//   Pythons
//      on PATH, in the user's and the system's packages
//   4. CUDA_HOME, CUDA_PATH, /usr/local/cuda and its numbered neighbours, /opt/cuda
// The loader's own places (LD_LIBRARY_PATH, ld.so.conf, /usr/lib) come last, and are the loader's business.
const std::vector<std::string>& libraryFolders();

// The same as a sentence for messages: what was set, what was found.
std::string describeLibraryFolders();

}  // namespace thalweg::cuda
