#!/usr/bin/env bash
# The device's kernels without a GPU: native/cuda compiled as C++ and run by fibers, one for each CUDA thread. Three ways:
#   plain    the goldens and test/cuda; the device's memory is out of the reach of host code, which takes a system call for
#            each launch
#   reverse  the goldens in every dtype and layout, with the threads of each block in reverse order: results that change show
#            a race (THALWEG_TEST_DERIVATIVES=1 compares gradients with differences too, which takes long)
#   asan     the goldens, with AddressSanitizer and UBSan
# Arguments: ways (default all), then files for vitest: npm run test:cuda-emu -- plain test/samples/conv.test.ts
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/asan.sh

ways=()
while [ $# -gt 0 ] && [[ $1 =~ ^(plain|reverse|asan)$ ]]; do
  ways+=("$1")
  shift
done
if [ ${#ways[@]} -eq 0 ]; then ways=(plain reverse asan); fi
files=("$@")

jobs=$(getconf _NPROCESSORS_ONLN)
export THALWEG_TEST_DEVICE=cuda
# --no-isolate: loading the library for each of many small files takes longer than most of them.
device_tests() { # name of the way, command before node, variables and their values by env
  local way=$1 start=$SECONDS
  shift
  if [ ${#files[@]} -gt 0 ]; then
    "$@" node node_modules/vitest/vitest.mjs run --typecheck.enabled=false "${files[@]}"
  else
    "$@" node node_modules/vitest/vitest.mjs run --typecheck.enabled=false --no-isolate test/samples/
    "$@" node node_modules/vitest/vitest.mjs run --typecheck.enabled=false test/cuda/
    if [ "$way" = plain ]; then
      mapfile -t suites < <(grep -v '^#' test/cuda/suites.txt)
      "$@" node node_modules/vitest/vitest.mjs run --typecheck.enabled=false "${suites[@]}"
    fi
  fi
  echo "test:cuda-emu $way: $((SECONDS - start)) s"
}

for way in "${ways[@]}"; do
  case $way in
    plain | reverse)
      cmake -S . -B build-cmake/release >/dev/null
      cmake --build build-cmake/release --parallel "$jobs" --target thalweg_cuda_emulated thalweg_libraries thalweg_fake_cublaslt
      plugin=$PWD/build/Release/thalweg-cuda-emulated.so
      ;;
    asan)
      build_asan thalweg thalweg_cuda_emulated
      plugin=$PWD/build/asan/thalweg-cuda-emulated.so
      ;;
  esac
  export THALWEG_CUDA_PLUGIN=$plugin
  case $way in
    plain)
      build-cmake/release/thalweg_libraries
      device_tests plain env THALWEG_CUDA_EMULATED_STRICT=1 THALWEG_TEST_GOLDENS_ONLY=1
      if [ ${#files[@]} -eq 0 ]; then
        # Once more where there is a cuBLASLt, of which the tests bring a checking imitation.
        env "THALWEG_CUDA_LIB_DIRS=$PWD/build/Release/fake" THALWEG_TEST_GOLDENS_ONLY=1 \
          node node_modules/vitest/vitest.mjs run --typecheck.enabled=false test/cuda/cublaslt.test.ts \
          test/samples/{products,conv,rnn,core}.test.ts test/trainings.test.ts
      fi
      ;;
    reverse)
      device_tests reverse env THALWEG_CUDA_EMULATED_ORDER=reverse "THALWEG_TEST_DERIVATIVES=${THALWEG_TEST_DERIVATIVES:-0}"
      ;;
    asan)
      export THALWEG_TEST_GOLDENS_ONLY=1
      device_tests asan asan
      unset THALWEG_TEST_GOLDENS_ONLY
      ;;
  esac
done
