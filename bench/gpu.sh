#!/usr/bin/env bash
# Tests and measures the CUDA device on a machine that has a GPU and perhaps nothing else: no network, no Node.js, no
# compiler.
#
#   bench/gpu.sh pack [--emulated]   where Thalweg is built: puts all of it into build/gpu, below 64 MiB. --emulated: with
#                                    the device for tests in the place of the plugin, to try this script itself
#   bench/gpu.sh run FOLDER [PART...] on the machine, with this file and build/gpu: runs the parts and writes JSON into
#                                    FOLDER. Parts, in this order by default:
#     machine    the GPU, its driver, Thalweg's libraries
#     tests      the device tests, each file in a process (THALWEG_GPU_FILES: a regular expression of files)
#     sanitizer  compute-sanitizer on some of them, where it is installed (memcheck, racecheck, initcheck)
#     bench      the rows on the device, beside PyTorch where THALWEG_BENCH_PYTHON (default python3) has it
#                (THALWEG_GPU_ROWS: a regular expression of rows)
# A part that fails does not stop the next. The exit status is 1 if one did.
set -euo pipefail
cd "$(dirname "$0")/.."
packed=build/gpu

pack() {
  local plugin=thalweg-cuda-cu13.so built=build-cmake/cuda/plugin/thalweg-cuda-cu13.so
  local addon=${THALWEG_ADDON:-build/Release/thalweg.node}
  if [ "${1:-}" = --emulated ]; then built=$(dirname "$addon")/thalweg-cuda-emulated.so; fi
  local file
  for file in "$addon" "$built" dist/index.js; do
    if [ ! -e "$file" ]; then
      echo "gpu.sh: there is no $file; npm run build makes the addon and dist, npm run build:cuda the plugin, npm run test:cuda-emu the emulated one" >&2
      exit 1
    fi
  done
  rm -rf "$packed"
  mkdir -p "$packed/js"

  # The tests as JavaScript, where their imports find the library, the goldens, and as much of the framework as is plain
  # JavaScript.
  npx tsc -p tsconfig.gpu.json
  local js=$packed/js package
  mkdir -p "$js/node_modules/thalweg" "$js/node_modules/vitest" "$js/test/gpu" "$js/bench/peers"
  echo '{ "type": "module", "exports": { ".": "./index.js", "./probe": "./probe.js" } }' >"$js/node_modules/thalweg/package.json"
  echo "export * from '../../src/index.js';" >"$js/node_modules/thalweg/index.js"
  echo "export * from '../../src/probe.js';" >"$js/node_modules/thalweg/probe.js"
  # What a checkout has built, by the paths at which the library and its tests look for it.
  mkdir -p "$js/dist/data/workers" "$js/dist-internals/cli"
  echo "import '../../../src/data/workers/entry.js';" >"$js/dist/data/workers/entry.js"
  echo "export * from '../../src/cli/info.js';" >"$js/dist-internals/cli/info.js"
  echo '{ "type": "module", "main": "index.js" }' >"$js/node_modules/vitest/package.json"
  cp test/gpu/framework.mjs "$js/node_modules/vitest/index.js"
  cp test/gpu/*.mjs "$js/test/gpu/"
  cp -r bench/peers/. "$js/bench/peers/"
  mkdir "$js/node_modules/@vitest"
  for package in @vitest/runner @vitest/expect @vitest/utils @vitest/spy @vitest/pretty-format chai pathe tinyrainbow @standard-schema/spec; do
    mkdir -p "$js/node_modules/$(dirname "$package")"
    cp -rL "node_modules/$package" "$js/node_modules/$package"
  done
  # What the library itself needs: its dependencies, and theirs.
  npm ls --omit=dev --omit=optional --omit=peer --all --parseable | tail -n +2 | while read -r package; do
    package=${package#"$PWD/"}
    mkdir -p "$js/$(dirname "$package")"
    cp -rLT "$package" "$js/$package"
  done
  cp -r test/golden "$js/test/golden"
  echo '{ "name": "thalweg-tests", "version": "0.0.0", "type": "module" }' >"$js/package.json"

  strip --strip-unneeded -o "$packed/thalweg.node" "$addon"
  strip --strip-unneeded -o "$packed/$plugin" "$built"
  tar -C "$packed" -czf "$packed/thalweg.tar.gz" --exclude=.tsbuildinfo js thalweg.node "$plugin"
  rm -rf "$packed/js" "$packed/thalweg.node" "${packed:?}/$plugin" "$packed/.tsbuildinfo"
  gzip -9 -c "$(node -p 'require("fs").realpathSync(process.execPath)')" >"$packed/node.gz"
  local bytes
  bytes=$(du -sb "$packed" | cut -f1)
  ls -l "$packed"
  echo "gpu.sh: $packed has $((bytes / 1024)) KiB of the 65536 that may travel"
  [ "$bytes" -lt $((64 << 20)) ]
}

# ---- on the machine -----------------------------------------------------------------------------------------------------
unpack() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  tar -C "$work" -xzf "$packed/thalweg.tar.gz"
  gzip -dc "$packed/node.gz" >"$work/node"
  chmod +x "$work/node"
  export THALWEG_ADDON="$work/thalweg.node" THALWEG_CUDA_PLUGIN="$work/thalweg-cuda-cu13.so"
  node=$work/node
  js=$work/js
}

# Seconds that a part may take.
limited() { timeout --kill-after=10 "$@"; }

part_machine() {
  limited 120 "$node" "$js/test/gpu/machine.mjs" "$js" "$out/machine.json"
}

test_files() { (cd "$js" && find test/samples test/cuda test/trainings.test.js -name '*.test.js' 2>/dev/null | sort); }

part_tests() {
  local files
  mapfile -t files < <(test_files | grep -E "${THALWEG_GPU_FILES:-.}")
  # A GPU is shared by as many processes without harm.
  THALWEG_TEST_DEVICE=cuda limited "${THALWEG_GPU_TEST_SECONDS:-420}" \
    "$node" "$js/test/gpu/run.mjs" "$js" "$out/tests.json" "${THALWEG_GPU_PARALLEL:-4}" -- "${files[@]}"
}

part_sanitizer() {
  local sanitizer tool files status=0
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1 || true)
  if [ -z "$sanitizer" ]; then
    echo 'gpu.sh: compute-sanitizer is not installed here'
    echo '{ "skipped": "compute-sanitizer is not installed" }' >"$out/sanitizer.json"
    return 0
  fi
  # Goldens only: under it a kernel takes tens of times as long.
  mapfile -t files < <(test_files | grep -E "${THALWEG_GPU_SANITIZED_FILES:-samples/(core|products|conv|norms|sorting|rnn)}")
  for tool in ${THALWEG_GPU_SANITIZERS:-memcheck racecheck}; do
    THALWEG_TEST_DEVICE=cuda THALWEG_TEST_GOLDENS_ONLY=1 limited "${THALWEG_GPU_SANITIZER_SECONDS:-200}" \
      "$node" "$js/test/gpu/run.mjs" "$js" "$out/sanitizer-$tool.json" "${THALWEG_GPU_PARALLEL:-4}" \
      "$sanitizer" --tool "$tool" --error-exitcode 86 --print-limit 20 -- "${files[@]}" || status=1
  done
  return "$status"
}

part_bench() {
  limited "${THALWEG_GPU_BENCH_SECONDS:-300}" "$node" "$js/test/gpu/bench.mjs" "$js" "$out/bench.json" "${THALWEG_GPU_ROWS:-}" --peers torch ${THALWEG_GPU_BENCH_FLAGS:---rounds 5 --ms 20}
}

run() {
  if [ $# -eq 0 ]; then
    echo 'usage: bench/gpu.sh run FOLDER [machine|tests|sanitizer|bench ...]' >&2
    exit 2
  fi
  mkdir -p "$1"
  out=$(cd "$1" && pwd)
  shift
  if [ ! -e "$packed/thalweg.tar.gz" ]; then
    echo "gpu.sh: there is no $packed/thalweg.tar.gz; bench/gpu.sh pack makes it" >&2
    exit 1
  fi
  unpack
  local part start status=0
  if [ $# -eq 0 ]; then set -- machine tests sanitizer bench; fi
  for part in "$@"; do
    start=$SECONDS
    printf '\n==> %s\n' "$part"
    if "part_$part"; then
      printf '==> %s: %d s\n' "$part" $((SECONDS - start))
    else
      printf '==> %s: FAILED after %d s\n' "$part" $((SECONDS - start))
      status=1
    fi
  done
  exit "$status"
}

case ${1:-} in
  pack | run) "$@" ;;
  *)
    sed -n '2,/^set -e/p' "$0" | grep '^#' | sed 's/^# \{0,1\}//'
    exit 2
    ;;
esac
