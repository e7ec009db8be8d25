// Runs one compiled test file and writes what became of it: node file.mjs FILE RESULT.json
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { startTests } from '@vitest/runner';

const [file, result] = process.argv.slice(2);
const runner = {
  config: {
    root: process.cwd(),
    setupFiles: [],
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: true,
    sequence: { shuffle: false, concurrent: false, seed: 0, hooks: 'stack', setupFiles: 'list' },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    strictTags: false,
  },
  async importFile(path) {
    await import(new URL('../device.js', import.meta.url).href);
    await import(pathToFileURL(path).href);
  },
};

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
function collect(tasks, prefix) {
  for (const task of tasks) {
    const name = prefix === '' ? task.name : `${prefix} > ${task.name}`;
    const errors = task.result?.errors ?? [];
    if (task.type === 'suite') {
      if (errors.length > 0) failures.push({ name, message: errors[0].message });
      collect(task.tasks, name);
    } else if (task.mode === 'skip' || task.mode === 'todo' || task.result?.state === 'skip') counts.skipped++;
    else if (task.result?.state === 'pass') counts.passed++;
    else {
      counts.failed++;
      failures.push({ name, message: errors[0]?.message ?? 'it has no result' });
    }
  }
}

const begin = performance.now();
const files = await startTests([file], runner);
for (const { tasks, result } of files) {
  for (const { message } of result?.errors ?? []) failures.push({ name: 'the file', message });
  collect(tasks, '');
}
writeFileSync(result, JSON.stringify({ ...counts, failures, ms: Math.round(performance.now() - begin) }));
// A file of which nothing was found is a mistake; one may skip all it has, for want of a library.
process.exit(failures.length === 0 && counts.passed + counts.skipped > 0 ? 0 : 1);
