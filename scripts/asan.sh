# For scripts that test with AddressSanitizer and UndefinedBehaviorSanitizer; sourced in the root of the checkout.
# build_asan TARGET...: builds into build/asan. asan COMMAND...: runs it with the sanitizer in the process.

build_asan() {
  local generator=()
  if [ ! -e build-cmake/asan/CMakeCache.txt ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
  # One instruction set: three take the compiler minutes, and the others differ in the width of a vector. AVX2 rather than
  # the newest, whose kernels npm run test:fuzz watches with fences. THALWEG_ISAS names others.
  local isas=${THALWEG_ISAS:-}
  if [ -z "$isas" ] && [ "$(uname -m)" = x86_64 ]; then
    isas=sse2
    if grep -qw avx2 /proc/cpuinfo 2>/dev/null; then isas=avx2; fi
  fi
  cmake -S . -B build-cmake/asan "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
    "-DTHALWEG_SANITIZE=address;undefined" "-DTHALWEG_ISAS=$isas" "-DTHALWEG_OUTPUT_DIR=$PWD/build/asan"
  cmake --build build-cmake/asan --parallel "$(getconf _NPROCESSORS_ONLN)" --target "$@"
}

asan() {
  # The sanitizer has to be in the process before the addon. So has the C++ library: the interceptor of `throw` looks for
  # it at start, and Node may bring its own.
  local compiler
  compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' build-cmake/asan/CMakeCache.txt)
  # detect_leaks=0: V8 and Node free nothing at exit; the tests on memory() look for leaks of tensors.
  # allocator_may_return_null=1: an allocation beyond memory has to fail as it does without the sanitizer.
  ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:allow_user_segv_handler=1:${ASAN_OPTIONS:-}" \
    UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}" \
    THALWEG_ADDON="$PWD/build/asan/thalweg.node" THALWEG_SANITIZED=1 \
    LD_PRELOAD="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libstdc++.so.6)" "$@"
}
