#!/usr/bin/env bash
# The test suite on an addon built with AddressSanitizer and UndefinedBehaviorSanitizer (build/asan/thalweg.node).
# Arguments go to vitest: npm run test:asan -- test/matmul.test.ts
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/asan.sh

build_asan thalweg thalweg_fence thalweg_device_allocator
build-cmake/asan/thalweg_fence
build-cmake/asan/thalweg_device_allocator

asan node node_modules/vitest/vitest.mjs run --config vitest.built.config.ts "$@"
