// Runs compiled test files, each in a process of its own, since an error of a GPU stays until its process ends:
// node run.mjs FOLDER OUTPUT.json PARALLEL [COMMAND before node ...] -- FILE...
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const [folder, output, parallel, ...rest] = process.argv.slice(2);
const split = rest.indexOf('--');
const before = rest.slice(0, split);
const waiting = rest.slice(split + 1);
const scratch = mkdtempSync(join(tmpdir(), 'thalweg-gpu-'));
const results = [];

function runFile(file) {
  const begin = performance.now();
  const report = join(scratch, `${file.replaceAll('/', '-')}.json`);
  const [command, ...args] = [
    ...before,
    process.execPath,
    join(folder, 'test/gpu/file.mjs'),
    join(folder, file),
    report,
  ];
  return new Promise((resolve) => {
    const options = { maxBuffer: 2 ** 26, timeout: 600_000, killSignal: 'SIGKILL' };
    execFile(command, args, options, (error, stdout, stderr) => {
      let result;
      try {
        result = JSON.parse(readFileSync(report, 'utf8'));
      } catch {
        result = {
          passed: 0,
          failed: 0,
          skipped: 0,
          failures: [{ name: 'the process', message: 'it ended before its tests' }],
        };
      }
      const status = error === null ? 0 : (error.code ?? error.signal ?? 'unknown');
      // Of a process that said more than its tests did, a sanitizer or one that crashed.
      const text = status === 0 ? '' : `${stdout}\n${stderr}`.trim().slice(-4000);
      resolve({ file, ...result, status, seconds: Math.round((performance.now() - begin) / 100) / 10, output: text });
    });
  });
}

async function worker() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const result = await runFile(file);
    results.push(result);
    const { passed, failed, skipped, status, seconds } = result;
    console.log(
      `${status === 0 ? 'ok' : 'FAILED'} ${file}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`,
    );
    for (const { name, message } of result.failures.slice(0, 3)) console.log(`   ${name}: ${message.split('\n')[0]}`);
    // After each: a run that is cut off leaves what it has found.
    write();
  }
}

function write() {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const files = [...results].sort((a, b) => (a.file < b.file ? -1 : 1));
  const failed = results.filter(({ status }) => status !== 0).map(({ file }) => file);
  const summary = {
    command: before,
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    failedFiles: failed,
  };
  writeFileSync(output, `${JSON.stringify({ ...summary, unfinished: waiting, files }, null, 1)}\n`);
  return failed.length;
}

await Promise.all(Array.from({ length: Number(parallel) }, worker));
rmSync(scratch, { recursive: true });
process.exitCode = results.length > 0 && write() === 0 ? 0 : 1;
