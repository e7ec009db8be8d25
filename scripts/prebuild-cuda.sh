#!/usr/bin/env bash
# After prebuildify: adds the CUDA plugin to the prebuilt binaries, if npm run build:cuda has made it. It is brought up to
# date first: an addon refuses the plugin of another version.
set -euo pipefail
cd "$(dirname "$0")/.."

plugin=thalweg-cuda-cu13.so
if [ ! -e "build-cmake/cuda/plugin/$plugin" ]; then
  echo "prebuildify: without the CUDA plugin (npm run build:cuda makes it)"
  exit 0
fi
cmake --build build-cmake/cuda --parallel "$(getconf _NPROCESSORS_ONLN)" --target thalweg_cuda
folder=prebuilds/$(node -p 'process.platform + "-" + process.arch')
# Where the addon of this checkout looks for it; node-gyp has emptied that folder.
mkdir -p build/Release
cp "build-cmake/cuda/plugin/$plugin" build/Release/
strip --strip-unneeded -o "$folder/$plugin" "build-cmake/cuda/plugin/$plugin"
echo "prebuildify: $folder/$plugin, $(($(stat -c %s "$folder/$plugin") / 1024)) KiB"
