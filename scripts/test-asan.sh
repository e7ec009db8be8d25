#!/usr/bin/env bash
# The test suite on an addon built with AddressSanitizer and UndefinedBehaviorSanitizer (build/asan/thalweg.node).
# Arguments go to vitest: npm run test:asan -- test/matmul.test.ts
set -euo pipefail
cd "$(dirname "$0")/.."

generator=()
if [ ! -e build-cmake/asan/CMakeCache.txt ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S . -B build-cmake/asan "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
  "-DTHALWEG_SANITIZE=address;undefined" "-DTHALWEG_OUTPUT_DIR=$PWD/build/asan"
cmake --build build-cmake/asan --parallel "$(getconf _NPROCESSORS_ONLN)" --target thalweg thalweg_fence thalweg_device_allocator
build-cmake/asan/thalweg_fence
build-cmake/asan/thalweg_device_allocator

# The sanitizer has to be in the process before the addon. So has the C++ library: the interceptor of `throw` looks for
# it at start, and Node may bring its own.
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' build-cmake/asan/CMakeCache.txt)
preload="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libstdc++.so.6)"

# detect_leaks=0: V8 and Node free nothing at exit; the tests on memory() look for leaks of tensors.
# allocator_may_return_null=1: an allocation beyond memory has to fail as it does without the sanitizer.
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:allow_user_segv_handler=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export THALWEG_ADDON="$PWD/build/asan/thalweg.node" THALWEG_SANITIZED=1
LD_PRELOAD="$preload" exec node node_modules/vitest/vitest.mjs run "$@"
