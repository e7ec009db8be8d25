// Whole training steps (forward, loss, backward, Adam), and the latency of one example.
import { noGrad, synchronize } from 'thalweg';
import { models } from '../models/index.js';
import type { Model } from '../models/model.js';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

function training(model: Model, batch: number): Row {
  return {
    name: `train/${model.name}/${batch}`,
    what: `a training step of ${model.what} at batch ${batch}, with Adam`,
    unit: 'ms',
    flops: model.trainFlops(batch),
    // Of memory only what Adam cannot do without: p, g, m and v are read, p, m and v written.
    bytes: 28 * model.parameters,
    ...(model.slow === true ? { slow: true } : {}),
    prepare() {
      const { train } = model.make(batch);
      return repeat(train);
    },
  };
}

function inference(model: Model): Row {
  return {
    name: `infer/${model.name}/1`,
    what: `one example through ${model.what}, the result waited for`,
    unit: 'us',
    flops: model.inferFlops,
    bytes: 4 * (model.inferParameters ?? model.parameters),
    prepare() {
      const subject = model.make(1);
      subject.model.eval();
      return {
        run(iterations) {
          noGrad(() => {
            for (let i = 0; i < iterations; i++) {
              subject.infer().dispose();
              synchronize();
            }
          });
        },
      };
    },
  };
}

export const modelRows: readonly Row[] = [
  ...models.flatMap((model) => model.batches.map((batch) => training(model, batch))),
  ...models.map(inference),
];
