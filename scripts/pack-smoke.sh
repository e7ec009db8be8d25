#!/usr/bin/env bash
# What a user gets: packs the package with its prebuilt binary, installs the tarball in an empty folder where PATH holds
# nothing but node, npm and a shell, and trains there. Then the same without the install script.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm run prebuildify
npm pack --pack-destination "$work"
tarball=$(ls "$work"/thalweg-*.tgz)

mkdir "$work/bin"
for tool in node npm sh; do ln -s "$(readlink -f "$(command -v "$tool")")" "$work/bin/$tool"; done
for tool in cc gcc g++ c++ clang cmake make ninja python3; do
  if PATH="$work/bin" command -v "$tool" >/dev/null; then
    echo "pack-smoke: $tool is still on PATH" >&2
    exit 1
  fi
done

for flags in "" "--ignore-scripts"; do
  app="$work/app$flags"
  mkdir "$app"
  cp test/smoke.mjs "$app/train.mjs"
  echo '{ "name": "app", "private": true, "type": "module" }' > "$app/package.json"
  (
    cd "$app"
    export PATH="$work/bin"
    # shellcheck disable=SC2086
    npm install --no-audit --no-fund $flags "$tarball"
    node train.mjs
    # What npx does; the command is linked whatever the flags.
    npm exec --no -- thalweg info
    npm exec --no -- thalweg info --json > info.json
    npm exec --no -- thalweg bench --rows add4 --ms 1 --peers none
  )
  # Each of them says that the binary is the tarball's own.
  grep -q '"origin": "prebuilt"' "$app/info.json"
  # The plugin, where it was built: it opens without any of NVIDIA's libraries, and finds a GPU or says what is missing.
  if compgen -G 'prebuilds/*/thalweg-cuda-cu13.so' >/dev/null; then
    (
      cd "$app"
      export PATH="$work/bin"
      node --input-type=module --eval "
        import { cuda } from 'thalweg';
        const reason = cuda.unavailableReason();
        console.log(reason === null ? cuda.deviceProperties().name + '\\n' + cuda.libraries() : 'no cuda: ' + reason);
        if (reason !== null && !/driver|GPU/.test(reason)) process.exit(1);
      "
    )
  fi
done

# Who builds from source has all the files that CMake asks for.
cmake -S "$work/app/node_modules/thalweg" -B "$work/source" >/dev/null

# The types have to be usable by a strict consumer, declaration files included.
cp test/smoke.mjs "$work/app/train.mts"
node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --target ES2022 --module NodeNext --types node \
  --lib ES2022,ESNext.Disposable --typeRoots "$root/node_modules/@types" "$work/app/train.mts"
echo "pack-smoke: the tarball installs, loads, trains, measures and type-checks without a compiler"
