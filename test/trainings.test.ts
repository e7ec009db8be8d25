// Five small trainings, as a user would write them (trainings/*.ts): their loss curves are PyTorch's from the same weights.
import { afterEach, describe, expect, test } from 'vitest';
import { getNumThreads, memory, setNumThreads, tidy, type FloatDType } from 'thalweg';
import { defaultDevice } from '../src/device.js';
import { expectClose, readGoldens } from './golden.js';
import { cnn } from './trainings/cnn.js';
import { gpt } from './trainings/gpt.js';
import { lstm } from './trainings/lstm.js';
import { mlp } from './trainings/mlp.js';
import { initialState, type MakeTraining, type Training } from './trainings/training.js';
import { vae } from './trainings/vae.js';

interface Golden {
  /** Names and shapes of PyTorch's state dict, in its order. */
  readonly state: Readonly<Record<string, readonly number[]>>;
  /** The loss before each step, in float64. */
  readonly losses: readonly number[];
}

const goldens = readGoldens<Readonly<Record<string, Golden>>>('trainings.json');
const trainings: Readonly<Record<string, MakeTraining>> = { mlp, cnn, lstm, gpt, vae };

const device = defaultDevice();
const threadsAtStart = getNumThreads();
afterEach(() => setNumThreads(threadsAtStart));

function start(name: string, dtype: FloatDType): Training {
  const training = trainings[name](dtype);
  training.model.loadStateDict(initialState(training.model, Object.keys(goldens[name].state)));
  return training;
}

/** The losses of all steps. */
function run(name: string, { model, step }: Training, afterStep?: (number: number) => void): number[] {
  model.train();
  return goldens[name].losses.map((_, number) => {
    const loss = tidy(() => Number(step(number).itemSync()));
    afterStep?.(number);
    return loss;
  });
}

describe.each(Object.keys(trainings))('%s', (name) => {
  const { state, losses } = goldens[name];

  test("has PyTorch's names and shapes", () => {
    const { model } = trainings[name]('float32');
    const shapes = Array.from(model.stateDict(), ([key, { shape }]) => [key, [...shape]]);
    expect(shapes).toEqual(Object.entries(state));
  });

  test.each([
    ['float64', 1e-9],
    ['float32', 1e-5],
  ] as const)("has PyTorch's losses in %s", (dtype, relative) => {
    const training = start(name, dtype);
    expectClose('loss', run(name, training), losses, { relative, floor: 0 });
    for (const p of training.model.parameters()) {
      expect(p.dtype).toBe(dtype);
      expect(p.isfinite().all().itemSync()).toBe(true);
    }
  });

  test('learns', () => {
    const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b) / part.length;
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
  });

  test('gives the same bits with 1 and 2 threads', () => {
    const [one, two] = [1, 2].map((threads) => {
      setNumThreads(threads);
      const training = start(name, 'float32');
      return [run(name, training), ...Array.from(training.model.stateDict().values(), (t) => [...t.bytesSync()])];
    });
    expect(two).toEqual(one);
  });

  test('keeps no tensors from step to step', () => {
    const counts: number[] = [];
    run(name, start(name, 'float32'), () => counts.push(memory({ device }).tensors));
    // The LSTM's last cell states lead nowhere: what their graph saved, the order of the batch, goes with the next collection.
    const forgotten = name === 'lstm' ? 1 : 0;
    expect(counts.slice(5)).toEqual(counts.slice(5).map((_, i) => counts[5] + i * forgotten));
  });

  test('keeps none without tidy either', () => {
    const { model, step } = start(name, 'float32');
    model.train();
    const counts = losses.map((_, number) => {
      step(number);
      return number === 4 || number === losses.length - 1 ? memory({ collect: true, device }).tensors : 0;
    });
    // A step makes hundreds. Tiny ones are collected by pages of 16, and the stack may hold a few of the last step's.
    expect(counts.at(-1)).toBeLessThan(counts[4] + 100);
  });
});
