// What the device tests run on: node machine.mjs FOLDER OUTPUT.json
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { pathToFileURL } from 'node:url';

const [folder, output] = process.argv.slice(2);
const { cuda, info } = await import(new URL('src/index.js', pathToFileURL(`${folder}/`)).href);

function said(command, ...args) {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 30_000,
    }).trim();
  } catch {
    return null;
  }
}

const reason = cuda.unavailableReason();
const devices = Array.from({ length: cuda.deviceCount() }, (_, i) => ({
  ...cuda.deviceProperties(`cuda:${i}`),
  memory: cuda.memoryInfo(`cuda:${i}`),
}));
const machine = {
  date: new Date().toISOString(),
  node: process.version,
  cpu: os.cpus()[0]?.model.trim(),
  processors: os.availableParallelism(),
  isa: info().isa,
  nvidiaSmi: said(
    'nvidia-smi',
    '--query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.memory',
    '--format=csv,noheader',
  ),
  unavailable: reason,
  devices,
  libraries: reason === null ? cuda.libraries().split('\n') : [],
};
writeFileSync(output, `${JSON.stringify(machine, null, 1)}\n`);
console.log(JSON.stringify(machine, null, 1));
process.exitCode = reason === null ? 0 : 1;
