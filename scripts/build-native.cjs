// Builds the addon with CMake: called by node-gyp and prebuildify (through binding.gyp), and by the install script where
// node-gyp itself cannot run (it needs Python). CommonJS and without dependencies, because it also runs inside an
// installed package. CMake works in build-cmake/, not in build/: node-gyp empties that one before each rebuild, and the
// objects would be compiled again.
'use strict';
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const out = path.join('build-cmake', 'release');
const env = { ...process.env };
// Set when node-gyp's make started this script; a nested make would look for a job server that it cannot reach.
for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS']) delete env[name];

const available = (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;

function cmake(args) {
  const result = spawnSync('cmake', args, { cwd: root, env, stdio: 'inherit' });
  if (result.error || result.status !== 0) {
    const why = result.error ? `cmake did not start: ${result.error.message}` : 'see the messages above';
    console.error(`thalweg: building from source failed (${why}). It needs CMake >= 3.18 and a C++20 compiler.`);
    process.exit(1);
  }
}

if (process.argv.includes('--no-node-gyp')) {
  console.error(
    'thalweg: node-gyp did not get through (see above: it needs Python and make); building with CMake alone.',
  );
}
const configured = existsSync(path.join(root, out, 'CMakeCache.txt'));
const generator = !configured && available('ninja') ? ['-G', 'Ninja'] : [];
cmake(['-S', '.', '-B', out, '-DCMAKE_BUILD_TYPE=Release', ...generator]);
cmake(['--build', out, '--config', 'Release', '--parallel', String(os.availableParallelism())]);
