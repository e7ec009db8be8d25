// The benchmark's rows in TensorFlow.js on WebAssembly: node tfjs_peer.mjs THREADS FOLDER
// The packages are those that FOLDER resolves. The conversation is that of bench/peer.ts.
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { createInterface } from 'node:readline';

const [threads, folder] = [Number(process.argv[2]), process.argv[3]];
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
// Replies have stdout for themselves.
console.log = console.info = console.warn = console.error;

const require = createRequire(join(folder, 'resolve-from-here.js'));
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), sep));
wasm.setThreadsCount(threads);
if (!(await tf.setBackend('wasm'))) {
  say({ error: 'TensorFlow.js did not start its WebAssembly backend' });
  process.exit(1);
}
await tf.ready();

const { layers } = tf;
const models = {
  mlp: {
    batches: [8, 32, 128, 512],
    input: [784],
    make: () =>
      tf.sequential({
        layers: [layers.dense({ units: 512, activation: 'relu', inputShape: [784] }), layers.dense({ units: 10 })],
      }),
  },
  cnn: {
    batches: [128],
    input: [32, 32, 3],
    make: () =>
      tf.sequential({
        layers: [
          layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [32, 32, 3] }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.flatten(),
          layers.dense({ units: 64, activation: 'relu' }),
          layers.dense({ units: 10 }),
        ],
      }),
  },
};

/** The result is read, so that nothing can be put off. */
function training({ make, input }, batch) {
  const model = make();
  const adam = tf.train.adam(1e-4);
  const x = tf.randomNormal([batch, ...input]);
  const y = tf.oneHot(tf.randomUniform([batch], 0, 10, 'int32'), 10).toFloat();
  const loss = () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }));
  return {
    run() {
      tf.tidy(() => adam.minimize(loss, true).dataSync());
    },
    dispose() {
      tf.dispose([x, y]);
      model.dispose();
      adam.dispose();
    },
  };
}

function inference({ make, input }) {
  const model = make();
  const x = tf.randomNormal([1, ...input]);
  return {
    run() {
      tf.tidy(() => model.predict(x).dataSync());
    },
    dispose() {
      x.dispose();
      model.dispose();
    },
  };
}

// The gradient of a convolution's weight has no kernel in WebAssembly, as of 4.22.
const trains = { mlp: true, cnn: Boolean(tf.getKernel('Conv2DBackpropFilter', 'wasm')) };
const rows = {};
for (const [name, model] of Object.entries(models)) {
  for (const batch of trains[name] ? model.batches : []) rows[`train/${name}/${batch}`] = () => training(model, batch);
  rows[`infer/${name}/1`] = () => inference(model);
}

// As in ../measure.ts.
const warmMeasurements = 10;

class Case {
  fastest = 0;

  constructor(work) {
    this.work = work;
  }

  warmUp(ms) {
    this.time(1);
    this.fastest = 0;
    for (let iterations = 1, spent = 0; spent < warmMeasurements * ms;) {
      const run = (this.time(iterations) * iterations) / 1e6;
      spent += run;
      if (run < ms / 2) iterations *= 2;
    }
    return this.fastest;
  }

  measure(ms) {
    return this.time(Math.max(1, Math.round((ms * 1e6) / this.fastest)));
  }

  time(iterations) {
    const start = performance.now();
    for (let i = 0; i < iterations; i++) this.work.run();
    const each = (1e6 * Math.max(performance.now() - start, 1e-6)) / iterations;
    this.fastest = this.fastest === 0 ? each : Math.min(this.fastest, each);
    return each;
  }
}

say({ name: 'TensorFlow.js (WASM)', version: tf.version.tfjs, rows: Object.keys(rows) });
const cases = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, row, ms } = JSON.parse(line);
  try {
    if (what === 'prepare') {
      cases.set(row, new Case(rows[row]()));
      say({ ns: cases.get(row).warmUp(ms) });
    } else if (what === 'measure') {
      say({ ns: cases.get(row).measure(ms) });
    } else {
      cases.get(row)?.work.dispose();
      cases.delete(row);
      say({ ns: 0 });
    }
  } catch (error) {
    console.error(error);
    cases.delete(row);
    say({ error: String(error).split('\n')[0].slice(0, 200) });
  }
}
