#!/usr/bin/env bash
# Builds the plugin for NVIDIA GPUs with nvcc and puts it beside the addon. THALWEG_CUDA_ARCHITECTURES: for which, in
# the words of CMAKE_CUDA_ARCHITECTURES ("90" is quick, "native" the one in this machine; default: all, which takes long).
# THALWEG_CUDA_FAST_COMPILE=ON: slower kernels, compiled in a third of the time, to see that everything compiles.
# THALWEG_CUDA_BUILTINS=OFF: without the programs of native/cuda/builtins, which are compiled while a program runs then.
# THALWEG_CUDA_INCLUDE_DIRS: folders, separated by ':', with the headers of cuBLASLt, cuDNN and NCCL where these are not
# in the toolkit; a folder that pip installed to will do.
set -euo pipefail
cd "$(dirname "$0")/.."

plugin=thalweg-cuda-cu13.so
generator=()
if [ ! -e build-cmake/cuda/CMakeCache.txt ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
architectures=()
if [ -n "${THALWEG_CUDA_ARCHITECTURES:-}" ]; then architectures=("-DTHALWEG_CUDA_ARCHITECTURES=$THALWEG_CUDA_ARCHITECTURES"); else architectures=(-UTHALWEG_CUDA_ARCHITECTURES); fi
# In a folder of its own, where node-gyp, which empties build/, leaves it.
cmake -S . -B build-cmake/cuda "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DTHALWEG_CUDA=ON "${architectures[@]}" \
  "-DTHALWEG_CUDA_FAST_COMPILE=${THALWEG_CUDA_FAST_COMPILE:-OFF}" "-DTHALWEG_CUDA_BUILTINS=${THALWEG_CUDA_BUILTINS:-ON}" \
  "-DTHALWEG_OUTPUT_DIR=$PWD/build-cmake/cuda/plugin"
if ! cmake --build build-cmake/cuda --target help | grep -q 'thalweg_cuda$\|thalweg_cuda:'; then
  echo "build:cuda: there is nothing to build with, see the line of CMake above" >&2
  exit 1
fi
cmake --build build-cmake/cuda --parallel "$(getconf _NPROCESSORS_ONLN)" --target thalweg_cuda
if [ "${THALWEG_CUDA_BUILTINS:-ON}" = ON ]; then
  cmake --build build-cmake/cuda --target thalweg_builtin_programs
  build-cmake/cuda/thalweg_builtin_programs native/cuda/builtins/programs.txt
fi
mkdir -p build/Release
cp "build-cmake/cuda/plugin/$plugin" "build/Release/$plugin"
echo "build:cuda: build/Release/$plugin, $(($(stat -c %s "build/Release/$plugin") / 1024)) KiB"
