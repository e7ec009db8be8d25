#!/usr/bin/env bash
# Random cases of every family of kernels against float64 references, on the release build, each storage between pages without
# access. THALWEG_FUZZ: cases a family (10,000). Arguments: families, as in `npm run test:fuzz -- matmul conv`; default all.
set -euo pipefail
cd "$(dirname "$0")/.."

files=(test/fuzz/)
if [ $# -gt 0 ]; then files=("${@/#/test/fuzz/}"); fi
count=${THALWEG_FUZZ:-10000}

cmake -S . -B build-cmake/release >/dev/null
cmake --build build-cmake/release --target thalweg_fence thalweg_device_allocator
for mode in end start; do THALWEG_GUARD=$mode build-cmake/release/thalweg_fence; done
build-cmake/release/thalweg_device_allocator 200000

fuzz() { # cases, seed, which end is fenced, the instruction set
  rm -rf build/fuzz
  if THALWEG_FUZZ=$1 THALWEG_FUZZ_SEED=$2 THALWEG_GUARD=$3 THALWEG_CPU=$4 npx vitest run --config vitest.built.config.ts "${files[@]}"; then return; fi
  # A family whose process crashed could not say which case it was at.
  for last in build/fuzz/*.txt; do
    if [ -e "$last" ]; then echo "last case of $(basename "$last" .txt): THALWEG_GUARD=$3 THALWEG_CPU=$4 $(cat "$last")" >&2; fi
  done
  exit 1
}
# Most steps outside a tensor go over its end; a tenth of the cases, and others, watch the start.
fuzz "$count" 1 end ''
fuzz "$((count / 10))" 2 start ''
# As many on the instruction set that neither these nor npm run test:asan run on.
if [ "$(uname -m)" = x86_64 ]; then fuzz "$((count / 10))" 3 end sse2; fi
