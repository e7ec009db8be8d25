#!/usr/bin/env bash
# The device's kernels without a GPU: native/cuda compiled as C++ and run by fibers, one for each CUDA thread. Five ways:
#   plain    the goldens, and the test files of test/cuda/suites.txt
#   strict   test/cuda and some goldens; the device's memory is out of the reach of host code, which takes a system call
#            for each launch. Then tests of copies, with streams as late and as early as they may be
#            (native/cuda/emulated/streams.cpp): a forgotten wait gives wrong numbers
#   library  matrix products, convolutions, attention and recurrent layers by a cuBLASLt and a cuDNN for tests
#   reverse  the goldens in every dtype and layout, and the trainings, with the threads of each block in reverse order:
#            results that change show a race (THALWEG_TEST_DERIVATIVES=1 compares gradients with differences too, which
#            takes long)
#   asan     the goldens and the trainings, with AddressSanitizer and UBSan
# Arguments: ways (default all), then files for vitest: npm run test:cuda-emu -- plain test/samples/conv.test.ts
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/asan.sh

ways=()
while [ $# -gt 0 ] && [[ $1 =~ ^(plain|strict|library|reverse|asan)$ ]]; do
  ways+=("$1")
  shift
done
if [ ${#ways[@]} -eq 0 ]; then ways=(plain strict library reverse asan); fi
files=("$@")

jobs=$(getconf _NPROCESSORS_ONLN)
export THALWEG_TEST_DEVICE=cuda
# Derivatives are the CPU's business mostly: a check against differences takes hundreds of launches.
export THALWEG_TEST_DERIVATIVES=${THALWEG_TEST_DERIVATIVES:-0}
device_tests() { # name of the way, command before node, files and options that are run if none are named
  local way=$1 before=$2 start=$SECONDS
  shift 2
  if [ ${#files[@]} -gt 0 ]; then set -- "${files[@]}"; fi
  $before node node_modules/vitest/vitest.mjs run --config vitest.built.config.ts "$@"
  echo "test:cuda-emu $way: $((SECONDS - start)) s"
}
samples() { printf 'test/samples/%s.test.ts ' "$@"; }

if [ "${ways[*]}" != asan ]; then
  cmake -S . -B build-cmake/release >/dev/null
  cmake --build build-cmake/release --parallel "$jobs" \
    --target thalweg_cuda_emulated thalweg_libraries thalweg_fake_cublaslt thalweg_fake_cudnn
fi
export THALWEG_CUDA_PLUGIN=$PWD/build/Release/thalweg-cuda-emulated.so

for way in "${ways[@]}"; do
  case $way in
    plain)
      mapfile -t suites < <(grep -v '^#' test/cuda/suites.txt)
      device_tests plain "" test/samples/
      if [ ${#files[@]} -eq 0 ]; then device_tests suites "" "${suites[@]}"; fi
      ;;
    strict)
      build-cmake/release/thalweg_libraries
      THALWEG_CUDA_EMULATED_STRICT=1 THALWEG_TEST_GOLDENS_ONLY=1 device_tests strict "" \
        test/cuda/ $(samples products conv sorting indexing norms)
      if [ ${#files[@]} -eq 0 ]; then
        THALWEG_CUDA_EMULATED_STREAMS=late device_tests "streams late" "" \
          test/cuda/{prefetch,loader,transfer,graph}.test.ts
        THALWEG_CUDA_EMULATED_STREAMS=early device_tests "streams early" "" test/cuda/prefetch.test.ts
      fi
      ;;
    library)
      THALWEG_CUDA_LIB_DIRS=$PWD/build/Release/fake THALWEG_TEST_GOLDENS_ONLY=1 device_tests library "" \
        test/cuda/{cublaslt,cudnn,cudnnAttention,cudnnRnn}.test.ts test/rnn.test.ts $(samples products conv attention)
      ;;
    reverse)
      THALWEG_CUDA_EMULATED_ORDER=reverse device_tests reverse "" test/samples/
      if [ ${#files[@]} -eq 0 ]; then
        THALWEG_CUDA_EMULATED_ORDER=reverse device_tests "reverse, trainings" "" test/trainings.test.ts -t losses
      fi
      ;;
    asan)
      build_asan thalweg thalweg_cuda_emulated
      THALWEG_CUDA_PLUGIN=$PWD/build/asan/thalweg-cuda-emulated.so THALWEG_TEST_GOLDENS_ONLY=1 \
        device_tests asan asan test/samples/
      if [ ${#files[@]} -eq 0 ]; then
        THALWEG_CUDA_PLUGIN=$PWD/build/asan/thalweg-cuda-emulated.so \
          device_tests "asan, trainings" asan test/trainings.test.ts -t 'losses in float32'
      fi
      ;;
  esac
done
