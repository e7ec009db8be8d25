#!/usr/bin/env bash
# The native test of streams, pool, allocator and handles (native/test/stress.cpp) with ThreadSanitizer.
# Arguments go to the test: npm run test:tsan -- 100 7 (rounds, seed)
set -euo pipefail
cd "$(dirname "$0")/.."

generator=()
if [ ! -e build-cmake/tsan/CMakeCache.txt ] && command -v ninja >/dev/null; then generator=(-G Ninja); fi
cmake -S . -B build-cmake/tsan "${generator[@]}" -DCMAKE_BUILD_TYPE=Release "-DTHALWEG_SANITIZE=thread"
cmake --build build-cmake/tsan --parallel "$(getconf _NPROCESSORS_ONLN)" --target thalweg_stress

# The sanitizer's shadow memory wants the address layout that it was made for; newer kernels randomise more of it.
fixed=()
if command -v setarch >/dev/null && setarch "$(uname -m)" -R true 2>/dev/null; then fixed=(setarch "$(uname -m)" -R); fi
export TSAN_OPTIONS="halt_on_error=1:${TSAN_OPTIONS:-}"
exec "${fixed[@]}" build-cmake/tsan/thalweg_stress "$@"
