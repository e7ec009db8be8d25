import { describe, expect, test } from 'vitest';
import { data, Generator } from 'thalweg';

const indices = (length: number): data.Dataset<number, number[]> => ({
  length,
  get: (index) => index,
  batch: (positions) => Array.from(positions),
});

type Options = data.DataLoaderOptions<number, number[]>;
const make = (options: Options, length = 20): data.DataLoader<number, number[]> =>
  new data.DataLoader(indices(length), options);

/** The batches of the next epoch, with the state behind each of them, as it would be read from a file. */
async function walk(
  loader: data.DataLoader<number, number[]>,
): Promise<{ batches: number[][]; states: data.DataLoaderState[] }> {
  const batches: number[][] = [];
  const states: data.DataLoaderState[] = [];
  for await (const batch of loader) {
    batches.push(batch);
    states.push(JSON.parse(JSON.stringify(loader.stateDict())) as data.DataLoaderState);
  }
  return { batches, states };
}

const weights = Float64Array.from({ length: 20 }, (_, i) => 1 + i);
const variants: Record<string, () => Options> = {
  'in order': () => ({ batchSize: 3 }),
  shuffled: () => ({ batchSize: 3, shuffle: true, seed: 9 }),
  'shuffled, with much prefetching': () => ({ batchSize: 3, shuffle: true, seed: 9, prefetch: 5 }),
  'the last one dropped': () => ({ batchSize: 3, shuffle: true, seed: 9, dropLast: true }),
  weighted: () => ({ batchSize: 3, seed: 9, sampler: new data.WeightedRandomSampler(weights, 17) }),
  'of one process of three': () => ({
    batchSize: 2,
    sampler: new data.DistributedSampler(20, { numReplicas: 3, rank: 1 }),
  }),
  'whole batches': () => ({
    seed: 9,
    batchSampler: new data.BatchSampler(new data.RandomSampler(20), { batchSize: 4 }),
  }),
};

describe('a loader that continues hands out what an uninterrupted one would have', () => {
  test.each(Object.keys(variants))('%s', async (name) => {
    const options = variants[name];
    const whole = make(options());
    const first = await walk(whole);
    const between = whole.stateDict();
    const second = await walk(whole);
    expect(between).toMatchObject({ epoch: 1, batch: 0 });
    expect(first.states.map(({ batch }) => batch)).toEqual(first.batches.map((_, i) => i + 1));

    for (const [i, state] of first.states.entries()) {
      const resumed = make(options());
      resumed.loadStateDict(state);
      expect(resumed.stateDict()).toEqual(state);
      expect(resumed.epoch).toBe(0);
      const rest = await walk(resumed);
      expect(rest.batches).toEqual(first.batches.slice(i + 1));
      expect(rest.states).toEqual(first.states.slice(i + 1));
      expect((await walk(resumed)).batches).toEqual(second.batches);
    }
    const next = make(options());
    next.loadStateDict(between);
    expect((await walk(next)).batches).toEqual(second.batches);
    // The plain `for` does the same.
    const plain = make(options());
    plain.loadStateDict(second.states[1]);
    expect([...plain]).toEqual(second.batches.slice(2));
  });

  test('an epoch that was left early, and the one that is started after it', async () => {
    const loader = make({ batchSize: 5, shuffle: true, seed: 1 });
    const { batches } = await walk(make({ batchSize: 5, shuffle: true, seed: 1 }));
    for await (const _ of loader) break;
    const state = loader.stateDict();
    expect(state).toMatchObject({ epoch: 0, batch: 1 });
    const resumed = make({ batchSize: 5, shuffle: true, seed: 1 });
    resumed.loadStateDict(state);
    expect([...resumed]).toEqual(batches.slice(1));
    // The same loader starts the next epoch, as it always did.
    for (const _ of loader) break;
    expect(loader.stateDict()).toMatchObject({ epoch: 1, batch: 1 });
    loader.epoch = 7;
    expect(loader.stateDict()).toMatchObject({ epoch: 7, batch: 0 });
  });

  test('the seed travels with the state, also one that was drawn, and one not drawn yet', async () => {
    const loader = make({ batchSize: 6, shuffle: true, generator: new Generator(3) });
    const before = loader.stateDict();
    expect(before.seed).toBeNull();
    const { batches, states } = await walk(loader);
    expect(states[0].seed).toBeTypeOf('number');
    const other = make({ batchSize: 6, shuffle: true, seed: 77 });
    other.loadStateDict(states[0]);
    expect([...other]).toEqual(batches.slice(1));
    const fresh = make({ batchSize: 6, shuffle: true, generator: new Generator(3) });
    fresh.loadStateDict(before);
    expect([...fresh]).toEqual(batches);
  });

  test('taking a state draws no random numbers', () => {
    const generator = new Generator(3);
    make({ shuffle: true, generator }).stateDict();
    make({ generator }).stateDict();
    expect([...make({ generator })].length).toBe(20);
    expect(generator.getState().offset).toBe(0);
  });

  test('a new batch size counts from the next epoch on', async () => {
    const loader = make({ batchSize: 5 });
    for await (const _ of loader) {
      loader.batchSize = 10;
      break;
    }
    expect(loader.stateDict()).toMatchObject({ batch: 1, batchSize: 5 });
    expect([...loader].length).toBe(2);
    expect(loader.stateDict()).toMatchObject({ epoch: 2, batch: 0, batchSize: 10 });
  });
});

describe('wrong states', () => {
  const state = make({ batchSize: 5, shuffle: true, seed: 1 }).stateDict();
  const refusal = (loader: data.DataLoader<number, number[]>, wrong: unknown): string => {
    const before = JSON.stringify(loader.stateDict());
    let message = 'accepted';
    try {
      loader.loadStateDict(wrong as data.DataLoaderState);
    } catch (error) {
      expect(error).toMatchObject({ name: 'ArgumentError', code: 'ERR_THALWEG_ARGUMENT' });
      message = (error as Error).message.replace('DataLoader.loadStateDict: ', '');
    }
    expect(JSON.stringify(loader.stateDict())).toBe(before);
    return message;
  };

  test('of another dataset, batch size or sampler: both numbers are said', () => {
    const shuffled: Options = { batchSize: 5, shuffle: true, seed: 1 };
    expect(refusal(make(shuffled, 21), state)).toBe('the state is of a dataset of 20 samples, but this one has 21.');
    expect(refusal(make({ ...shuffled, batchSize: 4 }), state)).toBe(
      "the state is of batches of 5, but this loader's have 4; set batchSize to 5 first.",
    );
    expect(refusal(make({ ...shuffled, dropLast: true }), state)).toBe(
      'dropLast is false in the state, but true in this loader.',
    );
    expect(refusal(make({ batchSize: 5 }), state)).toBe(
      'the state is of a RandomSampler, but this loader has a SequentialSampler.',
    );
    const distributed = (numReplicas: number, rank = 0): Options => ({
      batchSize: 5,
      sampler: new data.DistributedSampler(20, { numReplicas, rank }),
    });
    const ofTwo = make(distributed(2)).stateDict();
    expect(refusal(make(distributed(4)), ofTwo)).toBe(
      'length of the DistributedSampler is 10 in the state, but 5 in this loader.',
    );
    expect(refusal(make(distributed(2, 1)), ofTwo)).toBe('accepted');
    const weighted = (values: number[]): Options => ({ batchSize: 5, sampler: new data.WeightedRandomSampler(values) });
    const even = make(weighted([1, 1, 1])).stateDict();
    expect(refusal(make(weighted([1, 1, 2])), even)).toMatch(
      /^weights of the WeightedRandomSampler is [0-9a-f]{16} in the state, but [0-9a-f]{16} in this loader\.$/,
    );
    const own = (length: number): Options => ({
      batchSampler: { length, batches: () => Array.from({ length }, (_, i) => [i]) },
    });
    expect(refusal(make(own(3)), make(own(4)).stateDict())).toBe(
      'length of the custom sampler is 4 in the state, but 3 in this loader.',
    );
  });

  test.each([
    [null, 'the state is not an object.'],
    [[], 'epoch must be an integer of at least 0, not undefined.'],
    [{ ...state, epoch: -1 }, 'epoch must be an integer of at least 0, not -1.'],
    [{ ...state, batch: 0.5 }, 'batch must be an integer of at least 0, not 0.5.'],
    [{ ...state, batch: 5 }, 'the state is behind batch 5 of an epoch, but one has only 4.'],
    [{ ...state, seed: 'x' }, 'seed must be an integer of at least 0, not "x".'],
    [{ ...state, sampler: undefined }, 'the state has no sampler.'],
  ])('%j', (wrong, message) => {
    expect(refusal(make({ batchSize: 5, shuffle: true, seed: 1 }), wrong)).toBe(message);
  });
});
